"""What looks on while a campaign runs: files, rules, and models that review and judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from aar_host.fleet.campaign import Campaign
from aar_host.fleet.desks import monitor_line
from aar_host.fleet.files import watching_files
from aar_host.fleet.options import Options
from aar_host.fleet.seats import Seats
from aar_host.monitors.flagging import Flagger, flagging, judge_all
from aar_host.monitors.review import Reviewer, reviewing


@contextmanager
def observing(
    campaign: Campaign, options: Options, seats: Seats, stop: Callable[[], bool]
) -> Iterator[None]:
    """Record changes of files, raise flags, and review methods while the context lasts; at its
    end, a judge reads what each researcher did, where the campaign has one, until `stop()`."""
    store, name = campaign.store, campaign.id
    with ExitStack() as stack:
        stack.enter_context(watching_files(store, name, seats.workspaces))
        stack.enter_context(flagging(Flagger(store, name)))
        asks = {model: monitor_line(seats.desks, model) for model in _models(options)}
        if options.review is not None:
            ask, required = asks[options.review.model], options.review.required
            stack.enter_context(reviewing(Reviewer(store, name, ask, required)))
        yield
        if options.judge is not None:
            judge_all(store, name, asks[options.judge], True, stop)


def _models(options: Options) -> set[str]:
    found = {options.review.model} if options.review else set()
    return found | ({options.judge} if options.judge else set())
