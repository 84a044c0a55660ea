"""The one place that splits data into public and private; `aar_host.vault` says what lies where.

Training data are drawn once for an installation, from a secret seed, so that the anchors' students
can be cached; a campaign draws test items of its own from a seed that is kept nowhere else.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np

from aar_host.folders import put
from aar_host.problems.base import Draw, ProblemSource
from aar_host.problems.basemodels import Progress, base_model, code_of_problems
from aar_host.vault import Labels, Part, Prepared, Vault
from aar_lab.digest import digest_bytes, digest_json, digest_text
from aar_lab.problems.bundle import write_inputs
from aar_lab.rng import derive
from aar_lab.types import Inputs

__all__ = [
    "SEED_BITS",
    "Prepared",
    "draw_reference",
    "draw_test",
    "prepare",
    "private_directory",
    "readable",
    "test_inputs",
]

PUBLIC_SHARE = 1 / 3
SEED_BITS = 128


def private_directory(path: Path) -> Path:
    """Make a directory that only the host's user can enter."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(path, 0o700)
    return path


def readable(folder: Path) -> None:
    """Let every user read a folder and all in it, whatever the umask: boxes have uids of theirs."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def prepare(
    source: ProblemSource,
    root: Path,
    seed: int | None = None,
    progress: Progress = lambda text, done, of: None,
) -> Prepared:
    """The prepared training data of a problem below `root`, made if they are not there yet.

    Args:
        seed: draws the data; None: the installation's own secret seed, drawn at first use.
        progress: of pretraining base models, where the problem ships none; that takes minutes.
    """
    problem = source.public()
    home = private_directory(root / f"{problem.name}-{problem.version}")
    key = _secret(home) if seed is None else seed
    weak, strong = (base_model(source, s, root, progress) for s in (source.weak, source.strong))
    bases = [digest_bytes(path.read_bytes()) for path in (weak, strong)]
    content = [problem.as_dict(), _supervision(source), bases]
    digest = digest_json([*content, asdict(source.sizes), code_of_problems(source), key])
    directory = home / f"data-{digest[:16]}"
    if not directory.exists():
        put(directory, lambda draft: _fill(source, draft, key, (weak, strong)))
    return Prepared(directory, digest)


def _fill(source: ProblemSource, directory: Path, key: int, bases: tuple[Path, Path]) -> None:
    _models(source, directory, *bases)
    _write(source, directory, key)


def draw_reference(source: ProblemSource, prepared: Prepared) -> Prepared:
    """The test items on which anchors and methods are compared; no campaign's."""
    folder, seed = prepared.directory / "reference", derive(prepared.digest, "reference")
    if not folder.exists():
        put(folder, lambda draft: draw_test(source, draft, seed))
    return Prepared(folder, digest_of_tests(source, seed))


def _supervision(source: ProblemSource) -> dict[str, object]:
    """What the anchors must know of a problem, as JSON."""
    plan = source.weak_plan
    return {
        "weak": source.weak,
        "strong": source.strong,
        "weak_items": source.sizes.weak_problems * source.sizes.pairs,
        "weak_plan": {"epochs": plan.epochs, "rate": plan.rate},
        "weak_misses": source.weak_misses,
    }


def _secret(home: Path) -> int:
    path = home / "seed.json"
    draft = home / f".seed-{secrets.token_hex(4)}"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(secrets.randbits(SEED_BITS)))
    # A link is made whole or not at all, and never over one that is there.
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    return int(json.loads(path.read_text()))


def _models(source: ProblemSource, directory: Path, weak: Path, strong: Path) -> None:
    """The base models: the strong student's for all, the weak supervisor's for the host."""
    students, host = directory / "public" / "students", private_directory(directory / "host")
    students.mkdir(parents=True, exist_ok=True)
    shutil.copy(strong, students / f"{source.strong}.safetensors")
    shutil.copy(weak, host / f"{source.weak}.safetensors")
    (host / "supervision.json").write_text(json.dumps(_supervision(source)))


def _write(source: ProblemSource, directory: Path, seed: int) -> None:
    public, host = directory / "public", directory / "host"
    (public / "problem.json").write_text(json.dumps(source.public().as_dict(), indent=1))
    vault = Vault(directory / "vault")
    sizes = source.sizes
    inputs, labels = source.draw(Draw(seed, "train_unlabeled", sizes.train_unlabeled, sizes.pairs))
    write_inputs(public / "train_unlabeled.jsonl", inputs)
    vault.write(Part.TRAIN_UNLABELED, labels)
    inputs, labels = source.draw(Draw(seed, "train_labeled", sizes.train_labeled, sizes.pairs))
    write_inputs(host / f"{Part.TRAIN_LABELED}.jsonl", inputs)
    vault.write(Part.TRAIN_LABELED, labels)
    readable(public)


def draw_test(source: ProblemSource, directory: Path, seed: int) -> Prepared:
    """Fresh test items below `directory`: a public third and a sealed rest, split by problem.

    Each part has in-distribution items and, marked in the vault, items of unseen sources.
    """
    host = private_directory(directory / "host")
    vault = Vault(private_directory(directory / "vault"))
    sizes = source.sizes
    usual = source.draw(Draw(seed, "test", sizes.test, sizes.pairs))
    shifted = source.draw(Draw(seed, "shifted", sizes.shifted, sizes.pairs, shifted=True))
    everything = _join([usual, shifted])
    open_problems = _public_problems(usual[1], shifted[1])
    for part, public in ((Part.PUBLIC, True), (Part.SEALED, False)):
        problems = everything[1].problems
        rows = [i for i, problem in enumerate(problems) if (problem in open_problems) == public]
        inputs, labels = everything[0].take(rows), everything[1].take(rows)
        write_inputs(host / f"{part}.jsonl", inputs)
        vault.write(part, labels)
    return Prepared(directory, digest_of_tests(source, seed))


def digest_of_tests(source: ProblemSource, seed: int) -> str:
    """Names the test items that a seed gives."""
    return digest_json([source.public().version, asdict(source.sizes), seed])


def _public_problems(usual: Labels, shifted: Labels) -> set[str]:
    """A third of the usual problems, and a third of those that occur shifted only.

    By the digest of their names: those that are drawn often would else come first.
    """
    first = sorted(set(usual.problems), key=digest_text)
    rest = sorted(set(shifted.problems) - set(first), key=digest_text)
    return {p for group in (first, rest) for p in group[: round(PUBLIC_SHARE * len(group))]}


def _join(parts: list[tuple[Inputs, Labels]]) -> tuple[Inputs, Labels]:
    inputs = Inputs(
        tuple(i for part, _ in parts for i in part.ids),
        tuple(row for part, _ in parts for row in part.data),
    )
    labels = Labels(
        ids=inputs.ids,
        truth=np.concatenate([part.truth for _, part in parts]),
        problems=tuple(p for _, part in parts for p in part.problems),
        shifted=np.concatenate([part.shifted for _, part in parts]),
        metadata=tuple(m for _, part in parts for m in part.metadata),
    )
    return inputs, labels


def test_inputs(tests: Prepared, part: str) -> Inputs:
    """The inputs of a campaign's "public" or "sealed" part, to be shown to students only."""
    return tests.inputs(Part(part))
