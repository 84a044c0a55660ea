"""What a researcher did before it was ended, as the host tells it: nothing is done twice.

The host knows every submission and every finding; a workspace may be lost with its machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aar_host.researchers.base import Station
from aar_host.researchers.grammar import Design
from aar_host.researchers.reading import source_of
from aar_host.researchers.writing import read_design


@dataclass(frozen=True)
class Past:
    """An earlier submission of one's own.

    Args:
        answer: what `lab scores` said of it: status, score, error.
        told: whether a finding of one's own cites it.
    """

    submission: str
    design: Design
    builds_on: tuple[str, ...]
    answer: Mapping[str, Any]
    told: bool

    @property
    def pgr(self) -> float | None:
        """Its public PGR, if it has one."""
        pgr: float | None = (self.answer["score"] or {}).get("pgr")
        return pgr


def past_work(station: Station) -> list[Past]:
    """One's own submissions in this campaign, oldest first; those without a design are left out.

    Raises:
        LabError: as `Station.lab`; nothing was changed, so it may be asked again.
    """
    rows = station.lab("scores")["submissions"]
    told = _cited(station) if rows else set()
    found = []
    for row in rows:
        name = row["submission"]
        design = read_design(source_of(station, name))
        if design is not None:
            found.append(Past(name, design, tuple(row["builds_on"]), row, name in told))
    return found


def _cited(station: Station) -> set[str]:
    cited: set[str] = set()
    since = 0
    while True:
        page = station.lab("findings", "--since", str(since))
        rows = [row for row in page["findings"] if row["author"] == station.name]
        cited |= {name for row in rows for name in row["cites"]}
        if page["last"] <= since:
            return cited
        since = page["last"]
