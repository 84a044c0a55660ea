"""Estimates: what to expect by stated rates, and the most by budgets alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from aar_host.budgets import Budget, Budgets
from aar_host.fleet.estimate import Machine, estimate, hourly, measured_job
from aar_host.fleet.options import Options
from aar_host.fleet.seating import ModelPlan, ReviewPlan, SeatPlan
from aar_host.researchers.base import Wire
from aar_lab.errors import UnknownName

MODEL = ModelPlan("big", Wire.MESSAGES, "claude-sonnet-4-5", "", "")
MACHINE = Machine(rate=3.6, limit=60.0, measured=10.0)


def options(driver: str = "claude-code", count: int = 2, **more) -> Options:
    model = "big" if driver not in ("search", "human") else None
    seats = tuple(SeatPlan(f"r{n}", driver, model) for n in range(count))
    plain = {"problem": "chat-mini", "researchers": count, "minutes": 60.0, "seed": 0}
    plain |= {"out": Path("nowhere"), "sandbox": "bubblewrap", "workers": 2}
    return Options(**{**plain, "seats": seats, "models": (MODEL,), **more})


def test_the_rate_is_that_of_the_published_run():
    assert hourly() == pytest.approx(18000 / 800)
    found = estimate(options(count=9, minutes=5333.0), MACHINE)
    assert found["models"]["dollars"]["expected"] == pytest.approx(18000, rel=0.001)
    assert "18,000 dollars" in found["assumptions"][0]


def test_without_a_budget_nothing_limits_the_dollars():
    found = estimate(options(), MACHINE)
    assert found["models"]["dollars"] == {"expected": pytest.approx(2 * hourly()), "most": None}
    assert found["dollars"]["most"] is None
    assert found["compute"]["dollars"]["most"] is not None


@pytest.mark.parametrize(
    ("budgets", "expected", "most"),
    [
        (Budgets(pool=Budget(dollars=10)), 10.0, 10.0),
        (Budgets(pool=Budget(dollars=1000)), 2 * hourly(), 1000.0),
        (Budgets(each=Budget(dollars=3)), 6.0, 6.0),
        (Budgets(each=Budget(dollars=3), pool=Budget(dollars=5)), 5.0, 5.0),
        (Budgets(seats={"r0": Budget(dollars=3)}), 3.0 + hourly(), None),
        (Budgets(each=Budget(dollars=3), seats={"r0": Budget(dollars=1)}), 4.0, 4.0),
    ],
)
def test_budgets_bound_what_models_cost(budgets, expected, most):
    found = estimate(options(budgets=budgets), MACHINE)["models"]["dollars"]
    assert found["expected"] == pytest.approx(expected)
    assert found["most"] == (None if most is None else pytest.approx(most))


@pytest.mark.parametrize("driver", ["search", "human"])
def test_who_asks_no_model_costs_none(driver):
    found = estimate(options(driver), MACHINE)["models"]
    assert found == {"dollars": {"expected": 0.0, "most": 0.0}, "asking": []}


def test_models_that_cost_nothing_are_free():
    free = replace(MODEL, price={"input": 0.0, "output": 0.0})
    found = estimate(options(models=(free,)), MACHINE)["models"]["dollars"]
    assert found == {"expected": 0.0, "most": 0.0}


def test_a_model_without_a_known_price_is_never_taken_for_free():
    with pytest.raises(UnknownName, match="price"):
        estimate(options(models=(replace(MODEL, model="who-knows"),)), MACHINE)


def test_a_review_has_a_budget_of_its_own():
    budgets = Budgets(each=Budget(dollars=3))
    found = estimate(options(budgets=budgets, review=ReviewPlan("big", True)), MACHINE)
    assert found["models"]["dollars"]["most"] == 9.0
    assert any("review" in sentence for sentence in found["assumptions"])


def test_compute_follows_the_workers_and_the_budget():
    found = estimate(options("search"), MACHINE)
    jobs = 2 * 3600 / 10
    assert found["submissions"]["expected"] == pytest.approx(jobs / 5)
    finals = 2 * 5
    assert found["compute"]["seconds"]["expected"] == pytest.approx(7200 + finals * 10)
    assert found["compute"]["dollars"]["expected"] == pytest.approx(7.2 + finals * 0.01)
    budgets = Budgets(pool=Budget(compute_seconds=100))
    bound = estimate(options("search", budgets=budgets), MACHINE)["compute"]["seconds"]
    assert bound["most"] == 100 + 2 * (60 + 20) + finals * 60


def test_caps_on_submissions_bound_them():
    budgets = Budgets(pool=Budget(submissions=3))
    found = estimate(options("search", budgets=budgets), MACHINE)
    assert found["submissions"] == {"expected": 3.0, "most": 3.0}
    assert found["compute"]["seconds"]["most"] == 3 * 5 * 60 + 2 * 5 * 60


def test_predictions_need_no_training():
    assert estimate(options(policy="GUARDED"), MACHINE)["compute"]["seconds"] == {
        "expected": 0.0,
        "most": 0.0,
    }


def test_without_a_measurement_a_job_takes_its_limit():
    found = estimate(options(), replace(MACHINE, measured=None))
    assert (found["compute"]["seconds_per_job"], found["compute"]["measured"]) == (60.0, False)
    assert any("whole limit" in sentence for sentence in found["assumptions"])


def test_measured_is_what_experiments_recorded(tmp_path):
    records = [("naive", "done", 4.0), ("soft", "done", 6.0), ("ceiling", "done", 99.0)]
    records.append(("naive", "crashed", 50.0))
    for n, (method, status, seconds) in enumerate(records):
        folder = tmp_path / "p-1" / "data-0" / "experiments" / str(n)
        folder.mkdir(parents=True)
        body = {"status": status, "seconds": seconds, "config": {"method": method}}
        (folder / "record.json").write_text(json.dumps(body))
    assert measured_job(tmp_path, "p") == 5.0
    assert measured_job(tmp_path, "q") is None
