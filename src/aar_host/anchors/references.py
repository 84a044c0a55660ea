"""Anchors on disk: trained once, versioned, never rewritten; they predict anew on any items."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import aar_lab
from aar_host.anchors import students
from aar_host.anchors.students import BASELINES, Kind, Trainer
from aar_host.vault import Prepared
from aar_lab.digest import digest_bytes, digest_json
from aar_lab.errors import Corrupt, TooFewSeeds
from aar_lab.experiment.students import infer, parse_student, write_student
from aar_lab.learners.machine import library_versions, use_one_thread
from aar_lab.types import Inputs, Predictions, Recipe, Student, WeakLabels

MIN_SEEDS = 5
CEILING_SEEDS = 5
MEMBER_BYTES = 64 * 2**20

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Anchors:
    """The references of one prepared data set, trained on `seeds` weak seeds."""

    prepared: Prepared
    version: str
    seeds: int

    @property
    def directory(self) -> Path:
        """Where the students lie."""
        return self.prepared.directory / "anchors" / self.version[:16]

    def path(self, kind: Kind, seed: int) -> Path:
        """Folder of one student."""
        return self.directory / f"{kind}-{seed}"

    def student(self, kind: Kind, seed: int) -> Student:
        """One student; `Corrupt` if its files are not those that were trained."""
        folder = self.path(kind, seed)
        try:
            recorded = json.loads((folder / "digests.json").read_bytes())
        except (OSError, ValueError) as error:
            raise Corrupt(
                folder.name, f"no digests can be read ({error})", "Delete the anchors."
            ) from error
        if recorded != _digests(folder):
            raise Corrupt(
                folder.name, "its files were changed after training", "Delete the anchors."
            )
        return parse_student(lambda name, most: (folder / name).read_bytes()[:most], MEMBER_BYTES)

    def weak_labels(self, seed: int) -> WeakLabels:
        """What one weak supervisor says of `train_unlabeled`."""
        inputs = self.prepared.bundle.inputs()
        found = self.predictions(Kind.WEAK, [seed], inputs)[0]
        return WeakLabels(found.ids, found.probs, seed)

    def predictions(
        self, kind: Kind, seeds: Iterable[int], inputs: Inputs, recipe: Recipe | None = None
    ) -> tuple[Predictions, ...]:
        """P(y = 1) by the students of a kind, one for each seed, by their own recipe or another."""
        trainer = Trainer(self.prepared)
        make = trainer.factory(kind)
        return tuple(
            infer(make, Student(found.members, recipe or found.recipe), read)
            for found, read in (
                (self.student(kind, seed), trainer.as_read(kind, seed, inputs)) for seed in seeds
            )
        )


def code_digest() -> str:
    """Digest of all code and libraries that a reference's weights depend on."""
    home = Path(next(iter(aar_lab.__path__)))
    files = sorted(
        path
        for folder in ("learners", "methods", "experiment", "problems")
        for path in (home / folder).glob("*.py")
    )
    files += [Path(students.__file__), home / "rng.py", home / "types.py"]
    found = hashlib.sha256()
    for path in files:
        found.update(path.read_bytes())
    return digest_json([found.hexdigest(), library_versions()])


def build_anchors(
    prepared: Prepared, seeds: int, workers: int, progress: Progress = lambda text, done, of: None
) -> Anchors:
    """Train what is missing, `workers` students at a time, and return the anchors.

    Args:
        seeds: weak supervisors (and students of each baseline), at least 5.
        progress: called with what was trained, how many are ready, and of how many.
    """
    if seeds < MIN_SEEDS:
        raise TooFewSeeds(f"{seeds} seeds", f"anchors need at least {MIN_SEEDS}", "Ask for more.")
    anchors = Anchors(prepared, digest_json([prepared.digest, code_digest()]), seeds)
    anchors.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    first = [(Kind.WEAK, seed) for seed in range(seeds)]
    then = [(Kind.CEILING, seed) for seed in range(CEILING_SEEDS)]
    then += [(kind, seed) for kind in BASELINES for seed in range(seeds)]
    total = len(first) + len(then)
    for ready, phase in ((0, first), (len(first), then)):
        _train_missing(anchors, phase, workers, _shifted(progress, ready, total))
    return anchors


def _shifted(progress: Progress, ready: int, total: int) -> Callable[[str, int], None]:
    return lambda text, done: progress(text, ready + done, total)


def _train_missing(
    anchors: Anchors,
    wanted: Sequence[tuple[Kind, int]],
    workers: int,
    progress: Callable[[str, int], None],
) -> None:
    missing = [(k, s) for k, s in wanted if not (anchors.path(k, s) / "digests.json").exists()]
    ready = len(wanted) - len(missing)
    if not missing:
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(missing)), mp_context=context) as pool:
        running = {pool.submit(train_reference, anchors, k, s): f"{k} {s}" for k, s in missing}
        for finished in as_completed(running):
            finished.result()
            ready += 1
            progress(running[finished], ready)


def train_reference(anchors: Anchors, kind: Kind, seed: int) -> None:
    """Train one reference and put it in place in one step, so that no half of it is ever seen."""
    use_one_thread()
    trainer = Trainer(anchors.prepared)
    if kind is Kind.WEAK:
        student = trainer.weak(seed)
    elif kind is Kind.CEILING:
        student = trainer.ceiling(seed)
    else:
        student = trainer.baseline(kind, anchors.weak_labels(seed))
    folder = anchors.path(kind, seed)
    draft = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    write_student(draft, student)
    (draft / "digests.json").write_text(json.dumps(_digests(draft)))
    if not folder.exists():
        os.rename(draft, folder)


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.name: digest_bytes(path.read_bytes())
        for path in sorted(folder.iterdir())
        if path.name != "digests.json"
    }
