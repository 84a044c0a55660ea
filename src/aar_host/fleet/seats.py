"""The researchers of a campaign, each in a thread of the host and a box of its own."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from aar_host.auth import issue
from aar_host.fleet.campaign import Campaign, researcher_seed
from aar_host.fleet.desks import Desks, endpoints_of
from aar_host.fleet.drivers import driver_of
from aar_host.fleet.options import Options
from aar_host.fleet.seating import SeatPlan
from aar_host.models.endpoint import Endpoint
from aar_host.monitors.asking import MONITOR
from aar_host.researchers.base import Researcher
from aar_host.researchers.inspect import mend_logs
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
from aar_lab.errors import BadInput, LabError
from aar_lab.types import Role

SPARE_SECONDS = 120
KEPT = "researchers"
KEPT_FILES = ("notebook.md", "notebook.jsonl")
MAX_KEPT_BYTES = 4 << 20
MAX_FACT = 500

_log = logging.getLogger(__name__)

Driver = Callable[[SeatPlan, Path], Researcher]


def check_seats(options: Options) -> Mapping[str, Endpoint]:
    """The endpoints of a campaign's models, once all that its seats need is there.

    Raises:
        BadSettings: a program, a key or an extra is missing; the remedy says which.
        UnknownName: the price of a model is not known.
    """
    for seat in options.seated:
        driver_of(seat, options.out)
    return endpoints_of(options)


@dataclass(frozen=True)
class Hosting:
    """What seats are given by the campaign that runs.

    Args:
        socket: at which it is served.
        driver: what works at a seat; tests give their own.
        ran: seconds that the campaign has been served.
    """

    socket: Path
    driver: Driver = driver_of
    ran: Callable[[], float] = lambda: 0.0


class Seats(AbstractContextManager["Seats"]):
    """All researchers of a campaign; their desks are open while the context lasts.

    Raises:
        BadSettings: as of `check_seats`.
    """

    def __init__(self, campaign: Campaign, options: Options, hosting: Hosting) -> None:
        self._campaign, self._options, self._hosting = campaign, options, hosting
        self._stop = threading.Event()
        self.states: dict[str, tuple[str, str]] = {}
        self.workspaces: dict[str, Path] = {}
        seated = options.seated
        drivers = [hosting.driver(seat, options.out) for seat in seated]
        tokens = {seat.name: self._token(seat) for seat in seated}
        if options.review or options.judge:
            issue(campaign.store, campaign.id, MONITOR, Role.VIEWER, self._hours)
        home = (campaign.store, campaign.id, campaign.grounds.directory)
        self.desks = Desks(home, endpoints_of(options), list(tokens.values()))
        with ExitStack() as undo:
            undo.enter_context(self.desks)
            self._stations = [self._station(seat, tokens[seat.name]) for seat in seated]
            undo.pop_all()
        self._threads = [
            threading.Thread(target=self._work, args=pair, daemon=True)
            for pair in zip(drivers, self._stations, strict=True)
        ]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self.desks.__exit__(kind, error, trace)
        self.keep_files()
        mend_logs(self._options.out)

    @property
    def _hours(self) -> float:
        # A token outlives its campaign, or the search would end unnoticed.
        return max(number("token_hours"), self._options.minutes / 60 + 1)

    def _token(self, seat: SeatPlan) -> str:
        role = Role.HUMAN_RESEARCHER if seat.driver == "human" else Role.RESEARCHER
        return issue(self._campaign.store, self._campaign.id, seat.name, role, self._hours)

    def _station(self, seat: SeatPlan, token: str) -> BoxStation:
        campaign, name = self._campaign, seat.name
        workspace = self.workspaces[name] = self._workspace(name)
        self.states[name] = ("starting", "")
        seconds = self._options.minutes * 60 + SPARE_SECONDS
        places = {"/data": campaign.grounds.practice}
        if self._options.sharing:
            places["/forum"] = campaign.forum
        spec = seat_spec(workspace, places, self._hosting.socket, token, seconds)
        sitter = Seat(name, self._options.direction(seat), researcher_seed(self._options, name))
        terms = Terms(restarts=number("seat_restarts"))
        if seat.model is not None:
            terms = replace(terms, line=self.desks.line(name, seat.model))
        return BoxStation(sitter, campaign.sandbox, spec, self._listen, terms)

    def _workspace(self, name: str) -> Path:
        """As an earlier run left it; a new one gets back the files that were kept."""
        workspace = box_dir() / f"{self._campaign.id}-{name}"
        if workspace.exists() and (os.getuid() != 0 or workspace.stat().st_uid != 0):
            return workspace
        remove_workspace(workspace)  # that of root was not finished
        new_workspace(workspace.name)
        for file in KEPT_FILES:
            kept = self._kept(name) / file
            if kept.exists():
                put_file(workspace, file, kept.read_bytes())
        return workspace

    def _kept(self, name: str) -> Path:
        return self._options.out / KEPT / name

    def _listen(self, name: str, state: str, facts: Mapping[str, Any]) -> None:
        # A program may have printed its token, and a provider's error may hold a key.
        clean = {key: self.desks.redactor.text(str(value)) for key, value in facts.items()}
        shown = clean.get("title") or clean.get("reason") or clean.get("error") or ""
        self.states[name] = (state, shown or clean.get("fault", ""))
        payload = {"researcher": name, "state": state, "facts": _bounded(clean)}
        store = self._campaign.store
        try:
            with store.writing() as connection:
                event = Event(self._campaign.id, "researcher_event", payload)
                append(connection, store.clock(), event)
        except LabError as error:
            # A busy database loses what is told of a researcher, but not the researcher.
            _log.warning("%s: %s is not recorded: %s", name, state, error)

    def _work(self, driver: Researcher, station: BoxStation) -> None:
        limit = self._options.budgets.of(station.name).wall_seconds

        def stop() -> bool:
            over = limit is not None and self._hosting.ran() >= limit
            return self._stop.is_set() or over

        ended = False
        try:
            driver.run(station, stop)
            ended = True
        finally:
            if not ended:
                remedy = "See the host's output; `aar run --resume` seats it again."
                self._listen(station.name, "died", {"fault": "its driver failed", "remedy": remedy})

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
        for name, workspace in self.workspaces.items():
            folder = self._kept(name)
            folder.mkdir(parents=True, exist_ok=True)
            for file in KEPT_FILES:
                with suppress(BadInput):
                    content = read_workspace_file(workspace, file, MAX_KEPT_BYTES)
                    (folder / file).write_bytes(content)
            remove_workspace(workspace)


def _bounded(facts: Mapping[str, str]) -> dict[str, str]:
    return {key[:80]: value[:MAX_FACT] for key, value in facts.items()}
