"""The researchers of a campaign, each in a thread of the host and a box of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from aar_host.auth import issue
from aar_host.fleet.campaign import Campaign, researcher_seed
from aar_host.fleet.options import NAMES, Options
from aar_host.researchers.base import Researcher
from aar_host.researchers.directions import directions
from aar_host.researchers.station import BoxStation, Seat, Terms, seat_spec
from aar_host.sandbox import (
    box_dir,
    new_workspace,
    put_file,
    read_workspace_file,
    remove_workspace,
)
from aar_host.settings import number
from aar_host.store.ledger import Event, append
from aar_lab.errors import BadInput
from aar_lab.types import Role

SPARE_SECONDS = 120
KEPT = "researchers"
KEPT_FILES = ("notebook.md", "notebook.jsonl")
MAX_KEPT_BYTES = 4 << 20
MAX_FACT = 500


class Seats:
    """All researchers of a campaign.

    Args:
        driver: what works at every seat.
        socket: the campaign's server.
    """

    def __init__(
        self, campaign: Campaign, options: Options, driver: Researcher, socket: Path
    ) -> None:
        self._campaign, self._options, self._driver = campaign, options, driver
        self._stop = threading.Event()
        self.states: dict[str, tuple[str, str]] = {}
        self._workspaces: dict[str, Path] = {}
        self._stations = [self._station(i, socket) for i in range(options.researchers)]
        self._threads = [
            threading.Thread(target=self._work, args=(station,), daemon=True)
            for station in self._stations
        ]

    def _station(self, number_: int, socket: Path) -> BoxStation:
        name, campaign = NAMES[number_], self._campaign
        # A token outlives its campaign, or the search would end unnoticed.
        hours = max(number("token_hours"), self._options.minutes / 60 + 1)
        token = issue(campaign.store, campaign.id, name, Role.RESEARCHER, hours)
        workspace = self._workspaces[name] = self._workspace(name)
        self.states[name] = ("starting", "")
        seconds = self._options.minutes * 60 + SPARE_SECONDS
        places = {"/data": campaign.grounds.practice, "/forum": campaign.forum}
        spec = seat_spec(workspace, places, socket, token, seconds)
        seat = Seat(name, directions()[number_], researcher_seed(self._options, name))
        terms = Terms(restarts=number("seat_restarts"))
        return BoxStation(seat, campaign.sandbox, spec, self._listen, terms)

    def _workspace(self, name: str) -> Path:
        """As an earlier run left it; a new one gets back the files that were kept."""
        workspace = box_dir() / f"{self._campaign.id}-{name}"
        if workspace.exists() and (os.getuid() != 0 or workspace.stat().st_uid != 0):
            return workspace
        remove_workspace(workspace)  # that of root was not finished
        new_workspace(workspace.name)
        for file in KEPT_FILES:
            kept = self._options.out / KEPT / name / file
            if kept.exists():
                put_file(workspace, file, kept.read_bytes())
        return workspace

    def _listen(self, name: str, state: str, facts: Mapping[str, Any]) -> None:
        shown = str(facts.get("title") or facts.get("reason") or facts.get("error") or "")
        self.states[name] = (state, shown)
        payload = {"researcher": name, "state": state, "facts": _bounded(facts)}
        store = self._campaign.store
        with store.writing() as connection:
            append(connection, store.clock(), Event(self._campaign.id, "researcher_event", payload))

    def _work(self, station: BoxStation) -> None:
        self._driver.run(station, self._stop.is_set)

    def start(self) -> None:
        """Let them begin."""
        for thread in self._threads:
            thread.start()

    def working(self) -> bool:
        """Whether any of them is still at work."""
        return any(thread.is_alive() for thread in self._threads)

    def wind_down(self) -> None:
        """Let them begin nothing new."""
        self._stop.set()

    def stop(self) -> None:
        """End all of them now: no command in a box goes on."""
        self.wind_down()
        for station in self._stations:
            station.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=10)

    def keep_files(self) -> None:
        """Copy the notebooks out of the workspaces, as text of limited size, and remove these."""
        for name, workspace in self._workspaces.items():
            folder = self._options.out / KEPT / name
            folder.mkdir(parents=True, exist_ok=True)
            for file in KEPT_FILES:
                with suppress(BadInput):
                    content = read_workspace_file(workspace, file, MAX_KEPT_BYTES)
                    (folder / file).write_bytes(content)
            remove_workspace(workspace)


def _bounded(facts: Mapping[str, Any]) -> dict[str, str]:
    return {str(key)[:80]: str(value)[:MAX_FACT] for key, value in facts.items()}
