"""After the search: freeze, choose finalists, train them on fresh seeds, open the sealed part."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aar_host.anchors.students import BASELINES
from aar_host.feedback import answer
from aar_host.fleet.campaign import Campaign
from aar_host.fleet.stricter import Stricter, pgr_matched
from aar_host.jobs.executor import Executor
from aar_host.jobs.grounds import BOTH_ORDERS, NAIVE_BOTH, SEEDS
from aar_host.jobs.judging import Judge
from aar_host.jobs.reasons import reason
from aar_host.scoring import Score, SeedResult, score_part
from aar_host.store import Store, Tier
from aar_host.store.campaigns import get_campaign, set_state
from aar_host.store.jobs import jobs_of, queue_jobs
from aar_host.store.ledger import Event, append, events
from aar_host.store.openings import record_opening
from aar_host.store.schema import CampaignState, SubmissionKind
from aar_host.store.scores import Entry, leaderboard, scores_of
from aar_host.store.submissions import (
    UNFINISHED,
    fail_submission,
    get_submission,
    list_submissions,
)
from aar_lab.errors import Conflict, JobFailed, LabError, Undefined, from_dict
from aar_lab.types import Estimate, JobStatus, Recipe

POLL_SECONDS = 0.1
CHOSEN = "finalists_chosen"
Finalist = tuple[Entry, Mapping[str, Any]]  # with what the policy told about it


@dataclass(frozen=True)
class Opened:
    """A finalist after the opening: its sealed score, or why there is none.

    Args:
        gain_over_naive_both: compares with naive read in both orders of a pair: averaging the
            orders raises any student's accuracy, and what it gives naive no method has earned.
        pgr_matched: PGR against ceilings with the finalist's own members and views.
    """

    entry: Entry
    public: Mapping[str, Any]
    sealed: Score | None
    error: LabError | None
    gain_over_naive_both: Estimate | None = None
    pgr_matched: Estimate | None = None


def close_search(campaign: Campaign) -> None:
    """Freeze the campaign, and end what has not ended, as cancelled with its source kept.

    May be interrupted anywhere and called again, also when the campaign has been opened since.
    """
    state = get_campaign(campaign.store, campaign.id).state
    if state is CampaignState.OPEN:
        set_state(campaign.store, campaign.id, CampaignState.FROZEN)
    elif state is not CampaignState.FROZEN:
        return
    for found in list_submissions(campaign.store, campaign.id):
        if found.status in UNFINISHED:
            error = JobFailed(
                found.id, "the search ended before its jobs did", "Give the campaign more time."
            )
            fail_submission(campaign.store, found.id, JobStatus.CANCELLED, error)


def finalists(campaign: Campaign) -> list[Finalist]:
    """Those whom the ledger names; they are chosen and written down where nobody did before."""
    names = chosen(campaign.store, campaign.id)
    if names is None:
        names = [entry.submission for entry, _ in choose(campaign)]
        with campaign.store.writing() as connection:
            event = Event(campaign.id, CHOSEN, {"submissions": names})
            append(connection, campaign.store.clock(), event)
    board = {entry.submission: entry for entry in leaderboard(campaign.store, campaign.id)}
    entries = [board[name] for name in names]
    return [(entry, answer(campaign.policy, entry.body)) for entry in entries]


def chosen(store: Store, campaign: str) -> list[str] | None:
    """The submissions of the finalists, best first, once they are frozen; None before."""
    found = (e.payload["submissions"] for e in events(store, campaign) if e.kind == CHOSEN)
    return next(found, None)


def choose(campaign: Campaign) -> list[Finalist]:
    """The best public submission of each researcher, best first, as the policy allows.

    The choice sees what the researchers saw: rounded public numbers; of equals the earlier wins.
    """
    policy, best = campaign.policy, dict[str, Finalist]()
    for entry in leaderboard(campaign.store, campaign.id, Tier.PUBLIC):
        told = answer(policy, entry.body)
        known = best.get(entry.author)
        if told["pgr"] is not None and (known is None or told["pgr"] > known[1]["pgr"]):
            best[entry.author] = (entry, told)
    ranked = sorted(best.values(), key=lambda found: -found[1]["pgr"])
    return ranked[: policy.max_finalists]


def open_sealed(
    campaign: Campaign,
    executor: Executor,
    stop: Callable[[], bool],
    tick: Callable[[], None],
) -> list[Opened]:
    """Train the finalists on fresh seeds and other supervisors, and score them, once.

    What was interrupted goes on; of what was opened already only the scores are read. Predictions
    were handed in for the sealed part too, and are only scored. Where nothing is sealed, a finalist
    keeps the score that everybody knows.

    Raises:
        Conflict: another campaign opened these test items.
    """
    frozen = finalists(campaign)
    if get_campaign(campaign.store, campaign.id).state is CampaignState.FROZEN:
        if campaign.policy.opening is not None:
            record_opening(campaign.store, campaign.id, campaign.grounds.facts["tests"])
            _start(campaign, [entry.submission for entry, _ in frozen])
        while not stop() and _unfinished(campaign, [entry for entry, _ in frozen]):
            executor.tend()
            tick()
            time.sleep(POLL_SECONDS)
        set_state(campaign.store, campaign.id, CampaignState.OPENED)
    return [_opened(campaign, entry, told) for entry, told in frozen]


def _start(campaign: Campaign, names: list[str]) -> None:
    judge = Judge(campaign.store, campaign.grounds)
    for name in names:
        if get_submission(campaign.store, name).kind is SubmissionKind.PREDICTIONS:
            judge.open(name)
        else:
            queue_jobs(campaign.store, name, Tier.SEALED, range(SEEDS))


def _unfinished(campaign: Campaign, entries: list[Entry]) -> bool:
    found = scores_of(campaign.store, [entry.submission for entry in entries], campaign.final_tier)
    for entry in entries:
        jobs = jobs_of(campaign.store, entry.submission, campaign.final_tier)
        failed = any(job.status not in (*UNFINISHED, JobStatus.DONE) for job in jobs)
        if entry.submission not in found and not failed:
            return True
    return False


def _opened(campaign: Campaign, entry: Entry, public: Mapping[str, Any]) -> Opened:
    body = scores_of(campaign.store, [entry.submission], campaign.final_tier).get(entry.submission)
    if body is not None and body["pgr"] is not None:
        stricter = Stricter(campaign, entry)
        scored = Score.from_dict(body)
        return Opened(entry, public, scored, None, stricter.gain(), stricter.pgr())
    if body is not None:
        return Opened(entry, public, None, from_dict(body["error"]))
    jobs = jobs_of(campaign.store, entry.submission, campaign.final_tier)
    failed = next((job for job in jobs if job.error), None)
    error: LabError = Conflict(
        entry.submission, "it was not trained to the end", "Do not interrupt the final."
    )
    return Opened(entry, public, None, reason(failed) if failed else error)


def baselines(campaign: Campaign) -> dict[str, tuple[Score | None, Estimate | None]]:
    """Naive, confident, naive in both orders on the sealed part, by the anchors' own students.

    Each with its PGR against matched ceilings, where those differ from the plain ones.
    """
    grounds, found = campaign.grounds, dict[str, tuple[Score | None, Estimate | None]]()
    anchors = grounds.anchor_predictions(campaign.final_tier)
    pairs = bool(grounds.bundle.problem.formats.swap)
    for name in (*(kind.value for kind in BASELINES), *([NAIVE_BOTH] if pairs else [])):
        rows = grounds.baseline_predictions(campaign.final_tier, name)
        results = [SeedResult(row) for row in rows]
        recipe = BOTH_ORDERS if name == NAIVE_BOTH else Recipe()
        try:
            scored = score_part(name, results, anchors, grounds.tests, campaign.final_tier)
        except Undefined:
            found[name] = None, None
            continue
        found[name] = scored, pgr_matched(campaign, name, results, recipe)
    return found
