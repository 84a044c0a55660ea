"""A campaign whose items and anchors are drawn, not trained; files, scores and server are real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import numpy.typing as npt
from tests import tiny

from aar_host.auth import issue
from aar_host.feedback import Policy
from aar_host.jobs.grounds import Grounds, tiers_of
from aar_host.jobs.judging import Judge
from aar_host.server import create_app, listening
from aar_host.store import Store, Tier, open_store
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.vault import Labels, Part, Vault
from aar_lab.problems.bundle import write_inputs
from aar_lab.types import Inputs, Role

Answers = npt.NDArray[np.bool_]
WEAK, CEILING, ITEMS_EACH = 0.6, 0.8, 3
NAMES = ("ada", "blaise", "carl", "dorothea", "emmy", "felix", "grace", "hedy", "isaac")


@dataclass
class Paper:
    """A campaign of `size` test items; nine researchers, one clock that is moved by hand.

    `truth` is what the vault holds, by sorted id, for tests to judge attacks by; `public` marks
    the items that answer. The store is a file of the directory, or the database of a URL.
    """

    directory: Path
    policy: Policy
    size: int
    seed: int = 0
    now: float = 1000.0
    database: str | None = None
    truth: Answers = field(init=False)
    public: Answers = field(init=False)
    ids: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng([self.seed, self.size])
        self.ids = tuple(sorted(f"{name:016x}" for name in rng.integers(2**62, size=self.size)))
        self.truth = rng.random(self.size) < 0.5
        problems = rng.permutation(self.size) // ITEMS_EACH
        share = self.policy.public_share
        self.public = problems < round(share * self.size / ITEMS_EACH)
        self._lay(rng, problems)
        self.grounds = Grounds(self.directory)
        where = self.database or self.directory / "store.db"
        self.store: Store = open_store(where, lambda: self.now)
        config = {"seeds": self.policy.seeds, **self.policy.caps}
        plan = Plan("paper", "1", "d" * 64, self.policy.name, "a1", config)
        self.campaign = create_campaign(self.store, plan).id
        self.tokens = [
            issue(self.store, self.campaign, name, Role.RESEARCHER, 24 * 365) for name in NAMES
        ]

    def draw(self, rng: np.random.Generator, accuracy: float) -> Answers:
        """Answers that are right with this probability, each by itself."""
        return np.where(rng.random(self.size) < accuracy, self.truth, ~self.truth)

    def _lay(self, rng: np.random.Generator, problems: npt.NDArray[np.intp]) -> None:
        host, vault = self.directory / "host", Vault(self.directory / "vault")
        host.mkdir(parents=True)
        (self.directory / "public").mkdir()
        problem = json.dumps(tiny.PROBLEM.as_dict())
        (self.directory / "public" / "problem.json").write_text(problem)
        facts = {"policy": self.policy.name, "secret": self.seed, "anchors_version": "a1"}
        (host / "facts.json").write_text(json.dumps({**facts, "tests": "t"}))
        rows = {
            kind: np.stack([self.draw(rng, accuracy) for _ in range(self.policy.seeds)])
            for kind, accuracy in (("weak", WEAK), ("ceiling", CEILING), ("naive", WEAK))
        }
        for tier in tiers_of(self.policy):
            chosen = np.flatnonzero(self.public == (tier is Tier.PUBLIC))
            names = [self.ids[i] for i in chosen]
            data = tuple({"prompt": "good day", "a": "yes", "b": "no"} for _ in names)
            write_inputs(host / f"{tier}.jsonl", Inputs(tuple(names), data))
            probs = {kind: np.where(row[:, chosen], 0.9, 0.1) for kind, row in rows.items()}
            np.savez(host / f"anchors-{tier}.npz", ids=np.array(names), **probs)
            vault.write(Part(tier.value), self._labels(chosen, problems))

    def _labels(self, chosen: npt.NDArray[np.intp], problems: npt.NDArray[np.intp]) -> Labels:
        return Labels(
            ids=tuple(self.ids[i] for i in chosen),
            truth=self.truth[chosen].astype(np.int8),
            problems=tuple(f"p{problems[i]}" for i in chosen),
            shifted=np.zeros(len(chosen), dtype=bool),
            metadata=tuple({} for _ in chosen),
        )

    @contextmanager
    def open(self) -> Iterator[list[httpx.Client]]:
        """Serve it on a unix socket; one client for each researcher."""
        app = create_app(self.store, self.campaign, Judge(self.store, self.grounds))
        socket = self.directory / "s"
        with listening(app, socket):
            clients = [
                httpx.Client(
                    transport=httpx.HTTPTransport(uds=str(socket)),
                    base_url="http://host/v1/",
                    headers={"Authorization": f"Bearer {token}"},
                )
                for token in self.tokens
            ]
            yield clients
            for client in clients:
                client.close()

    def rows(self, answers: Answers) -> dict[str, float]:
        """Answers as predictions."""
        return dict(zip(self.ids, np.where(answers, 0.9, 0.1).tolist(), strict=True))

    def recovered(self, answers: Answers, part: Answers) -> float:
        """Share of true answers among the items of a part."""
        return float(np.mean((answers == self.truth)[part]))
