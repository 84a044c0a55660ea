"""The family of a method: what its source does, beside what its author called it.

Each of `RULES` reads the facts of `tracing` and names one family of `aar_lab.cards.FAMILIES`. A
method often belongs to several; its family is the first in the order of the rules, from what makes
a method what it is to what nearly every method does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aar_host.studies.tracing import trace
from aar_host.studies.values import (
    ASKED,
    BY,
    EMBEDDED,
    LOSSES,
    NOISE,
    PREDICTED,
    SOFT,
    STEP,
    TEXT,
    WEAK,
    Facts,
    Fit,
    Pupil,
    Tags,
)

OTHER = "other"
TELLING = frozenset({WEAK, ASKED, EMBEDDED, PREDICTED, LOSSES, TEXT})


@dataclass(frozen=True)
class Family:
    """What a method was found to be.

    Args:
        found: its family.
        all: every family that it belongs to, `found` first.
        declared: what its author wrote.
    """

    found: str
    all: tuple[str, ...]
    declared: str

    @property
    def agrees(self) -> bool:
        """Whether the method is, among others, what its author says."""
        return self.declared in self.all


def family_of(source: str, declared: str = OTHER) -> Family:
    """The family of a method's source, which is read and not run; `BadSource` if not Python."""
    facts = trace(source)
    found = tuple(name for name, rule in RULES if rule(facts)) or (OTHER,)
    return Family(found[0], tuple(dict.fromkeys(found)), declared)


def _last(facts: Facts) -> list[Fit]:
    """The fit that made each student that is handed in; of all, if those are not known."""
    pupils = facts.final or facts.pupils
    return [pupil.fits[-1] for pupil in pupils if pupil.fits]


def _targets(facts: Facts) -> Tags:
    """Where targets come from. How they were looked up counts unless all rows were chosen so."""
    found = set[str]()
    for fit in _last(facts):
        looked = {tag.removeprefix(BY) for tag in fit.targets if tag.startswith(BY)}
        found |= {tag for tag in fit.targets if not tag.startswith(BY)} | (looked - fit.rows)
    return frozenset(found)


def _scheduled(pupil: Pupil) -> bool:
    """Whether one student is fitted to one part of the data after another."""
    places = {fit.where for fit in pupil.fits}
    turning = len(pupil.fits) > 1 and any(STEP in fit.rows for fit in pupil.fits)
    return len(places) > 1 or turning


RULES: tuple[tuple[str, Callable[[Facts], bool]], ...] = (
    ("evolutionary", lambda facts: NOISE in facts.loaded),
    ("self-training", lambda facts: PREDICTED in _targets(facts)),
    ("model internals", lambda facts: EMBEDDED in _targets(facts)),
    ("unsupervised elicitation", lambda facts: facts.elicits or ASKED in _targets(facts)),
    ("data filtering", lambda facts: any(fit.rows & TELLING for fit in _last(facts))),
    ("confidence weighting", lambda facts: any(fit.weighted for fit in _last(facts))),
    ("curriculum", lambda facts: any(map(_scheduled, facts.final or facts.pupils))),
    ("loss function", lambda facts: any(fit.loss for fit in _last(facts))),
    ("ensemble", lambda facts: facts.members > 1),
    ("model internals", lambda facts: any(EMBEDDED in fit.rows for fit in _last(facts))),
    ("distillation", lambda facts: {WEAK, SOFT} <= _targets(facts)),
)
