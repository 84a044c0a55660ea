"""`lab try`: a method on the practice data of a researcher's own box. No truth is involved."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aar_lab.box import box_root
from aar_lab.errors import BadInput, BadSource
from aar_lab.experiment.run import load_method, make_task, run_method
from aar_lab.experiment.students import infer
from aar_lab.learners.machine import use_one_thread
from aar_lab.methods.base import Task
from aar_lab.problems.bundle import Bundle
from aar_lab.rng import stream
from aar_lab.types import FloatArray, Inputs, Student, WeakLabels

HELD_SHARE = 0.25


def practice(directory: Path) -> tuple[Bundle, Inputs, WeakLabels]:
    """The practice data of a box; `BadInput` if there are none."""
    path = directory / "weak_labels.json"
    if not path.exists():
        raise BadInput(directory, "no practice data lie there", "Run `lab try` inside a box.")
    bundle = Bundle(directory)
    inputs, rows = bundle.inputs(), json.loads(path.read_text())
    return bundle, inputs, WeakLabels(inputs.ids, np.array([rows[i] for i in inputs.ids]), -1)


def read_method(file: Path) -> str:
    """The text of a method's file; `BadSource` if it is no text that can be read."""
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSource(file, f"cannot be read ({error})", "Give a UTF-8 text file.") from error


def _share(first: FloatArray, second: FloatArray) -> float:
    return round(float(np.mean((first > 0.5) == (second > 0.5))), 4)


def try_method(connect: Callable[[], object], file: Path, seed: int = 0) -> dict[str, Any]:
    """Train on three quarters of the practice data and describe the student on the rest.

    Returns seconds; agreement with the weak labels, with the elicited prior (None if the problem
    has no pretraining format), and with itself when the two alternatives are exchanged (None if
    an example has none); mean confidence; share answered 1; members.
    """
    use_one_thread()
    source = read_method(file)
    bundle, inputs, weak = practice(box_root() / "data")
    order = stream(seed, "try", "split").permutation(len(inputs))
    held, rest = np.split(order, [round(HELD_SHARE * len(order))])
    labels = WeakLabels(tuple(weak.ids[i] for i in rest), weak.probs[rest], weak.seed)
    task = make_task(bundle, student_of(bundle), inputs.take(rest), labels)
    started = time.monotonic()
    student = run_method(load_method(source, file.name), task, seed)
    seconds = round(time.monotonic() - started, 2)
    found = _described(task, student, inputs.take(held), weak.probs[held])
    return {"ok": True, "seconds": seconds, "trained_on": len(rest)} | found


def _described(task: Task, student: Student, shown: Inputs, weak: FloatArray) -> dict[str, Any]:
    probs = infer(task.student, student, shown).probs
    learner, prior, swapped = task.student(), None, None
    if learner.templates:
        prior = _share(probs, 1 / (1 + np.exp(-learner.zero_shot(shown))))
    if task.formats is not None and task.formats.swap:
        swapped = _share(probs, infer(task.student, _swapped(student), shown).probs)
    return {
        "agreement": _share(probs, weak),
        "prior_agreement": prior,
        "swap_consistency": swapped,
        "mean_confidence": round(float(np.maximum(probs, 1 - probs).mean()), 4),
        "share_positive": round(float((probs > student.recipe.threshold).mean()), 4),
        "members": len(student.members),
    }


def student_of(bundle: Bundle) -> str:
    """The name of the strong student that a box holds."""
    students = bundle.directory / "students"
    return next(n for n in bundle.problem.students if (students / f"{n}.safetensors").exists())


def _swapped(student: Student) -> Student:
    """The student that reads every pair the other way round; "elicit" knows no order."""
    turn = {"plain": "swap", "swap": "plain"}
    views = tuple(turn.get(view, view) for view in student.recipe.views)
    return Student(student.members, replace(student.recipe, views=views))
