"""Fine-tuning on the examples where what the weak supervisor knows meets what the student sees.

    s(x) = z[P̂(ỹ(x) | h(x))] + z[share of the k nearest with ỹ(x)] + z[−mean distance to them]
           + z[−|H(p_w(x)) − ½ ln 2|]
    min over f of  CE(f(x), ỹ(x))  over the top half by s, as many of one class as of the other

h are the pretrained student's states, P̂ a cross-fitted logistic regression of ỹ on them, H the
entropy in nats, z standardises over the examples. Overlap density: Shin et al. 2024, arXiv
2412.03881; this score was found in the automated weak-to-strong study (April 2026).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from aar_lab.errors import EmptySelection
from aar_lab.learners.base import Plan
from aar_lab.learners.batching import IntArray
from aar_lab.methods.base import Rng, Task, hard_labels
from aar_lab.types import FloatArray, Student

FAMILY = "data filtering"


@dataclass(frozen=True)
class Args:
    """Share of the examples to keep, in (0, 1]; neighbours k ≥ 1; folds ≥ 2 of the cross-fit; layer
    of the states; epochs and peak rate."""

    share: float = 0.5
    neighbours: int = 20
    folds: int = 5
    layer: int = -1
    epochs: int = 2
    rate: float = 1e-3


def standard(values: FloatArray) -> FloatArray:
    """(v − mean) / s.d., shape (n,); zeros if all are equal."""
    centred: FloatArray = values - values.mean()
    return centred / max(float(centred.std()), 1e-12)


def entropy(probs: FloatArray) -> FloatArray:
    """Of a coin, in nats, shape (n,)."""
    p = np.clip(probs, 1e-12, 1 - 1e-12)
    return -p * np.log(p) - (1 - p) * np.log(1 - p)


def scores(states: FloatArray, probs: FloatArray, args: Args) -> FloatArray:
    """s of each example, none of whose weak labels may be exactly ½; shape (n,)."""
    labels = (probs > 0.5).astype(int)
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    seen = cross_val_predict(regression, states, labels, cv=args.folds, method="predict_proba")
    search = NearestNeighbors(n_neighbors=min(args.neighbours, len(states) - 1)).fit(states)
    distance, near = search.kneighbors()
    return (
        standard(seen[np.arange(len(labels)), labels])
        + standard((labels[near] == labels[:, None]).mean(axis=1))
        + standard(-distance.mean(axis=1))
        + standard(-np.abs(entropy(probs) - 0.5 * np.log(2)))
    )


def balanced(score: FloatArray, labels: FloatArray, share: float) -> IntArray:
    """Positions of the best of each class, ⌈share·n/2⌉ of either if it has as many."""
    most = int(np.ceil(share * len(score) / 2))
    best = [rows[np.argsort(-score[rows], kind="stable")[:most]] for rows in _classes(labels)]
    return np.sort(np.concatenate(best))


def _classes(labels: FloatArray) -> tuple[IntArray, IntArray]:
    return np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student fitted on the overlap; `EmptySelection` if a class has fewer labels than folds."""
    labels = hard_labels(task.weak.probs)
    rows = np.flatnonzero(labels != 0.5)
    fewest = min(map(len, _classes(labels)))
    if fewest < args.folds:
        raise EmptySelection(
            f"{fewest} weak labels of one class",
            f"a cross-fit of {args.folds} folds needs as many of each",
            "Use fewer folds, or a method that needs one class only.",
        )
    student = task.student()
    score = scores(student.embed(task.inputs.take(rows), args.layer), task.weak.probs[rows], args)
    kept = rows[balanced(score, labels[rows], args.share)]
    plan = Plan(epochs=args.epochs, rate=args.rate)
    student.fit(task.inputs.take(kept), labels[kept], rng, plan=plan)
    return Student((student.save(),))
