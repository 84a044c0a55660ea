"""`aar baselines` and `aar transfer`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from aar_host.anchors.comparison import compare
from aar_host.anchors.experiments import Bench
from aar_host.anchors.references import MIN_SEEDS, Progress, build_anchors
from aar_host.cli.common import json_option, progress
from aar_host.problems.base import ProblemSource
from aar_host.problems.prepare import draw_reference, prepare
from aar_host.problems.registry import get_problem
from aar_host.report.comparison import (
    baselines_figure,
    baselines_table,
    check_figure,
    transfer_table,
)
from aar_host.settings import cache_dir, number
from aar_lab.errors import BadInput
from aar_lab.methods import NAMES, get_method


@dataclass(frozen=True)
class Place:
    """Where methods are measured; None: the usual world, student or data."""

    problem: str
    world: int | None = None
    student: str | None = None
    data_seed: int | None = None

    def measure(self, methods: Sequence[str], seeds: int, report: Progress) -> dict[str, Any]:
        """The rows of the methods here, with what they are measured against, as JSON."""
        source = get_problem(self.problem, self.world, self.student)
        names = list(dict.fromkeys(methods))
        check_request(source, names, seeds)
        prepared = prepare(source, cache_dir(), self.data_seed, report)
        anchors = build_anchors(prepared, seeds, number("workers"), report, baselines=())
        bench = Bench(anchors, draw_reference(source, prepared))
        found = compare(bench, names, seeds, number("workers"), report)
        version = source.public().version
        place = {"problem": source.name, "version": version, "student": source.strong}
        return {**place, **found}


def check_request(source: ProblemSource, methods: Sequence[str], seeds: int) -> None:
    """Refuse before the work what could not be done after it.

    Raises:
        UnknownName: there is no such method.
        BadInput: the problem has no labels for so many supervisors, or they are too few.
    """
    for name in methods:
        get_method(name)
    most = source.sizes.train_labeled // source.sizes.weak_problems
    if not MIN_SEEDS <= seeds <= most:
        raise BadInput(
            f"--seeds {seeds}",
            f"{source.name} has data for {MIN_SEEDS}…{most}",
            "Choose among them.",
        )


@click.command()
@click.argument("problem")
@click.option("--seeds", default=10, show_default=True, help="Weak supervisors, at least 5.")
@click.option("--methods", help="Names with commas; default: every registered method.")
@click.option("--student", help="Another strong student, e.g. L.")
@click.option("--world-seed", type=int, help="Another world; its base models take minutes.")
@click.option("--data-seed", type=int, help="Draw data from this seed, not from the secret one.")
@click.option("--figure", type=click.Path(path_type=Path), help="Also draw it: .png, .svg, .pdf.")
@json_option
def baselines(
    problem: str,
    seeds: int,
    methods: str | None,
    figure: Path | None,
    as_json: bool,
    **where: Any,
) -> dict[str, Any]:
    """Compare the registered methods on a problem: PGR, gain over naive, intervals.

    Each method is trained on the labels of each weak supervisor. What is trained already is used
    again; Ctrl-C keeps what is ready, and the same command goes on. Intervals are at the 95 % level
    over seeds and items; p-values are Holm's over the methods of the table.

    Example: aar baselines chat-mini --seeds 10
    """
    if figure is not None:
        check_figure(figure)
    names = NAMES if methods is None else tuple(name.strip() for name in methods.split(","))
    place = Place(problem, where["world_seed"], where["student"], where["data_seed"])
    with progress() as report:
        found = place.measure(names, seeds, report)
    if figure is not None:
        baselines_figure(found, figure)
    if not as_json:
        Console().print(baselines_table(found))
    return found


@click.command()
@click.argument("method")
@click.option("--from", "home", default="chat-mini", show_default=True, help="Where it is at home.")
@click.option("--to", help="Another problem.")
@click.option("--student", help="Another strong student, e.g. L.")
@click.option("--world-seed", type=int, help="Another world; its base models take minutes.")
@click.option("--seeds", default=5, show_default=True, help="Weak supervisors, at least 5.")
@json_option
def transfer(
    method: str, home: str, to: str | None, seeds: int, as_json: bool, **where: Any
) -> dict[str, Any]:
    """Does a method's gain over naive hold on another problem, a larger student, a new world?

    Example: aar transfer em_posterior --to math-mini
    """
    student, world = where["student"], where["world_seed"]
    if (to, student, world) == (None, None, None):
        raise BadInput(
            f"transfer {method}", "nowhere to go", "Give --to, --student or --world-seed."
        )
    places = {"home": Place(home), "away": Place(to or home, world, student)}
    with progress() as report:
        found = {
            name: place.measure(["naive", method], seeds, report) for name, place in places.items()
        }
    if not as_json:
        Console().print(transfer_table(method, found))
    return {"method": method, **found}
