"""New sealed data: the frozen finalists of a campaign once more, on items that nobody has seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aar_host.auth import authenticate, issue
from aar_host.budgets import Budgets
from aar_host.fleet.campaign import Campaign, options_of
from aar_host.fleet.finals import chosen
from aar_host.fleet.options import Options
from aar_host.fleet.run import running
from aar_host.jobs.places import open_campaign_store
from aar_host.problems.registry import get_problem
from aar_host.store.schema import CampaignState, SubmissionKind
from aar_host.store.submissions import Draft, add_submission, get_submission, method_source
from aar_lab.cards import MethodCard
from aar_lab.errors import BadInput, BadSettings
from aar_lab.types import Role

TOKEN_HOURS = 1


@dataclass(frozen=True)
class Sample:
    """A finalist as it is handed in again, under the name of its author."""

    author: str
    draft: Draft


def resealed(directory: Path, out: Path) -> tuple[Options, list[Sample]]:
    """The options of the new campaign in `out`, and what is handed in to it.

    Raises:
        BadInput: the directory holds no campaign, or one without finalists.
        BadSettings: its problem cannot draw fresh test items.
    """
    options = options_of(directory)
    if get_problem(options.problem).public().finite:
        raise BadSettings(
            options.problem,
            "its data are a fixed collection, so that no fresh test items can be drawn",
            "Collect new data, or use another world (`aar transfer --world-seed`).",
        )
    store, campaign = open_campaign_store(directory)
    names = chosen(store, campaign)
    if not names:
        raise BadInput(directory, "it has no frozen finalists", "Close it with `aar final` first.")
    samples = []
    for name in names:
        found = get_submission(store, name)
        if found.kind is not SubmissionKind.METHOD:
            raise BadSettings(
                name,
                "it is a set of predictions, and nobody can tell what it says of other items",
                "Run a campaign under SEALED: methods can be trained again.",
            )
        draft = Draft(method_source(store, name), MethodCard.from_dict(found.card))
        samples.append(Sample(found.author, draft))
    return once_more(options, out, campaign), samples


def once_more(options: Options, out: Path, campaign: str) -> Options:
    """Of the campaign in `out` that opens another one's finalists: nobody researches in it, so
    that there is no seat, no model, and no review or budget to wait for."""
    plain = replace(options, researchers=0, seats=(), models=(), review=None, judge=None)
    return replace(plain, budgets=Budgets(), out=out, reseals=campaign)


def open_again(
    campaign: Campaign, options: Options, samples: list[Sample], watch: Callable[[], Any]
) -> Mapping[str, Any]:
    """Train the samples, freeze, open; may be interrupted anywhere and called again.

    Lineage is left out: what the samples built on is in the earlier campaign.
    """
    with running(campaign, options, watch) as run:
        if run.state is CampaignState.OPEN and run.stopped is None:
            for sample in samples:
                _submit(campaign, sample)
            run.end_search("budget")
        if run.state is CampaignState.OPEN:
            run.finish_all()
        return run.final()


def _submit(campaign: Campaign, sample: Sample) -> None:
    store = campaign.store
    token = issue(store, campaign.id, sample.author, Role.RESEARCHER, TOKEN_HOURS)
    add_submission(store, campaign.id, authenticate(store, token).id, sample.draft)
