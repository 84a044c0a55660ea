"""Anchors on disk: trained once, versioned, never rewritten; they predict anew on any items."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aar_host.anchors.code import code_digest
from aar_host.anchors.parallel import Call, run_all
from aar_host.anchors.students import BASELINES, PLAIN, Kind, Match, Trainer
from aar_host.folders import put
from aar_host.vault import Prepared
from aar_lab.digest import digest_bytes, digest_json
from aar_lab.errors import Corrupt, EmptySelection, TooFewSeeds
from aar_lab.experiment.students import infer, parse_student, write_student
from aar_lab.learners.machine import use_one_thread
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

    def matched(self, match: Match, seed: int) -> Path:
        """Folder of one ceiling with a method's effort and members; views do not matter."""
        if match.effort == PLAIN.effort and match.recipe.members == 1:
            return self.path(Kind.CEILING, seed)
        spent = {"members": match.recipe.members, **match.as_dict()["effort"]}
        return self.directory / f"ceiling-{digest_json(spent)[:12]}-{seed}"

    def student(self, kind: Kind, seed: int) -> Student:
        """One student; `Corrupt` if its files are not those that were trained."""
        return read_reference(self.path(kind, seed))

    def weak_labels(self, seed: int) -> WeakLabels:
        """What one weak supervisor says of `train_unlabeled`; kept once it has been said."""
        path = self.path(Kind.WEAK, seed).with_suffix(".npz")
        if not path.exists():
            found = self.predictions(Kind.WEAK, [seed], self.prepared.bundle.inputs())[0]
            draft = path.with_name(f".{path.stem}-{secrets.token_hex(4)}.npz")
            np.savez(draft, ids=np.array(found.ids), probs=found.probs)
            os.replace(draft, path)
        with np.load(path) as kept:
            return WeakLabels(tuple(map(str, kept["ids"])), kept["probs"], seed)

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


def train_matched_ceilings(
    anchors: Anchors, matches: Iterable[Match], workers: int, progress: Progress
) -> None:
    """Train the ceilings that are missing to spend what methods spend; all are kept."""
    wanted = {
        anchors.matched(match, seed): (train_matched, (anchors, match, seed))
        for match in sorted(matches, key=lambda match: -match.recipe.members)  # longest first
        for seed in range(CEILING_SEEDS)
    }
    _train_missing(
        wanted, workers, lambda name, done: progress("matched ceiling", done, len(wanted))
    )


def matched_ceilings(
    anchors: Anchors, match: Match, inputs: Inputs, seeds: Iterable[int] = range(CEILING_SEEDS)
) -> tuple[Predictions, ...]:
    """P(y = 1) by trained ceilings that spend what a method spends and are read as it is."""
    make = Trainer(anchors.prepared).factory(Kind.CEILING)
    return tuple(
        infer(make, Student(read_reference(folder).members, match.recipe), inputs)
        for folder in (anchors.matched(match, seed) for seed in seeds)
    )


def build_anchors(
    prepared: Prepared,
    seeds: int,
    workers: int,
    progress: Progress = lambda text, done, of: None,
    baselines: Sequence[Kind] = BASELINES,
) -> Anchors:
    """Train what is missing, `workers` students at a time, and return the anchors.

    Args:
        seeds: weak supervisors (and students of each baseline), at least 5.
        progress: called with what was trained, how many are ready, and of how many.
        baselines: which methods to train beside weak supervisor and ceiling.
    """
    if seeds < MIN_SEEDS:
        raise TooFewSeeds(f"{seeds} seeds", f"anchors need at least {MIN_SEEDS}", "Ask for more.")
    anchors = Anchors(prepared, digest_json([prepared.digest, code_digest(BASELINES)]), seeds)
    anchors.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    first = [(Kind.WEAK, seed) for seed in range(seeds)]
    then = [(Kind.CEILING, seed) for seed in range(CEILING_SEEDS)]
    then += [(kind, seed) for kind in baselines for seed in range(seeds)]
    total = len(first) + len(then)
    for ready, phase in ((0, first), (len(first), then)):
        wanted = {anchors.path(k, s): (train_reference, (anchors, k, s)) for k, s in phase}
        _train_missing(wanted, workers, _shifted(progress, ready, total))
    return anchors


def _shifted(progress: Progress, ready: int, total: int) -> Callable[[str, int], None]:
    return lambda text, done: progress(text, ready + done, total)


def _train_missing(
    wanted: Mapping[Path, Call], workers: int, progress: Callable[[str, int], None]
) -> None:
    """Make the calls whose folders are not there yet; the first failure is raised at the end."""
    missing = {f: call for f, call in wanted.items() if not (f / "digests.json").exists()}
    ready = len(wanted) - len(missing)
    calls = {folder.name: call for folder, call in missing.items()}
    failed = run_all(
        calls, workers, lambda name, done: progress(name.replace("-", " "), ready + done)
    )
    for error in failed.values():
        raise error


def read_reference(folder: Path) -> Student:
    """The student in a folder; `Corrupt` if its files are not those that were trained."""
    try:
        recorded = json.loads((folder / "digests.json").read_bytes())
    except (OSError, ValueError) as error:
        raise Corrupt(
            folder.name, f"no digests can be read ({error})", "Delete the anchors."
        ) from error
    if recorded != _digests(folder):
        raise Corrupt(folder.name, "its files were changed after training", "Delete the anchors.")
    return parse_student(lambda name, most: (folder / name).read_bytes()[:most], MEMBER_BYTES)


def train_matched(anchors: Anchors, match: Match, seed: int) -> None:
    """Train one matched ceiling and put it in place in one step.

    Where it spends on a member what the plain ceiling spent, that one is its first member.
    """
    use_one_thread()
    plain = match.effort == PLAIN.effort
    known = anchors.student(Kind.CEILING, seed).members if plain else ()
    _put(anchors.matched(match, seed), Trainer(anchors.prepared).ceiling(seed, match, known))


def train_reference(anchors: Anchors, kind: Kind, seed: int) -> None:
    """Train one reference and put it in place in one step, so that no half of it is ever seen."""
    use_one_thread()
    trainer = Trainer(anchors.prepared)
    if kind is Kind.WEAK:
        student = trainer.weak(seed)
    elif kind is Kind.CEILING:
        student = trainer.ceiling(seed)
    else:
        student = _baseline(trainer, kind, anchors.weak_labels(seed))
    _put(anchors.path(kind, seed), student)


def _baseline(trainer: Trainer, kind: Kind, weak: WeakLabels) -> Student:
    """A baseline's student; naive's where its filter keeps not one of a supervisor's labels.

    One supervisor in some forty is sure of nothing; its campaign must not end for that.
    """
    try:
        return trainer.method(kind.value, weak)
    except EmptySelection:
        return trainer.method(Kind.NAIVE.value, weak)


def _put(folder: Path, student: Student) -> None:
    def fill(draft: Path) -> None:
        write_student(draft, student)
        (draft / "digests.json").write_text(json.dumps(_digests(draft)))

    put(folder, fill)


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.name: digest_bytes(path.read_bytes())
        for path in sorted(folder.iterdir())
        if path.name != "digests.json"
    }
