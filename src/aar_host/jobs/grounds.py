"""A campaign's directory: everything a worker needs, and everything needed to audit it.

campaign.json  whose it is and what was asked for, see `jobs.manifest`
public/      the bundle that training boxes hold
practice/    what researchers' boxes hold: other inputs of the same kind, with weak labels; where
             predictions are handed in, the training inputs, and all test inputs without parts
host/        test inputs, weak labels, anchors' predictions, secret.json   (0700)
vault/       labels and metadata of the test items                         (0700)
methods/     sources as they were run, by digest
store.db     the store, where AAR_DATABASE_URL names no other
campaign.json   the campaign's id, and where it is stored
forum/       the forum as files, which researchers' boxes hold too
snapshots/   accepted methods by digest, unless a setting names another place
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aar_host.anchors.students import Kind
from aar_host.feedback import Policy, get_policy
from aar_host.problems.prepare import (
    Prepared,
)
from aar_host.scoring import AnchorPredictions
from aar_host.store.schema import Tier
from aar_lab.digest import digest_text
from aar_lab.problems.bundle import Bundle
from aar_lab.rng import derive
from aar_lab.types import Predictions, Recipe, WeakLabels

SEEDS = 5
FIRST_WEAK_SEED = {Tier.PUBLIC: 0, Tier.SEALED: SEEDS}
ANCHOR_SEEDS = 2 * SEEDS + 1
TEST_INPUTS = "test_inputs.jsonl"
NAIVE_BOTH = "naive, both orders"
BOTH_ORDERS = Recipe(views=("plain", "swap"))


@dataclass(frozen=True)
class Grounds:
    """A campaign's directory, laid out by `jobs.laying`."""

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
    def policy(self) -> Policy:
        """The feedback policy that it was laid out for."""
        return get_policy(self.facts["policy"])

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The parts that the test items have."""
        return tiers_of(self.policy)

    @property
    def secret(self) -> bytes:
        """What noise and honeylabels follow from; nobody outside the host knows it."""
        return str(self.facts["secret"]).encode()

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


def tiers_of(policy: Policy) -> tuple[Tier, ...]:
    """The parts of a campaign's test items under a policy."""
    return (Tier.PUBLIC,) if policy.opening is None else tuple(Tier)
