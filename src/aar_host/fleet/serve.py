"""A campaign without researchers of its own: served, then closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aar_host.fleet.campaign import SOCKET, Campaign, answering
from aar_host.fleet.options import Options
from aar_host.fleet.run import Run, running
from aar_host.sandbox import box_dir, remove_workspace
from aar_host.server.serving import listening
from aar_host.store.campaigns import get_campaign
from aar_host.store.schema import CampaignState
from aar_lab.errors import Conflict


def serve_campaign(
    campaign: Campaign,
    options: Options,
    watch: Callable[[], Any],
    port: int | None = None,
    final: bool = False,
) -> Mapping[str, Any]:
    """Serve until the minutes are over or Ctrl-C.

    Args:
        watch: as of `run_campaign`.
        port: of loopback TCP beside DIR/host.sock.
        final: whether to close the campaign then; a second Ctrl-C ends the waiting for jobs.

    Returns:
        {"campaign", "directory", "state", "submissions", "seconds_left"}.

    Raises:
        Conflict: it is frozen or further.
        BadSettings: the path of the directory is too long for a socket.
    """
    state = get_campaign(campaign.store, campaign.id).state
    if state is not CampaignState.OPEN:
        raise Conflict(
            f"campaign {campaign.id} is {state}", "it takes nothing more", "Use `aar final`."
        )
    with running(campaign, options, watch) as run:
        with answering(campaign) as app, listening(app, options.out / SOCKET, port):
            while run.left > 0 and not run.interrupts.count:
                run.tick("serving")
        if final:
            _close(run)
        left = run.left
    found = get_campaign(campaign.store, campaign.id)
    return {
        "campaign": campaign.id,
        "directory": str(options.out),
        "state": found.state,
        "submissions": found.charged,
        "seconds_left": round(left, 1),
    }


def close_campaign(
    campaign: Campaign, options: Options, watch: Callable[[], Any]
) -> Mapping[str, Any]:
    """End the search, let what was handed in end, and run the final; returns its results."""
    with running(campaign, options, watch) as run:
        return _close(run)


def _close(run: Run) -> Mapping[str, Any]:
    run.end_search("interrupt" if run.left > 0 else "time")
    # Where reviews are required and nobody reviews any more, what waits would wait for ever.
    reviewed = run.options.review is not None and run.options.review.required
    if run.state is CampaignState.OPEN and not reviewed:
        run.finish_all()
    found = run.final()
    for workspace in box_dir().glob(f"{run.campaign.id}-*"):  # of those who sat down
        remove_workspace(workspace)
    return found
