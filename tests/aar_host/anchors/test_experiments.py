"""Experiments: named by what fixes them, run once, whole or not at all; and the table they make."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.aar_host.jobs.trained_tiny import TrainedTiny

from aar_host.anchors.comparison import compare
from aar_host.anchors.experiments import Bench, run_experiment, run_experiments
from aar_host.anchors.references import (
    CEILING_SEEDS,
    MIN_SEEDS,
    build_anchors,
    read_reference,
    train_matched,
)
from aar_host.anchors.students import PLAIN, Kind, Match, Trainer
from aar_host.problems.prepare import draw_test, prepare
from aar_host.vault import Part
from aar_lab.methods.base import Effort
from aar_lab.types import Aggregate, JobStatus, Recipe

SEEDS = MIN_SEEDS
BOTH = Match(Recipe(("plain", "swap"), 2, Aggregate.LOGIT_MEAN), Effort(3, both_orders=True))


def silent(text: str, done: int, of: int) -> None:
    """No progress is shown."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Anchors without baselines, and a reference draw."""
    root = tmp_path_factory.mktemp("bench")
    source = TrainedTiny(root / "weights")
    source.directory.mkdir()
    prepared = prepare(source, root / "cache", seed=0)
    anchors = build_anchors(prepared, SEEDS, 1, baselines=())
    return Bench(anchors, draw_test(source, root / "tests", 1))


# --- matched ceilings -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "matched"),
    [
        (Recipe(), Recipe()),
        (Recipe(("elicit",)), Recipe()),
        (Recipe(("elicit", "swap")), Recipe(("swap",))),
        (Recipe(threshold=0.3), Recipe()),
        (Recipe(aggregate=Aggregate.LOGIT_MEAN), Recipe()),
        (Recipe(members=3), Recipe(members=3)),
    ],
)
def test_a_ceiling_is_matched_in_what_it_can_be_matched_in(recipe: Recipe, matched: Recipe) -> None:
    assert Match.of(recipe, Effort(2)) == Match(matched, Effort(2))


def test_a_method_that_trains_nothing_is_measured_against_the_plain_ceiling() -> None:
    assert Match.of(Recipe(("elicit",)), Effort(0)) == PLAIN


def test_a_match_survives_json() -> None:
    assert Match.from_dict(json.loads(json.dumps(BOTH.as_dict()))) == BOTH


def test_a_matched_ceiling_has_the_members_and_the_plain_one_is_the_anchor(bench: Bench) -> None:
    trainer = Trainer(bench.anchors.prepared)
    plain, anchor = trainer.ceiling(0), bench.anchors.student(Kind.CEILING, 0)
    for name, tensor in anchor.members[0].items():
        assert np.array_equal(plain.members[0][name], tensor)
    both = trainer.ceiling(0, BOTH)
    assert both.recipe == BOTH.recipe
    first, second = (member["head.weight"] for member in both.members)
    assert not np.array_equal(first, second)


def test_a_matched_ceiling_that_takes_over_the_plain_one_is_the_same_as_if_trained_anew(
    bench: Bench,
) -> None:
    match = replace(BOTH, effort=PLAIN.effort)
    train_matched(bench.anchors, match, 0)
    kept = read_reference(bench.anchors.matched(match, 0))
    anew = Trainer(bench.anchors.prepared).ceiling(0, match)
    for member, other in zip(kept.members, anew.members, strict=True):
        for name, tensor in member.items():
            assert np.array_equal(tensor, other[name])


# --- running ----------------------------------------------------------------------------------


def test_what_fixes_a_result_names_it(bench: Bench) -> None:
    (config,) = bench.methods("naive", [0])
    others = [
        *bench.methods("naive", [1]),
        *bench.methods("soft", [0]),
        *bench.ceilings(PLAIN),
        *bench.ceilings(BOTH),
        replace(config, args={**config.args, "rate": 0.5}),
        replace(config, data="other"),
        replace(config, tests="other"),
        replace(config, code="other"),
    ]
    digests = {c.digest for c in (config, *others)}
    assert len(digests) == 1 + len(others)
    assert bench.methods("naive", [0])[0].digest == config.digest


def test_a_result_is_made_once_and_reported_again(bench: Bench) -> None:
    configs = bench.methods("soft", [0, 1])
    told: list[tuple[str, int, int]] = []
    run_experiments(bench, configs, 1, lambda *news: told.append(news))
    assert told == [("soft 0", 1, 2), ("soft 1", 2, 2)]
    made = [bench.folder(config).stat().st_mtime_ns for config in configs]
    run_experiments(bench, configs, 1, silent)
    assert [bench.folder(config).stat().st_mtime_ns for config in configs] == made
    record, result = bench.record(configs[0]), bench.result(configs[0])
    assert record.status is JobStatus.DONE
    assert record.seconds > 0
    assert set(result.predictions.ids) == set(bench.tests.inputs(Part.SEALED).ids)


def test_a_method_that_fails_leaves_a_status_and_its_error(bench: Bench) -> None:
    (config,) = bench.methods("naive", [99])
    run_experiment(bench, config)
    record = bench.record(config)
    assert record.status is JobStatus.CRASHED
    assert record.error is not None
    assert record.error["code"] == "corrupt"
    assert not (bench.folder(config) / "predictions.npz").exists()
    shutil.rmtree(bench.folder(config))


def test_a_worker_that_dies_leaves_a_status(bench: Bench, tmp_path: Path) -> None:
    (config,) = bench.methods("naive", [0])
    broken = replace(config, method="no such method")
    told: list[str] = []
    run_experiments(bench, [broken], 1, lambda text, done, of: told.append(text))
    assert bench.record(broken).status is JobStatus.CRASHED
    assert told == ["no such method 0"]


# --- the table --------------------------------------------------------------------------------


def test_methods_are_compared_with_naive_and_with_both_ceilings(bench: Bench) -> None:
    found = compare(bench, ["soft", "self_distill", "naive"], SEEDS, 1, silent)
    rows = {row["method"]: row for row in found["methods"]}
    assert list(rows) == ["soft", "self_distill", "naive"]
    assert found["weak"]["n"] == SEEDS
    assert found["ceiling"]["n"] == CEILING_SEEDS
    gap = found["ceiling"]["mean"] - found["weak"]["mean"]
    for row in rows.values():
        assert row["error"] is None
        accuracy = np.mean(row["accuracies"])
        assert row["accuracy"]["mean"] == pytest.approx(accuracy)
        assert row["pgr"]["mean"] == pytest.approx((accuracy - found["weak"]["mean"]) / gap)
        assert row["pgr_matched"] is None
    assert rows["naive"]["p"] is None
    naive = rows["naive"]["pgr"]["mean"]
    assert rows["soft"]["gain"]["mean"] == pytest.approx(rows["soft"]["pgr"]["mean"] - naive)
    assert rows["soft"]["p"] <= rows["soft"]["p_holm"] <= 1
    assert rows["soft"]["detectable"] > 0


def test_the_table_is_json_and_the_same_again(bench: Bench) -> None:
    found = compare(bench, ["soft"], SEEDS, 1, silent)
    assert json.loads(json.dumps(found)) == compare(bench, ["soft"], SEEDS, 1, silent)
