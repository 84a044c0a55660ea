"""Students as data: writing, strict reading, and inference by recipe."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from aar_lab.errors import BadRecipe, BadWeights
from aar_lab.learners.base import Learner
from aar_lab.learners.gpt import write_weights
from aar_lab.types import Aggregate, FloatArray, Inputs, Predictions, Recipe, Student, Weights

RECIPE = "recipe.json"
MAX_RECIPE_BYTES = 4096
TRIM = 0.15


def member_file(number: int) -> str:
    """Name of the weights of one member."""
    return f"member-{number}.safetensors"


def write_student(directory: Path, student: Student) -> None:
    """Write recipe and weights; the recipe last, so that its presence means completeness."""
    directory.mkdir(parents=True, exist_ok=True)
    for number, weights in enumerate(student.members):
        write_weights(directory / member_file(number), weights)
    (directory / RECIPE).write_text(json.dumps(student.recipe.as_dict()))


def parse_student(read: Callable[[str, int], bytes], member_bytes: int) -> Student:
    """A student from untrusted bytes.

    Args:
        read: (file name, most bytes) → content; raises a typed error for anything odd.
        member_bytes: most bytes of one member's file.
    """
    try:
        body = json.loads(read(RECIPE, MAX_RECIPE_BYTES))
    except (ValueError, RecursionError) as error:
        raise BadRecipe(RECIPE, f"not JSON ({error})", "Let `write_student` write it.") from error
    recipe = Recipe.from_dict(body)
    members = [parse_weights(read(member_file(n), member_bytes)) for n in range(recipe.members)]
    return Student(tuple(members), recipe)


def parse_weights(content: bytes) -> Weights:
    """Tensors from safetensors bytes; `BadWeights` if they are none. Never a pickle."""
    try:
        found: Weights = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise BadWeights(
            f"{len(content)} bytes", f"not safetensors ({error})", "Save as such."
        ) from (error)
    return found


def infer(make: Callable[[], Learner], student: Student, inputs: Inputs) -> Predictions:
    """P(y = 1) by the student's recipe: every member sees every view, then they are aggregated."""
    answers = []
    for weights in student.members:
        learner = make()
        learner.load(weights)
        answers += [learner.predict(inputs, view) for view in student.recipe.views]
    return Predictions(inputs.ids, aggregate(np.stack(answers), student.recipe.aggregate))


def aggregate(answers: FloatArray, how: Aggregate) -> FloatArray:
    """(k, n) probabilities → (n,). Logits are clipped at ±30; a trimmed mean drops the lowest and
    the highest 15 % of the k answers (rounded down) of each item."""
    if how is Aggregate.MEAN:
        mean: FloatArray = answers.mean(axis=0)
        return mean
    with np.errstate(divide="ignore"):
        logits = np.clip(np.log(answers) - np.log1p(-answers), -30, 30)
    if how is Aggregate.TRIMMED_LOGIT_MEAN:
        cut = int(TRIM * len(logits))
        logits = np.sort(logits, axis=0)[cut : len(logits) - cut]
    pooled: FloatArray = 1 / (1 + np.exp(-logits.mean(axis=0)))
    return pooled
