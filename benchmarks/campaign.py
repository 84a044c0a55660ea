"""What a submission and a campaign take beside training and prediction."""

from __future__ import annotations

import inspect
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aar_host.auth import authenticate, issue
from aar_host.fleet.campaign import Campaign, started
from aar_host.fleet.options import Options, Show
from aar_host.fleet.run import run_campaign
from aar_host.jobs.executor import LocalExecutor
from aar_host.jobs.grounds import SEEDS
from aar_host.settings import number
from aar_host.store.submissions import UNFINISHED, Draft, add_submission, status_of
from aar_lab.cards import MethodCard
from aar_lab.methods import naive
from aar_lab.types import Role

MINUTES = 3.0
START_SECONDS = 3.0
NAIVE = MethodCard(
    title="naive",
    idea="The baseline.",
    objective="min over f of CE(f(x), 1[p_w(x) > ½])",
    data="All unlabelled inputs with their weak labels.",
    procedure="Harden the weak labels; fit once.",
    hyperparameters={"epochs": 2, "rate": 1e-3},
    family="other",
)


@contextmanager
def _silent() -> Iterator[Show]:
    yield lambda status: None


@contextmanager
def fresh_campaign() -> Iterator[tuple[Campaign, Options]]:
    """A campaign that is set up in a temporary directory; its anchors are kept in the cache."""
    with tempfile.TemporaryDirectory(prefix="aar-bench-") as folder:
        out, workers = Path(folder) / "run", number("workers")
        options = Options("chat-mini", 3, MINUTES, 0, out, "bubblewrap", workers)
        with started(options, lambda text, done, of: None) as campaign:
            yield campaign, options


def bench_submission() -> dict[str, float]:
    """Five seeds of naive: boxes, training, prediction, scoring."""
    with fresh_campaign() as (campaign, options):
        executor = LocalExecutor(campaign.store, options.out, options.workers)
        executor.start()
        time.sleep(START_SECONDS)
        token = issue(campaign.store, campaign.id, "bench", Role.RESEARCHER, 1)
        actor = authenticate(campaign.store, token).id
        draft = Draft(inspect.getsource(naive), NAIVE)
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
