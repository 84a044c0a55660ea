"""The unlabelled corpus on which chat-mini's base models are pretrained.

Three kinds of document: an encyclopaedia of facts; dialogues in which a user reacts to ONE reply
(noisily, and biased towards a favourite source); pairs of replies without any verdict. No document
has the task's layout followed by a judgement: which of two replies is better is never said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aar_host.problems.chat_world import DISLIKES, LIKES, NAMES, SOURCES, TOPICS, World
from aar_lab.problems.tokens import END
from aar_lab.rng import stream

PAIR = "{prompt} | {a} | {b} |"
DIALOGUE = "{prompt} | {reply} |"


@dataclass(frozen=True)
class Crowd:
    """How the corpus is mixed and how its users react.

    Args:
        facts, dialogues: shares of documents; the rest are pairs.
        reacts: share of dialogues with a reaction.
        fancy: probability that a reply of the favourite source is liked whatever it says.
        flip: probability that a reaction is turned round.
        doubt: s.d. of the noise on the quality a user perceives.
    """

    facts: float = 0.30
    dialogues: float = 0.55
    reacts: float = 0.7
    fancy: float = 0.35
    flip: float = 0.08
    doubt: float = 0.0


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
    prompt = world.prompt(rng)
    reply = world.reply(prompt, str(rng.choice(SOURCES)), rng)
    text = DIALOGUE.format(prompt=prompt.text, reply=reply.text)
    if rng.random() >= crowd.reacts:
        return text
    liked = reply.quality + crowd.doubt * rng.standard_normal() > 1.0
    if reply.source == world.favourite and rng.random() < crowd.fancy:
        liked = True
    if rng.random() < crowd.flip:
        liked = not liked
    return f"{text} {rng.choice(LIKES if liked else DISLIKES)}"


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
