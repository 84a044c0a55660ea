"""The example problem: real images, split once, never a test image in the corpus."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from aar_host.problems.base import Draw, ProblemSource
from aar_host.problems.checking import check_problem
from aar_host.problems.registry import get_problem
from aar_lab.learners.model import Architecture
from aar_lab.problems.rows import RowWriter

FILE = Path(__file__).parents[2] / "examples" / "digits.py"
FEW = 40


@pytest.fixture(scope="module")
def source() -> ProblemSource:
    return get_problem(str(FILE))


def test_it_keeps_every_rule() -> None:
    assert [check.as_dict() for check in check_problem(str(FILE))[1] if not check.ok] == []


def test_it_is_one_short_file() -> None:
    assert len(FILE.read_text().splitlines()) <= 100


def test_an_item_is_its_image_moved(source: ProblemSource) -> None:
    inputs, labels = source.draw(Draw(0, "test", FEW, 9))
    shades = source.vocabulary[2:6]
    for start in range(0, len(inputs), 9):
        images = {inputs.data[at]["pixels"] for at in range(start, start + 9)}
        assert len(images) > 1, "nine different moves"
        assert len({labels.problems[at] for at in range(start, start + 9)}) == 1
        assert len({labels.truth[at] for at in range(start, start + 9)}) == 1
        assert all(set(image.split()) <= set(shades) for image in images)
    for metadata, truth in zip(labels.metadata, labels.truth, strict=True):
        assert metadata["digit"] % 2 == truth


def test_shifted_items_are_moved_further(source: ProblemSource) -> None:
    """Two columns on one side hold no stroke; a usual move empties at most one."""
    blank = source.vocabulary[2]
    inputs = source.draw(Draw(0, "shifted", FEW, 4, shifted=True))[0]
    for row in inputs.data:
        words = row["pixels"].split()
        columns = ["".join(words[place::8]) for place in range(8)]
        left, right = columns[:2], columns[-2:]
        assert any(set("".join(side)) == {blank} for side in (left, right))


def test_every_student_can_read_an_item(source: ProblemSource) -> None:
    problem = source.public()
    row = RowWriter(problem).task(source.draw(Draw(0, "practice", 1, 1))[0])[0]
    for shape in problem.students.values():
        assert len(row) <= Architecture(**shape).context


def test_the_parts_fill_the_collection(source: ProblemSource) -> None:
    sizes = asdict(source.sizes)
    wanted = sum(sizes[part] for part in ("train_labeled", "train_unlabeled", "test", "shifted"))
    assert wanted + 200 <= 1797
