"""How a weak supervisor reads: what it overlooks, and what stands there instead."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests import tiny

from aar_host.anchors.students import Kind, Trainer
from aar_host.vault import Prepared
from aar_lab.problems.bundle import Formats
from aar_lab.types import Inputs

MISSES = 0.3
SINGLE = Formats(task="{prompt} | {a} |", gap="_")
ROW = {"prompt": "ask of us " * 10, "a": "good bad fine poor " * 10}
INPUTS = Inputs(tuple(map(str, range(50))), (ROW,) * 50)


def read_by_weak(folder: Path, formats: Formats) -> Inputs:
    """`INPUTS` as the supervisor of seed 0 reads them."""
    problem = replace(tiny.PROBLEM, formats=formats)
    (folder / "public").mkdir()
    (folder / "host").mkdir()
    (folder / "public" / "problem.json").write_text(json.dumps(problem.as_dict()))
    (folder / "host" / "supervision.json").write_text(json.dumps({"weak_misses": MISSES}))
    return Trainer(Prepared(folder, "")).as_read(Kind.WEAK, 0, INPUTS)


def test_where_there_are_no_alternatives_every_field_is_misread(tmp_path: Path) -> None:
    for row in read_by_weak(tmp_path, SINGLE).data:
        assert all(row[field] != ROW[field] for field in ROW)


def test_a_gap_keeps_the_places_of_the_words_that_are_read(tmp_path: Path) -> None:
    overlooked, words = 0, 0
    for row in read_by_weak(tmp_path, SINGLE).data:
        for field, text in ROW.items():
            pairs = list(zip(row[field].split(), text.split(), strict=True))
            assert all(shown in ("_", word) for shown, word in pairs)
            overlooked, words = overlooked + row[field].split().count("_"), words + len(pairs)
    assert overlooked / words == pytest.approx(MISSES, abs=0.03)


def test_without_a_gap_words_are_left_out(tmp_path: Path) -> None:
    found = read_by_weak(tmp_path, replace(SINGLE, gap="")).data
    assert sum(len(row["a"].split()) for row in found) < 0.8 * 40 * len(INPUTS)
    assert {word for row in found for word in row["a"].split()} == {"good", "bad", "fine", "poor"}


def test_alternatives_alone_are_misread_where_there_are_some(tmp_path: Path) -> None:
    pair = replace(SINGLE, swap=("a",))
    assert all(row["prompt"] == ROW["prompt"] for row in read_by_weak(tmp_path, pair).data)
