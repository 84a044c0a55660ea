"""Prepared data on disk; sole reader of private labels and metadata.

Imported by problems, anchors and scoring alone. Below a prepared directory lie

    public/    the bundle that boxes may hold
    host/      inputs that only the host shows to students (labelled part, tests), supervision.json
    vault/     labels and metadata

Host and vault are readable by the host's user alone (mode 0700) and never mounted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aar_lab.errors import BadIds, Corrupt, UnknownName
from aar_lab.problems.bundle import Bundle, read_inputs
from aar_lab.types import Inputs, check_ids


class Part(StrEnum):
    """A labelled part of a problem's data."""

    TRAIN_LABELED = "train_labeled"
    TRAIN_UNLABELED = "train_unlabeled"
    PUBLIC = "public"
    SEALED = "sealed"


@dataclass(frozen=True)
class Labels:
    """Ground truth of one part.

    Args:
        ids: n example ids.
        truth: shape (n,), 0 or 1.
        problems: n names; items of one problem share a prompt and are one cluster.
        shifted: shape (n,), true where the item is out of distribution.
        metadata: n mappings (sources, latent quality, …).
    """

    ids: tuple[str, ...]
    truth: npt.NDArray[np.int8]
    problems: tuple[str, ...]
    shifted: npt.NDArray[np.bool_]
    metadata: tuple[dict[str, Any], ...]

    def __post_init__(self) -> None:
        size = len(check_ids(self.ids))
        parts = (self.truth, self.problems, self.shifted, self.metadata)
        if any(len(part) != size for part in parts):
            raise BadIds(f"{size} ids", "labels or metadata differ in number", "Give one of each.")
        if not np.isin(self.truth, (0, 1)).all():
            raise BadIds("truth", "a label is neither 0 nor 1", "Correct the generator.")

    def take(self, rows: Sequence[int]) -> Labels:
        """The labels at the given positions, in that order."""
        return Labels(
            ids=tuple(self.ids[i] for i in rows),
            truth=self.truth[list(rows)],
            problems=tuple(self.problems[i] for i in rows),
            shifted=self.shifted[list(rows)],
            metadata=tuple(self.metadata[i] for i in rows),
        )

    @property
    def clusters(self) -> npt.NDArray[np.intp]:
        """Shape (n,): the problem of each item as a number in 0…problems−1."""
        return np.unique(np.array(self.problems), return_inverse=True)[1]


class Vault:
    """The labels of one prepared data set or campaign, on disk."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, part: Part, labels: Labels) -> None:
        """Store the labels of a part; readable by the host's user alone."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chmod(self._directory, 0o700)
        rows = [
            {"id": i, "y": int(y), "problem": p, "shifted": bool(s), "metadata": m}
            for i, y, p, s, m in zip(
                labels.ids,
                labels.truth,
                labels.problems,
                labels.shifted,
                labels.metadata,
                strict=True,
            )
        ]
        path = self._directory / f"{part}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        os.chmod(path, 0o600)

    def remove(self, part: Part) -> None:
        """Forget the labels of a part."""
        (self._directory / f"{part}.jsonl").unlink()

    def read(self, part: Part) -> Labels:
        """The labels of a part; `UnknownName` if the vault has none, `Corrupt` if unreadable."""
        path = self._directory / f"{part}.jsonl"
        if not path.exists():
            raise UnknownName(part, "the vault has no such part", "Run `aar prepare` again.")
        try:
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            return _labels(rows)
        except (ValueError, KeyError, TypeError) as error:
            raise Corrupt(path.name, f"not a label file ({error})", "Prepare again.") from error


@dataclass(frozen=True)
class Prepared:
    """A prepared data set, or the test items of a campaign; `digest` names its content."""

    directory: Path
    digest: str

    @property
    def bundle(self) -> Bundle:
        """The public part."""
        return Bundle(self.directory / "public")

    @property
    def vault(self) -> Vault:
        """The private part."""
        return Vault(self.directory / "vault")

    @property
    def host(self) -> Path:
        """What only the host shows to students."""
        return self.directory / "host"

    def inputs(self, part: Part) -> Inputs:
        """The inputs of a part; only `train_unlabeled` is public."""
        if part is Part.TRAIN_UNLABELED:
            return self.bundle.inputs()
        return read_inputs(self.host / f"{part}.jsonl")


def _labels(rows: Sequence[dict[str, Any]]) -> Labels:
    return Labels(
        ids=tuple(row["id"] for row in rows),
        truth=np.array([row["y"] for row in rows], dtype=np.int8),
        problems=tuple(row["problem"] for row in rows),
        shifted=np.array([row["shifted"] for row in rows], dtype=np.bool_),
        metadata=tuple(row["metadata"] for row in rows),
    )
