"""Fine-tuning on the examples whose neighbours, in the pretrained student's eyes, bear their label.

    filter:   C = ∪_y largest component of {x: ỹ(x) = y} in the k_c-nearest-neighbour graph
              min over f of  CE(f(x), ỹ(x))  over the x in C with  mean of 1[ỹ(x') = ỹ(x)] ≥ ζ
    relabel:  min over f of  CE(f(x), mean of p_w(x'))

Means are over the k nearest x' of x (of C, in `filter`), distances those of the pretrained states
at the last token. Wu et al. 2020, "A topological filter for learning with label noise", arXiv
2012.04835, which uses the states of the student in training instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors, kneighbors_graph

from aar_lab.errors import BadInput, EmptySelection
from aar_lab.learners.base import Plan
from aar_lab.learners.batching import IntArray
from aar_lab.methods.base import Rng, Task, hard_labels
from aar_lab.types import FloatArray, Student

FAMILY = "data filtering"
MODES = ("filter", "relabel")


@dataclass(frozen=True)
class Args:
    """One of `MODES`; k_c ≥ 1 neighbours that make the graph; k ≥ 1 that vote, an example itself
    not among them; share ζ in [0, 1] that must agree; layer of the states; epochs and peak rate."""

    mode: str = "filter"
    graph: int = 4
    neighbours: int = 50
    agreement: float = 0.5
    layer: int = -1
    epochs: int = 2
    rate: float = 1e-3


def core(states: FloatArray, labels: FloatArray, k: int) -> IntArray:
    """Positions in the largest component of either class; of components of one size, the first."""
    graph = kneighbors_graph(states, min(k, len(states) - 1))
    kept: list[int] = []
    for label in (0.0, 1.0):
        rows = np.flatnonzero(labels == label)
        if len(rows):
            _, component = connected_components(graph[rows][:, rows], directed=False)
            kept += rows[component == np.bincount(component).argmax()].tolist()
    return np.array(sorted(kept), dtype=np.int64)


def neighbours(states: FloatArray, k: int) -> IntArray:
    """Positions of the k nearest others of each, fewer if there are fewer; shape (n, k)."""
    found: IntArray = (
        NearestNeighbors(n_neighbors=min(k, len(states) - 1))
        .fit(states)
        .kneighbors(return_distance=False)
    )
    return found


def agreeing(states: FloatArray, labels: FloatArray, args: Args) -> IntArray:
    """Positions that the filter keeps; `EmptySelection` if there are none."""
    rows = core(states, labels, args.graph)
    if len(rows) > 1:
        near = neighbours(states[rows], args.neighbours)
        agree = (labels[rows][near] == labels[rows][:, None]).mean(axis=1)
        rows = rows[agree >= args.agreement]
    if len(rows) == 0:
        raise EmptySelection(
            f"agreement {args.agreement}",
            "no example has a label and neighbours that share it",
            "Lower the agreement, or ask more neighbours.",
        )
    return rows


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student fitted on what its pretrained states find consistent."""
    if args.mode not in MODES:
        raise BadInput(repr(args.mode)[:80], "no such mode", f"One of: {', '.join(MODES)}.")
    student = task.student()
    states = student.embed(task.inputs, args.layer)
    if args.mode == "filter":
        targets = hard_labels(task.weak.probs)
        rows = agreeing(states, targets, args)
    else:
        targets = task.weak.probs[neighbours(states, args.neighbours)].mean(axis=1)
        rows = np.arange(len(targets))
    plan = Plan(epochs=args.epochs, rate=args.rate)
    student.fit(task.inputs.take(rows), targets[rows], rng, plan=plan)
    return Student((student.save(),))
