"""code-mini's world: programs are real Python, and right is what the world itself does not say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.problems.code_world import (
    DOMAIN,
    MEANINGS,
    OPERATIONS,
    SHIFTED_SOURCES,
    SOURCES,
    VERBS,
    Program,
    Prompt,
    World,
    apply,
    same,
    vocabulary,
)
from aar_lab.rng import stream

EVERYONE = SOURCES + SHIFTED_SOURCES
WORLDS = {seed: World.draw(seed) for seed in (0, 100)}


def run(body: str) -> Callable[[int], int]:
    """The function of x with that body, as Python itself understands it."""
    space: dict[str, Callable[[int], int]] = {}
    exec(f"def f(x): {body}", space)  # noqa: S102  the generator's own programs
    return space["f"]


def meets(world: World, prompt: Prompt, body: str) -> bool:
    """Whether the program gives what the verbs mean, by Python's own arithmetic."""
    function = run(body)
    for x in DOMAIN:
        wanted = x
        for verb in prompt.verbs:
            wanted = eval(f"({wanted}) {world.meaning[verb]}")
        if function(x) != wanted:
            return False
    return True


def written(world: World, source: str, count: int = 400) -> list[tuple[Prompt, Program]]:
    rng = stream(7, "test", source)
    prompts = [world.prompt(rng) for _ in range(count)]
    return [(prompt, world.program(prompt, source, rng)) for prompt in prompts]


@pytest.mark.parametrize("source", EVERYONE)
@pytest.mark.parametrize("seed", WORLDS)
def test_a_program_is_right_if_python_finds_that_it_meets_the_specification(
    seed: int, source: str
) -> None:
    for prompt, program in written(WORLDS[seed], source):
        assert program.right == meets(WORLDS[seed], prompt, program.text), (prompt, program)


@pytest.mark.parametrize("source", EVERYONE)
@pytest.mark.parametrize("seed", WORLDS)
def test_no_source_is_nearly_always_right_or_wrong(seed: int, source: str) -> None:
    rate = np.mean([program.right for _, program in written(WORLDS[seed], source, 1500)])
    assert 0.40 <= rate <= 0.68


@pytest.mark.parametrize("source", EVERYONE)
def test_a_right_answer_has_several_forms(source: str) -> None:
    world, rng = WORLDS[0], stream(3, "forms")
    verbs = tuple(v for v in VERBS if world.meaning[v][0] != "*")[:2]
    programs = [world.program(Prompt(verbs, None), source, rng) for _ in range(600)]
    assert len({p.text for p in programs if p.right}) >= 3


def test_comments_may_lie() -> None:
    world = WORLDS[0]
    lies = [
        program
        for prompt, program in written(world, "named")
        if not program.right and f"'{prompt.verbs[0]}'" in program.text.split()
    ]
    assert len(lies) > 50


def test_an_example_is_true_and_shown_for_two_verbs_only() -> None:
    rng = stream(1, "examples")
    prompts = [WORLDS[0].prompt(rng) for _ in range(500)]
    shown = [prompt for prompt in prompts if prompt.example is not None]
    assert 0.1 < len(shown) / len(prompts) < 0.4
    for prompt in shown:
        assert prompt.example is not None
        given_, gives = prompt.example
        assert apply(WORLDS[0].meant(prompt.verbs), given_) == gives
        assert len(prompt.verbs) == 2
        assert prompt.text.split()[3:] == [";", str(given_), "gives", str(gives), "?"]


def test_verbs_mean_different_operations_and_worlds_differ() -> None:
    for world in WORLDS.values():
        assert set(world.meaning) == set(VERBS)
        assert len(set(world.meaning.values())) == len(VERBS)
        assert set(world.meaning.values()) <= set(MEANINGS)
        for verb, taken in world.mistaken.items():
            assert world.meaning[verb] not in taken
            assert set(taken) <= set(OPERATIONS)
    assert World.draw(0) == WORLDS[0]
    assert WORLDS[0].meaning != WORLDS[100].meaning


@given(st.lists(st.sampled_from(OPERATIONS), max_size=4), st.integers(-8, 8))
def test_apply_is_python_arithmetic(steps: list[str], x: int) -> None:
    wanted = x
    for step in steps:
        wanted = eval(f"({wanted}) {step}")
    assert apply(steps, x) == wanted


@pytest.mark.parametrize(
    ("one", "two", "equal"),
    [
        (["+3", "-1"], ["+2"], True),
        (["+1", "+2"], ["+2", "+1"], True),
        (["*2", "*2"], ["*4"], True),
        (["*2", "+1"], ["+1", "*2"], False),
        (["+3"], ["+4"], False),
    ],
)
def test_same_is_equality_of_functions(one: list[str], two: list[str], equal: bool) -> None:
    assert same(one, two) is equal


def test_the_vocabulary_is_the_same_in_every_world_and_has_no_word_twice() -> None:
    words = vocabulary()
    assert len(set(words)) == len(words)
    for world in WORLDS.values():
        for source in EVERYONE:
            for prompt, program in written(world, source, 100):
                assert set(f"{prompt.text} {program.text}".split()) <= set(words)
