"""A method on one seed → a student."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from aar_lab.errors import BadSource
from aar_lab.learners.gpt import Gpt, Memory, read_weights
from aar_lab.learners.model import Architecture
from aar_lab.methods.base import Task, TrainFunction
from aar_lab.problems.bundle import Bundle, Problem
from aar_lab.problems.rows import RowWriter
from aar_lab.rng import stream
from aar_lab.types import Inputs, Student, WeakLabels


def student_factory(problem: Problem, name: str, weights: Path) -> Callable[[], Gpt]:
    """Makes fresh pretrained students; the file is read once."""
    arch = Architecture(**problem.students[name])
    base, writer, memory = read_weights(weights), RowWriter(problem), Memory()
    return lambda: Gpt(arch, base, writer, memory)


def make_task(bundle: Bundle, student: str, inputs: Inputs, weak: WeakLabels) -> Task:
    """The task of one seed, from a public bundle and the weak labels that the host issued."""
    factory = student_factory(bundle.problem, student, bundle.weights(student))
    return Task(inputs, weak, factory, bundle.problem.formats)


def load_method(source: str, name: str = "method.py") -> TrainFunction:
    """Run the source text of a method as a module and return its `train`.

    Only ever called inside a box: this executes what a researcher wrote.
    """
    module = ModuleType("submitted_method")
    sys.modules[module.__name__] = module  # dataclasses look their own module up there
    module.__dict__["__file__"] = name
    exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102
    train = module.__dict__.get("train")
    if not callable(train):
        raise BadSource(name, "it defines no function `train`", "Define train(task, rng).")
    return train  # type: ignore[no-any-return]


def run_method(train: TrainFunction, task: Task, seed: int) -> Student:
    """Train on one seed; anything but a student is a `BadSource` error."""
    student = train(task, stream(seed, "method"))
    if not isinstance(student, Student):
        raise BadSource(
            f"train() returned {type(student).__name__}",
            "a method returns an aar_lab.types.Student",
            "Return Student((learner.save(),)).",
        )
    return student
