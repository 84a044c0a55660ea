"""What the corpora of chat-, math- and code-mini share.

Three kinds of document: facts of the world; dialogues in which a user reacts to ONE reply (noisily,
and biased for some sources and against others); pairs of replies without any verdict. No document
has the task's layout followed by a judgement: which of two replies is better is never said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from aar_lab.problems.tokens import END
from aar_lab.rng import pick, stream

PAIR = "{prompt} | {a} | {b} |"


def elicit(rebukes: tuple[str, ...]) -> tuple[str, ...]:
    """Formats in which a model judges a reply: alone, and as the second try after each rebuke."""
    again = (f"{{prompt}} | {{other}} | {word} {{reply}} |" for word in rebukes)
    return ("{prompt} | {reply} |", *again)


@dataclass(frozen=True)
class Crowd:
    """How a corpus is mixed and how its users react.

    Args:
        facts, dialogues: shares of documents; the rest are pairs.
        goes_on: share of dialogues with a second turn.
        again: share of rebukes after which the second turn is another try at the same prompt.
        fancy: probability that a reply of a favourite source is liked whatever it says.
        spite: probability that a reply of a scorned source is disliked whatever it says.
        flip: probability that a reaction is turned round.
        closes: whether the bar after which reactions come also follows the second reply of a pair,
            where none does. If so, a model learns that nothing need be known of a reply there.
        reacts: whether users react at all; False for the ablation without any judgement.
    """

    facts: float = 0.30
    dialogues: float = 0.55
    goes_on: float = 0.5
    again: float = 0.5
    fancy: float = 0.6
    spite: float = 0.5
    flip: float = 0.1
    closes: bool = True
    reacts: bool = True


class World(Protocol):
    """What a corpus tells of."""

    def fact(self, rng: np.random.Generator) -> str:
        """A document of facts."""
        ...

    def prompt(self, rng: np.random.Generator) -> Any:
        """A prompt, with its `text`."""
        ...

    def said(self, prompt: Any, source: str, rng: np.random.Generator) -> tuple[str, bool]:
        """What a source replies, and whether it deserves to be liked."""
        ...


@dataclass(frozen=True)
class Corpus:
    """The documents of one world.

    Args:
        name: of the problem, names the random stream.
        sources: who replies.
        favourites, scorned: sources that users like, or dislike, whatever they say.
        likes, dislikes: words of reactions.
    """

    name: str
    world: World
    sources: tuple[str, ...]
    favourites: tuple[str, ...]
    scorned: tuple[str, ...]
    likes: tuple[str, ...]
    dislikes: tuple[str, ...]

    def documents(self, crowd: Crowd, seed: int, chunk: int, size: int = 8192) -> list[str]:
        """Documents of one chunk, each ended by the end token; chunks are independent draws."""
        rng = stream(seed, self.name, "corpus", chunk)
        found = []
        for kind in rng.random(size):
            if kind < crowd.facts:
                text = self.world.fact(rng)
            elif kind < crowd.facts + crowd.dialogues:
                text = self._dialogue(crowd, rng)
            else:
                text = self._pair(crowd, rng)
            found.append(f"{text} {END}")
        return found

    def _dialogue(self, crowd: Crowd, rng: np.random.Generator) -> str:
        """One or two turns; after a rebuke the second may be another try at the same prompt."""
        prompt = self.world.prompt(rng)
        first, liked = self._turn(crowd, prompt, rng)
        if rng.random() >= crowd.goes_on:
            return f"{prompt.text} | {first}"
        if not liked and rng.random() < crowd.again:
            return f"{prompt.text} | {first} {self._turn(crowd, prompt, rng)[0]}"
        other = self.world.prompt(rng)
        return f"{prompt.text} | {first} {other.text} | {self._turn(crowd, other, rng)[0]}"

    def _turn(self, crowd: Crowd, prompt: Any, rng: np.random.Generator) -> tuple[str, bool]:
        source = pick(self.sources, rng)
        text, liked = self.world.said(prompt, source, rng)
        if source in self.favourites and rng.random() < crowd.fancy:
            liked = True
        if source in self.scorned and rng.random() < crowd.spite:
            liked = False
        if rng.random() < crowd.flip:
            liked = not liked
        if not crowd.reacts:
            return f"{text} |", True
        return f"{text} | {pick(self.likes if liked else self.dislikes, rng)}", liked

    def _pair(self, crowd: Crowd, rng: np.random.Generator) -> str:
        prompt = self.world.prompt(rng)
        pair = (self.sources[i] for i in rng.permutation(len(self.sources))[:2])
        a, b = (self.world.said(prompt, source, rng)[0] for source in pair)
        said = PAIR.format(prompt=prompt.text, a=a, b=b)
        return said if crowd.closes else said.removesuffix(" |")
