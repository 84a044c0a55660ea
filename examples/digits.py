"""digits: is a handwritten digit odd? Real images, as a problem of one's own.

The 1,797 images of 8 × 8 pixels of scikit-learn's `load_digits` (UCI, Alpaydin & Kaynak 1998).
An item is an image, moved by at most one pixel and written as 64 words of four shades; the items
of an image are one cluster. The strong student has read the images outside the tests, without
labels. The weak supervisor is the same model, but was told of 60 images only, and overlooks two
fifths of the pixels of every item.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

from aar_host.problems.base import Draw, Sizes
from aar_host.problems.single import FiniteProblem, Row
from aar_lab.learners.base import Plan
from aar_lab.learners.pretraining import Pretraining
from aar_lab.problems.bundle import Formats
from aar_lab.problems.tokens import END, vocabulary_of
from aar_lab.rng import stream

SHADES = (".", "-", "+", "#")
HIDDEN = "?"
MOVES = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
FAR_MOVES = [(x, y) for x in (-2, 2) for y in (-1, 0, 1)]
CHUNK = 1024


class Digits(FiniteProblem):
    """See the module; `seed` splits the images."""

    name = "digits"
    summary = "Tell whether a handwritten digit is odd, from its pixels."
    brief = """An item is an image of 8 x 8 pixels in four shades, row by row. y = 1 means that it
shows an odd digit. The strong student has read such images without being told what they show. The
weak supervisor was told of a few, and overlooks many of the pixels of each."""
    formats = Formats(task="{pixels} |", gap=HIDDEN)
    vocabulary = vocabulary_of((*SHADES, HIDDEN, "|"))
    sizes = Sizes(
        train_labeled=660, weak_problems=60, train_unlabeled=420, test=420, shifted=80, pairs=4
    )
    shapes = MappingProxyType(
        {
            "S": {"width": 32, "layers": 2, "heads": 2, "context": 66},
            "M": {"width": 64, "layers": 3, "heads": 4, "context": 66},
        }
    )
    pretraining = MappingProxyType({"S": Pretraining(500_000), "M": Pretraining(2_000_000)})
    weak = "M"
    weak_plan = Plan(epochs=10)
    weak_misses = 0.4

    def __init__(self, seed: int = 0, strong: str = "M") -> None:
        super().__init__(seed, strong)
        found = load_digits()
        self._images = np.minimum(found.images.astype(int) * len(SHADES) // 16, len(SHADES) - 1)
        self._digits = found.target
        self.total = len(self._digits)

    def rows(self, what: Draw, rng: np.random.Generator) -> list[Row]:
        """Each image of the part, moved; unseen moves where shifted. The same for every seed."""
        moves = FAR_MOVES if what.shifted else MOVES
        fixed = stream(self.seed, self.name, what.purpose)
        rows: list[Row] = []
        for place in self.taken(what):
            digit = int(self._digits[place])
            private = {"y": digit % 2, "problem": f"image {place}", "digit": digit}
            for move in fixed.permutation(moves)[: what.pairs]:
                rows.append(({"pixels": self._text(place, move)}, private))
        return rows

    def documents(self, chunk: int) -> list[str]:
        """Moved images that no test shows, alone."""
        rng = stream(self.seed, self.name, "corpus", chunk)
        free = np.setdiff1d(np.arange(self.total), self.unseen())
        places, moves = rng.choice(free, CHUNK), rng.choice(MOVES, CHUNK)
        return [f"{self._text(p, m)} | {END}" for p, m in zip(places, moves, strict=True)]

    def _text(self, place: int, move: npt.NDArray[np.int64]) -> str:
        canvas = np.pad(self._images[place], 2)
        x, y = move
        return " ".join(SHADES[v] for v in canvas[2 + y : 10 + y, 2 + x : 10 + x].ravel())


PROBLEM = Digits
