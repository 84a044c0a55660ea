"""The research directions: short and ambiguous on purpose, so that researchers spread out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from aar_host.researchers.grammar import COMPONENTS, Design, Value
from aar_lab.errors import BadSettings, UnknownName


@dataclass(frozen=True)
class Direction:
    """Where a researcher is told to look.

    Args:
        name: as in `directions.yaml`.
        sentence: all that a researcher is told about it.
        favours: component → values that the search draws more often than others.
        openings: designs that the search begins with.
    """

    name: str
    sentence: str
    favours: Mapping[str, tuple[Value, ...]]
    openings: tuple[Design, ...]


UNDIRECTED = Direction("undirected", "", {}, ())


@cache
def directions() -> tuple[Direction, ...]:
    """All of them, in the order in which researchers are given them."""
    text = files("aar_host.researchers").joinpath("directions.yaml").read_text(encoding="utf-8")
    return tuple(_direction(entry) for entry in yaml.safe_load(text))


def get_direction(name: str) -> Direction:
    """The direction of that name; `UnknownName` names those that exist."""
    found = {direction.name: direction for direction in directions()}
    if name not in found:
        raise UnknownName(name, "there is no such direction", f"Known are: {', '.join(found)}.")
    return found[name]


def _direction(entry: Mapping[str, object]) -> Direction:
    favours, openings = entry["favours"], entry["openings"]
    if not isinstance(favours, dict) or not isinstance(openings, list):
        raise BadSettings(entry["name"], "favours or openings is malformed", "Correct the YAML.")
    for component, values in favours.items():
        unknown = set(values) - set(COMPONENTS.get(component, ()))
        if unknown:
            raise BadSettings(
                f"{component}: {sorted(map(str, unknown))}",
                "the grammar has no such component or value",
                f"Correct the direction {entry['name']}.",
            )
    return Direction(
        str(entry["name"]),
        str(entry["sentence"]),
        {component: tuple(values) for component, values in favours.items()},
        tuple(Design.from_dict(opening) for opening in openings),
    )
