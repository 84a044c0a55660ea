"""The world of math-mini: what eight invented verbs do to a number, and how solvers write and err.

A world seed fixes what the verbs do and who misreads which. Everything else (which problems, which
solutions) is drawn from a seed of its own, so that fresh data of the same world are unlimited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aar_lab.problems.tokens import vocabulary_of
from aar_lab.rng import pick, stream

VERBS = "dax wug fep blick zup mib tor lun".split()
VALUES = 10
OPERATIONS = "+1 +2 +3 +4 +5 -1 -2 -3 -4 *2 *3 *4".split()
SOURCES = ("steps", "short", "chain", "wordy", "polite")
SHIFTED_SOURCES = ("scholar", "herald")
FAVOURITES = ("polite",)
SCORNED = ("chain",)
# What goes wrong beside habits; a slip or a wrong final number shows in no operation.
ERRORS = ("misread", "misread", "misread", "misread", "misread", "misread", "slip", "final")
HABIT = 0.5
LINKS = ("is", "=", ">", "to")
LIKES = ("yes", "right")
DISLIKES = ("no", "wrong")
STRUCTURE = (
    "fact : > | ? . , ; = is and so thus to we get have then next please dear now ok see hear hence"
).split()

Step = tuple[str, str]


@dataclass(frozen=True)
class Prompt:
    """A number, and the verbs done to it one after the other."""

    start: int
    verbs: tuple[str, ...]

    @property
    def text(self) -> str:
        """As a problem is put."""
        return f"{self.start} {' '.join(self.verbs)} ?"


@dataclass(frozen=True)
class Solution:
    """What a source wrote, whether its last word is the right number, and what went wrong."""

    text: str
    source: str
    correct: bool
    error: str


@dataclass(frozen=True)
class World:
    """Verbs and solvers of one world seed.

    Args:
        does: verb → its operation; no two are the same.
        looks: verb → the verb that it is misread as.
        pitfall: source → the verb that it tends to misread, whoever asks.
        care: source → probability that nothing else goes wrong.
    """

    does: dict[str, str]
    looks: dict[str, str]
    pitfall: dict[str, str]
    care: dict[str, float]

    @classmethod
    def draw(cls, seed: int) -> World:
        """The world of a seed."""
        rng = stream(seed, "math-mini", "world")
        operations = [str(name) for name in rng.permutation(OPERATIONS)]
        circle = [str(verb) for verb in rng.permutation(VERBS)]
        everyone = SOURCES + SHIFTED_SOURCES
        care = rng.permutation(np.linspace(0.55, 0.72, len(everyone)))
        pitfalls = rng.permutation(VERBS)[: len(everyone)]
        return cls(
            does=dict(zip(VERBS, operations, strict=False)),
            looks=dict(zip(circle, circle[1:] + circle[:1], strict=True)),
            pitfall={name: str(verb) for name, verb in zip(everyone, pitfalls, strict=True)},
            care={name: float(value) for name, value in zip(everyone, care, strict=True)},
        )

    def prompt(self, rng: np.random.Generator) -> Prompt:
        """A random problem of two verbs."""
        verbs = (pick(VERBS, rng), pick(VERBS, rng))
        return Prompt(int(rng.integers(VALUES)), verbs)

    def fact(self, rng: np.random.Generator) -> str:
        """What some verbs do, or what some operations give."""
        said = []
        sums = rng.random() < 0.4
        for _ in range(int(rng.integers(2, 6))):
            verb, value, link = pick(VERBS, rng), int(rng.integers(VALUES)), pick(LINKS, rng)
            does = self.does[verb]
            told = (
                f"{value} {does} {link} {result(does, value)}" if sums else f"{verb} {link} {does}"
            )
            said.append(told)
        return "fact : " + " . ".join(said)

    def said(self, prompt: Prompt, source: str, rng: np.random.Generator) -> tuple[str, bool]:
        """A solution, and whether it is right."""
        solution = self.solution(prompt, source, rng)
        return solution.text, solution.correct

    def answer(self, prompt: Prompt) -> int:
        """The right final number."""
        value = prompt.start
        for verb in prompt.verbs:
            value = result(self.does[verb], value)
        return value

    def solution(self, prompt: Prompt, source: str, rng: np.random.Generator) -> Solution:
        """What the source writes; errors that lead to the right number count as right."""
        error = "none" if rng.random() < self.care[source] else pick(ERRORS, rng)
        at = int(rng.integers(len(prompt.verbs)))
        steps: list[Step] = []
        value = prompt.start
        for number, verb in enumerate(prompt.verbs):
            wrong = error if number == at else "none"
            habit = verb == self.pitfall[source] and rng.random() < HABIT
            does = self.does[self.looks[verb] if habit or wrong == "misread" else verb]
            value = result(does, value)
            value = _off(value, rng) if wrong == "slip" else value
            steps.append((verb, does))
        final = _off(value, rng) if error == "final" else value
        words = _write(source, prompt.start, steps, rng)
        text = " ".join((*words, str(final)))
        return Solution(text, source, final == self.answer(prompt), error)


def result(operation: str, value: int) -> int:
    """What an operation makes of a number, modulo `VALUES`."""
    by = int(operation[1:])
    return {"+": value + by, "-": value - by, "*": value * by}[operation[0]] % VALUES


def _off(value: int, rng: np.random.Generator) -> int:
    """A wrong number, most often a neighbour."""
    if rng.random() < 0.8:
        return (value + (1 if rng.random() < 0.7 else -1)) % VALUES
    return (value + int(rng.integers(1, VALUES))) % VALUES


def _write(source: str, start: int, steps: Sequence[Step], rng: np.random.Generator) -> list[str]:
    """The words of a solution before its final number: the operations, in the source's manner."""

    def one(*choice: str) -> str:
        return pick(choice, rng)

    def joined(*links: str, turned: bool = False) -> list[str]:
        words: list[str] = []
        for step in steps:
            words += [pick(links, rng)] if words else []
            words += step[::-1] if turned else step
        return words

    if source == "steps":
        return [*joined(",", ";", "and"), one("so", "thus", "=")]
    if source == "short":
        start_word = [one("now", "ok")] if rng.random() < 0.5 else []
        return [*start_word, *joined(",", turned=True), one("=", "so")]
    if source == "chain":
        return [str(start), one(">", "to"), *joined(">", "to"), one(">", "to")]
    if source == "wordy":
        return ["we", *joined("then", "next", "and"), one("get", "have")]
    if source == "polite":
        return [one("please", "dear"), ":", *joined(".", "and", turned=True), one("is", "=")]
    if source == "scholar":
        return ["see", ":", *joined("thus", "hence"), "hence"]
    return ["hear", "hear", *joined(".", turned=True), one("so", "is")]


def vocabulary() -> tuple[str, ...]:
    """Every word of every world, in a fixed order."""
    numbers = [str(value) for value in range(VALUES)]
    return vocabulary_of([*STRUCTURE, *LIKES, *DISLIKES, *VERBS, *numbers, *OPERATIONS])
