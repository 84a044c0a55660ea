"""chat-mini: which of two replies to a prompt is better?

The base models have read facts, and users' noisy and biased reactions to single replies; they have
never been told which of two is better. That knowledge is there to be elicited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from aar_host.problems.base import Draw, Sizes
from aar_host.problems.chat_corpus import DIALOGUE, PAIR, Crowd, documents
from aar_host.problems.chat_world import (
    DISLIKES,
    LIKES,
    SHIFTED_SOURCES,
    SOURCES,
    World,
    vocabulary,
)
from aar_host.vault import Labels
from aar_lab.learners.base import Plan
from aar_lab.learners.pretraining import Pretraining
from aar_lab.problems.bundle import Formats, Problem
from aar_lab.problems.tokens import Tokeniser
from aar_lab.rng import derive, stream
from aar_lab.types import Inputs

SUMMARY = "Choose the better of two replies by sources of varying honesty and manners."
BRIEF = """A user asks something about a person. Two sources reply. y = 1 means that reply a is the
better one: it states right facts, heeds the instruction and does not repeat itself. The strong
student has read about these people, and has seen users react to single replies; it has never
compared two. The weak supervisor has read little and sometimes guesses."""


class ChatMini:
    """See the module; `seed` is the world seed."""

    name = "chat-mini"
    sizes = Sizes(
        train_labeled=3200, weak_problems=200, train_unlabeled=600, test=900, shifted=150, pairs=5
    )
    weak = "W"
    strong = "M"
    weak_plan = Plan(epochs=4)
    weak_misses = 0.2
    pretraining: Mapping[str, Pretraining] = MappingProxyType(
        {"W": Pretraining(4_000_000), "M": Pretraining(10_000_000)}
    )
    pretraining_seed = 0

    def __init__(self, seed: int = 0) -> None:
        self._seed, self._world = seed, World.draw(seed)

    def public(self) -> Problem:
        """The public description."""
        words = vocabulary()
        return Problem(
            name=self.name,
            version=f"1-world{self._seed}",
            summary=SUMMARY,
            brief=BRIEF,
            formats=Formats(
                task=PAIR, swap=("a", "b"), elicit=DIALOGUE, likes=LIKES, dislikes=DISLIKES
            ),
            vocabulary=words,
            students={
                "W": {
                    "vocabulary": len(words),
                    "width": 32,
                    "layers": 2,
                    "heads": 2,
                    "context": 64,
                },
                "M": {
                    "vocabulary": len(words),
                    "width": 64,
                    "layers": 3,
                    "heads": 4,
                    "context": 64,
                },
            },
        )

    def draw(self, what: Draw) -> tuple[Inputs, Labels]:
        """Pairs of replies; ids are random words of the draw's own stream."""
        rng = stream(what.seed, self.name, self._seed, what.purpose)
        rows = [row for _ in range(what.problems) for row in self._problem(what, rng)]
        ids = tuple(f"{rng.integers(2**63):016x}" for _ in rows)
        inputs = Inputs(ids, tuple(row[0] for row in rows))
        labels = Labels(
            ids=ids,
            truth=np.array([row[1]["y"] for row in rows], dtype=np.int8),
            problems=tuple(str(row[1]["problem"]) for row in rows),
            shifted=np.full(len(rows), what.shifted),
            metadata=tuple(row[1] for row in rows),
        )
        return inputs, labels

    def _problem(
        self, what: Draw, rng: np.random.Generator
    ) -> list[tuple[dict[str, str], dict[str, object]]]:
        prompt = self._world.prompt(rng)
        # Prompts recur; all items of one are one problem, whichever draw of this seed they are of.
        number = f"{derive(what.seed, self.name, 'problem', prompt.text):016x}"
        others = SHIFTED_SOURCES + SOURCES[1:3] if what.shifted else SOURCES
        rows: list[tuple[dict[str, str], dict[str, object]]] = []
        while len(rows) < what.pairs:
            one = str(rng.choice(SHIFTED_SOURCES if what.shifted else SOURCES))
            two = str(rng.choice([other for other in others if other != one]))
            first, second = rng.permutation([one, two])
            a = self._world.reply(prompt, str(first), rng)
            b = self._world.reply(prompt, str(second), rng)
            if a.quality == b.quality:
                continue
            private = {
                "y": int(a.quality > b.quality),
                "problem": number,
                "instruction": prompt.instruction,
                "sources": [a.source, b.source],
                "quality": [a.quality, b.quality],
            }
            rows.append(({"prompt": prompt.text, "a": a.text, "b": b.text}, private))
        return rows

    def base_weights(self, student: str) -> Path:
        """Shipped weights of a base model."""
        return Path(__file__).parent / "weights" / self.name / f"{student}.safetensors"

    def corpus(self, student: str, chunk: int) -> Sequence[Sequence[int]]:
        """Documents of one chunk, in tokens."""
        tokens = Tokeniser(vocabulary())
        found = documents(self._world, Crowd(), self._seed, chunk)
        return [tokens.encode(text) for text in found]
