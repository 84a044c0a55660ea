"""What a campaign leaves behind: results.json, as `aar_host.report.results` reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aar_host.feedback import answer, sealed_bound
from aar_host.fleet.campaign import Campaign
from aar_host.fleet.costs import costs
from aar_host.fleet.finals import Opened, baselines
from aar_host.fleet.options import Options
from aar_host.fleet.timeline import Timeline
from aar_host.monitors.flagging import raised
from aar_host.scoring import Score, estimate_as_dict
from aar_host.settings import amount
from aar_host.store import Tier
from aar_host.store.findings import list_findings
from aar_host.store.jobs import count_jobs, jobs_of
from aar_host.store.ledger import events
from aar_host.store.schema import SubmissionKind
from aar_host.store.scores import scores_of
from aar_host.store.submissions import Submission, get_submission, list_submissions, method_source
from aar_lab.types import Estimate, JobStatus

OUTSIDE = "of their own"
NO_SANDBOX = "Ran without a sandbox: a method could read the labels. These numbers prove nothing."


@dataclass(frozen=True)
class Ending:
    """How the search ended: why, and who sat where; `seconds` is how long all was served."""

    seconds: float
    stopped: str
    directions: Mapping[str, str]


def results(
    campaign: Campaign, options: Options, opened: Sequence[Opened], ending: Ending
) -> dict[str, Any]:
    """Everything that is reported of a campaign, as JSON."""
    timeline = Timeline(events(campaign.store, campaign.id))
    history, scored = _history(campaign, timeline), baselines(campaign)
    facts = campaign.grounds.facts
    sealed = campaign.grounds.references(campaign.final_tier)
    well = (JobStatus.DONE, JobStatus.CANCELLED)
    failed = [row for row in history if row["status"] not in well]
    return {
        "campaign": campaign.id,
        "problem": facts["problem"],
        "version": facts["version"],
        "policy": campaign.policy.name,
        "environment": facts["environment"],
        "sandbox": facts["sandbox"],
        "marks": _marks(campaign),
        "seed": options.seed,
        "started": campaign.started,
        "seconds": ending.seconds,
        "stopped": ending.stopped,
        "anchors": sealed,
        "finalists": [_finalist(campaign, found) for found in opened],
        "baselines": [
            {"method": name, "sealed": _sealed(score, matched=matched) if score else None}
            for name, (score, matched) in scored.items()
        ],
        "researchers": [_researcher(n, d, history) for n, d in _seated(ending, history).items()],
        "history": history,
        "findings": _findings(campaign, timeline),
        "submissions": len(history),
        "failed": len(failed),
        "jobs": {str(k): n for k, n in count_jobs(campaign.store, campaign.id).items()},
        "bound": sealed_bound(sealed["n_problems"], len(opened) + len(scored)),
        "overhead": _overhead(campaign, [row["submission"] for row in history]),
        "costs": costs(campaign.store, campaign.id, amount("compute_dollars_per_hour")),
        "flags": raised(events(campaign.store, campaign.id)),
    }


def _marks(campaign: Campaign) -> list[str]:
    mark = campaign.policy.mark
    unboxed = campaign.grounds.facts["sandbox"] == "none"
    return [*([NO_SANDBOX] if unboxed else []), *([mark] if mark else [])]


def _history(campaign: Campaign, timeline: Timeline) -> list[dict[str, Any]]:
    found = list_submissions(campaign.store, campaign.id)
    bodies = scores_of(campaign.store, [s.id for s in found])
    rows = ((s, _history_row(campaign, s, bodies.get(s.id))) for s in found)
    return [{"seconds": timeline.at(s.created), **row} for s, row in rows]


def _history_row(
    campaign: Campaign, found: Submission, body: Mapping[str, Any] | None
) -> dict[str, Any]:
    told = answer(campaign.policy, body) if body else {"pgr": None, "interval": None}
    return {
        "researcher": found.author,
        "submission": found.id,
        "title": found.card["title"],
        "status": found.status.value,
        "pgr": told["pgr"],
        "interval": told["interval"],
        "builds_on": list(found.builds_on),
    }


def _seated(ending: Ending, history: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Who took part, with a direction: those of the fleet, then those who came from outside."""
    outside = {row["researcher"]: OUTSIDE for row in history}
    return {**ending.directions, **{n: d for n, d in outside.items() if n not in ending.directions}}


def _researcher(name: str, direction: str, history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    own = [row for row in history if row["researcher"] == name]
    return {
        "name": name,
        "direction": direction,
        "submissions": len(own),
        "failed": sum(row["status"] != JobStatus.DONE for row in own),
        "best": max((row["pgr"] for row in own if row["pgr"] is not None), default=None),
    }


def _finalist(campaign: Campaign, found: Opened) -> dict[str, Any]:
    submission = get_submission(campaign.store, found.entry.submission)
    trained = submission.kind is SubmissionKind.METHOD
    source = method_source(campaign.store, submission.id) if trained else ""
    return {
        "researcher": found.entry.author,
        "submission": found.entry.submission,
        "title": found.entry.card["title"],
        "digest": submission.content,
        "public": {"pgr": found.public["pgr"], "interval": found.public["interval"]},
        "sealed": _sealed(found.sealed, found.gain_over_naive_both, found.pgr_matched)
        if found.sealed
        else None,
        "error": found.error.as_dict() if found.error else None,
        "source": source,
        "card": dict(found.entry.card),
    }


def _sealed(
    score: Score, stricter: Estimate | None = None, matched: Estimate | None = None
) -> dict[str, Any]:
    pgr = estimate_as_dict(score.pgr)
    shifted = score.shifted_pgr and estimate_as_dict(score.shifted_pgr)
    gain = score.gain_over_naive and estimate_as_dict(score.gain_over_naive)
    own = score.submission == "naive"
    return {
        "pgr": pgr["mean"],
        "interval": pgr["interval"],
        "gain_over_naive": gain if gain and not own else None,
        "gain_over_naive_both_orders": _known(stricter),
        "pgr_matched": _known(matched),
        "accuracy": float(np.mean(score.accuracy)),
        "shifted_pgr": shifted["mean"] if shifted else None,
        "shifted_interval": shifted["interval"] if shifted else None,
        "n_items": score.n_items,
        "n_problems": score.n_problems,
    }


def _known(estimate: Estimate | None) -> dict[str, Any] | None:
    return estimate_as_dict(estimate) if estimate else None


def _findings(campaign: Campaign, timeline: Timeline) -> list[dict[str, Any]]:
    return [
        {
            "author": found.author,
            "kind": found.kind.value,
            "body": found.body,
            "cites": list(found.cites),
            "seconds": timeline.at(found.created),
        }
        for found in list_findings(campaign.store, campaign.id)
    ]


def _overhead(campaign: Campaign, submissions: Sequence[str]) -> dict[str, float]:
    """Where the time of the jobs went: training, prediction, starting boxes, all else."""
    spent: Counter[str] = Counter()
    for submission in submissions:
        for tier in Tier:
            for job in jobs_of(campaign.store, submission, tier):
                spent.update(job.seconds or {})
    known = spent["train"] + spent["predict"] + spent["box"]
    return {
        "training_seconds": spent["train"],
        "prediction_seconds": spent["predict"],
        "box_seconds": spent["box"],
        "other_seconds": max(0.0, spent["total"] - known),
    }
