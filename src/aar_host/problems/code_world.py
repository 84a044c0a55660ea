"""The world of code-mini: what its verbs mean, how authors write programs, and how they fail.

A world seed fixes the verbs' meanings, the authors' skills and the usual mistakes. Everything else
(which specifications, which programs) is drawn from a seed of its own, so that fresh data of the
same world are unlimited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from aar_lab.problems.tokens import vocabulary_of
from aar_lab.rng import stream

VERBS = "zap blim dosk frob gint hulp jarn kess mool pexi".split()
SIZES = {"+": range(1, 7), "-": range(1, 6), "*": range(2, 6)}
OPERATIONS = tuple(f"{sign}{size}" for sign, sizes in SIZES.items() for size in sizes)
MEANINGS = tuple(op for op in OPERATIONS if op not in ("+6", "-5", "*5"))
SOURCES = ("assign", "aug", "inline", "named", "tmp")
SHIFTED_SOURCES = ("padded", "mixed")
FAVOURITES, SCORNED = ("named", "tmp"), ("inline", "aug")
PITFALLS = 3
BUGS = ("off", "wrong", "swap", "skip", "twice")
DOMAIN = range(-8, 9)
EXAMPLES, LARGEST = range(5), 20
TEMPORARIES = tuple("xyzuvw")
LIKES = ("works", "good")
DISLIKES = ("bug", "fails")
STRUCTURE = "fact : make is . ; | ? gives return ( ) x= y= z= u= v= w= x y z u v w pass".split()


def apply(steps: Sequence[str], x: int) -> int:
    """The value of x after the operations, in order; an operation is a sign and a size: "*2"."""
    for step in steps:
        size = int(step[1:])
        x = x + size if step[0] == "+" else x - size if step[0] == "-" else x * size
    return x


def same(one: Sequence[str], two: Sequence[str]) -> bool:
    """Whether both compute the same function on `DOMAIN`."""
    return all(apply(one, x) == apply(two, x) for x in DOMAIN)


@dataclass(frozen=True)
class Prompt:
    """A specification: verbs to be applied in order; an example (input, output) or none."""

    verbs: tuple[str, ...]
    example: tuple[int, int] | None

    @property
    def text(self) -> str:
        """As the user says it."""
        shown = () if self.example is None else (";", self.example[0], "gives", self.example[1])
        return " ".join(map(str, ("make", *self.verbs, *shown, "?")))


@dataclass(frozen=True)
class Program:
    """What an author wrote: the body of a function of x, and whether it meets the specification."""

    text: str
    source: str
    right: bool


@dataclass(frozen=True)
class World:
    """Meanings and habits of one world seed.

    Args:
        meaning: verb → operation.
        mistaken: verb → the operations that it is taken for: off by one, and another sign.
        pitfalls: source → verbs over which it usually stumbles, in its own usual way.
        habit: source → its usual kind of bug.
        slips: source → probability of a bug of any kind where it did not stumble.
        stumbles: probability that a source's pitfall makes it err.
        variety: probability that a program is recast into another that does the same.
    """

    meaning: dict[str, str]
    mistaken: dict[str, tuple[str, str]]
    pitfalls: dict[str, tuple[str, ...]]
    habit: dict[str, str]
    slips: dict[str, float]
    stumbles: float = 0.7
    variety: float = 0.2

    @classmethod
    def draw(cls, seed: int) -> World:
        """The world of a seed."""
        rng = stream(seed, "code-mini", "world")
        ops = (str(op) for op in rng.permutation(MEANINGS))
        meaning = dict(zip(VERBS, ops, strict=False))
        mistaken = {verb: _mistakes(op, rng) for verb, op in meaning.items()}
        everyone = SOURCES + SHIFTED_SOURCES
        pitfalls = {
            source: tuple(str(verb) for verb in rng.permutation(VERBS)[:PITFALLS])
            for source in everyone
        }
        habits = map(str, [*rng.permutation(BUGS), *rng.permutation(BUGS)])
        slips = map(float, rng.permutation(np.linspace(0.05, 0.25, len(everyone))))
        return cls(
            meaning,
            mistaken,
            pitfalls,
            dict(zip(everyone, habits, strict=False)),
            dict(zip(everyone, slips, strict=True)),
        )

    def prompt(self, rng: np.random.Generator) -> Prompt:
        """A random specification of two or three verbs; some of two verbs show an example."""
        count = 3 if rng.random() < 0.4 else 2
        verbs = tuple(str(verb) for verb in rng.choice(VERBS, count))
        meant = self.meant(verbs)
        shown = [(x, apply(meant, x)) for x in EXAMPLES if 0 <= apply(meant, x) <= LARGEST]
        if count == 2 and shown and rng.random() < 0.4:
            return Prompt(verbs, shown[int(rng.integers(len(shown)))])
        return Prompt(verbs, None)

    def fact(self, rng: np.random.Generator) -> str:
        """What two to four verbs mean."""
        said = []
        for verb in rng.permutation(VERBS)[: int(rng.integers(2, 5))]:
            op = self.meaning[str(verb)]
            said.append(f"{verb} is {op if rng.random() < 0.5 else _augmented(op)}")
        return "fact : " + " . ".join(said)

    def said(self, prompt: Prompt, source: str, rng: np.random.Generator) -> tuple[str, bool]:
        """A program, and whether it is right."""
        program = self.program(prompt, source, rng)
        return program.text, program.right

    def meant(self, verbs: Sequence[str]) -> list[str]:
        """The operations that the verbs stand for."""
        return [self.meaning[verb] for verb in verbs]

    def program(self, prompt: Prompt, source: str, rng: np.random.Generator) -> Program:
        """What the source writes for the specification."""
        meant = self.meant(prompt.verbs)
        steps = self._attempt(prompt.verbs, source, rng)
        if rng.random() < self.variety:
            steps = _recast(steps, rng)
        text = " ".join(_write(source, steps, prompt.verbs))
        return Program(text, source, same(steps, meant))

    def _attempt(self, verbs: Sequence[str], source: str, rng: np.random.Generator) -> list[str]:
        traps = [i for i, verb in enumerate(verbs) if verb in self.pitfalls[source]]
        meant = self.meant(verbs)
        if traps and rng.random() < self.stumbles:
            steps = self._spoiled(verbs, int(rng.choice(traps)), self.habit[source])
        elif rng.random() < self.slips[source]:
            steps = meant
        else:
            return meant
        while same(steps, meant):
            steps = self._spoiled(verbs, int(rng.integers(len(verbs))), str(rng.choice(BUGS)))
        return steps

    def _spoiled(self, verbs: Sequence[str], at: int, bug: str) -> list[str]:
        """What the verbs mean, but for one bug; some bugs change nothing, as 1 + 2 is 2 + 1."""
        steps = self.meant(verbs)
        if bug == "skip":
            return steps[:at] + steps[at + 1 :]
        if bug == "twice":
            return steps[: at + 1] + steps[at:]
        if bug == "swap":
            at = min(at, len(steps) - 2)
            return [*steps[:at], steps[at + 1], steps[at], *steps[at + 2 :]]
        taken = self.mistaken[verbs[at]][BUGS.index(bug)]
        return [*steps[:at], taken, *steps[at + 1 :]]


def _augmented(op: str) -> str:
    return f"{op[0]}={op[1:]}"


def _mistakes(op: str, rng: np.random.Generator) -> tuple[str, str]:
    sign, size = op[0], int(op[1:])
    near = [f"{sign}{k}" for k in SIZES[sign] if abs(k - size) == 1]
    other = [f"{s}{size}" for s in SIZES if s != sign and size in SIZES[s]]
    return str(rng.choice(near)), str(rng.choice(other))


def _additive(steps: Sequence[str]) -> bool:
    return all(step[0] != "*" for step in steps)


@cache
def _in_two(step: str) -> tuple[tuple[str, str], ...]:
    return tuple((a, b) for a in OPERATIONS for b in OPERATIONS if same((a, b), (step,)))


def _recast(steps: list[str], rng: np.random.Generator) -> list[str]:
    """Another way to compute the same: two additions merged or exchanged, or a step in two."""
    at = int(rng.integers(len(steps)))
    two = steps[at : at + 2]
    if len(two) == 2 and _additive(two):
        total = apply(two, 0)
        merged = f"{total:+d}"
        if merged in OPERATIONS and rng.random() < 0.5:
            return [*steps[:at], merged, *steps[at + 2 :]]
        return [*steps[:at], *two[::-1], *steps[at + 2 :]]
    if len(steps) > 2:
        return steps
    ways = _in_two(steps[at])
    if not ways:
        return steps
    return [*steps[:at], *ways[int(rng.integers(len(ways)))], *steps[at + 1 :]]


def _write(source: str, steps: Sequence[str], verbs: Sequence[str]) -> list[str]:
    """The body of a function of x, in words."""
    words: list[str] = []
    if source == "inline":
        inner = [word for step in steps[:-1] for word in (step, ")")]
        return ["return", *["("] * (len(steps) - 1), "x", *inner, *steps[-1:]]
    for i, step in enumerate(steps[:-1]):
        if source == "tmp":
            words += [f"{TEMPORARIES[i + 1]}=", TEMPORARIES[i], step, ";"]
        elif source == "mixed":
            words += ["y=", "(", "y" if words else "x", step, ")", ";"]
        elif source == "assign":
            words += ["x=", "x", step, ";"]
        else:
            words += [*_remark(source, i, verbs), "x", _augmented(step), ";"]
    last = {"tmp": TEMPORARIES[len(steps) - 1], "mixed": "y" if words else "x"}.get(source, "x")
    return [*words, *_remark(source, len(steps) - 1, verbs), "return", last, *steps[-1:]]


def _remark(source: str, step: int, verbs: Sequence[str]) -> list[str]:
    """What stands before a step and does nothing."""
    if source == "named" and step < len(verbs):
        return [f"'{verbs[step]}'", ";"]
    return ["pass", ";"] if source == "padded" else []


def vocabulary() -> tuple[str, ...]:
    """Every word of every world, in a fixed order."""
    words = [*STRUCTURE, *LIKES, *DISLIKES, *VERBS, *(f"'{verb}'" for verb in VERBS)]
    words += [*OPERATIONS, *map(_augmented, OPERATIONS)]
    words += [str(value) for value in range(LARGEST + 1)]
    return vocabulary_of(words)
