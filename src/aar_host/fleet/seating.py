"""Who sits where in a campaign: plain data, as a campaign is asked for and kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aar_host.monitors.asking import MONITOR
from aar_host.researchers.base import Wire
from aar_lab.errors import BadSettings, UnknownName

# Name of each driver → the protocols that its program can speak; none needs no model.
DRIVERS: Mapping[str, tuple[Wire, ...]] = {
    "search": (),
    "inspect": tuple(Wire),
    "claude-code": (Wire.MESSAGES,),
    "codex": (Wire.RESPONSES,),
    "command": tuple(Wire),
    "human": (),
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")  # it names files and sockets
WITHOUT_MODEL = ("search", "human", "command")


@dataclass(frozen=True)
class SeatPlan:
    """One researcher.

    Args:
        name: unique in its campaign; matches `NAME`.
        driver: one of `DRIVERS`.
        model: name of the campaign's model that it uses; None where the driver needs none.
        direction: name of one, or "none"; None: the next of the nine.
        command: the words of the driver `command`.
    """

    name: str
    driver: str = "search"
    model: str | None = None
    direction: str | None = None
    command: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise BadSettings(
                f"{self.name!r:.60}", "no name of a researcher", "Use letters, digits, _ and -."
            )
        if self.driver not in DRIVERS:
            raise UnknownName(
                self.driver, "there is no such driver", f"Known are: {', '.join(DRIVERS)}."
            )
        if self.model is None and self.driver not in WITHOUT_MODEL:
            raise BadSettings(
                f"{self.name}: {self.driver}", "it needs a model", "Name one (`model`, --model)."
            )
        if self.model is not None and not DRIVERS[self.driver]:
            raise BadSettings(
                f"{self.name}: {self.driver}", "it uses no model", "Leave the model out."
            )
        if bool(self.command) != (self.driver == "command"):
            raise BadSettings(
                f"{self.name}: {self.driver}",
                "the driver `command`, and no other, has a command",
                "Correct `command`.",
            )


@dataclass(frozen=True)
class ModelPlan:
    """A language model as the campaign calls it.

    Args:
        name: by which researchers name it.
        wire: the protocol of its endpoint.
        model: what its provider calls it; also its name in the price table.
        base_url: of the endpoint; empty: the provider's own.
        key: name of the environment variable of the host that holds the key; empty: no key.
        price: dollars per million tokens by kind, where the price table shall not be asked.
    """

    name: str
    wire: Wire
    model: str
    base_url: str = ""
    key: str = ""
    price: Mapping[str, float] | None = None


@dataclass(frozen=True)
class ReviewPlan:
    """A model that reads each method before it is trained; `required`: no review, no training."""

    model: str
    required: bool = False


def check_seating(
    seats: tuple[SeatPlan, ...], models: tuple[ModelPlan, ...], others: tuple[str | None, ...]
) -> None:
    """`BadSettings` if a name is used twice, or a model is not there or speaks another protocol.

    Args:
        others: models that are used beside the researchers.
    """
    names = [seat.name for seat in seats]
    if MONITOR in names:
        raise BadSettings(MONITOR, "the host's own monitor acts under this name", "Rename it.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadSettings(twice, "two researchers have this name", "Rename one.")
    known = {model.name: model for model in models}
    used = [*((seat.model, seat.driver) for seat in seats), *((one, None) for one in others)]
    for model, driver in used:
        if model is None:
            continue
        if model not in known:
            told = ", ".join(known) or "none"
            raise BadSettings(model, "the campaign has no model of this name", f"Known: {told}.")
        if driver is not None and known[model].wire not in DRIVERS[driver]:
            wires = ", ".join(DRIVERS[driver])
            raise BadSettings(
                f"{driver} with {model}",
                f"its endpoint speaks {known[model].wire}",
                f"The driver speaks: {wires}.",
            )


def seat_from(body: Mapping[str, Any]) -> SeatPlan:
    """Read its fields as JSON."""
    return SeatPlan(**{**body, "command": tuple(body["command"])})


def model_from(body: Mapping[str, Any]) -> ModelPlan:
    """Read its fields as JSON."""
    return ModelPlan(**{**body, "wire": Wire(body["wire"])})
