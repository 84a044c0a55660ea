"""A public bundle: what every box may hold of a problem. No label field exists in it.

problem.json                 the description below, as JSON
train_unlabeled.jsonl        one {"id", fields…} per line
students/NAME.safetensors    pretrained weights of each strong student
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aar_lab.errors import BadInput, UnknownName
from aar_lab.problems.objective import PGR, Objective
from aar_lab.types import FloatArray, Inputs

NO_ALTERNATIVES = "an example of this problem has no alternatives"


@dataclass(frozen=True)
class Formats:
    """How an example is written for a model.

    Args:
        task: the row that a student is trained on, with {field} gaps.
        swap: the two fields that hold the alternatives; empty if an example has none.
        elicit: pretraining formats in which the model judges ONE alternative, {reply} being the
            judged one and {other} the other; empty if the problem has none.
        likes, dislikes: next words that approve and that disapprove.
        answer: position of the word of an alternative that is its final answer, e.g. -1.
        gap: the word that stands where a weak supervisor overlooked one; empty: none does.
    """

    task: str
    swap: tuple[str, ...] = ()
    elicit: tuple[str, ...] = ()
    likes: tuple[str, ...] = ()
    dislikes: tuple[str, ...] = ()
    answer: int | None = None
    gap: str = ""

    def __post_init__(self) -> None:
        if not self.task.strip():
            raise BadInput("task ''", "a row needs a format", "Write one with {field} gaps.")

    def alternatives(self) -> tuple[str, str]:
        """The two fields that hold an example's alternatives; `BadInput` if there are none."""
        if not self.swap:
            raise BadInput("formats", NO_ALTERNATIVES, "Use another method.")
        first, second = self.swap
        return first, second

    def in_both_orders(self, inputs: Inputs, targets: FloatArray) -> tuple[Inputs, FloatArray]:
        """The n inputs, then the same with both alternatives exchanged, under new ids; and their
        2n targets, those of the latter complemented. `BadInput` if there are no alternatives."""
        first, second = self.alternatives()
        turned = ({**row, first: row[second], second: row[first]} for row in inputs.data)
        names = (*inputs.ids, *(f"{name} turned" for name in inputs.ids))
        doubled = Inputs(names, (*inputs.data, *turned))
        return doubled, np.concatenate([targets, 1 - targets])


@dataclass(frozen=True)
class Problem:
    """A public description.

    Args:
        students: each name's network, its shape.
        roles: what the weak and the strong model are called.
        objective: what a submission is measured by.
        finite: the data are a fixed collection, and every campaign is tested on the same items.
    """

    name: str
    version: str
    summary: str
    brief: str
    formats: Formats
    vocabulary: tuple[str, ...]
    students: Mapping[str, Mapping[str, int]]
    roles: tuple[str, str] = ("weak supervisor", "strong student")
    objective: Objective = PGR
    finite: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Problem:
        """From `as_dict`; `BadInput` if a field is missing or unknown."""
        try:
            formats = Formats(**_tuples(body["formats"]))
            objective = Objective.from_dict(body["objective"])
            return cls(**{**_tuples(body), "formats": formats, "objective": objective})
        except (KeyError, TypeError, AttributeError) as error:
            raise BadInput(
                "problem.json", f"not a problem ({error})", "Prepare it again."
            ) from error


def _tuples(body: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in body.items()}


def write_inputs(path: Path, inputs: Inputs) -> None:
    """One JSON object per line: id and fields."""
    rows = ({"id": i, **row} for i, row in zip(inputs.ids, inputs.data, strict=True))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def read_inputs(path: Path) -> Inputs:
    """The inverse of `write_inputs`."""
    rows: Sequence[dict[str, str]] = [json.loads(line) for line in path.read_text().splitlines()]
    return Inputs(tuple(row.pop("id") for row in rows), tuple(rows))


class Bundle:
    """A public bundle on disk."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        path = directory / "problem.json"
        if not path.exists():
            raise UnknownName(directory, "no problem.json lies there", "Run `aar prepare`.")
        self.problem = Problem.from_dict(json.loads(path.read_text()))

    def inputs(self) -> Inputs:
        """The inputs of `train_unlabeled`."""
        return read_inputs(self.directory / "train_unlabeled.jsonl")

    def weights(self, student: str) -> Path:
        """Where the pretrained weights of a student lie; `UnknownName` if there are none."""
        path = self.directory / "students" / f"{student}.safetensors"
        if student not in self.problem.students or not path.exists():
            known = ", ".join(sorted(self.problem.students))
            raise UnknownName(student, "the bundle has no such student", f"Known are: {known}.")
        return path
