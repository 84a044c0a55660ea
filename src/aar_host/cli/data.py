"""`aar prepare`, `aar anchors` and `aar pretrain`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from aar_host.anchors.references import CEILING_SEEDS, Anchors, build_anchors
from aar_host.anchors.students import Kind, Trainer
from aar_host.anchors.summary import summarise
from aar_host.cli.common import json_option, progress
from aar_host.problems.base import ProblemSource
from aar_host.problems.basemodels import build_base_model
from aar_host.problems.prepare import draw_reference, test_inputs
from aar_host.problems.prepare import prepare as prepare_data
from aar_host.problems.registry import get_problem
from aar_host.report.tables import anchors_table
from aar_host.settings import cache_dir, number
from aar_lab.digest import digest_bytes

REFERENCE_PART = "sealed"


@click.command()
@click.argument("problem")
@click.option("--data-seed", type=int, help="Draw from this seed, not from the secret one.")
@json_option
def prepare(problem: str, data_seed: int | None, as_json: bool) -> dict[str, Any]:
    """Draw a problem's training data and split them into a public and a private part.

    Example: aar prepare chat-mini
    """
    prepared = prepare_data(get_problem(problem), cache_dir(), data_seed)
    found = {
        "problem": problem,
        "version": prepared.bundle.problem.version,
        "digest": prepared.digest,
        "directory": str(prepared.directory),
        "train_unlabeled": len(prepared.bundle.inputs()),
    }
    if not as_json:
        click.echo("\n".join(f"{key}: {value}" for key, value in found.items()))
    return found


@click.command()
@click.argument("problem")
@click.option("--seeds", default=10, show_default=True, help="Weak supervisors, at least 5.")
@click.option("--data-seed", type=int, help="Draw data from this seed, not from the secret one.")
@json_option
def anchors(problem: str, seeds: int, data_seed: int | None, as_json: bool) -> dict[str, Any]:
    """Train (once) and show weak supervisor, baselines and ceiling, with n, mean and s.e.

    They are measured on fresh items of a reference draw, not on any campaign's.

    Example: aar anchors chat-mini --json
    """
    source = get_problem(problem)
    prepared = prepare_data(source, cache_dir(), data_seed)
    with progress() as report:
        built = build_anchors(prepared, seeds, number("workers"), report)
    found = {"problem": problem, **_measured(source, built, seeds)}
    if not as_json:
        Console().print(anchors_table(found))
    return found


def _measured(source: ProblemSource, built: Anchors, seeds: int) -> dict[str, Any]:
    tests = draw_reference(source, built.prepared)
    inputs = test_inputs(tests, REFERENCE_PART)
    rows = {
        kind: built.predictions(
            kind, range(CEILING_SEEDS if kind is Kind.CEILING else seeds), inputs
        )
        for kind in Kind
    }
    elicited = Trainer(built.prepared).elicited(inputs)
    return summarise(built.version, rows, elicited, tests, REFERENCE_PART)


@click.command()
@click.argument("problem")
@click.option("--student", required=True, help="Which base model, e.g. M.")
@click.option("--world-seed", type=int, help="Another world than the shipped one.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("base-models"))
@json_option
def pretrain(
    problem: str, student: str, world_seed: int | None, out: Path, as_json: bool
) -> dict[str, Any]:
    """Pretrain a base model from nothing, as the shipped one was, and compare the two.

    Example: aar pretrain chat-mini --student M
    """
    source = get_problem(problem, world_seed)
    with progress() as report:
        of = source.pretraining[student].tokens if student in source.pretraining else 0
        found = build_base_model(
            source,
            student,
            out / problem,
            lambda seen, loss: report(f"loss {loss:.3f}, tokens", seen, of),
        )
    path = out / problem / f"{student}.safetensors"
    digest = digest_bytes(path.read_bytes())
    shipped = source.base_weights(student)
    result = {
        "file": str(path),
        "tokens": found.tokens,
        "loss": found.loss,
        "digest": digest,
        "equals_shipped": shipped is not None
        and shipped.exists()
        and digest_bytes(shipped.read_bytes()) == digest,
    }
    if not as_json:
        click.echo("\n".join(f"{key}: {value}" for key, value in result.items()))
    return result
