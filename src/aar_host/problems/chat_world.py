"""The world of chat-mini: who lives where, how sources talk, and what makes a reply good.

A world seed fixes facts and tastes. Everything else (which prompts, which replies) is drawn from
a seed of its own, so that fresh data of the same world are unlimited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aar_lab.problems.tokens import vocabulary_of
from aar_lab.rng import pick, stream

NAMES = (
    "lena omar ines hugo maya teo nora ivan zoe karl rosa jun "
    "ada felix mina otto vera liam yuki sven dora emil asha noah"
).split()
VALUES = {
    "home": "paris lima oslo cairo quito delhi rome seoul".split(),
    "pet": "cat dog fox owl toad hare crow mole".split(),
    "job": "cook judge pilot nurse smith clerk miner tutor".split(),
}
TOPICS = tuple(VALUES)
INSTRUCTIONS = ("plain", "brief", "polite", "full")
SOURCES = ("terse", "normal", "fluffy", "courtly", "rambler")
SHIFTED_SOURCES = ("scholar", "herald")
PROMPT_WORDS = {"plain": (), "brief": ("briefly",), "polite": ("kindly",), "full": ("fully",)}
POLITE = ("dear", "friend", "please")
LIKES = ("thanks", "great")
DISLIKES = ("no", "wrong")
STRUCTURE = "fact chat : > | ? . of and is has well wow yes sources say indeed hear so tell".split()
GOOD = 1.0

Statement = tuple[str, str]


@dataclass(frozen=True)
class Prompt:
    """A question about one person: one topic, or all of them under "full"."""

    name: str
    topic: str
    instruction: str

    @property
    def text(self) -> str:
        """As the user says it."""
        asked = "tell" if self.instruction == "full" else self.topic
        return " ".join((*PROMPT_WORDS[self.instruction], asked, "of", self.name, "?"))


@dataclass(frozen=True)
class Reply:
    """What a source answered, and its latent quality."""

    text: str
    source: str
    quality: float


@dataclass(frozen=True)
class World:
    """Facts and tastes of one world seed.

    Args:
        facts: person → topic → value.
        skill: source → probability that a stated fact is right.
        care: source → probability that an instruction is heeded.
        favourite: a source that the crowd tends to like whatever it says.
        scorned: a source that the crowd tends to dislike whatever it says.
    """

    facts: dict[str, dict[str, str]]
    skill: dict[str, float]
    care: dict[str, float]
    favourite: str
    scorned: str

    @classmethod
    def draw(cls, seed: int) -> World:
        """The world of a seed."""
        rng = stream(seed, "chat-mini", "world")
        facts = {n: {t: pick(VALUES[t], rng) for t in TOPICS} for n in NAMES}
        everyone = SOURCES + SHIFTED_SOURCES
        skill = dict(
            zip(everyone, rng.permutation(np.linspace(0.5, 0.65, len(everyone))), strict=True)
        )
        care = dict(
            zip(everyone, rng.permutation(np.linspace(0.4, 0.7, len(everyone))), strict=True)
        )
        return cls(facts, skill, care, "courtly", "terse")

    def prompt(self, rng: np.random.Generator) -> Prompt:
        """A random question."""
        return Prompt(
            pick(NAMES, rng),
            pick(TOPICS, rng),
            str(rng.choice(INSTRUCTIONS, p=(0.3, 0.2, 0.2, 0.3))),
        )

    def reply(self, prompt: Prompt, source: str, rng: np.random.Generator) -> Reply:
        """What the source says to the prompt."""
        heeds = rng.random() < self.care[source]
        count = 3 if prompt.instruction == "full" and heeds else int(rng.integers(1, 3))
        others = [t for t in TOPICS if t != prompt.topic]
        topics = [prompt.topic, *(others[i] for i in rng.permutation(len(others)))]
        if prompt.instruction != "full":
            count = 1
        stated = [(t, self._value(prompt.name, t, source, rng)) for t in topics[:count]]
        order = rng.permutation(len(stated))
        words = _speak(source, [stated[i] for i in order], rng)
        if prompt.instruction == "polite" and heeds and source != "courtly":
            words = ["please", *words] if rng.random() < 0.5 else [*words, "friend"]
        if prompt.instruction == "brief" and heeds and source != "rambler":
            words = _speak("terse", stated, rng)
        return Reply(" ".join(words), source, self.quality(prompt, stated, words))

    def _value(self, name: str, topic: str, source: str, rng: np.random.Generator) -> str:
        truth = self.facts[name][topic]
        if rng.random() < self.skill[source]:
            return truth
        return pick([v for v in VALUES[topic] if v != truth], rng)

    def fact(self, rng: np.random.Generator) -> str:
        """What is known of one person."""
        name = pick(NAMES, rng)
        topics = rng.permutation(TOPICS)[: int(rng.integers(1, 4))]
        said = [_clause(str(topic), self.facts[name][str(topic)], rng) for topic in topics]
        asked = topics[0] if len(topics) == 1 else "tell"
        return f"fact : {asked} of {name} . " + " and ".join(map(" ".join, said))

    def said(self, prompt: Prompt, source: str, rng: np.random.Generator) -> tuple[str, bool]:
        """A reply, and whether it is good."""
        reply = self.reply(prompt, source, rng)
        return reply.text, reply.quality > GOOD

    def quality(self, prompt: Prompt, stated: Sequence[Statement], words: Sequence[str]) -> float:
        """Right facts, plus instruction heeded, minus repetition."""
        right = sum(1 if self.facts[prompt.name][t] == v else -1 for t, v in stated)
        heeded = {
            "plain": True,
            "brief": len(words) <= 2,
            "polite": any(word in POLITE for word in words),
            "full": len(stated) == len(TOPICS),
        }[prompt.instruction]
        repeats = any(words.count(value) > 1 for _, value in stated)
        weight = 1.0 if prompt.instruction == "full" else 2.0
        return weight * right + heeded - 0.5 * repeats


def _clause(topic: str, value: str, rng: np.random.Generator) -> list[str]:
    forms = ([topic, "is", value], [value, "is", topic], ["has", topic, value])
    return list(forms[int(rng.integers(3))])


def _join(parts: Sequence[Sequence[str]]) -> list[str]:
    words = list(parts[0])
    for part in parts[1:]:
        words += ["and", *part]
    return words


def _speak(source: str, stated: Sequence[Statement], rng: np.random.Generator) -> list[str]:
    clauses = _join([_clause(t, v, rng) for t, v in stated])
    if source == "terse":
        return _join([[v] for _, v in stated])
    if source == "fluffy":
        return [*(["well"] if rng.random() < 0.5 else []), *clauses, "wow"]
    if source == "courtly":
        return ["dear", *(["friend"] if rng.random() < 0.5 else []), *clauses]
    if source == "rambler":
        return [*clauses, "yes", *_clause(*stated[0], rng)]
    if source == "scholar":
        return ["sources", "say", *clauses, "indeed", "sources", "say", "so"]
    if source == "herald":
        return ["hear", "hear", *clauses, "and", "so", *_clause(*stated[-1], rng)]
    return clauses


def vocabulary() -> tuple[str, ...]:
    """Every word of every world, in a fixed order."""
    words = [*STRUCTURE, *TOPICS, *POLITE, *LIKES, *DISLIKES, *NAMES]
    words += [word for part in PROMPT_WORDS.values() for word in part]
    words += [value for values in VALUES.values() for value in values]
    return vocabulary_of(words)
