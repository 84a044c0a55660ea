"""Does a problem of one's own keep the rules? Each check says what it found and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aar_host.problems import rules
from aar_host.problems.base import ProblemSource
from aar_host.problems.own import OwnCode
from aar_host.problems.registry import get_problem
from aar_lab.errors import BadInput, LabError
from aar_lab.problems.tokens import END

Look = Callable[[rules.Case], tuple[bool, str]]


@dataclass(frozen=True)
class Check:
    """One rule: whether it is kept, what was found, and what to do if it is not."""

    name: str
    ok: bool
    found: str
    remedy: str

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


# Later groups read what earlier ones have made sure of.
CHECKS: tuple[tuple[tuple[Look, str], ...], ...] = (
    (
        (
            rules.description,
            "Give name (a-z, 0-9, -), version, summary, brief, and students' names.",
        ),
        (rules.shapes, "Correct `shapes`; give each base model a `Pretraining`."),
        (rules.vocabulary, "Add the word to the vocabulary."),
        (
            rules.sizes,
            f"Allow {rules.MIN_SUPERVISORS} weak supervisors (a campaign needs 11) and "
            f"{rules.MIN_TEST} test problems, as many shifted ones where they count.",
        ),
    ),
    ((rules.draws, "Draw from `rng` alone; mind problems, pairs and shifted. Real data run out."),),
    ((rules.rows, "Use words of the vocabulary; shorten examples or enlarge the context."),),
    (
        (rules.ids, "Derive ids from the seed and the purpose."),
        (rules.labels, "Balance the classes."),
        (rules.clusters, "Name each item's problem; items that share a prompt share it."),
        (rules.split, "Draw tests that training does not repeat; split finite data by purpose."),
    ),
    (
        (rules.labels_hidden, "Keep labels out of fields, ids and the order of items."),
        (rules.metadata_hidden, "Show inputs only; keep private facts plain JSON."),
        (
            rules.corpus,
            f"End documents with {END}; say nothing after a task row; read no test item.",
        ),
    ),
)


def check_problem(name: str) -> tuple[ProblemSource | None, list[Check]]:
    """Load a problem and examine it, without training anything.

    Args:
        name: registered, or the path of a file.

    Returns:
        The problem, None if it cannot be loaded, and the checks in their order. Where one fails,
        those that rest on it are not made.
    """
    try:
        source = get_problem(name)
    except LabError as error:
        return None, [Check("loads", False, f"{error.value}: {error.fault}", error.remedy)]
    found = [Check("loads", True, f"{type(source).__name__} of {name}", "")]
    case = rules.Case(source)
    for group in CHECKS:
        found += [_made(look, remedy, case, Path(name)) for look, remedy in group]
        if not all(check.ok for check in found):
            break
    return source, found


def _made(look: Look, remedy: str, case: rules.Case, path: Path) -> Check:
    name = look.__name__.replace("_", " ")
    try:
        with OwnCode(path):
            ok, found = look(case)
    except BadInput as error:
        return Check(name, False, f"{error.value}: {error.fault}", remedy)
    return Check(name, ok, found, "" if ok else remedy)
