"""chat-mini: which of two replies to a prompt is better?

The base models have read facts, and users' noisy and biased reactions to single replies; they have
never been told which of two is better. That knowledge is there to be elicited.
"""

from __future__ import annotations

import numpy as np

from aar_host.problems.base import Draw
from aar_host.problems.chat_world import (
    DISLIKES,
    LIKES,
    SHIFTED_SOURCES,
    SOURCES,
    World,
    vocabulary,
)
from aar_host.problems.corpora import PAIR, Corpus, Crowd, elicit
from aar_host.problems.pairs import PairProblem, Row
from aar_lab.problems.bundle import Formats
from aar_lab.rng import derive, pick


class ChatMini(PairProblem):
    """See the module; `seed` is the world seed."""

    name = "chat-mini"
    summary = "Choose the better of two replies by sources of varying honesty and manners."
    brief = """A user asks something about a person. Two sources reply. y = 1 means that reply a is
the better one: it states right facts, heeds the instruction and does not repeat itself. The strong
student has read about these people, and has seen users react to single replies; it has never
compared two. The weak supervisor has read little and sometimes guesses."""
    formats = Formats(
        task=PAIR, swap=("a", "b"), elicit=elicit(DISLIKES), likes=LIKES, dislikes=DISLIKES
    )
    vocabulary = vocabulary()

    def __init__(self, seed: int | None = None, strong: str = "M") -> None:
        super().__init__(seed, strong)
        self._world = World.draw(self.seed)

    def problem_rows(self, what: Draw, rng: np.random.Generator) -> list[Row]:
        """Pairs of replies to one prompt; ties are drawn again."""
        prompt = self._world.prompt(rng)
        # Prompts recur; all items of one are one problem, whichever draw of this seed they are of.
        number = f"{derive(what.seed, self.name, 'problem', prompt.text):016x}"
        others = SHIFTED_SOURCES + SOURCES[1:3] if what.shifted else SOURCES
        rows: list[Row] = []
        while len(rows) < what.pairs:
            one = pick(SHIFTED_SOURCES if what.shifted else SOURCES, rng)
            two = pick([other for other in others if other != one], rng)
            first, second = (one, two) if rng.integers(2) else (two, one)
            a = self._world.reply(prompt, first, rng)
            b = self._world.reply(prompt, second, rng)
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

    def documents(self, chunk: int, reacts: bool = True) -> list[str]:
        """Facts, dialogues, and pairs without a verdict."""
        world = self._world
        corpus = Corpus(
            self.name, world, SOURCES, (world.favourite,), (world.scorned,), LIKES, DISLIKES
        )
        return corpus.documents(Crowd(reacts=reacts), self.seed, chunk)
