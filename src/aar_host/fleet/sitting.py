"""A person at a seat: the same box, token, quota and ledger as any researcher has."""

from __future__ import annotations

import os
import select
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

from aar_host.auth import issue
from aar_host.fleet.campaign import answering_socket, options_of
from aar_host.jobs.grounds import Grounds
from aar_host.jobs.places import open_campaign_store
from aar_host.researchers.station import seat_spec
from aar_host.sandbox import Box, box_dir, make_sandbox, new_workspace
from aar_host.settings import number
from aar_host.store import Store
from aar_host.store.campaigns import Campaign, get_campaign
from aar_host.store.ledger import Event, append
from aar_host.store.schema import CampaignState
from aar_lab.errors import Conflict
from aar_lab.types import JobStatus, Role

CHUNK = 65536
SPARE_SECONDS = 60.0
AT_TERMINAL = ["/usr/bin/script", "-q", "-e", "-c", "/bin/bash -i", "/dev/null"]
FROM_PIPE = ["/bin/bash"]


def sit(directory: Path, name: str, stdin: IO[bytes], stdout: IO[bytes]) -> JobStatus:
    """Let whoever is at the streams work in the box of a seat until they leave it.

    A seat's workspace is kept between sittings. The earlier token of the same name becomes void.

    Returns:
        How the box ended.

    Raises:
        Conflict: the campaign is not open, or not served just now; the name acts in another role.
    """
    store, key = open_campaign_store(directory)
    campaign = get_campaign(store, key)
    socket = answering_socket(directory, key)
    if campaign.state is not CampaignState.OPEN or socket is None:
        raise Conflict(directory, "nobody serves it just now", "Start `aar run` or `aar serve`.")
    token = issue(store, key, name, Role.HUMAN_RESEARCHER, number("token_hours"))
    grounds, options = Grounds(directory), options_of(directory)
    places = {"/data": grounds.practice}
    if options.sharing:
        places["/forum"] = directory / "forum"
    left = float(campaign.config["seconds"]) - campaign.ran + SPARE_SECONDS
    workspace = box_dir() / f"{key}-{name}"
    if not workspace.exists():
        new_workspace(workspace.name)
    spec = seat_spec(workspace, places, socket, token, left)
    spec = replace(spec, limits=replace(spec.limits, pids=4 * spec.limits.pids))
    at_terminal = os.isatty(stdin.fileno())
    box = make_sandbox(options.sandbox).start(AT_TERMINAL if at_terminal else FROM_PIPE, spec)
    _note(store, campaign, name, "sat_down")
    try:
        with _raw(stdin.fileno()) if at_terminal else nullcontext():
            _relay(box, stdin, stdout)
        return box.wait().status
    finally:
        box.kill()
        _note(store, campaign, name, "left")


def _note(store: Store, campaign: Campaign, name: str, state: str) -> None:
    payload = {"researcher": name, "state": state, "facts": {}}
    with store.writing() as connection:
        append(connection, store.clock(), Event(campaign.id, "researcher_event", payload))


@contextmanager
def _raw(stdin: int) -> Iterator[None]:
    """The terminal as the program in the box wants it; as it was afterwards."""
    before = termios.tcgetattr(stdin)
    try:
        tty.setraw(stdin)
        yield
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)


def _relay(box: Box, stdin: IO[bytes], stdout: IO[bytes]) -> None:
    """Carry bytes both ways until the box has ended."""
    done = threading.Event()
    feeding = threading.Thread(target=_feed, args=(box, stdin, done), daemon=True)
    feeding.start()
    while chunk := os.read(box.stdout.fileno(), CHUNK):
        stdout.write(chunk)
        stdout.flush()
    done.set()
    feeding.join()


def _feed(box: Box, stdin: IO[bytes], done: threading.Event) -> None:
    with suppress(BrokenPipeError):
        while not done.is_set():
            if not select.select([stdin], [], [], 0.1)[0]:
                continue
            chunk = os.read(stdin.fileno(), CHUNK)
            if not chunk:
                break
            box.stdin.write(chunk)
            box.stdin.flush()
        box.stdin.close()
