"""What a campaign is started with, and how it stands while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aar_host.budgets import Budgets
from aar_host.feedback import SEALED
from aar_host.fleet.seating import (
    ModelPlan,
    ReviewPlan,
    SeatPlan,
    check_seating,
    model_from,
    seat_from,
)
from aar_host.researchers.directions import UNDIRECTED, Direction, directions, get_direction
from aar_lab.errors import BadSettings

MAX_MINUTES = 7 * 24 * 60
GRACE_SECONDS = 20.0  # after the search, for what was handed in to end and be told of
NAMES = ("ada", "blaise", "carl", "dorothea", "emmy", "felix", "grace", "hedy", "isaac")


@dataclass(frozen=True)
class Options:
    """A campaign as asked for.

    Args:
        problem: a name, or the path of a file.
        researchers: 0…9, each with a direction of its own; 0: only those who come to its server.
        minutes: of search, above 0; freezing and opening the sealed part come after it.
        seed: of the researchers' own draws; test items and training seeds are always secret.
        out: the campaign's directory, new or empty.
        sandbox: bubblewrap, or none.
        workers: training jobs at a time.
        integrity: whether sources that break the integrity rules are refused; off, a box alone
            stands between a method and what it must not reach.
        policy: of feedback, by its name.
        leaky: whether a policy may be used that gives labels away.
        reseals: the campaign whose finalists are opened once more in this one.
        directed: whether each researcher is told a direction.
        sharing: whether researchers see what others found and handed in.
        seats: who sits where; empty: so many of the search.
        budgets: beyond the policy's caps and the minutes.
        models: that researchers, review and judge may use.
        review: of methods before they are trained.
        judge: name of the model that reads transcripts.
        prices: file of prices that differ from the table's.
    """

    problem: str
    researchers: int
    minutes: float
    seed: int
    out: Path
    sandbox: str
    workers: int
    integrity: bool = True
    reseals: str | None = None
    policy: str = SEALED.name
    leaky: bool = False
    directed: bool = True
    sharing: bool = True
    seats: tuple[SeatPlan, ...] = ()
    budgets: Budgets = field(default_factory=Budgets)
    models: tuple[ModelPlan, ...] = ()
    review: ReviewPlan | None = None
    judge: str | None = None
    prices: str | None = None

    def __post_init__(self) -> None:
        for seat in self.seats:
            self.direction(seat)  # `UnknownName` if there is none of its name
        used = (self.review.model if self.review else None, self.judge)
        check_seating(self.seats, self.models, used)
        if self.seats and len(self.seats) != self.researchers:
            raise BadSettings(
                f"{self.researchers} researchers", f"{len(self.seats)} seats", "Correct it."
            )
        most = min(len(NAMES), len(directions()))
        if not 0 <= self.researchers <= most:
            raise BadSettings(
                f"{self.researchers} researchers", f"not in 0…{most}", "Correct the number."
            )
        if not 0 < self.minutes <= MAX_MINUTES:
            raise BadSettings(
                f"{self.minutes} minutes", f"not in (0, {MAX_MINUTES}]", "Correct it."
            )

    @property
    def seated(self) -> tuple[SeatPlan, ...]:
        """Who sits where."""
        return self.seats or tuple(SeatPlan(name) for name in NAMES[: self.researchers])

    @property
    def seconds(self) -> float:
        """Of the search, at most."""
        whole = self.minutes * 60
        return min(whole, self.budgets.pool.wall_seconds or whole)

    def direction(self, seat: SeatPlan) -> Direction:
        """Where a researcher is told to look: its own direction, or the next of the nine."""
        if seat.direction is not None and seat.direction != "none":
            return get_direction(seat.direction)
        if seat.direction == "none" or not self.directed:
            return UNDIRECTED
        return directions()[self.seated.index(seat) % len(directions())]

    @property
    def directions(self) -> dict[str, str]:
        """Name of each researcher → its direction."""
        return {seat.name: self.direction(seat).name for seat in self.seated}

    def as_dict(self) -> dict[str, Any]:
        """As JSON, without the directory."""
        problem = self.problem
        if problem.endswith(".py"):
            problem = str(Path(problem).absolute())
        plain = {"problem": problem, "out": None, "budgets": self.budgets.as_dict()}
        return {**asdict(self), **plain}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any], out: Path) -> Options:
        """Read what `as_dict` wrote, of a campaign that lies in `out`."""
        review = body.get("review")
        read = {
            "seats": tuple(map(seat_from, body.get("seats", ()))),
            "models": tuple(map(model_from, body.get("models", ()))),
            "budgets": Budgets.from_dict(body.get("budgets", {})),
            "review": ReviewPlan(**review) if review else None,
        }
        return cls(**{**body, **read, "out": out})


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
