"""The published study of April 2026, recomputed from its accuracies seed by seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aar_lab.metrics import best_of_k_bias, pgr, pgr_from_accuracies, reference

TASKS = json.loads((Path(__file__).parents[2] / "data" / "published.json").read_text())["tasks"]
METHODS = [(task, method) for task in TASKS for method in TASKS[task]["methods"]]


def values(task: str, method: str) -> tuple[list[float], list[float], list[float]]:
    """Accuracies of weak, ceiling and the method."""
    found: dict[str, Any] = TASKS[task]
    return (
        found["weak"]["values"],
        found["ceiling"]["values"],
        found["methods"][method]["values"],
    )


@pytest.mark.parametrize("role", ["weak", "ceiling"])
@pytest.mark.parametrize("task", TASKS)
def test_weak_and_ceiling(task: str, role: str) -> None:
    found = reference(TASKS[task][role]["values"])
    assert found.n == 16
    assert found.mean == pytest.approx(TASKS[task][role]["mean"], abs=5e-5)


@pytest.mark.parametrize(("task", "method"), METHODS)
def test_accuracy_and_pgr_of_every_method(task: str, method: str) -> None:
    weak, ceiling, transfer = (reference(found).mean for found in values(task, method))
    published = TASKS[task]["methods"][method]
    assert transfer == pytest.approx(published["mean"], abs=5e-5)
    assert pgr(transfer, weak, ceiling) == pytest.approx(published["pgr"], abs=5e-5)


@pytest.mark.parametrize(("task", "method"), METHODS)
def test_pgr_from_accuracies_with_an_interval_longer_than_seeds_alone_give(
    task: str, method: str
) -> None:
    weak, ceiling, transfer = values(task, method)
    found = pgr_from_accuracies(weak, ceiling, transfer, TASKS[task]["n_items"])
    gap = np.mean(ceiling) - np.mean(weak)
    assert found.mean == pytest.approx(TASKS[task]["methods"][method]["pgr"], abs=5e-5)
    assert found.interval.high - found.interval.low > 2 * 1.96 * reference(transfer).se / gap


@pytest.mark.parametrize(("trials", "bias"), [(5, 0.12), (20, 0.19), (100, 0.26)])
def test_the_best_seed_of_naive_on_chat_flatters_it_by_half_its_pgr_and_more(
    trials: int, bias: float
) -> None:
    weak, ceiling, naive = values("chat", "vanilla_w2s")
    per_seed = [pgr(one, float(np.mean(weak)), float(np.mean(ceiling))) for one in naive]
    assert best_of_k_bias(float(np.std(per_seed, ddof=1)), trials) == pytest.approx(bias, abs=5e-3)
