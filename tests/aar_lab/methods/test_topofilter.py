"""The filter and the relabelling by neighbours, on states that are points of a line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.aar_lab.methods.recorder import INPUTS, WEAK, recorded

from aar_lab.errors import BadInput, EmptySelection
from aar_lab.methods import topofilter
from aar_lab.types import FloatArray, WeakLabels

ARGS = topofilter.Args(graph=2, neighbours=3)


def line(*points: float) -> FloatArray:
    return np.array(points)[:, None]


def test_the_core_of_a_class_is_its_largest_component() -> None:
    states = line(0, 1, 2, 3, 50, 51, 52, 100, 101, 102, 103)
    labels = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1.0])
    assert topofilter.core(states, labels, 2).tolist() == [0, 1, 2, 3, 7, 8, 9, 10]


def test_an_example_among_another_class_is_dropped() -> None:
    states = line(0, 0.9, 2, 3.1, 4, 20, 21, 22.1, 23, 24)
    labels = np.array([0, 0, 1, 0, 0, 1, 1, 1, 1, 1.0])
    kept = topofilter.agreeing(states, labels, replace(ARGS, graph=9))
    assert kept.tolist() == [0, 1, 3, 4, 5, 6, 7, 8, 9]


def test_no_example_votes_for_itself() -> None:
    states = line(0, 1, 3, 6)
    near = topofilter.neighbours(states, 2)
    assert [sorted(row) for row in near.tolist()] == [[1, 2], [0, 2], [0, 1], [1, 2]]


def test_an_example_whose_label_is_exactly_undecided_is_not_kept() -> None:
    kept = topofilter.agreeing(line(0, 1, 2, 3), np.array([1, 0.5, 1, 1.0]), replace(ARGS, graph=3))
    assert kept.tolist() == [0, 2, 3]


def test_it_says_so_if_nothing_agrees() -> None:
    alternating = np.arange(8) % 2.0
    with pytest.raises(EmptySelection, match="agreement 1"):
        topofilter.agreeing(line(*range(8)), alternating, topofilter.Args(agreement=1.0))


def test_filter_trains_on_the_hard_labels_that_it_kept() -> None:
    low, high = WEAK.probs < 0.5, WEAK.probs > 0.5
    place = np.where(low, 0.0, 10.0) + np.arange(len(INPUTS)) / 100
    odd = int(np.flatnonzero(low)[0])
    place[odd] = 10.5
    task, made = recorded(states={n: line(x)[0] for n, x in zip(INPUTS.ids, place, strict=True)})
    topofilter.train(task, np.random.default_rng(0), topofilter.Args(graph=9, neighbours=3))
    inputs, targets, _ = made[0].fits[0]
    kept = [i for i in range(len(INPUTS)) if i != odd]
    assert inputs.ids == tuple(INPUTS.ids[i] for i in kept)
    assert targets.tolist() == high[kept].tolist()


def test_relabel_trains_all_on_the_mean_of_their_neighbours() -> None:
    states = {name: line(float(i))[0] for i, name in enumerate(INPUTS.ids)}
    task, made = recorded(states=states)
    args = topofilter.Args(mode="relabel", neighbours=1)
    topofilter.train(task, np.random.default_rng(0), args)
    inputs, targets, _ = made[0].fits[0]
    assert inputs.ids == INPUTS.ids
    assert targets[0] == WEAK.probs[1]
    assert targets[-1] == WEAK.probs[-2]
    assert set(targets) <= set(WEAK.probs)


def test_labels_of_one_class_are_filtered_as_well() -> None:
    one = WeakLabels(INPUTS.ids, np.full(len(INPUTS), 0.8))
    task, made = recorded(one, states={n: line(i)[0] for i, n in enumerate(INPUTS.ids)})
    topofilter.train(task, np.random.default_rng(0))
    assert set(made[0].fits[0][1]) == {1.0}


def test_another_mode_is_refused() -> None:
    with pytest.raises(BadInput, match="no such mode"):
        topofilter.train(recorded()[0], np.random.default_rng(0), topofilter.Args(mode="guess"))
