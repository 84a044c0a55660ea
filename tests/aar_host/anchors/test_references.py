"""Anchors: trained once, checked when read, the same wherever they are trained."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.tiny import examples
from tests.tiny_source import TinySource

from aar_host.anchors.code import code_digest
from aar_host.anchors.references import (
    CEILING_SEEDS,
    MIN_SEEDS,
    Anchors,
    build_anchors,
    train_reference,
)
from aar_host.anchors.students import BASELINES, Kind, Trainer
from aar_host.anchors.summary import summarise
from aar_host.problems.base import Draw
from aar_host.problems.prepare import draw_test, prepare
from aar_host.vault import Labels, Part
from aar_lab.errors import Corrupt, TooFewSeeds
from aar_lab.experiment.students import infer
from aar_lab.types import Inputs

SEEDS = MIN_SEEDS
TOTAL = (1 + len(BASELINES)) * SEEDS + CEILING_SEEDS


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> TinySource:
    return TinySource(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def progress() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture(scope="module")
def anchors(
    source: TinySource,
    progress: list[tuple[str, int, int]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Anchors:
    """Built once, by real worker processes."""
    prepared = prepare(source, tmp_path_factory.mktemp("cache"), seed=0)
    return build_anchors(prepared, SEEDS, 1, lambda *news: progress.append(news))


@pytest.fixture
def copied(anchors: Anchors, tmp_path: Path) -> Anchors:
    """Anchors that a test may spoil."""
    shutil.copytree(anchors.prepared.directory, tmp_path / "copy")
    return replace(anchors, prepared=replace(anchors.prepared, directory=tmp_path / "copy"))


@pytest.mark.parametrize("seeds", [0, 1, MIN_SEEDS - 1])
def test_too_few_seeds_are_refused(source: TinySource, tmp_path: Path, seeds: int) -> None:
    prepared = prepare(source, tmp_path, seed=0)
    with pytest.raises(TooFewSeeds, match=f"{seeds} seeds: anchors need at least {MIN_SEEDS}"):
        build_anchors(prepared, seeds, 1)
    assert not (prepared.directory / "anchors").exists()


def test_every_reference_is_trained_and_reported(
    anchors: Anchors, progress: list[tuple[str, int, int]]
) -> None:
    assert [done for _, done, _ in progress] == list(range(1, TOTAL + 1))
    assert {of for _, _, of in progress} == {TOTAL}
    expected = {f"{kind} {seed}" for kind in Kind for seed in range(SEEDS)}
    assert {text for text, _, _ in progress} == expected
    assert {path.name for path in anchors.directory.iterdir() if path.is_dir()} == {
        text.replace(" ", "-") for text in expected
    }


def test_nothing_is_trained_a_second_time(anchors: Anchors) -> None:
    before = {path: path.stat().st_mtime_ns for path in anchors.directory.rglob("*")}
    news: list[str] = []
    again = build_anchors(anchors.prepared, SEEDS, 1, lambda text, done, of: news.append(text))
    assert again == anchors
    assert not news
    assert {path: path.stat().st_mtime_ns for path in anchors.directory.rglob("*")} == before


@pytest.mark.parametrize("kind", Kind)
def test_training_is_a_function_of_data_kind_and_seed(copied: Anchors, kind: Kind) -> None:
    folder = copied.path(kind, 1)
    before = (folder / "digests.json").read_bytes()
    shutil.rmtree(folder)
    train_reference(copied, kind, 1)
    assert (folder / "digests.json").read_bytes() == before


def test_an_anchor_in_place_is_never_replaced(copied: Anchors) -> None:
    marker = copied.path(Kind.CEILING, 0) / "member-0.safetensors"
    before = marker.stat().st_mtime_ns
    train_reference(copied, Kind.CEILING, 0)
    assert marker.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["member-0.safetensors", "recipe.json", "digests.json"])
def test_a_changed_byte_is_noticed(copied: Anchors, name: str) -> None:
    path = copied.path(Kind.WEAK, 0) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(Corrupt, match="weak-0"):
        copied.predictions(Kind.WEAK, [0], examples(5)[0])


@pytest.mark.parametrize("content", [None, b"", b"[", b"\xff"])
def test_lost_or_broken_digests_are_noticed(copied: Anchors, content: bytes | None) -> None:
    path = copied.path(Kind.WEAK, 0) / "digests.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Corrupt):
        copied.student(Kind.WEAK, 0)


def test_an_added_and_a_lost_file_are_noticed(copied: Anchors) -> None:
    (copied.path(Kind.WEAK, 0) / "member-1.safetensors").write_bytes(b"")
    (copied.path(Kind.WEAK, 1) / "recipe.json").unlink()
    for seed in (0, 1):
        with pytest.raises(Corrupt):
            copied.student(Kind.WEAK, seed)


def test_predictions_are_deterministic_and_differ_by_seed(anchors: Anchors) -> None:
    inputs, _ = examples(10, seed=4)
    first, second = (anchors.predictions(Kind.WEAK, range(SEEDS), inputs) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.ids == inputs.ids
        assert np.array_equal(one.probs, other.probs)
    assert len({tuple(found.probs) for found in first}) == SEEDS


def test_weak_labels_are_the_supervisors_word_on_the_unlabelled_part(anchors: Anchors) -> None:
    inputs = anchors.prepared.bundle.inputs()
    weak = anchors.weak_labels(2)
    assert (weak.ids, weak.seed) == (inputs.ids, 2)
    expected = anchors.predictions(Kind.WEAK, [2], inputs)[0].probs
    assert weak.probs.tolist() == expected.tolist()


def test_the_version_names_data_and_code(anchors: Anchors, source: TinySource) -> None:
    assert code_digest() == code_digest()
    other = prepare(source, anchors.prepared.directory.parent, seed=1)
    assert other.digest != anchors.prepared.digest
    assert anchors.version[:16] == anchors.directory.name


# --- training ---------------------------------------------------------------------------------


def test_a_weak_supervisor_misses_words_by_its_seed_and_the_item(anchors: Anchors) -> None:
    inputs, _ = examples(40, seed=2)
    trainer = Trainer(anchors.prepared)
    read = trainer.as_read(Kind.WEAK, 0, inputs)
    assert read.ids == inputs.ids
    assert read != inputs
    assert read != trainer.as_read(Kind.WEAK, 1, inputs)
    assert trainer.as_read(Kind.WEAK, 0, inputs.take([7, 3])) == read.take([7, 3])
    assert trainer.as_read(Kind.CEILING, 0, inputs) is inputs
    for row, whole in zip(read.data, inputs.data, strict=True):
        assert row["prompt"] == whole["prompt"]
        for field in ("a", "b"):
            rest = iter(whole[field].split())
            assert all(word in rest for word in row[field].split()), "words in their order"


class OneSided(TinySource):
    """The first alternative is always the better one."""

    def draw(self, what: Draw) -> tuple[Inputs, Labels]:
        inputs, labels = super().draw(what)
        rows = tuple(
            row if first else {**row, "a": row["b"], "b": row["a"]}
            for row, first in zip(inputs.data, labels.truth, strict=True)
        )
        return Inputs(inputs.ids, rows), replace(labels, truth=np.ones_like(labels.truth))


def test_a_weak_supervisor_favours_no_side(tmp_path: Path) -> None:
    trainer = Trainer(prepare(OneSided(tmp_path), tmp_path, seed=0))
    inputs, _ = examples(200, seed=5)
    probs = infer(trainer.factory(Kind.WEAK), trainer.weak(0), inputs).probs
    assert 0.3 < np.mean(probs > 0.5) < 0.7


def test_equal_texts_of_two_items_are_misread_independently(anchors: Anchors) -> None:
    row = {"prompt": "ask", "a": "good fine good", "b": "bad poor bad"}
    inputs = Inputs(tuple(map(str, range(20))), (row,) * 20)
    read = Trainer(anchors.prepared).as_read(Kind.WEAK, 0, inputs)
    assert len({tuple(shown.values()) for shown in read.data}) > 3


def test_the_share_of_missed_words_is_that_of_the_problem(anchors: Anchors) -> None:
    inputs, _ = examples(600, seed=3)
    read = Trainer(anchors.prepared).as_read(Kind.WEAK, 0, inputs)

    def words(shown: Inputs) -> int:
        return sum(len(row[side].split()) for row in shown.data for side in ("a", "b"))

    missed = 1 - words(read) / words(inputs)
    assert missed == pytest.approx(TinySource.weak_misses, abs=0.04)


def test_the_table_of_anchors_has_every_reference(
    anchors: Anchors, source: TinySource, tmp_path: Path
) -> None:
    tests = draw_test(source, tmp_path, seed=1)
    inputs = tests.inputs(Part.PUBLIC)
    rows = {kind: anchors.predictions(kind, range(SEEDS), inputs) for kind in Kind}
    elicited = Trainer(anchors.prepared).elicited(inputs)
    found = summarise(anchors.version, rows, elicited, tests, "public")
    assert found["version"] == anchors.version
    for kind in Kind:
        assert found[kind]["n"] == SEEDS
        assert 0 <= found[kind]["mean"] <= 1
    for kind in BASELINES:
        assert {"pgr", "interval"} <= set(found[kind])
    labels = tests.vault.read(Part.PUBLIC)
    usual = ~labels.shifted
    right = (elicited.aligned(labels.ids) > 0.5) == labels.truth
    assert found["zero_shot"]["mean"] == pytest.approx(right[usual].mean())


def test_a_filter_that_keeps_no_label_of_a_supervisor_leaves_naive(copied: Anchors) -> None:
    labels = copied.weak_labels(0)
    unsure = 0.5 + (labels.probs - 0.5) / 10
    np.savez(copied.path(Kind.WEAK, 0).with_suffix(".npz"), ids=np.array(labels.ids), probs=unsure)
    for kind in BASELINES:
        shutil.rmtree(copied.path(kind, 0))
        train_reference(copied, kind, 0)
    naive, confident = (copied.student(kind, 0).members[0] for kind in BASELINES)
    for name, tensor in naive.items():
        assert np.array_equal(tensor, confident[name])
