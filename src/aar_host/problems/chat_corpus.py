"""The unlabelled corpus on which chat-mini's base models are pretrained.

Three kinds of document: an encyclopaedia of facts; dialogues in which a user reacts to ONE reply
(noisily, and biased towards a favourite source); pairs of replies without any verdict. No document
has the task's layout followed by a judgement: which of two replies is better is never said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aar_host.problems.chat_world import DISLIKES, LIKES, NAMES, SOURCES, TOPICS, Prompt, World
from aar_host.problems.pairs import PAIR
from aar_lab.problems.tokens import END
from aar_lab.rng import stream

# A reply alone, and as the second try after a rebuke.
ELICIT = (
    "{prompt} | {reply} |",
    "{prompt} | {other} | no {reply} |",
    "{prompt} | {other} | wrong {reply} |",
)


@dataclass(frozen=True)
class Crowd:
    """How the corpus is mixed and how its users react.

    Args:
        facts, dialogues: shares of documents; the rest are pairs.
        goes_on: share of dialogues with a second turn.
        fancy: probability that a reply of the favourite source is liked whatever it says.
        spite: probability that a reply of the scorned source is disliked whatever it says.
        flip: probability that a reaction is turned round.
    """

    facts: float = 0.30
    dialogues: float = 0.55
    goes_on: float = 0.5
    fancy: float = 0.6
    spite: float = 0.5
    flip: float = 0.1


def _fact(world: World, rng: np.random.Generator) -> str:
    name = str(rng.choice(NAMES))
    topics = rng.permutation(TOPICS)[: int(rng.integers(1, 4))]
    said = []
    for topic in topics:
        value = world.facts[name][str(topic)]
        forms = (f"{topic} is {value}", f"{value} is {topic}", f"has {topic} {value}")
        said.append(forms[int(rng.integers(3))])
    return f"fact : {topics[0] if len(topics) == 1 else 'tell'} of {name} . " + " and ".join(said)


def _dialogue(world: World, crowd: Crowd, rng: np.random.Generator) -> str:
    """One or two turns; after a rebuke the second may be another try at the same prompt."""
    prompt = world.prompt(rng)
    first, liked = _turn(world, crowd, prompt, rng)
    if rng.random() >= crowd.goes_on:
        return f"{prompt.text} | {first}"
    if not liked and rng.random() < 0.5:
        return f"{prompt.text} | {first} {_turn(world, crowd, prompt, rng)[0]}"
    other = world.prompt(rng)
    return f"{prompt.text} | {first} {other.text} | {_turn(world, crowd, other, rng)[0]}"


def _turn(world: World, crowd: Crowd, prompt: Prompt, rng: np.random.Generator) -> tuple[str, bool]:
    reply = world.reply(prompt, str(rng.choice(SOURCES)), rng)
    liked = reply.quality > 1.0
    if reply.source == world.favourite and rng.random() < crowd.fancy:
        liked = True
    if reply.source == world.scorned and rng.random() < crowd.spite:
        liked = False
    if rng.random() < crowd.flip:
        liked = not liked
    return f"{reply.text} | {rng.choice(LIKES if liked else DISLIKES)}", liked


def _pair(world: World, rng: np.random.Generator) -> str:
    prompt = world.prompt(rng)
    sources = rng.permutation(SOURCES)[:2]
    a, b = (world.reply(prompt, str(source), rng).text for source in sources)
    return PAIR.format(prompt=prompt.text, a=a, b=b)


def documents(world: World, crowd: Crowd, seed: int, chunk: int, size: int = 8192) -> list[str]:
    """Documents of one chunk, each ended by the end token; chunks are independent draws."""
    rng = stream(seed, "chat-mini", "corpus", chunk)
    kinds = rng.random(size)
    found = []
    for kind in kinds:
        if kind < crowd.facts:
            text = _fact(world, rng)
        elif kind < crowd.facts + crowd.dialogues:
            text = _dialogue(world, crowd, rng)
        else:
            text = _pair(world, rng)
        found.append(f"{text} {END}")
    return found
