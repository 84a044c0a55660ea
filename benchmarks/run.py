"""`make bench`: where the time goes. Everything is measured in this run; shares are ratios of it.

fit       one student's fit and prediction on one core, against the arithmetic's floor
campaign  all wall time of the workers outside training and prediction, as a share
"""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from aar_host.anchors.references import build_anchors
from aar_host.fleet.campaign import set_up
from aar_host.fleet.options import Options
from aar_host.fleet.run import run_campaign
from aar_host.jobs.grounds import ANCHOR_SEEDS
from aar_host.problems.base import Draw
from aar_host.problems.prepare import prepare
from aar_host.problems.registry import get_problem
from aar_host.settings import cache_dir, number
from aar_lab.experiment.run import student_factory
from aar_lab.learners.base import Plan
from aar_lab.learners.machine import use_one_thread
from aar_lab.problems.rows import RowWriter

REPEATS = 5
MINUTES = 3.0
TEST_PROBLEMS = 500


def matmul_rate() -> float:
    """Best float32 matrix-multiply rate of one core at a large size, in FLOP/s."""
    size = 1024
    a, b = torch.randn(size, size), torch.randn(size, size)
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds)


def bench_fit() -> dict[str, float]:
    """Median of several fits on `train_unlabeled`, and of predictions on 2,500 items."""
    source = get_problem("chat-mini")
    problem, sizes = source.public(), source.sizes
    train, labels = source.draw(Draw(1, "bench", sizes.train_unlabeled, sizes.pairs))
    test = source.draw(Draw(2, "bench", TEST_PROBLEMS, sizes.pairs))[0]
    make = student_factory(problem, source.strong, source.base_weights(source.strong))
    truth, fits, predictions = labels.truth.astype(np.float64), [], []
    for seed in range(REPEATS):
        student, start = make(), time.perf_counter()
        student.fit(train, truth, np.random.default_rng(seed))
        fitted = time.perf_counter()
        student.predict(test)
        fits.append(fitted - start)
        predictions.append(time.perf_counter() - fitted)
    arch = problem.students[source.strong]
    weights = 12 * arch["width"] ** 2
    per_token = weights * (arch["layers"] - 1) + 2 * arch["width"] ** 2
    tokens = sum(len(row) for row in RowWriter(problem).task(train)) * Plan().epochs
    flops = 6.0 * (per_token * tokens + weights * len(train) * Plan().epochs)
    fit = float(np.median(fits))
    return {
        "rows": len(train),
        "fit_seconds": fit,
        "predict_seconds": float(np.median(predictions)),
        "share_of_matmul_rate": flops / fit / matmul_rate(),
    }


@contextmanager
def _silent():  # type: ignore[no-untyped-def]
    yield lambda status: None


def bench_campaign() -> dict[str, float]:
    """A campaign as users start it, its preparation cached."""
    workers = number("workers")
    build_anchors(prepare(get_problem("chat-mini"), cache_dir()), ANCHOR_SEEDS, workers)
    with tempfile.TemporaryDirectory(prefix="aar-bench-") as folder:
        options = Options("chat-mini", 3, MINUTES, 0, Path(folder) / "run", "bubblewrap", workers)
        campaign = set_up(options, lambda text, done, of: None)
        found = run_campaign(campaign, options, _silent)
    spent = found["overhead"]
    useful = spent["training_seconds"] + spent["prediction_seconds"]
    jobs = useful + spent["box_seconds"] + spent["other_seconds"]
    return {
        "seconds": found["seconds"],
        "submissions": found["submissions"],
        "overhead_of_jobs": 1 - useful / jobs,
        "overhead_of_campaign": 1 - useful / (workers * found["seconds"]),
    }


def main() -> None:
    """Print one JSON document."""
    use_one_thread()
    print(json.dumps({"fit": bench_fit(), "campaign": bench_campaign()}, indent=1))


if __name__ == "__main__":
    main()
