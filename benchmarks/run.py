"""`make bench`: where the time goes. Everything is measured in this run; shares are ratios of it.

- fit: one student's fit and prediction on one core, against the arithmetic's floor
- submission: from handing in naive to its score, five seeds, on an otherwise idle machine
- campaign: all wall time of the workers outside training and prediction, as a share
"""

from __future__ import annotations

import inspect
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from aar_host.auth import authenticate, issue
from aar_host.fleet.campaign import Campaign, set_up
from aar_host.fleet.options import Options, Show
from aar_host.fleet.run import run_campaign
from aar_host.jobs.executor import LocalExecutor
from aar_host.jobs.grounds import SEEDS
from aar_host.problems.base import Draw
from aar_host.problems.registry import get_problem
from aar_host.settings import number
from aar_host.store.submissions import UNFINISHED, Draft, add_submission, status_of
from aar_lab.experiment.run import student_factory
from aar_lab.learners.base import Plan
from aar_lab.learners.machine import use_one_thread
from aar_lab.methods import naive
from aar_lab.problems.rows import RowWriter
from aar_lab.types import MethodCard, Role

REPEATS = 5
MINUTES = 3.0
TEST_PROBLEMS = 500
START_SECONDS = 3.0


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
def _silent() -> Iterator[Show]:
    yield lambda status: None


@contextmanager
def fresh_campaign() -> Iterator[tuple[Campaign, Options]]:
    """A campaign that is set up in a temporary directory; its anchors are kept in the cache."""
    with tempfile.TemporaryDirectory(prefix="aar-bench-") as folder:
        out, workers = Path(folder) / "run", number("workers")
        options = Options("chat-mini", 3, MINUTES, 0, out, "bubblewrap", workers)
        yield set_up(options, lambda text, done, of: None), options


def bench_submission() -> dict[str, float]:
    """Five seeds of naive: boxes, training, prediction, scoring."""
    with fresh_campaign() as (campaign, options):
        executor = LocalExecutor(campaign.store, options.out, options.workers)
        executor.start()
        time.sleep(START_SECONDS)
        token = issue(campaign.store, campaign.id, "bench", Role.RESEARCHER, 1)
        actor = authenticate(campaign.store, token).id
        draft = Draft(inspect.getsource(naive), MethodCard("naive", "the baseline"))
        start = time.perf_counter()
        submission = add_submission(campaign.store, campaign.id, actor, draft)
        while status_of(campaign.store, submission) in UNFINISHED:
            executor.tend()
            time.sleep(0.02)
        seconds = time.perf_counter() - start
        executor.stop()
        return {"seeds": SEEDS, "seconds": seconds}


def bench_campaign() -> dict[str, float]:
    """A campaign as users start it, its preparation cached."""
    with fresh_campaign() as (campaign, options):
        workers, found = options.workers, run_campaign(campaign, options, _silent)
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
    found = {
        "fit": bench_fit(),
        "submission": bench_submission(),
        "campaign": bench_campaign(),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
