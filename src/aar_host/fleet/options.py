"""What a campaign is started with, and how it stands while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aar_host.researchers.directions import directions
from aar_lab.errors import BadSettings

MAX_MINUTES = 7 * 24 * 60
NAMES = ("ada", "blaise", "carl", "dorothea", "emmy", "felix", "grace", "hedy", "isaac")


@dataclass(frozen=True)
class Options:
    """A campaign as asked for.

    Args:
        researchers: 1…9, each with a direction of its own.
        minutes: of search, above 0; freezing and opening the sealed part come after it.
        seed: of the researchers' own draws; test items and training seeds are always secret.
        out: the campaign's directory, new or empty.
        sandbox: bubblewrap, or none.
        workers: training jobs at a time.
        integrity: whether sources that break the integrity rules are refused; off, a box alone
            stands between a method and what it must not reach.
    """

    problem: str
    researchers: int
    minutes: float
    seed: int
    out: Path
    sandbox: str
    workers: int
    integrity: bool = True

    def __post_init__(self) -> None:
        most = min(len(NAMES), len(directions()))
        if not 1 <= self.researchers <= most:
            raise BadSettings(
                f"{self.researchers} researchers", f"not in 1…{most}", "Ask for fewer."
            )
        if not 0 < self.minutes <= MAX_MINUTES:
            raise BadSettings(
                f"{self.minutes} minutes", f"not in (0, {MAX_MINUTES}]", "Correct it."
            )


@dataclass(frozen=True)
class ResearcherStatus:
    """How a researcher stands; `best` is its highest public PGR so far."""

    name: str
    state: str
    last_action: str = ""
    submissions: int = 0
    best: float | None = None


@dataclass(frozen=True)
class Status:
    """How a campaign stands.

    Args:
        jobs: number of jobs by `JobStatus`.
        seconds_left: of the search; None once it is over.
        phase: what the campaign is doing.
    """

    researchers: tuple[ResearcherStatus, ...] = ()
    submissions: int = 0
    jobs: Mapping[str, int] = field(default_factory=dict)
    seconds_left: float | None = None
    phase: str = ""


Show = Callable[[Status], None]
