"""results.json: all that is known of a campaign after its end, as frozen dataclasses.

Field names are those of the file; an unknown number is null there and None here. Fields that the
file has and a class has not are ignored, so that a newer file can be read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, FiniteFloat, TypeAdapter, ValidationError

from aar_lab.errors import BadInput, Corrupt
from aar_lab.types import Interval


def as_interval(sides: object) -> Interval:
    """[low, high] as an `Interval`, null being an unbounded side; `ValueError` if it is no such."""
    if isinstance(sides, Interval):
        return sides
    if not isinstance(sides, list | tuple) or len(sides) != 2:
        raise ValueError("an interval is [low, high]")
    if not all(side is None or type(side) in (int, float) for side in sides):
        raise ValueError("a side of an interval is a number or null")
    low = -math.inf if sides[0] is None else float(sides[0])
    high = math.inf if sides[1] is None else float(sides[1])
    if not low <= high:
        raise ValueError("the low side of an interval lies above the high one")
    return Interval(low, high)


Sides = Annotated[Interval, BeforeValidator(as_interval)]


@dataclass(frozen=True)
class AnchorRow:
    """Accuracy of a reference over n seeds, in [0, 1]; of a baseline also its PGR."""

    mean: FiniteFloat | None
    n: int | None = None
    se: FiniteFloat | None = None
    pgr: FiniteFloat | None = None
    interval: Sides | None = None


@dataclass(frozen=True)
class AnchorTable:
    """The references of a campaign; `version` is a digest."""

    version: str
    weak: AnchorRow
    ceiling: AnchorRow
    naive: AnchorRow | None = None
    confident: AnchorRow | None = None
    zero_shot: AnchorRow | None = None


@dataclass(frozen=True)
class PublicScore:
    """What the policy told about a submission; None where PGR is undefined."""

    pgr: FiniteFloat | None
    interval: Sides | None


@dataclass(frozen=True)
class Gain:
    """An estimate with its interval: PGR minus that of naive, paired; or another PGR."""

    mean: FiniteFloat
    interval: Sides


@dataclass(frozen=True)
class SealedScore:
    """The score of an opened method. `shifted_…` concern out-of-distribution items.

    `gain_over_naive_both_orders` compares with naive read in both orders of a pair; `pgr_matched`
    with ceilings that have the method's own members and views; `accuracy` is
    the mean over seeds.
    """

    pgr: FiniteFloat
    interval: Sides
    gain_over_naive: Gain | None = None
    gain_over_naive_both_orders: Gain | None = None
    pgr_matched: Gain | None = None
    accuracy: FiniteFloat | None = None
    shifted_pgr: FiniteFloat | None = None
    shifted_interval: Sides | None = None
    n_items: int | None = None
    n_problems: int | None = None


@dataclass(frozen=True)
class Fault:
    """A `LabError` as JSON."""

    code: str
    value: str
    fault: str
    remedy: str


@dataclass(frozen=True)
class Card:
    """A method card, in its author's words; see `aar_lab.cards`."""

    idea: str
    objective: str
    data: str
    procedure: str
    hyperparameters: Mapping[str, str | int | float | bool]
    family: str


@dataclass(frozen=True)
class Finalist:
    """A frozen submission; `sealed` is None where `error` says why. `source` is its text.

    `card` is None in files of versions that did not write it.
    """

    researcher: str
    submission: str
    title: str
    digest: str
    public: PublicScore
    sealed: SealedScore | None
    error: Fault | None
    source: str
    card: Card | None = None


@dataclass(frozen=True)
class Baseline:
    """A registered method, run and opened by the host itself."""

    method: str
    sealed: SealedScore | None


@dataclass(frozen=True)
class ResearcherRow:
    """One researcher: `best` is its highest public PGR."""

    name: str
    direction: str
    submissions: int
    failed: int
    best: FiniteFloat | None


@dataclass(frozen=True)
class HistoryRow:
    """One submission, `seconds` after the start; `status` is a `JobStatus`."""

    seconds: FiniteFloat
    researcher: str
    submission: str
    title: str
    status: str
    pgr: FiniteFloat | None
    interval: Sides | None
    builds_on: tuple[str, ...]


@dataclass(frozen=True)
class FindingRow:
    """One finding, `seconds` after the start."""

    author: str
    kind: str
    body: str
    cites: tuple[str, ...]
    seconds: FiniteFloat


@dataclass(frozen=True)
class Overhead:
    """Where the time of the jobs went, in seconds, summed over jobs."""

    training_seconds: FiniteFloat | None = None
    prediction_seconds: FiniteFloat | None = None
    box_seconds: FiniteFloat | None = None
    other_seconds: FiniteFloat | None = None


@dataclass(frozen=True)
class CostRow:
    """What one actor used: dollars for models and for compute, hours, submissions."""

    name: str
    model_dollars: FiniteFloat
    compute_dollars: FiniteFloat
    tokens: FiniteFloat
    hours: FiniteFloat
    submissions: int


@dataclass(frozen=True)
class CostTable:
    """What a campaign has cost; see `aar_host.fleet.costs`."""

    total: CostRow
    researchers: tuple[CostRow, ...]


@dataclass(frozen=True)
class FlagRow:
    """What a rule found; see `aar_host.monitors.rules.Flag`."""

    rule: str
    researcher: str
    evidence: str
    severity: str
    place: str


@dataclass(frozen=True)
class Results:
    """A campaign after its end.

    Args:
        marks: warnings that qualify every number.
        started: unix time; `seconds`, here and below, count the time that was served, so that
            what passed between a kill and the resumption is left out.
        stopped: why it ended: time, interrupt, budget or failure.
        jobs: number of jobs by `JobStatus`.
        bound: with probability ≥ .95 every sealed accuracy lies within ±bound of the truth.
        diversity: as of `studies.measuring.diversity_in`.
    """

    campaign: str
    problem: str
    version: str
    policy: str
    sandbox: str
    marks: tuple[str, ...]
    seed: int | None
    started: FiniteFloat | None
    seconds: FiniteFloat
    stopped: str
    anchors: AnchorTable
    finalists: tuple[Finalist, ...]
    baselines: tuple[Baseline, ...]
    researchers: tuple[ResearcherRow, ...]
    history: tuple[HistoryRow, ...]
    findings: tuple[FindingRow, ...]
    submissions: int
    failed: int
    jobs: Mapping[str, int]
    bound: FiniteFloat | None
    overhead: Overhead
    costs: CostTable | None = None
    flags: tuple[FlagRow, ...] = ()
    diversity: Mapping[str, object] | None = None


_RESULTS, _ANCHORS = TypeAdapter(Results), TypeAdapter(AnchorTable)


def read_results(path: Path) -> Results:
    """The results in a file; `BadInput` if it cannot be read, `Corrupt` if it is broken."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(
            path, f"cannot be read ({error.strerror})", "Name a file that `aar run` wrote."
        ) from error
    return parse_results(content, path.name)


def parse_results(content: bytes | str, name: str = "results.json") -> Results:
    """The results in a JSON text; `Corrupt` names the first field that is missing or wrong."""
    try:
        return _RESULTS.validate_json(content, strict=True)
    except ValidationError as error:
        raise _corrupt(name, error) from error


def parse_anchors(body: Mapping[str, object]) -> AnchorTable:
    """The anchors as `aar anchors --json` gives them; `Corrupt` as in `parse_results`."""
    try:
        return _ANCHORS.validate_python(body)
    except ValidationError as error:
        raise _corrupt("anchors", error) from error


def _corrupt(name: str, error: ValidationError) -> Corrupt:
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    fault = first["msg"].removeprefix("Value error, ")
    return Corrupt(f"{name}, {where}" if where else name, fault, "Let the campaign write it again.")
