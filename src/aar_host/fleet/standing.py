"""How a campaign stands, read from its store."""

from __future__ import annotations

from collections.abc import Mapping

from aar_host.feedback import answer
from aar_host.fleet.campaign import Campaign
from aar_host.fleet.options import ResearcherStatus, Status
from aar_host.store.jobs import count_jobs
from aar_host.store.scores import leaderboard
from aar_host.store.submissions import list_submissions

OUTSIDE = ("outside", "")


def standing(
    campaign: Campaign, phase: str, seats: Mapping[str, tuple[str, str]], left: float | None
) -> Status:
    """The status to be shown.

    Args:
        seats: name of each of the fleet's researchers → its state and last action.
        left: seconds of the search.
    """
    found = list_submissions(campaign.store, campaign.id)
    best: dict[str, float] = {}
    for entry in leaderboard(campaign.store, campaign.id):
        pgr = answer(campaign.policy, entry.body)["pgr"]
        if pgr is not None:
            best[entry.author] = max(pgr, best.get(entry.author, pgr))
    states = {**{one.author: OUTSIDE for one in found}, **seats}
    rows = tuple(
        ResearcherStatus(name, state, action, sum(s.author == name for s in found), best.get(name))
        for name, (state, action) in states.items()
    )
    jobs = {str(k): n for k, n in count_jobs(campaign.store, campaign.id).items()}
    return Status(rows, len(found), jobs, left, phase)
