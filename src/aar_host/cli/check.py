"""`aar check-problem`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from aar_host.anchors.students import Kind, Trainer
from aar_host.cli.common import json_option, progress
from aar_host.problems.base import ProblemSource
from aar_host.problems.basemodels import Progress
from aar_host.problems.checking import Check, check_problem
from aar_host.problems.prepare import draw_test, prepare, test_inputs
from aar_host.scoring import accuracies
from aar_host.settings import cache_dir
from aar_lab.experiment.students import infer

TRAIN_SEED, PART = 0, "sealed"
SUPERVISORS = 3


@click.command("check-problem")
@click.argument("problem")
@click.option("--train", is_flag=True, help="Also measure weak and ceiling; takes minutes.")
@json_option
def check_problem_command(problem: str, train: bool, as_json: bool) -> dict[str, Any]:
    """Check that a problem, given by its name or its file, keeps the rules.

    Example: aar check-problem examples/digits.py --train
    """
    source, found = check_problem(problem)
    if train and source is not None and all(check.ok for check in found):
        with progress() as report:
            found.append(_trained(source, report))
    if not as_json:
        _show(problem, found)
    return {"ok": all(check.ok for check in found), "checks": [check.as_dict() for check in found]}


def _trained(source: ProblemSource, report: Progress) -> Check:
    """Whether the ceiling exceeds the weak supervisors, on the sealed part of a draw."""
    prepared = prepare(source, cache_dir(), TRAIN_SEED, report)
    trainer, found = Trainer(prepared), {}
    with tempfile.TemporaryDirectory() as folder:
        tests = draw_test(source, Path(folder), TRAIN_SEED)
        inputs = test_inputs(tests, PART)
        for kind, make, number in (
            (Kind.WEAK, trainer.weak, SUPERVISORS),
            (Kind.CEILING, trainer.ceiling, 1),
        ):
            rows = []
            for seed in range(number):
                report(f"training {kind} {seed}", seed, number)
                read = trainer.as_read(kind, seed, inputs)
                rows.append(infer(trainer.factory(kind), make(seed), read))
            found[kind] = accuracies(rows, tests, PART)
    return judged(found[Kind.WEAK], found[Kind.CEILING][0])


def judged(weak: Sequence[float], ceiling: float) -> Check:
    """Whether there is a gap to recover, from accuracies in [0, 1]."""
    mean = sum(weak) / len(weak)
    ok = ceiling > mean
    told = f"weak {mean:.3f}, mean of {len(weak)}; ceiling {ceiling:.3f}"
    remedy = "" if ok else "Weaken the supervisor, or pretrain the student longer."
    return Check("train", ok, told, remedy)


def _show(problem: str, checks: Sequence[Check]) -> None:
    table = Table("", "check", "found", title=f"Rules for {problem}")
    for check in checks:
        found = check.found if check.ok else f"{check.found}\n{check.remedy}"
        table.add_row("ok" if check.ok else "FAIL", check.name, found)
    Console().print(table)
