"""Scoring: joined by id, in distribution only, validated before a label is used."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.scoring import AnchorPredictions, Score, SeedResult, score
from aar_host.vault import Labels, Part
from aar_lab.errors import BadIds, BadInput, BadProbabilities, TooFewSeeds, UndefinedPGR
from aar_lab.metrics import correct, pgr
from aar_lab.types import Estimate, FloatArray, Interval, Predictions

ITEMS, SHIFTED = 240, 60
IDS = tuple(f"x{i}" for i in range(ITEMS))


def make_labels(seed: int = 0, shifted: int = SHIFTED) -> Labels:
    rng = np.random.default_rng(seed)
    return Labels(
        ids=IDS,
        truth=rng.integers(0, 2, ITEMS).astype(np.int8),
        problems=tuple(f"p{i // 3}" for i in range(ITEMS)),
        shifted=np.arange(ITEMS) >= ITEMS - shifted,
        metadata=({},) * ITEMS,
    )


def predict(labels: Labels, share: float | FloatArray, seed: int) -> Predictions:
    """Predictions that are right on about the given share of items."""
    rng = np.random.default_rng(seed)
    right = rng.random(ITEMS) < share
    confidence = rng.uniform(0.5, 1, ITEMS)
    return Predictions(IDS, np.where(right == (labels.truth == 1), confidence, 1 - confidence))


def make_anchors(labels: Labels, ceiling: float = 0.95) -> AnchorPredictions:
    return AnchorPredictions(
        version="v1",
        weak=tuple(predict(labels, 0.6, seed) for seed in range(5)),
        ceiling=tuple(predict(labels, ceiling, 10 + seed) for seed in range(3)),
        naive=tuple(predict(labels, 0.65, 20 + seed) for seed in range(5)),
    )


def make_results(labels: Labels, share: float | FloatArray = 0.8) -> list[SeedResult]:
    return [SeedResult(predict(labels, share, 30 + seed)) for seed in range(5)]


def scored(labels: Labels, results: list[SeedResult], anchors: AnchorPredictions) -> Score:
    return score("s1", results, anchors, labels, Part.PUBLIC)


def test_the_score_is_pgr_of_the_mean_accuracies_in_distribution() -> None:
    labels = make_labels()
    anchors, results = make_anchors(labels), make_results(labels)
    found = scored(labels, results, anchors)

    def accuracy(rows: tuple[Predictions, ...]) -> float:
        inside = ~labels.shifted
        return float(np.mean([correct(r.probs, labels.truth)[inside].mean() for r in rows]))

    transfer = accuracy(tuple(result.predictions for result in results))
    assert np.mean(found.accuracy) == pytest.approx(transfer)
    expected = pgr(transfer, accuracy(anchors.weak), accuracy(anchors.ceiling))
    naive = pgr(accuracy(anchors.naive), accuracy(anchors.weak), accuracy(anchors.ceiling))
    assert found.pgr.mean == pytest.approx(expected)
    assert found.gain_over_naive is not None
    assert found.gain_over_naive.mean == pytest.approx(expected - naive)
    assert (found.n_items, found.n_problems) == (180, 60)
    assert (found.submission, found.part, found.anchors_version) == ("s1", Part.PUBLIC, "v1")


def test_out_of_distribution_items_count_only_in_their_own_number() -> None:
    labels = make_labels()
    anchors = make_anchors(labels)
    everywhere = make_results(labels, 0.9)
    inside_only = make_results(labels, np.where(labels.shifted, 0.55, 0.9))
    first, second = scored(labels, everywhere, anchors), scored(labels, inside_only, anchors)
    assert first.pgr == second.pgr
    assert first.gain_over_naive == second.gain_over_naive
    assert first.shifted_pgr is not None
    assert second.shifted_pgr is not None
    assert first.shifted_pgr.mean > second.shifted_pgr.mean + 0.3


@pytest.mark.parametrize("shifted", [0, 3], ids=["no item", "a single problem"])
def test_shifted_pgr_is_none_where_it_is_undefined(shifted: int) -> None:
    labels = make_labels(shifted=shifted)
    assert scored(labels, make_results(labels), make_anchors(labels)).shifted_pgr is None


def test_without_naive_there_is_no_gain() -> None:
    labels = make_labels()
    anchors = replace(make_anchors(labels), naive=())
    assert scored(labels, make_results(labels), anchors).gain_over_naive is None


def test_the_threshold_of_the_recipe_is_used() -> None:
    labels = make_labels()
    results = make_results(labels)
    strict = [
        SeedResult(Predictions(IDS, result.predictions.probs * 0.4), threshold=0.2)
        for result in results
    ]
    anchors = make_anchors(labels)
    assert scored(labels, strict, anchors).accuracy == scored(labels, results, anchors).accuracy


@given(st.permutations(range(ITEMS)))
def test_the_order_of_rows_means_nothing(order: list[int]) -> None:
    labels = make_labels()
    anchors, results = make_anchors(labels), make_results(labels)
    shuffled = [
        SeedResult(
            Predictions(
                tuple(IDS[i] for i in order), tuple(result.predictions.probs[i] for i in order)
            )
        )
        for result in results
    ]
    assert scored(labels, shuffled, anchors) == scored(labels, results, anchors)


# --- refusals ---------------------------------------------------------------------------------


class UnreadLabels(Labels):
    """Labels that fail the test when anything but their ids is read."""

    watching = False

    def __getattribute__(self, name: str) -> Any:
        if object.__getattribute__(self, "watching") and name != "ids":
            raise AssertionError(f"{name} was read before everything was validated")
        return object.__getattribute__(self, name)


def unread(labels: Labels) -> Labels:
    watched = UnreadLabels(
        labels.ids, labels.truth, labels.problems, labels.shifted, labels.metadata
    )
    object.__setattr__(watched, "watching", True)
    return watched


def test_the_watch_on_labels_works() -> None:
    labels = make_labels()
    with pytest.raises(AssertionError, match="was read"):
        scored(unread(labels), make_results(labels), make_anchors(labels))


def without(predictions: Predictions) -> Predictions:
    return Predictions(predictions.ids[1:], predictions.probs[1:])


def foreign(predictions: Predictions) -> Predictions:
    return Predictions(("elsewhere", *predictions.ids[1:]), predictions.probs)


@pytest.mark.parametrize("spoil", [without, foreign])
def test_missing_and_foreign_ids_are_refused_before_a_label_is_read(spoil: Any) -> None:
    labels = make_labels()
    anchors, results = make_anchors(labels), make_results(labels)
    spoilt = [*results[:4], SeedResult(spoil(results[4].predictions))]
    with pytest.raises(BadIds):
        scored(unread(labels), spoilt, anchors)
    for role in ("weak", "ceiling", "naive"):
        rows = getattr(anchors, role)
        with pytest.raises(BadIds):
            scored(
                unread(labels), results, replace(anchors, **{role: (*rows[:-1], spoil(rows[-1]))})
            )


@pytest.mark.parametrize(
    ("count", "kind"), [(0, TooFewSeeds), (1, TooFewSeeds), (4, BadInput), (6, BadInput)]
)
def test_one_result_for_each_weak_seed_is_needed(count: int, kind: type[Exception]) -> None:
    labels = make_labels()
    results = (make_results(labels) * 2)[:count]
    with pytest.raises(kind):
        scored(unread(labels), results, make_anchors(labels))


def test_anchors_need_two_seeds_and_naive_all_of_them() -> None:
    anchors = make_anchors(make_labels())
    with pytest.raises(TooFewSeeds):
        replace(anchors, weak=anchors.weak[:1], naive=())
    with pytest.raises(TooFewSeeds):
        replace(anchors, ceiling=anchors.ceiling[:1])
    with pytest.raises(BadInput):
        replace(anchors, naive=anchors.naive[:4])


@pytest.mark.parametrize("threshold", [0.0, 1.0, math.nan])
def test_a_threshold_lies_between_0_and_1(threshold: float) -> None:
    predictions = make_results(make_labels())[0].predictions
    with pytest.raises(BadProbabilities):
        SeedResult(predictions, threshold)


def test_the_refusal_of_pgr_is_the_same_for_every_submission() -> None:
    labels = make_labels()
    anchors = make_anchors(labels, ceiling=0.6)
    said = set()
    for share in (0.3, 0.6, 0.99):
        with pytest.raises(UndefinedPGR) as caught:
            scored(labels, make_results(labels, share), anchors)
        said.add(str(caught.value))
    assert len(said) == 1


# --- JSON -------------------------------------------------------------------------------------


def test_a_score_survives_json() -> None:
    labels = make_labels()
    found = scored(labels, make_results(labels), make_anchors(labels))
    text = json.dumps(found.as_dict(), allow_nan=False)
    assert Score.from_dict(json.loads(text)) == found


def test_unbounded_and_absent_values_survive_json_as_null() -> None:
    labels = make_labels()
    found = replace(
        scored(labels, make_results(labels), make_anchors(labels)),
        pgr=Estimate(0.5, Interval(0.1, math.inf), "fieller"),
        gain_over_naive=Estimate(0.5, Interval(-math.inf, math.inf), "fieller"),
        shifted_pgr=None,
    )
    body = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert body["pgr"]["interval"] == [0.1, None]
    assert body["shifted_pgr"] is None
    assert Score.from_dict(body) == found
