"""A station without a box: a host in a few lines that scores a method by its design."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from aar_host.researchers.directions import Direction
from aar_host.researchers.grammar import Design
from aar_host.researchers.writing import read_design
from aar_lab.cards import read_card
from aar_lab.errors import BadInput, Conflict, LabError, OverBudget

GOOD_TRIAL = {
    "ok": True,
    "seconds": 2.0,
    "agreement": 0.6,
    "prior_agreement": 0.7,
    "swap_consistency": 0.9,
}


def landscape(design: Design) -> float:
    """A score with a peak far from every opening, rounded as the host does."""
    score = 0.2
    score += 0.3 * (design.signal == "mixture") + 0.1 * (design.views == "plain+swap")
    score += 0.1 * (design.select == "confident") + 0.1 * (design.labels == "sharpened")
    score += 0.1 * (design.members == 3) - 0.2 * (design.loss == "reverse_cross_entropy")
    return round(score - 0.05 * abs(design.epochs - 3), 2)


class FakeStation:
    """The methods of a station, answered by a scripted host.

    Args:
        cap: submissions that the host takes.
        score: design → PGR, or None for a submission that fails.
        trial: design → the answer of `lab try`; an error is raised.
    """

    name = "ada"

    def __init__(
        self,
        direction: Direction,
        cap: int = 12,
        score: Callable[[Design], float | None] = landscape,
        trial: Callable[[Design], Any] = lambda design: GOOD_TRIAL,
        seed: int = 0,
    ) -> None:
        self.direction, self.seed = direction, seed
        self._cap, self._score, self._trial = cap, score, trial
        self.files: dict[str, str] = {}
        self.states: list[tuple[str, dict[str, Any]]] = []
        self.submitted: list[str] = []
        self.parents: list[tuple[str, ...]] = []
        self.posted: list[tuple[str, str, tuple[str, ...]]] = []
        self.others: list[tuple[str, str]] = []  # (markdown, source) of findings by others
        self.state = "open"

    def lab(self, verb: str, *words: str) -> dict[str, Any]:
        return getattr(self, f"_{verb}")(*words)

    def write(self, relative: str, text: str) -> None:
        self.files[relative] = text

    def read(self, relative: str) -> str:
        if relative not in self.files:
            raise BadInput(relative, "cannot be read", "Write it.")
        return self.files[relative]

    def report(self, state: str, **facts: Any) -> None:
        self.states.append((state, facts))

    def designs(self) -> list[Design]:
        found = [read_design(source) for source in self.submitted]
        assert None not in found
        return found

    def scores(self) -> list[float | None]:
        return [self._score(design) for design in self.designs()]

    def _brief(self) -> dict[str, Any]:
        return {"state": self.state}

    def _findings(self, _since: str, number: str, *into: str) -> dict[str, Any]:
        if not into:
            mine = [{"author": self.name, "cites": list(cites)} for _, _, cites in self.posted]
            return {"findings": mine, "last": int(number)}
        folder, names = into[1], []
        for i, (text, _) in enumerate(self.others[int(number) :], int(number)):
            names.append(f"{i:06d}-result.md")
            self.files[f"{folder}/{names[-1]}"] = text
        return {"files": [*names, "INDEX.md"], "last": len(self.others)}

    def _source(self, submission: str) -> dict[str, Any]:
        others = (source for text, source in self.others if submission in text)
        source = next(others, None) or self.submitted[int(submission, 16) - 1]
        return {"submission": submission, "source": source}

    def _try(self, path: str) -> dict[str, Any]:
        answer = self._trial(read_design(self.files[path]))
        if isinstance(answer, LabError):
            raise answer
        return answer

    def _submit(self, path: str, *words: str) -> dict[str, Any]:
        source = self.files[path]
        if len(self.submitted) >= self._cap:
            raise OverBudget(self._cap, "the campaign's pool is used up", "Post a finding.")
        if source in [*self.submitted, *(other for _, other in self.others)]:
            raise Conflict("0" * 12, "this very source was submitted before", "See it.")
        read_card(source)
        self.submitted.append(source)
        self.parents.append(words[1::2])
        return {"submission": f"{len(self.submitted):012x}", "status": "queued"}

    def _scores(self, submission: str = "", *_wait: str) -> dict[str, Any]:
        if not submission:
            names = [f"{number:012x}" for number in range(1, len(self.submitted) + 1)]
            rows = zip(names, self.parents, strict=True)
            mine = [{"submission": n, "builds_on": p, **self._answer(n)} for n, p in rows]
            return {"submissions": mine}
        return self._answer(submission)

    def _answer(self, submission: str) -> dict[str, Any]:
        pgr = self.scores()[int(submission, 16) - 1]
        if pgr is None:
            error = {"fault": "a seed ran out of memory"}
            return {"status": "out_of_memory", "score": None, "error": error}
        score = {"pgr": pgr, "interval": [pgr - 0.1, pgr + 0.1]}
        return {"status": "done", "score": score, "error": None}

    def _post(self, kind: str, body: str, *words: str) -> dict[str, Any]:
        assert re.fullmatch(r"[^\n\r]{1,4000}", body)
        self.posted.append((kind, body, words[1::2]))
        return {"finding": "f"}
