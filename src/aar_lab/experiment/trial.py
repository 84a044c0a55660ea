"""`lab try`: a method on the practice data of a researcher's own box. No truth is involved."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from aar_lab.box import box_root
from aar_lab.errors import BadInput, BadSource
from aar_lab.experiment.run import load_method, make_task, run_method
from aar_lab.experiment.students import infer
from aar_lab.learners.machine import use_one_thread
from aar_lab.problems.bundle import Bundle
from aar_lab.rng import stream
from aar_lab.types import FloatArray, Inputs, Recipe, Student, WeakLabels

HELD_SHARE = 0.25


def practice(directory: Path) -> tuple[Bundle, Inputs, WeakLabels]:
    """The practice data of a box; `BadInput` if there are none."""
    path = directory / "weak_labels.json"
    if not path.exists():
        raise BadInput(directory, "no practice data lie there", "Run `lab try` inside a box.")
    bundle = Bundle(directory)
    inputs, rows = bundle.inputs(), json.loads(path.read_text())
    return bundle, inputs, WeakLabels(inputs.ids, np.array([rows[i] for i in inputs.ids]), -1)


def _share(first: FloatArray, second: FloatArray, cut: float = 0.5) -> float:
    return round(float(np.mean((first > cut) == (second > cut))), 4)


def try_method(connect: Callable[[], object], file: Path, seed: int = 0) -> dict[str, Any]:
    """Train on three quarters of the practice data and describe the student on the rest.

    Returns seconds; agreement with the weak labels, with the elicited prior, and with itself when
    the two alternatives are exchanged; mean confidence; share answered 1; members.
    """
    use_one_thread()
    try:
        source = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSource(file, f"cannot be read ({error})", "Give a UTF-8 text file.") from error
    bundle, inputs, weak = practice(box_root() / "data")
    order = stream(seed, "try", "split").permutation(len(inputs))
    held, rest = np.split(order, [round(HELD_SHARE * len(order))])
    name = next(n for n in bundle.problem.students if _has(bundle, n))
    labels = WeakLabels(tuple(weak.ids[i] for i in rest), weak.probs[rest], weak.seed)
    task = make_task(bundle, name, inputs.take(rest), labels)
    started = time.monotonic()
    student = run_method(load_method(source, file.name), task, seed)
    seconds = time.monotonic() - started
    shown = inputs.take(held)
    probs = infer(task.student, student, shown).probs
    swapped = infer(task.student, _swapped(student), shown).probs
    prior = task.student().zero_shot(shown)
    return {
        "ok": True,
        "seconds": round(seconds, 2),
        "trained_on": len(rest),
        "agreement": _share(probs, weak.probs[held]),
        "prior_agreement": _share(probs, 1 / (1 + np.exp(-prior))),
        "swap_consistency": _share(probs, swapped),
        "mean_confidence": round(float(np.maximum(probs, 1 - probs).mean()), 4),
        "share_positive": round(float((probs > student.recipe.threshold).mean()), 4),
        "members": len(student.members),
    }


def _has(bundle: Bundle, name: str) -> bool:
    return (bundle.directory / "students" / f"{name}.safetensors").exists()


def _swapped(student: Student) -> Student:
    recipe = student.recipe
    return Student(
        student.members, Recipe(("swap",), recipe.members, recipe.aggregate, recipe.threshold)
    )
