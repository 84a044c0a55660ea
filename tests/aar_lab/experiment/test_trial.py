"""`lab try` on a tiny practice folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.tiny import PROBLEM, examples, weak_labels, write_bundle

from aar_lab.errors import BadInput, BadSource, LabError
from aar_lab.experiment.trial import practice, try_method
from aar_lab.problems.bundle import Formats

ZERO_SHOT = "from aar_lab.methods.zero_shot import train\n"
NAIVE = "from aar_lab.methods.naive import train\n"
ENSEMBLE = """
from aar_lab.types import Recipe, Student

def train(task, rng):
    members = []
    for _ in range(2):
        student = task.student()
        student.fit(task.inputs, task.weak.probs, rng)
        members.append(student.save())
    return Student(tuple(members), Recipe(("plain", "swap"), 2))
"""
SPY = """
from aar_lab.errors import BadInput

def train(task, rng):
    raise BadInput(task.weak.seed, " ".join(task.inputs.ids), "")
"""


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a box with practice data."""
    inputs, truth = examples(60)
    data = write_bundle(tmp_path / "data", inputs)
    weak = weak_labels(inputs, truth)
    rows = dict(zip(weak.ids[::-1], weak.probs[::-1].tolist(), strict=True))
    (data / "weak_labels.json").write_text(json.dumps(rows))
    monkeypatch.setenv("AAR_BOX_ROOT", str(tmp_path))
    return tmp_path


def tried(box: Path, source: str, seed: int = 0) -> dict[str, Any]:
    file = box / "method.py"
    file.write_text(source)
    return try_method(lambda: None, file, seed)


def test_a_trial_describes_the_student(box: Path) -> None:
    found = tried(box, NAIVE)
    assert found["ok"] is True
    assert found["trained_on"] == 45
    assert found["members"] == 1
    shares = ("agreement", "prior_agreement", "swap_consistency", "share_positive")
    assert all(0 <= found[name] <= 1 for name in shares)
    assert 0.5 <= found["mean_confidence"] <= 1
    json.dumps(found)


def test_a_trial_reads_the_recipe(box: Path) -> None:
    found = tried(box, ENSEMBLE)
    assert found["members"] == 2
    assert found["mean_confidence"] < tried(box, NAIVE)["mean_confidence"], "views average out"


def test_a_student_that_reads_both_orders_is_consistent(box: Path) -> None:
    assert tried(box, ENSEMBLE)["swap_consistency"] == 1


def test_an_elicited_student_agrees_with_the_prior_in_any_order(box: Path) -> None:
    found = tried(box, ZERO_SHOT)
    assert found["prior_agreement"] == found["swap_consistency"] == 1


def test_without_alternatives_and_formats_to_ask_in_these_shares_are_unknown(box: Path) -> None:
    bare = replace(PROBLEM, formats=Formats(task=PROBLEM.formats.task))
    (box / "data" / "problem.json").write_text(json.dumps(bare.as_dict()))
    found = tried(box, NAIVE)
    assert found["prior_agreement"] is found["swap_consistency"] is None
    assert 0 <= found["agreement"] <= 1


def test_a_trial_can_be_repeated(box: Path) -> None:
    first, second, other = (tried(box, NAIVE, seed) for seed in (0, 0, 1))
    del first["seconds"], second["seconds"], other["seconds"]
    assert first == second
    assert first != other


def test_a_quarter_is_held_out_and_drawn_by_the_seed(box: Path) -> None:
    shown = []
    for seed in (0, 1):
        with pytest.raises(BadInput) as caught:
            tried(box, SPY, seed)
        shown.append(set(caught.value.fault.split()))
    assert [len(ids) for ids in shown] == [45, 45]
    assert shown[0] != shown[1]


def test_practice_labels_are_joined_by_id(box: Path) -> None:
    _, inputs, weak = practice(box / "data")
    rows = json.loads((box / "data" / "weak_labels.json").read_text())
    assert weak.ids == inputs.ids
    assert weak.probs.tolist() == [rows[name] for name in inputs.ids]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(box: Path, content: bytes | None) -> None:
    file = box / "absent.py"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadSource, match="cannot be read"):
        try_method(lambda: None, file)


def test_outside_a_box_there_are_no_practice_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AAR_BOX_ROOT", str(tmp_path))
    with pytest.raises(LabError, match="no practice data"):
        tried(tmp_path, NAIVE)
