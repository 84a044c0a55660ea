"""A problem so small that its student learns in milliseconds, for tests of everything above it.

Two replies of one to three words each; the better one holds more good words than the other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from aar_lab.learners.gpt import Gpt, write_weights
from aar_lab.learners.machine import use_one_thread
from aar_lab.learners.model import Architecture, Network
from aar_lab.problems.bundle import Formats, Problem, write_inputs
from aar_lab.problems.rows import RowWriter
from aar_lab.problems.tokens import vocabulary_of
from aar_lab.rng import stream
from aar_lab.types import FloatArray, Inputs, WeakLabels, Weights

use_one_thread()

GOOD, BAD = ("good", "fine"), ("bad", "poor")
VOCABULARY = vocabulary_of(("ask", "of", "us", "|", *GOOD, *BAD, "yes", "aye", "no"))
ARCH = Architecture(vocabulary=len(VOCABULARY), width=16, layers=2, heads=2, context=16)
PROBLEM = Problem(
    name="tiny",
    version="1",
    summary="Which reply holds more good words?",
    brief="y = 1 means that reply a is the better one.",
    formats=Formats(
        task="{prompt} | {a} | {b} |",
        swap=("a", "b"),
        elicit=("{prompt} | {reply} |", "{prompt} | {other} | no {reply} |"),
        likes=("yes", "aye"),
        dislikes=("no",),
    ),
    vocabulary=VOCABULARY,
    students={"W": ARCH.as_dict() | {"layers": 1}, "S": ARCH.as_dict()},
)


def random_weights(arch: Architecture, seed: int = 0, head: bool = False) -> Weights:
    """Weights that leave no part of the network without effect, unlike fresh ones."""
    rng = stream(seed, "tiny weights")
    found = {}
    for name, tensor in Network(arch).state_dict().items():
        centre = 1.0 if name.endswith(("norm.weight", "norm1.weight", "norm2.weight")) else 0.0
        values = centre + 0.3 * rng.normal(size=tuple(tensor.shape))
        if head or not name.startswith("head"):
            found[name] = values.astype(np.float32)
    return found


def examples(size: int, seed: int = 0) -> tuple[Inputs, FloatArray]:
    """Examples and their truth, 0.0 or 1.0, of shape (size,)."""
    rng = stream(seed, "tiny examples")
    rows: list[dict[str, str]] = []
    truth: list[float] = []
    while len(rows) < size:
        a, b = (list(rng.choice(GOOD + BAD, rng.integers(1, 4))) for _ in range(2))
        gap = sum(w in GOOD for w in a) - sum(w in GOOD for w in b)
        if gap:
            prompt = " ".join(("ask", "of", "us")[: rng.integers(1, 4)])
            rows.append({"prompt": prompt, "a": " ".join(a), "b": " ".join(b)})
            truth.append(float(gap > 0))
    return Inputs(tuple(f"{seed}-{i}" for i in range(size)), tuple(rows)), np.array(truth)


def weak_labels(inputs: Inputs, truth: FloatArray, seed: int = 0) -> WeakLabels:
    """Labels that are right three times out of four, and never exactly ½."""
    rng = stream(seed, "tiny weak labels")
    right = rng.random(len(truth)) < 0.75
    confidence = 0.55 + 0.4 * rng.random(len(truth))
    return WeakLabels(inputs.ids, np.where((truth == 1) == right, confidence, 1 - confidence), seed)


def factory(seed: int = 0) -> Callable[[], Gpt]:
    """Makes fresh students that all start from the same random weights."""
    base, writer = random_weights(ARCH, seed), RowWriter(PROBLEM)
    return lambda: Gpt(ARCH, base, writer)


def write_bundle(directory: Path, inputs: Inputs) -> Path:
    """A public bundle with the strong student alone."""
    (directory / "students").mkdir(parents=True)
    (directory / "problem.json").write_text(json.dumps(PROBLEM.as_dict()))
    write_inputs(directory / "train_unlabeled.jsonl", inputs)
    write_weights(directory / "students" / "S.safetensors", random_weights(ARCH))
    return directory
