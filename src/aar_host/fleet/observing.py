"""What looks on while a campaign runs: files, rules, and models that review and judge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from aar_host.fleet.campaign import Campaign
from aar_host.fleet.files import watching_files
from aar_host.fleet.options import Options
from aar_host.fleet.seats import Seats
from aar_host.models.asking import ask_through
from aar_host.monitors.asking import MONITOR, Ask
from aar_host.monitors.flagging import Flagger, flagging, judge_all
from aar_host.monitors.review import Reviewer, reviewing


@contextmanager
def observing(campaign: Campaign, options: Options, seats: Seats) -> Iterator[None]:
    """Record changes of files, raise flags, and review methods while the context lasts; at its
    end, a judge reads what each researcher did, where the campaign has one."""
    store, name = campaign.store, campaign.id
    with ExitStack() as stack:
        stack.enter_context(watching_files(store, name, seats.workspaces))
        stack.enter_context(flagging(Flagger(store, name)))
        asks = {model: _ask(seats, model) for model in _models(options)}
        if options.review is not None:
            ask, required = asks[options.review.model], options.review.required
            stack.enter_context(reviewing(Reviewer(store, name, ask, required)))
        yield
        if options.judge is not None:
            judge_all(store, name, asks[options.judge], closed=True)


def _models(options: Options) -> set[str]:
    found = {options.review.model} if options.review else set()
    return found | ({options.judge} if options.judge else set())


def _ask(seats: Seats, model: str) -> Ask:
    line = seats.desks.line(MONITOR, model)
    return ask_through(line.socket, line.wire, line.model)
