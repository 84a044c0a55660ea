"""Experiments on a prepared data set: one method, or one matched ceiling, on one seed.

A frozen config's digest names the folder of its result. Equal digest: the result is there and is
used again. Unequal: it is never used. A failure is a status with its error, never a zero.

CONFIG_DIGEST/record.json        what was run, how it ended
CONFIG_DIGEST/predictions.npz    P(y = 1) on the reference's items, if it ended well
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from aar_host.anchors.code import code_digest
from aar_host.anchors.parallel import run_all
from aar_host.anchors.references import CEILING_SEEDS, Anchors, matched_ceilings
from aar_host.anchors.students import Kind, Match, Trainer
from aar_host.folders import put
from aar_host.scoring import SeedResult
from aar_host.vault import Part, Prepared
from aar_lab.digest import digest_json
from aar_lab.errors import LabError, from_dict
from aar_lab.experiment.students import infer
from aar_lab.learners.machine import library_versions, use_one_thread
from aar_lab.methods import get_method
from aar_lab.types import JobStatus, Predictions, Recipe

PART = Part.SEALED


@dataclass(frozen=True)
class ExperimentConfig:
    """What fixes a result.

    Args:
        data, tests: digests of the training data and of the reference's items.
        method: a registered method, "weak" or "ceiling".
        args: of the method as JSON; of a ceiling, its match; of a weak supervisor, none.
        seed: the weak seed, or the ceiling's own.
        code: digest of all code that the result depends on.
    """

    data: str
    tests: str
    method: str
    args: Mapping[str, Any]
    seed: int
    code: str

    @property
    def digest(self) -> str:
        """Names the folder of the result."""
        return digest_json(asdict(self))


@dataclass(frozen=True)
class RunRecord:
    """How an experiment ended: status "done" or "crashed" (then with the error as JSON), seconds of
    training and prediction, the student's recipe as JSON, libraries and machine."""

    config: ExperimentConfig
    status: JobStatus
    seconds: float
    error: dict[str, Any] | None
    recipe: dict[str, Any] | None
    libraries: list[str]
    machine: str


@dataclass(frozen=True)
class Bench:
    """Where experiments run: anchors that give weak labels, and items to predict."""

    anchors: Anchors
    tests: Prepared

    def folder(self, config: ExperimentConfig) -> Path:
        """Where the result of a config lies."""
        return self.anchors.prepared.directory / "experiments" / config.digest[:24]

    def methods(self, name: str, seeds: Sequence[int]) -> list[ExperimentConfig]:
        """A registered method with its default arguments, on each weak seed."""
        args = asdict(get_method(name).args())
        return [self._config(name, args, seed, code_digest([name])) for seed in seeds]

    def weak(self, seeds: Sequence[int]) -> list[ExperimentConfig]:
        """The weak supervisors themselves."""
        return [self._config(Kind.WEAK.value, {}, seed, "") for seed in seeds]

    def ceilings(self, match: Match) -> list[ExperimentConfig]:
        """Ceilings that spend what a method spends."""
        code, body = code_digest([]), match.as_dict()
        return [self._config(Kind.CEILING.value, body, s, code) for s in range(CEILING_SEEDS)]

    def _config(
        self, method: str, args: Mapping[str, Any], seed: int, code: str
    ) -> ExperimentConfig:
        data = digest_json([self.anchors.prepared.digest, self.anchors.version])
        return ExperimentConfig(data, self.tests.digest, method, args, seed, code)

    def record(self, config: ExperimentConfig) -> RunRecord:
        """The record of a finished experiment."""
        body = json.loads((self.folder(config) / "record.json").read_text())
        body |= {"config": ExperimentConfig(**body["config"]), "status": JobStatus(body["status"])}
        return RunRecord(**body)

    def result(self, config: ExperimentConfig) -> SeedResult:
        """What the student of a finished experiment predicts; its own error if it failed."""
        record = self.record(config)
        if record.error is not None:
            raise from_dict(record.error)
        with np.load(self.folder(config) / "predictions.npz") as kept:
            predictions = Predictions(tuple(map(str, kept["ids"])), kept["probs"])
        return SeedResult(predictions, (record.recipe or {})["threshold"])


def run_experiments(
    bench: Bench,
    configs: Sequence[ExperimentConfig],
    workers: int,
    progress: Callable[[str, int, int], None],
) -> None:
    """Run what is missing, `workers` at a time; what is there already is reported as done."""
    missing = [c for c in configs if not (bench.folder(c) / "record.json").exists()]
    ready = len(configs) - len(missing)
    calls = {f"{c.method} {c.seed} {c.digest[:6]}": (run_experiment, (bench, c)) for c in missing}

    def report(name: str, done: int) -> None:
        progress(name.rpartition(" ")[0], ready + done, len(configs))

    # What is no fault of the experiment (a killed worker, a full disk) must not be kept as its end.
    for error in run_all(calls, workers, report).values():
        raise error


def run_experiment(bench: Bench, config: ExperimentConfig) -> None:
    """Run one experiment and put its result in place in one step."""
    use_one_thread()
    started = time.perf_counter()
    try:
        recipe, predictions = _outcome(bench, config)
    except LabError as error:
        spent = time.perf_counter() - started
        fault = RunRecord(config, JobStatus.CRASHED, spent, error.as_dict(), None, *_environment())
        _write(bench, fault)
        return
    spent = time.perf_counter() - started
    record = RunRecord(config, JobStatus.DONE, spent, None, recipe.as_dict(), *_environment())
    _write(bench, record, predictions)


def _outcome(bench: Bench, config: ExperimentConfig) -> tuple[Recipe, Predictions]:
    trainer, inputs = _trainer(bench.anchors.prepared), bench.tests.inputs(PART)
    if config.method == Kind.WEAK:
        return Recipe(), bench.anchors.predictions(Kind.WEAK, [config.seed], inputs)[0]
    if config.method == Kind.CEILING:
        match = Match.from_dict(config.args)
        return match.recipe, matched_ceilings(bench.anchors, match, inputs, [config.seed])[0]
    student = trainer.method(config.method, bench.anchors.weak_labels(config.seed))
    return student.recipe, infer(trainer.factory(Kind.CEILING), student, inputs)


@lru_cache(maxsize=1)
def _trainer(prepared: Prepared) -> Trainer:
    """One for all experiments of a process, which share what it remembers of the base model."""
    return Trainer(prepared)


def _environment() -> tuple[list[str], str]:
    machine = f"{platform.machine()}, {os.cpu_count()} processors, {platform.python_version()}"
    return library_versions(), machine


def _write(bench: Bench, record: RunRecord, predictions: Predictions | None = None) -> None:
    def fill(draft: Path) -> None:
        if predictions is not None:
            ids = np.array(predictions.ids)
            np.savez(draft / "predictions.npz", ids=ids, probs=predictions.probs)
        (draft / "record.json").write_text(json.dumps(asdict(record)))

    put(bench.folder(record.config), fill)
