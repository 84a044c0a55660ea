"""What a researcher of the search knows and did, kept in its workspace as it goes.

notebook.jsonl   one entry per line, for programs
notebook.md      the same to read
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aar_host.researchers.base import Station
from aar_host.researchers.grammar import Design
from aar_lab.digest import canonical
from aar_lab.errors import BadInput, LabError


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
        why: "opening", "mutation", "recombination" or "exploration"; "resumed" where that was lost.
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
        self._earlier = {"notebook.jsonl": "", "notebook.md": ""}
        self.scored: list[Known] = []
        self.seen: set[Design] = set()

    def keep(self, entry: Entry) -> None:
        """Write an entry down."""
        self._entries.append(entry)
        lines = [canonical(one.as_dict()) for one in self._entries]
        self._write("notebook.jsonl", "\n".join(lines) + "\n")
        sections = [one.as_markdown() for one in self._entries]
        title = f"# {self._station.name}: {self._station.direction.name}\n"
        started = "" if self._earlier["notebook.md"] else title
        self._write("notebook.md", "\n".join([started, *sections]))

    def reopen(self) -> int:
        """Go on behind what the workspace has of an earlier run, and know the designs in it.

        Returns:
            The number of the last step in it, or 0. What cannot be read is left aside.
        """
        for name in self._earlier if not self._entries else ():
            with suppress(BadInput):
                self._earlier[name] = self._station.read(name)
        last = 0
        for line in self._earlier["notebook.jsonl"].splitlines():
            with suppress(ValueError, TypeError, KeyError, RecursionError, LabError):
                entry = json.loads(line)
                self.seen.add(Design.from_dict(entry["design"]))
                last = max(last, int(entry["step"]))
        return last

    def _write(self, name: str, text: str) -> None:
        self._station.write(name, self._earlier[name] + text)

    def learn(self, known: Known) -> None:
        """Remember a score, one's own or another's, once."""
        self.seen.add(known.design)
        if all(known.submission != other.submission for other in self.scored):
            self.scored.append(known)

    def best(self) -> Known | None:
        """The best score known, whoever made it."""
        return max(self.scored, key=lambda known: known.pgr, default=None)
