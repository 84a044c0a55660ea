"""Laying out a campaign's directory: test items, what the anchors say of them, practice data."""

from __future__ import annotations

import json
import os
import platform
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aar_host.anchors.code import code_digest
from aar_host.anchors.references import CEILING_SEEDS, Anchors
from aar_host.anchors.students import Kind, Trainer
from aar_host.anchors.summary import summarise
from aar_host.feedback import SEALED, Policy
from aar_host.jobs.grounds import (
    BOTH_ORDERS,
    FIRST_WEAK_SEED,
    NAIVE_BOTH,
    SEEDS,
    TEST_INPUTS,
    Grounds,
    tiers_of,
)
from aar_host.jobs.manifest import has_manifest
from aar_host.problems.base import Draw, ProblemSource
from aar_host.problems.prepare import (
    SEED_BITS,
    Prepared,
    draw_test,
    private_directory,
    readable,
    test_inputs,
)
from aar_host.scoring import answer_for_all
from aar_host.store.schema import SubmissionKind, Tier
from aar_lab.errors import Conflict
from aar_lab.learners.machine import library_versions
from aar_lab.problems.bundle import write_inputs
from aar_lab.types import Inputs, Predictions

PRACTICE_PROBLEMS = 200
PRACTICE_SEED = 2 * SEEDS


@dataclass(frozen=True)
class Terms:
    """What a campaign's directory is laid out for.

    Args:
        sandbox: in which its jobs run.
        policy: decides which test items answer, and what researchers' boxes hold.
        secret: seed of the test items and of the jobs, stored in DIR/host alone; None: drawn anew.
            Tests alone give it.
    """

    sandbox: str
    policy: Policy = SEALED
    secret: int | None = None


def lay_grounds(source: ProblemSource, anchors: Anchors, directory: Path, terms: Terms) -> Grounds:
    """Lay out a new campaign's directory; what an interrupted attempt left there is laid anew.

    The anchors' students predict on the test items once.

    Args:
        directory: new, empty, or with a campaign.json.

    Raises:
        Conflict: it is laid out already, or there is something else in it.
    """
    clear(directory)
    secret = secrets.randbits(SEED_BITS) if terms.secret is None else terms.secret
    policy = terms.policy
    host = private_directory(directory / "host")
    shutil.copytree(anchors.prepared.directory / "public", directory / "public")
    tests = draw_test(source, directory, secret)
    if policy.opening is None:
        _open_all(tests)
    facts = {
        "problem": source.name,
        "version": source.public().version,
        "student": source.strong,
        "data": anchors.prepared.digest,
        "tests": tests.digest,
        "anchors_version": anchors.version,
        "sandbox": terms.sandbox,
        "policy": policy.name,
        "secret": secret,
        "environment": {
            "code": code_digest(),
            "libraries": library_versions(),
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        },
    }
    _references(anchors, tests, host, tiers_of(policy))
    if SubmissionKind.PREDICTIONS in policy.kinds:
        _handout(anchors, tests, directory, tiers_of(policy))
    else:
        _practice(source, anchors, directory, secret)
    draft = host / ".facts.json"
    draft.write_text(json.dumps(facts, indent=1))
    draft.rename(host / "facts.json")
    return Grounds(directory)


def clear(directory: Path) -> None:
    """Make the directory, or take away what an interrupted attempt left in it."""
    directory.mkdir(parents=True, exist_ok=True)
    ours = has_manifest(directory) and not Grounds(directory).laid
    if any(directory.iterdir()) and not ours:
        raise Conflict(directory, "it is not empty", "Give another directory with --out.")
    for name in ("public", "practice", "host", "vault"):
        shutil.rmtree(directory / name, ignore_errors=True)


def _open_all(tests: Prepared) -> None:
    """Let every test item answer; nothing stays sealed."""
    inputs = _joined([test_inputs(tests, tier) for tier in Tier])
    write_inputs(tests.host / f"{Tier.PUBLIC}.jsonl", inputs)
    (tests.host / f"{Tier.SEALED}.jsonl").unlink()
    answer_for_all(tests)


def _joined(parts: Sequence[Inputs]) -> Inputs:
    ids = tuple(name for part in parts for name in part.ids)
    return Inputs(ids, tuple(row for part in parts for row in part.data))


def _references(anchors: Anchors, tests: Prepared, host: Path, tiers: tuple[Tier, ...]) -> None:
    """Let the anchors predict; write weak labels, predictions and the references' accuracies."""
    trainer, summary = Trainer(anchors.prepared), {}
    swap = anchors.prepared.bundle.problem.formats.swap
    for seed in range(2 * SEEDS):
        weak = anchors.weak_labels(seed)
        np.savez(host / f"weak-{seed}.npz", ids=np.array(weak.ids), probs=weak.probs)
    for tier in tiers:
        inputs = test_inputs(tests, tier)
        first = FIRST_WEAK_SEED[tier]
        weak_seeds = range(first, first + SEEDS)
        arrays: dict[str, Any] = {"ids": np.array(inputs.ids)}
        predicted: dict[Kind, tuple[Predictions, ...]] = {}
        for kind in Kind:
            seeds = range(CEILING_SEEDS) if kind is Kind.CEILING else weak_seeds
            found = anchors.predictions(kind, seeds, inputs)
            predicted[kind] = found
            arrays[kind.value] = np.stack([p.probs for p in found])
        recipe = BOTH_ORDERS if swap else None
        both = anchors.predictions(Kind.NAIVE, weak_seeds, inputs, recipe)
        arrays[NAIVE_BOTH] = np.stack([p.probs for p in both])
        np.savez(host / f"anchors-{tier}.npz", **arrays)
        elicited = trainer.elicited(inputs)
        summary[tier.value] = summarise(anchors.version, predicted, elicited, tests, tier)
    (host / "references.json").write_text(json.dumps(summary, indent=1))


def _practice(source: ProblemSource, anchors: Anchors, directory: Path, secret: int) -> None:
    """Inputs like the training inputs, but others, labelled by a supervisor that scores nothing.

    What a researcher sees of them is worth nothing in a training job: no id, no text, no label of
    a scoring seed is among them.
    """
    draw = Draw(secret, "practice", PRACTICE_PROBLEMS, source.sizes.pairs)
    inputs: Inputs = source.draw(draw)[0]
    weak = anchors.predictions(Kind.WEAK, [PRACTICE_SEED], inputs)[0]
    _write_practice(directory, inputs, weak)


def _handout(anchors: Anchors, tests: Prepared, directory: Path, tiers: tuple[Tier, ...]) -> None:
    """Where predictions are handed in: the training inputs themselves, labelled by the first weak
    supervisor, and all test inputs in one order that tells nothing of the parts."""
    _write_practice(directory, anchors.prepared.bundle.inputs(), anchors.weak_labels(0))
    inputs = _joined([test_inputs(tests, tier) for tier in tiers])
    order = sorted(range(len(inputs)), key=lambda row: inputs.ids[row])
    write_inputs(directory / "practice" / TEST_INPUTS, inputs.take(order))
    readable(directory / "practice")


def _write_practice(directory: Path, inputs: Inputs, weak: Predictions) -> None:
    practice = directory / "practice"
    shutil.copytree(directory / "public", practice)
    write_inputs(practice / "train_unlabeled.jsonl", inputs)
    rows = dict(zip(weak.ids, weak.probs.tolist(), strict=True))
    (practice / "weak_labels.json").write_text(json.dumps(rows))
    readable(practice)
