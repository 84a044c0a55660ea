"""What the process of a session reads from its standard input, and how that is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from aar_host.researchers.base import Wire
from aar_host.sandbox import MODEL_SOCKET, BoxSpec, Limits

# What the process of the session itself needs of the seat's memory, beside the box of a tool.
OWN_MEMORY = 768 << 20


@dataclass(frozen=True)
class Prices:
    """Dollars for a million tokens, as Inspect counts them."""

    input: float
    output: float
    cache_read: float
    cache_write: float


@dataclass(frozen=True)
class Bounds:
    """When Inspect itself ends a session; the host's budgets hold besides.

    Args:
        tokens: of all model calls of a session together.
        seconds: of a session.
        turns: answers of the model.
        dollars: of all its model calls; needs `prices`.
        prices: of the model.
        context_tokens: of a conversation, beyond which its older part is summed up.
        command_seconds: of one command of the tools bash and python.
        verb_seconds: of one of the verbs.
        idle_turns: answers in a row without a tool call, after which a session is over.
    """

    tokens: int = 20_000_000
    seconds: int = 4 * 3600 - 60
    turns: int = 2000
    dollars: float | None = None
    prices: Prices | None = None
    context_tokens: int = 100_000
    command_seconds: int = 600
    verb_seconds: int = 900
    idle_turns: int = 3


@dataclass(frozen=True)
class Config:
    """One session.

    Args:
        model: as the seat's forwarder knows it.
        socket: of that forwarder, on the host.
        logs: folder for logs.
        sandbox: name of the kind of box.
        box: that of each tool: the seat's, without the way to the model.
    """

    seat: str
    seed: int
    brief: str
    model: str
    wire: Wire
    socket: Path
    logs: Path
    bounds: Bounds
    sandbox: str
    box: BoxSpec


def write_config(known: Mapping[str, Any], bounds: Bounds) -> dict[str, Any]:
    """The JSON object of a session, before the station adds its box."""
    return {**known, "bounds": asdict(bounds)}


def read_config(document: Mapping[str, Any]) -> Config:
    """The session that a JSON object describes."""
    box = document["box"]
    return Config(
        seat=document["seat"],
        seed=document["seed"],
        brief=document["brief"],
        model=document["model"],
        wire=Wire(document["wire"]),
        socket=Path(box["sockets"][MODEL_SOCKET]),
        logs=Path(document["logs"]),
        bounds=_bounds(document["bounds"]),
        sandbox=box["sandbox"],
        box=_tool_box(box),
    )


def _bounds(document: Mapping[str, Any]) -> Bounds:
    prices = document["prices"]
    return Bounds(**{**document, "prices": None if prices is None else Prices(**prices)})


def _tool_box(box: Mapping[str, Any]) -> BoxSpec:
    limits = Limits(**box["limits"])
    memory = max(limits.memory_bytes // 2, limits.memory_bytes - OWN_MEMORY)
    sockets = {inside: Path(path) for inside, path in box["sockets"].items()}
    del sockets[MODEL_SOCKET]  # Inspect asks the model; a command has no need to
    return BoxSpec(
        workspace=Path(box["workspace"]),
        limits=replace(limits, memory_bytes=memory),
        read_only={inside: Path(path) for inside, path in box["mounts"].items()},
        sockets=sockets,
        environment=box["environment"],
    )
