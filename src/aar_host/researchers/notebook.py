"""What a researcher of the search knows and did, kept in its workspace as it goes.

notebook.jsonl   one entry per line, for programs
notebook.md      the same to read
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aar_host.researchers.base import Station
from aar_host.researchers.grammar import Design
from aar_lab.digest import canonical


@dataclass(frozen=True)
class Known:
    """A design with its public PGR, and the submission where the score stands."""

    design: Design
    pgr: float
    submission: str


@dataclass(frozen=True)
class Entry:
    """One design's way: why it was proposed, what it builds on, and how it ended.

    Args:
        step: number of the proposal, from 1.
        design: what was proposed.
        why: "opening", "mutation", "recombination" or "exploration".
        builds_on: submissions.
        outcome: how it ended, in words.
        facts: JSON from the host: the trial, the submission, the score.
    """

    step: int
    title: str
    design: Design
    why: str
    builds_on: tuple[str, ...]
    outcome: str
    facts: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "step": self.step,
            "title": self.title,
            "design": self.design.as_dict(),
            "why": self.why,
            "builds_on": list(self.builds_on),
            "outcome": self.outcome,
            "facts": self.facts,
        }

    def as_markdown(self) -> str:
        """A section."""
        parents = ", ".join(self.builds_on) or "nothing"
        lines = [
            f"## {self.step}. {self.title}",
            "",
            f"{self.why.capitalize()}, builds on {parents}. {self.outcome}",
            "",
            *(f"- {key}: {value}" for key, value in self.facts.items()),
            f"- design: `{canonical(self.design.as_dict())}`",
        ]
        return "\n".join(lines) + "\n"


class Notebook:
    """Everything seen so far; `scored` may have a design twice if two submitted it."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._entries: list[Entry] = []
        self.scored: list[Known] = []
        self.seen: set[Design] = set()

    def keep(self, entry: Entry) -> None:
        """Write an entry down."""
        self._entries.append(entry)
        lines = [canonical(one.as_dict()) for one in self._entries]
        self._station.write("notebook.jsonl", "\n".join(lines) + "\n")
        sections = [one.as_markdown() for one in self._entries]
        title = f"# {self._station.name}: {self._station.direction.name}\n"
        self._station.write("notebook.md", "\n".join([title, *sections]))

    def learn(self, known: Known) -> None:
        """Remember a score, one's own or another's."""
        self.seen.add(known.design)
        self.scored.append(known)

    def best(self) -> Known | None:
        """The best score known, whoever made it."""
        return max(self.scored, key=lambda known: known.pgr, default=None)
