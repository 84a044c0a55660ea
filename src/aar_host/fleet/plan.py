"""A campaign file: YAML that says who researches, with what models and budgets, and under which
conditions. It is read once; what it says is kept in the campaign's directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aar_host.budgets import Budget, Budgets
from aar_host.feedback import SEALED
from aar_host.fleet.options import NAMES, Options
from aar_host.fleet.seating import DRIVERS, ModelPlan, ReviewPlan, SeatPlan
from aar_host.monitors.asking import MONITOR
from aar_host.researchers.base import Wire
from aar_lab.errors import BadInput, BadSettings

MAX_BYTES = 1 << 20
Limit = Annotated[float, Field(gt=0)]
Cost = Annotated[float, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Limits(_Strict):
    dollars: Limit | None = None
    tokens: Limit | None = None
    compute_seconds: Limit | None = None
    wall_seconds: Limit | None = None
    submissions: Limit | None = None

    def budget(self) -> Budget:
        return Budget(**self.model_dump())


class _Budgets(_Strict):
    pool: _Limits = _Limits()
    each: _Limits = _Limits()
    monitor: _Limits = _Limits()


class _Price(_Strict):
    input: Cost
    output: Cost
    cached_input: Cost | None = None
    cache_write: Cost | None = None


class _Model(_Strict):
    wire: Wire
    model: str
    base_url: str = ""
    key: str = ""
    price: _Price | None = None

    @property
    def given_price(self) -> Mapping[str, float] | None:
        return self.price.model_dump(exclude_none=True) if self.price else None


class _Seat(_Strict):
    driver: str = "search"
    model: str | None = None
    name: str | None = None
    count: Annotated[int, Field(ge=1, le=len(NAMES))] = 1
    direction: str | None = None
    command: tuple[str, ...] = ()
    budget: _Limits = _Limits()


class _Review(_Strict):
    model: str
    required: bool = False


class CampaignFile(_Strict):
    """What a campaign file may say; see docs/run-with-your-model.md."""

    problem: str = "chat-mini"
    minutes: float = 3.0
    seed: int = 0
    policy: str = SEALED.name
    leaky: bool = False
    directions: Literal["nine", "none"] = "nine"
    sharing: bool = True
    budgets: _Budgets = _Budgets()
    models: Mapping[str, _Model] = {}
    researchers: Annotated[tuple[_Seat, ...], Field(min_length=1)]
    review: _Review | None = None
    judge: str | None = None
    prices: str | None = None

    @property
    def seats(self) -> tuple[SeatPlan, ...]:
        """Who sits where, each under a name of its own."""
        return tuple(
            SeatPlan(name, seat.driver, seat.model, seat.direction, seat.command)
            for name, seat in self._named()
        )

    def _named(self) -> Iterator[tuple[str, _Seat]]:
        named = [seat.name for seat in self.researchers if seat.name]
        free = iter(name for name in NAMES if name not in named)
        for seat in self.researchers:
            for _ in range(seat.count):
                name = seat.name or next(free, None)
                if name is None:
                    raise BadSettings(
                        f"more than {len(NAMES)} researchers", "too many", "Have fewer."
                    )
                yield name, seat

    @property
    def budget(self) -> Budgets:
        """What may be spent."""
        own = {name: seat.budget.budget() for name, seat in self._named()}
        own[MONITOR] = self.budgets.monitor.budget()
        return Budgets(self.budgets.pool.budget(), self.budgets.each.budget(), own)

    def options(self, out: Path, sandbox: str, workers: int, folder: Path) -> Options:
        """The campaign in `out`; paths that the file names are relative to `folder`.

        Raises:
            BadSettings: something that it names is not there, or does not fit.
        """
        return Options(
            problem=str(folder / self.problem) if self.problem.endswith(".py") else self.problem,
            researchers=len(self.seats),
            minutes=self.minutes,
            seed=self.seed,
            out=out,
            sandbox=sandbox,
            workers=workers,
            policy=self.policy,
            leaky=self.leaky,
            directed=self.directions == "nine",
            sharing=self.sharing,
            seats=self.seats,
            budgets=self.budget,
            models=self._models(),
            review=ReviewPlan(self.review.model, self.review.required) if self.review else None,
            judge=self.judge,
            prices=str((folder / self.prices).absolute()) if self.prices else None,
        )

    def _models(self) -> tuple[ModelPlan, ...]:
        return tuple(
            ModelPlan(name, one.wire, one.model, one.base_url, one.key, one.given_price)
            for name, one in self.models.items()
        )


def read_campaign_file(path: Path) -> CampaignFile:
    """The campaign that a file describes.

    Raises:
        BadInput: it cannot be read.
        BadSettings: it is no YAML, or says something that is not known; the place is named.
    """
    try:
        content = path.read_bytes()[: MAX_BYTES + 1]
    except OSError as error:
        raise BadInput(path, f"cannot be read ({error.strerror})", "Give a file.") from error
    if len(content) > MAX_BYTES:
        raise BadInput(path, f"more than {MAX_BYTES} bytes", "Give a campaign file.")
    try:
        body: Any = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise BadSettings(path, f"not YAML: {error}", "Correct it.") from error
    if not isinstance(body, dict):
        raise BadSettings(path, "it is no mapping of names to values", "See docs.")
    try:
        return CampaignFile(**{str(key): value for key, value in body.items()})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        value = f"{where} = {first['input']!r:.60}"
        known = f" Drivers: {', '.join(DRIVERS)}." if "driver" in where else ""
        raise BadSettings(f"{path}, {value}", first["msg"], f"Correct it.{known}") from error
