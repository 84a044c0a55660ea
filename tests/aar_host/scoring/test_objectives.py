"""Scoring by an objective of several metrics and gates; PGR alone stays what it was."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from aar_host.feedback import SEALED, answer
from aar_host.scoring import AnchorPredictions, Score, SeedResult, score
from aar_host.scoring.measuring import ITEM_SCORES, composite
from aar_host.vault import Labels, Part
from aar_lab.errors import BadInput, UndefinedPGR
from aar_lab.metrics import Outcomes, correct, paired_gain, pgr_estimate
from aar_lab.problems import objective as declared
from aar_lab.problems.objective import PGR, Gate, Metric, Objective
from aar_lab.types import Estimate, Interval, Predictions

ITEMS, SHIFTED = 600, 200
IDS = tuple(f"x{i}" for i in range(ITEMS))
RNG = np.random.default_rng(0)
LABELS = Labels(
    ids=IDS,
    truth=RNG.integers(0, 2, ITEMS).astype(np.int8),
    problems=tuple(f"p{i // 4}" for i in range(ITEMS)),
    shifted=np.arange(ITEMS) >= ITEMS - SHIFTED,
    metadata=({},) * ITEMS,
)
USUAL = np.flatnonzero(~LABELS.shifted)


def predict(usual: float, shifted: float, seed: int) -> Predictions:
    """Right on about these shares of items."""
    rng = np.random.default_rng(seed)
    right = rng.random(ITEMS) < np.where(LABELS.shifted, shifted, usual)
    sure = rng.uniform(0.6, 0.9, ITEMS)
    return Predictions(IDS, np.where(right == (LABELS.truth == 1), sure, 1 - sure))


ANCHORS = AnchorPredictions(
    version="v",
    weak=tuple(predict(0.6, 0.55, seed) for seed in range(5)),
    ceiling=tuple(predict(0.95, 0.9, 10 + seed) for seed in range(5)),
    naive=tuple(predict(0.7, 0.65, 20 + seed) for seed in range(5)),
)
RESULTS = [SeedResult(predict(0.85, 0.6, 30 + seed)) for seed in range(5)]
TWO = Objective((Metric(weight=3.0), Metric("brier", "shifted")))


def scored(objective: Objective, anchors: AnchorPredictions = ANCHORS) -> Score:
    return score("s", RESULTS, replace(anchors, objective=objective), LABELS, Part.PUBLIC)


def outcomes() -> Outcomes:
    """Correctness on the usual items, put together by hand."""
    weak, ceiling, transfer = (
        np.stack([correct(p.probs[USUAL], LABELS.truth[USUAL]) for p in rows])
        for rows in (ANCHORS.weak, ANCHORS.ceiling, [r.predictions for r in RESULTS])
    )
    return Outcomes(weak, ceiling, transfer, LABELS.clusters[USUAL])


def test_pgr_alone_is_exactly_the_estimate_of_the_metrics() -> None:
    found = scored(PGR)
    naive = np.stack([correct(p.probs[USUAL], LABELS.truth[USUAL]) for p in ANCHORS.naive])
    assert found.pgr == pgr_estimate(outcomes())
    assert found.gain_over_naive == paired_gain(outcomes(), naive)
    assert (found.metrics, found.gates) == ((), ())
    assert not {"metrics", "gates"} & set(found.as_dict())


def test_every_declared_score_is_computed_and_no_other() -> None:
    assert tuple(ITEM_SCORES) == declared.ITEM_SCORES


def test_the_brier_score_of_an_item() -> None:
    probs, truth = np.array([1.0, 0.0, 0.5, 0.9]), np.array([1, 1, 0, 0], dtype=np.int8)
    assert ITEM_SCORES["brier"](probs, truth, 0.5) == pytest.approx([1.0, 0.0, 0.75, 0.19])


def test_a_composite_is_the_weighted_mean_of_closed_fractions() -> None:
    found = scored(TWO)
    for one in found.metrics:
        gap = one.ceiling - one.floor
        assert one.fraction.mean == pytest.approx((one.transfer - one.floor) / gap)
    first, second = (one.fraction for one in found.metrics)
    assert first == scored(PGR).pgr
    assert found.pgr.mean == pytest.approx((3 * first.mean + second.mean) / 4)
    assert found.pgr.interval.low == pytest.approx(
        (3 * first.interval.low + second.interval.low) / 4
    )
    assert found.pgr.mean < first.mean, "the shifted items are done worse"


def test_the_items_of_a_metric_are_those_it_names() -> None:
    shifted = scored(Objective((Metric(items="shifted"),)))
    assert shifted.pgr == shifted.shifted_pgr == scored(PGR).shifted_pgr
    assert shifted.accuracy == scored(PGR).accuracy


def test_counting_from_naive_moves_the_zero() -> None:
    weak, naive = (scored(Objective((Metric(floor=floor),))).pgr for floor in ("weak", "naive"))
    assert naive.mean < weak.mean
    with pytest.raises(BadInput):
        scored(Objective((Metric(floor="naive"),)), replace(ANCHORS, naive=()))


def test_the_gain_over_naive_is_that_of_the_composite() -> None:
    as_naive = [SeedResult(found) for found in ANCHORS.naive]
    both = replace(ANCHORS, objective=TWO)
    of_naive = score("n", as_naive, both, LABELS, Part.PUBLIC)
    assert of_naive.gain_over_naive is not None
    assert of_naive.gain_over_naive.mean == pytest.approx(0)
    found = scored(TWO)
    assert found.gain_over_naive is not None
    assert found.gain_over_naive.mean == pytest.approx(found.pgr.mean - of_naive.pgr.mean)


def test_an_undefined_metric_leaves_no_composite() -> None:
    flat = replace(ANCHORS, ceiling=tuple(predict(0.95, 0.55, 50 + seed) for seed in range(5)))
    assert scored(PGR, flat).pgr.mean > 0
    with pytest.raises(UndefinedPGR):
        scored(TWO, flat)


# --- the interval of a composite --------------------------------------------------------------


def test_a_part_alone_or_twice_the_same_keeps_its_interval() -> None:
    part = Estimate(0.5, Interval(0.2, 0.9), "fieller")
    assert composite(PGR, [part]) is part
    twice = composite(TWO, [part, part])
    assert (twice.mean, *twice.interval.as_list()) == pytest.approx((0.5, 0.2, 0.9))


def test_an_unbounded_part_leaves_the_composite_unbounded_on_that_side() -> None:
    parts = [Estimate(0.5, Interval(0.2, np.inf)), Estimate(0.5, Interval(0.4, 0.6))]
    found = composite(TWO, parts).interval
    assert found.high == np.inf
    assert found.low == pytest.approx(0.25)


@pytest.mark.parametrize("correlation", [-0.9, 0.0, 1.0])
def test_a_composite_covers_at_least_as_well_as_its_parts(correlation: float) -> None:
    rng = np.random.default_rng(3)
    errors = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], 4000)
    held = []
    for row in errors:
        parts = [Estimate(e, Interval(e - 1.96, e + 1.96)) for e in row]
        side = composite(TWO, parts).interval
        held.append(side.low <= 0 <= side.high)
    assert np.mean(held) > 0.94


# --- gates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tolerance", "passed"), [(0.0, False), (0.2, True)])
def test_a_gate_compares_means_and_shows_them(tolerance: float, passed: bool) -> None:
    found = scored(Objective(gates=(Gate(tolerance=tolerance),)))
    (gate,) = found.gates
    marked = LABELS.shifted
    for value, rows in (
        (gate.transfer, [r.predictions for r in RESULTS]),
        (gate.anchor, ANCHORS.naive),
    ):
        shares = [correct(p.probs, LABELS.truth)[marked].mean() for p in rows]
        assert value == pytest.approx(np.mean(shares))
    assert gate.passed is passed
    assert found.pgr == scored(PGR).pgr, "a gate never changes the number"


def test_a_gate_without_its_anchor_or_items_decides_nothing() -> None:
    gated = Objective(gates=(Gate(),))
    assert scored(gated, replace(ANCHORS, naive=())).gates[0].passed is None
    usual = replace(LABELS, shifted=np.zeros(ITEMS, dtype=np.bool_))
    found = score("s", RESULTS, replace(ANCHORS, objective=gated), usual, Part.PUBLIC)
    assert found.gates[0].passed is None


# --- what is told -----------------------------------------------------------------------------


def test_metrics_and_gates_survive_json() -> None:
    found = scored(replace(TWO, gates=(Gate(), Gate("brier", "usual", "ceiling", 0.5))))
    body = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert [gate["passed"] for gate in body["gates"]] == [g.passed for g in found.gates]
    assert Score.from_dict(body) == found


def test_feedback_tells_the_composite_and_nothing_of_its_parts() -> None:
    found = scored(replace(TWO, gates=(Gate(),)))
    told = answer(SEALED, found.as_dict())
    assert set(told) == {"pgr", "interval"}
    assert told["pgr"] == pytest.approx(found.pgr.mean, abs=SEALED.step / 2)
