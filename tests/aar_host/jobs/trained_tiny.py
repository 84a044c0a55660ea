"""The tiny problem with base models that have learnt something, so that its anchors differ."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests import tiny
from tests.tiny_source import TinySource

from aar_host.anchors.code import code_digest
from aar_host.anchors.references import CEILING_SEEDS, Anchors, train_reference
from aar_host.anchors.students import BASELINES, Kind
from aar_host.jobs.grounds import ANCHOR_SEEDS, Grounds
from aar_host.jobs.laying import Terms, lay_grounds
from aar_host.problems.base import Sizes
from aar_host.problems.prepare import prepare
from aar_lab.digest import digest_json
from aar_lab.learners.base import Plan
from aar_lab.learners.gpt import Gpt, write_weights
from aar_lab.learners.model import Architecture
from aar_lab.problems.rows import RowWriter
from aar_lab.rng import stream

EPOCHS = {"W": 4, "S": 10}


@dataclass(frozen=True)
class TrainedTiny(TinySource):
    """See the module."""

    sizes: ClassVar[Sizes] = Sizes(
        train_labeled=132, weak_problems=12, train_unlabeled=80, test=60, shifted=6, pairs=3
    )
    weak_plan: ClassVar[Plan] = Plan(epochs=8, rate=0.01)

    def base_weights(self, student: str) -> Path:
        """The body of a model that was fitted to the truth of other examples."""
        path = self.directory / f"{student}.safetensors"
        if not path.exists():
            arch = Architecture(**tiny.PROBLEM.students[student])
            model = Gpt(arch, tiny.random_weights(arch), RowWriter(tiny.PROBLEM))
            inputs, truth = tiny.examples(640, seed=9)
            plan = Plan(epochs=EPOCHS[student], rate=0.01)
            model.fit(inputs, truth, stream(0, "base", student), plan=plan)
            body = {k: v for k, v in model.save().items() if not k.startswith("head")}
            write_weights(path, body)
        return path


def build(folder: Path, sandbox: str = "bubblewrap") -> Grounds:
    """A campaign's directory, with anchors trained in this process."""
    (folder / "base").mkdir()
    source = TrainedTiny(folder / "base")
    prepared = prepare(source, folder / "cache", seed=7)
    anchors = Anchors(
        prepared, digest_json([prepared.digest, code_digest(BASELINES)]), ANCHOR_SEEDS
    )
    anchors.directory.mkdir(parents=True)
    for kind in Kind:
        for seed in range(CEILING_SEEDS if kind is Kind.CEILING else ANCHOR_SEEDS):
            train_reference(anchors, kind, seed)
    return lay_grounds(source, anchors, folder / f"campaign-{secrets.token_hex(4)}", Terms(sandbox))
