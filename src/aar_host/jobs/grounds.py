"""A campaign's directory: everything a worker needs, and everything needed to audit it.

campaign.json  whose it is and what was asked for, see `jobs.manifest`
public/      the bundle that training boxes hold
practice/    what researchers' boxes hold: other inputs of the same kind, with weak labels
host/        test inputs, weak labels, anchors' predictions, secret.json   (0700)
vault/       labels and metadata of the test items                         (0700)
methods/     sources as they were run, by digest
store.db     the store
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aar_host.anchors.code import code_digest
from aar_host.anchors.references import CEILING_SEEDS, Anchors
from aar_host.anchors.students import Kind, Trainer
from aar_host.anchors.summary import summarise
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
from aar_host.scoring import AnchorPredictions
from aar_host.store.schema import Tier
from aar_lab.digest import digest_text
from aar_lab.errors import Conflict
from aar_lab.learners.machine import library_versions
from aar_lab.problems.bundle import Bundle, write_inputs
from aar_lab.rng import derive
from aar_lab.types import Inputs, Predictions, Recipe, WeakLabels

SEEDS = 5
PRACTICE_PROBLEMS = 200
FIRST_WEAK_SEED = {Tier.PUBLIC: 0, Tier.SEALED: SEEDS}
PRACTICE_SEED = 2 * SEEDS
ANCHOR_SEEDS = 2 * SEEDS + 1
NAIVE_BOTH = "naive, both orders"
BOTH_ORDERS = Recipe(views=("plain", "swap"))


@dataclass(frozen=True)
class Grounds:
    """A campaign's directory, laid out by `lay_grounds`."""

    directory: Path

    @property
    def facts(self) -> dict[str, Any]:
        """What was fixed when it was laid out; see `lay_grounds`."""
        facts: dict[str, Any] = json.loads((self.directory / "host" / "facts.json").read_text())
        return facts

    @property
    def laid(self) -> bool:
        """Whether all of it is there: the facts are written last, in one step."""
        return (self.directory / "host" / "facts.json").exists()

    @property
    def bundle(self) -> Bundle:
        """What training boxes hold."""
        return Bundle(self.directory / "public")

    @property
    def practice(self) -> Path:
        """What researchers' boxes hold."""
        return self.directory / "practice"

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.directory / "store.db"

    @property
    def tests(self) -> Prepared:
        """The campaign's own test items."""
        return Prepared(self.directory, self.facts["tests"])

    def method_seed(self, tier: Tier, index: int) -> int:
        """The host-issued seed of a job; nobody outside the host can know it beforehand."""
        return derive(self.facts["secret"], "method", tier.value, index)

    def weak_labels(self, tier: Tier, index: int) -> WeakLabels:
        """The labels of the weak supervisor that a job learns from."""
        seed = FIRST_WEAK_SEED[tier] + index
        with np.load(self.directory / "host" / f"weak-{seed}.npz") as found:
            return WeakLabels(tuple(found["ids"].tolist()), found["probs"], seed)

    def method_file(self, source: str) -> Path:
        """The file of a method's source, written once, readable by every box."""
        folder = self.directory / "methods" / digest_text(source)
        path = folder / "method.py"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            draft = folder / f".{secrets.token_hex(4)}"
            draft.write_text(source)
            draft.chmod(0o644)
            draft.rename(path)
        return path

    def anchor_predictions(self, tier: Tier) -> AnchorPredictions:
        """What the anchors predict on the items of a tier."""
        rows = self._predictions(tier)
        return AnchorPredictions(
            self.facts["anchors_version"],
            rows[Kind.WEAK],
            rows[Kind.CEILING],
            rows[Kind.NAIVE],
            self.bundle.problem.objective,
        )

    def references(self, tier: Tier) -> dict[str, Any]:
        """Accuracy of the references on the items of a tier; see `anchors.summary`."""
        found = json.loads((self.directory / "host" / "references.json").read_text())
        summary: dict[str, Any] = found[tier.value]
        return summary

    def baseline_predictions(self, tier: Tier, name: str) -> tuple[Predictions, ...]:
        """What a baseline's students predict on the items of a tier, one per weak seed.

        Args:
            name: of a baseline's kind, or `NAIVE_BOTH`.
        """
        return self._predictions(tier)[name]

    def _predictions(self, tier: Tier) -> dict[str, tuple[Predictions, ...]]:
        with np.load(self.directory / "host" / f"anchors-{tier}.npz") as found:
            ids = tuple(found["ids"].tolist())
            names = [name for name in found.files if name != "ids"]
            return {name: tuple(Predictions(ids, row) for row in found[name]) for name in names}


def lay_grounds(
    source: ProblemSource,
    anchors: Anchors,
    directory: Path,
    sandbox: str,
    secret: int | None = None,
) -> Grounds:
    """Lay out a new campaign's directory; what an interrupted attempt left there is laid anew.

    The anchors' students predict on the test items once.

    Args:
        directory: new, empty, or with a campaign.json.
        secret: seed of the test items and of the jobs, stored in DIR/host alone; None: drawn here.

    Raises:
        Conflict: it is laid out already, or there is something else in it.
    """
    clear(directory)
    secret = secrets.randbits(SEED_BITS) if secret is None else secret
    host = private_directory(directory / "host")
    shutil.copytree(anchors.prepared.directory / "public", directory / "public")
    tests = draw_test(source, directory, secret)
    facts = {
        "problem": source.name,
        "version": source.public().version,
        "student": source.strong,
        "data": anchors.prepared.digest,
        "tests": tests.digest,
        "anchors_version": anchors.version,
        "sandbox": sandbox,
        "secret": secret,
        "environment": {
            "code": code_digest(),
            "libraries": library_versions(),
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        },
    }
    _references(anchors, tests, host)
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


def _references(anchors: Anchors, tests: Prepared, host: Path) -> None:
    """Let the anchors predict; write weak labels, predictions and the references' accuracies."""
    trainer, summary = Trainer(anchors.prepared), {}
    swap = anchors.prepared.bundle.problem.formats.swap
    for seed in range(2 * SEEDS):
        weak = anchors.weak_labels(seed)
        np.savez(host / f"weak-{seed}.npz", ids=np.array(weak.ids), probs=weak.probs)
    for tier in Tier:
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
    practice = directory / "practice"
    shutil.copytree(directory / "public", practice)
    draw = Draw(secret, "practice", PRACTICE_PROBLEMS, source.sizes.pairs)
    inputs: Inputs = source.draw(draw)[0]
    write_inputs(practice / "train_unlabeled.jsonl", inputs)
    weak = anchors.predictions(Kind.WEAK, [PRACTICE_SEED], inputs)[0]
    rows = dict(zip(weak.ids, weak.probs.tolist(), strict=True))
    (practice / "weak_labels.json").write_text(json.dumps(rows))
    readable(practice)
