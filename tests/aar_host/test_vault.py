"""The vault: labels on disk, for the host alone."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aar_host.vault import Labels, Part, Vault
from aar_lab.errors import BadIds, Corrupt, UnknownName

LABELS = Labels(
    ids=("a", "b", "c"),
    truth=np.array([0, 1, 1], dtype=np.int8),
    problems=("q", "p", "q"),
    shifted=np.array([False, True, False]),
    metadata=({"quality": [1, 2.5]}, {}, {"sources": ["x"]}),
)


def test_labels_survive_the_vault(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault")
    vault.write(Part.SEALED, LABELS)
    found = vault.read(Part.SEALED)
    assert (found.ids, found.problems, found.metadata) == (
        LABELS.ids,
        LABELS.problems,
        LABELS.metadata,
    )
    assert found.truth.tolist() == LABELS.truth.tolist()
    assert found.shifted.tolist() == LABELS.shifted.tolist()


def test_only_the_host_can_read_the_vault(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    folder.mkdir(mode=0o755)
    Vault(folder).write(Part.SEALED, LABELS)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "sealed.jsonl")]
    assert modes == [0o700, 0o600]


def test_a_part_that_was_never_written_is_unknown(tmp_path: Path) -> None:
    Vault(tmp_path).write(Part.SEALED, LABELS)
    with pytest.raises(UnknownName, match="public"):
        Vault(tmp_path).read(Part.PUBLIC)


@pytest.mark.parametrize("line", ["{", "[]", "1", '{"id": "x"}', '{"id": "x", "y": "one"}'])
def test_rubbish_in_the_vault_is_noticed(tmp_path: Path, line: str) -> None:
    vault = Vault(tmp_path)
    vault.write(Part.SEALED, LABELS)
    with (tmp_path / "sealed.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(Corrupt, match=r"sealed\.jsonl"):
        vault.read(Part.SEALED)


def test_taking_rows_keeps_what_belongs_together() -> None:
    taken = LABELS.take([2, 0])
    assert taken.ids == ("c", "a")
    assert taken.truth.tolist() == [1, 0]
    assert taken.metadata == (LABELS.metadata[2], LABELS.metadata[0])


def test_items_of_one_problem_are_one_cluster() -> None:
    first, second, third = LABELS.clusters
    assert first == third != second
    assert set(LABELS.clusters) == {0, 1}


@pytest.mark.parametrize("truth", [[0, 1], [0, 1, 2], [0, 1, -1]])
def test_a_missing_or_impossible_label_is_refused(truth: list[int]) -> None:
    with pytest.raises(BadIds):
        replace(LABELS, truth=np.array(truth, dtype=np.int8))
