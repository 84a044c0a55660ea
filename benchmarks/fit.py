"""One student's fit, ours and `Trainer`'s, alternating in one run on one thread.

Every way starts from the same pretrained weights and sees the same rows for the same epochs; its
weights come back as a learner's, which answers the same test items.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from aar_host.problems.base import Draw
from aar_host.problems.registry import get_problem
from aar_host.vault import Labels
from aar_lab.experiment.run import student_factory
from aar_lab.learners.base import Plan
from aar_lab.learners.gpt import Gpt
from aar_lab.learners.model import Architecture
from aar_lab.problems.rows import RowWriter
from aar_lab.types import FloatArray, Inputs, Weights
from comparison import Runs, compared, described
from rate import fit_flops, matmul_rate
from trainer import Student, our_network, stock_gpt2, train

SEEDS = 8
TEST_PROBLEMS = 500
WARM_UP_ROWS = 64
OURS = "learner"
MODELS: dict[str, Callable[[Architecture, Weights], Student]] = {
    "our_network": our_network,
    "stock_gpt2": stock_gpt2,
}
SAMPLINGS = ("group_by_length", "random")


@dataclass(frozen=True)
class Ground:
    """What every way to fit is given: fresh students, training rows, test items."""

    make: Callable[[], Gpt]
    arch: Architecture
    writer: RowWriter
    train: Inputs
    truth: FloatArray
    test: Inputs
    labels: Labels

    @classmethod
    def draw(cls) -> Ground:
        """chat-mini's strong student, as many rows as a researcher has, and 2,500 test items."""
        source = get_problem("chat-mini")
        problem, sizes, name = source.public(), source.sizes, source.strong
        inputs, labels = source.draw(Draw(1, "bench", sizes.train_unlabeled, sizes.pairs))
        return cls(
            student_factory(problem, name, source.base_weights(name)),
            Architecture(**problem.students[name]),
            RowWriter(problem),
            inputs,
            labels.truth.astype(np.float64),
            *source.draw(Draw(2, "bench", TEST_PROBLEMS, sizes.pairs)),
        )

    def accuracy(self, weights: Weights) -> float:
        """Share of the test items that a student of these weights answers right."""
        student = self.make()
        student.load(weights)
        return float(np.mean((student.predict(self.test) > 0.5) == self.labels.truth))


class Watch:
    """Seconds by the clock and of the process."""

    wall = cpu = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Add what the block takes."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu


Way = Callable[[int, int, Watch], Weights]


def fit_ours(ground: Ground, seed: int, rows: int, watch: Watch) -> Weights:
    """The fitted weights; the making of the student is not timed, the writing of rows is."""
    student, inputs = ground.make(), Inputs(ground.train.ids[:rows], ground.train.data[:rows])
    with watch.running():
        student.fit(inputs, ground.truth[:rows], np.random.default_rng(seed))
    return student.save()


def by_trainer(ground: Ground, model: str, sampling: str) -> Way:
    """The same, by `Trainer`."""

    def fit(seed: int, rows: int, watch: Watch) -> Weights:
        student = MODELS[model](ground.arch, ground.make().save())
        inputs = Inputs(ground.train.ids[:rows], ground.train.data[:rows])
        with watch.running():
            written = zip(ground.writer.task(inputs), ground.truth[:rows].tolist(), strict=True)
            examples = [{"input_ids": row, "labels": label} for row, label in written]
            train(student, examples, Plan(), seed, sampling)
        return student.weights()

    return fit


def ways(ground: Ground) -> dict[str, Way]:
    """Name → a way to fit, from (seed, rows, watch)."""
    theirs = {f"trainer_{m}_{s}": by_trainer(ground, m, s) for m in MODELS for s in SAMPLINGS}
    return {OURS: lambda *given: fit_ours(ground, *given), **theirs}


def measured(ground: Ground, fits: dict[str, Way]) -> tuple[dict[str, Runs], float]:
    """Every way on every seed, and the best matrix-multiply rate in FLOP/s meanwhile.

    The order rotates from seed to seed, so that what else the machine does meets all alike.
    """
    names, rates = list(fits), []
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    for fit in fits.values():
        fit(0, WARM_UP_ROWS, Watch())
    for seed in range(SEEDS):
        rates.append(matmul_rate())
        for name in np.roll(names, -seed).tolist():
            watch = Watch()
            accuracy = ground.accuracy(fits[name](seed, len(ground.train), watch))
            found[name].append((watch.wall, watch.cpu, accuracy))
    return {name: Runs(*zip(*found[name], strict=True)) for name in names}, max(rates)


def bench_fit() -> dict[str, Any]:
    """Ours and each of Trainer's ways, the latter against ours.

    `share_of_matmul_rate` counts the same arithmetic for all, that which none can avoid.
    """
    ground = Ground.draw()
    runs, rate = measured(ground, ways(ground))
    tokens, rows = sum(map(len, ground.writer.task(ground.train))), len(ground.train)
    floor = fit_flops(ground.arch, tokens, rows) * Plan().epochs / rate
    ours = runs.pop(OURS)
    against = {
        name: {**described(theirs, floor), **compared(ours, theirs)}
        for name, theirs in runs.items()
    }
    return {
        "rows": rows,
        "test_items": len(ground.test),
        "seeds": SEEDS,
        "threads": torch.get_num_threads(),
        "matmul_gflops": rate / 1e9,
        OURS: {**described(ours, floor), "predict_seconds": predict_seconds(ground)},
        **against,
    }


def predict_seconds(ground: Ground) -> float:
    """Median process time of our answers to all test items."""
    student, seconds = ground.make(), []
    for _ in range(SEEDS):
        watch = Watch()
        with watch.running():
            student.predict(ground.test)
        seconds.append(watch.cpu)
    return float(np.median(seconds))
