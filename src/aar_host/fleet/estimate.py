"""What a campaign will cost before it is run: what to expect, and the most that it can be.

What to expect rests on stated rates, the most on budgets and caps alone: where nothing limits
something, it is None, never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from aar_host.feedback import get_policy
from aar_host.fleet.options import GRACE_SECONDS, Options
from aar_host.fleet.seating import ModelPlan, SeatPlan
from aar_host.models.prices import Price, load_prices, price_of
from aar_host.monitors.asking import MONITOR
from aar_host.settings import number_or
from aar_host.store.schema import SubmissionKind

RATES = Path(__file__).with_name("rates.yaml")


@dataclass(frozen=True)
class Machine:
    """What compute costs here.

    Args:
        rate: dollars for an hour of it.
        limit: seconds that one training job may take.
        measured: seconds that one took; None: nobody measured it here.
    """

    rate: float
    limit: float
    measured: float | None = None

    @property
    def job(self) -> float:
        """Seconds to expect of a job: as measured, else its limit."""
        return self.limit if self.measured is None else self.measured


@dataclass(frozen=True)
class Range:
    """What to expect, and the most; None: nothing limits it."""

    expected: float
    most: float | None

    def scaled(self, factor: float) -> dict[str, float | None]:
        """As JSON, in another unit."""
        return {
            "expected": self.expected * factor,
            "most": None if self.most is None else self.most * factor,
        }


def estimate(options: Options, machine: Machine) -> dict[str, Any]:
    """The costs to expect of a campaign, as JSON, with what they rest on."""
    dollars, made = model_dollars(options), submissions(options, machine)
    seconds = compute_seconds(options, machine, made)
    models, compute = dollars.scaled(1), seconds.scaled(machine.rate / 3600)
    whole = {key: _sum([models[key], compute[key]]) for key in models}
    return {
        "problem": options.problem,
        "researchers": len(options.seated),
        "researcher_hours": len(options.seated) * options.seconds / 3600,
        "models": {"dollars": models, "asking": [s.name for s in options.seated if asks(s)]},
        "compute": {
            "dollars": compute,
            "seconds": seconds.scaled(1),
            "seconds_per_job": machine.job,
            "measured": machine.measured is not None,
        },
        "submissions": made.scaled(1),
        "dollars": whole,
        "assumptions": assumptions(options, machine),
    }


def asks(seat: SeatPlan) -> bool:
    """Whether a researcher asks a model that costs."""
    return seat.model is not None


def model_dollars(options: Options) -> Range:
    """Dollars for language models: by the hour, and by the budgets."""
    hours, free = options.seconds / 3600, _free(options)
    paid = [seat for seat in options.seated if asks(seat) and seat.model not in free]
    named = [seat.name for seat in paid]
    if {model for model in _watching(options) if model not in free}:
        named.append(MONITOR)
    limits = (_sum([options.budgets.of(n).dollars for n in named]), options.budgets.pool.dollars)
    most = min((limit for limit in limits if limit is not None), default=None)
    expected = 0.0
    for seat in paid:
        own = options.budgets.of(seat.name).dollars
        expected += min(hours * hourly(), own if own is not None else float("inf"))
    return Range(expected if most is None else min(expected, most), most)


def submissions(options: Options, machine: Machine) -> Range:
    """Submissions of all researchers."""
    policy, budgets = get_policy(options.policy), options.budgets
    pool = number_or("max_submissions", policy.max_submissions)
    if policy.max_each is not None:
        pool = min(pool, policy.max_submissions, policy.max_each * len(options.seated))
    each = [budgets.of(seat.name).submissions for seat in options.seated]
    caps = (float(pool), budgets.pool.submissions, _sum(each))
    most = min(cap for cap in caps if cap is not None)
    if any(seat.driver == "search" for seat in options.seated):
        # A search hands in whatever the workers can train.
        expected = options.workers * options.seconds / (policy.seeds * machine.job)
    else:
        rates = rate_table()["submissions_per_hour"]
        kinds = ["human" if seat.driver == "human" else "agent" for seat in options.seated]
        expected = sum(rates[kind] for kind in kinds) * options.seconds / 3600
    return Range(min(expected, most), most)


def compute_seconds(options: Options, machine: Machine, made: Range) -> Range:
    """Seconds of training jobs: those of the search, then of the finalists."""
    policy, budgets = get_policy(options.policy), options.budgets
    if SubmissionKind.METHOD not in policy.kinds:
        return Range(0.0, 0.0)
    finalists = min(policy.max_finalists, max(len(options.seated), 1)) * policy.seeds
    late = options.workers * (machine.limit + GRACE_SECONDS)  # begun in time, or within the budget
    each = [budgets.of(seat.name).compute_seconds for seat in options.seated]
    caps = [options.workers * options.seconds, budgets.pool.compute_seconds, _sum(each)]
    limits = [cap + late for cap in caps if cap is not None]
    limits.append((made.most or 0.0) * policy.seeds * machine.limit)
    search = min(made.expected * policy.seeds * machine.job, *limits)
    return Range(search + finalists * machine.job, min(limits) + finalists * machine.limit)


def assumptions(options: Options, machine: Machine) -> list[str]:
    """What the estimate rests on, a sentence each."""
    published = rate_table()["rates"]["published"]
    found = [
        f"A researcher that asks a paid model costs {hourly():.2f} dollars an hour: "
        f"{published['source']}, {published['dollars']:,} dollars.",
        "The most is what budgets and caps allow; each budget is held to within one model call.",
        "Submissions of agents and persons are assumed; a search hands in what workers can train.",
        "Training of anchors, the machine and its storage are not counted.",
    ]
    if machine.measured is None:
        found.append("No training was measured here: each job is taken to need its whole limit.")
    if _watching(options):
        found.append("What review and judge cost is in the most, not in what to expect.")
    return found


def hourly() -> float:
    """Dollars that an hour of a researcher costs in models."""
    published = rate_table()["rates"]["published"]
    return float(published["dollars"] / published["hours"])


@cache
def rate_table() -> dict[str, Any]:
    """The rates, with their sources."""
    found: dict[str, Any] = yaml.safe_load(RATES.read_text())
    return found


def measured_job(cache_dir: Path, problem: str) -> float | None:
    """Seconds of one training run of a problem, as experiments recorded them here, or None."""
    seconds = []
    for path in cache_dir.glob(f"{problem}-*/data-*/experiments/*/record.json"):
        record = json.loads(path.read_text())
        if record["status"] == "done" and record["config"]["method"] not in ("weak", "ceiling"):
            seconds.append(float(record["seconds"]))
    return median(seconds) if seconds else None


def _free(options: Options) -> set[str]:
    """Names of models that cost nothing; `UnknownName` where the price of one is not known."""
    table = load_prices(Path(options.prices) if options.prices else None) if options.models else {}
    return {model.name for model in options.models if not _costs(model, table)}


def _costs(model: ModelPlan, table: Mapping[str, Price]) -> bool:
    if model.price is not None:
        return any(model.price.values())
    price = price_of(table, model.model)
    return price.input > 0 or price.output > 0


def _watching(options: Options) -> set[str]:
    """Models that read what researchers do."""
    named = {options.review.model if options.review else None, options.judge}
    return {name for name in named if name is not None}


def _sum(parts: Sequence[float | None]) -> float | None:
    """None if a part is without a limit."""
    known = [part for part in parts if part is not None]
    return float(sum(known)) if len(known) == len(parts) else None
