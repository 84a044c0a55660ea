"""math-mini's world: what verbs do, how solvers write and err, and what the labels rest on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.problems.math_world import (
    ERRORS,
    OPERATIONS,
    SHIFTED_SOURCES,
    SOURCES,
    VALUES,
    VERBS,
    Prompt,
    Solution,
    World,
    result,
    vocabulary,
)
from aar_lab.rng import stream

EVERYONE = SOURCES + SHIFTED_SOURCES
WORLDS = {seed: World.draw(seed) for seed in (0, 2, 3, 100)}
CALIBRATED = (0, 100)
Operations = tuple[str, ...]


def reached(start: int, operations: Operations) -> int:
    """The last number, by Python's own arithmetic and a single reduction at the end."""
    value = start
    for operation in operations:
        value = eval(f"({value}) {operation}")
    return value % VALUES


def wanted(world: World, prompt: str) -> int:
    """The right last number, from the words of the problem and what the world's verbs do."""
    start, *verbs, mark = prompt.split()
    assert mark == "?"
    return reached(int(start), tuple(world.does[verb] for verb in verbs))


def operations(solution: Solution) -> Operations:
    """The operations that a solution shows."""
    return tuple(word for word in solution.text.split() if word in OPERATIONS)


@cache
def written(seed: int, source: str, count: int = 800) -> list[tuple[Prompt, Solution]]:
    world, rng = WORLDS[seed], stream(seed, "test", source)
    prompts = [world.prompt(rng) for _ in range(count)]
    return [(prompt, world.solution(prompt, source, rng)) for prompt in prompts]


# --- verbs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", WORLDS)
def test_verbs_do_different_things_and_are_misread_in_a_circle(seed: int) -> None:
    world = WORLDS[seed]
    assert set(world.does) == set(VERBS)
    assert len(set(world.does.values())) == len(VERBS)
    assert set(world.does.values()) <= set(OPERATIONS)
    seen, verb = [], VERBS[0]
    for _ in VERBS:
        seen.append(verb := world.looks[verb])
    assert sorted(seen) == sorted(VERBS)


def test_a_world_is_a_function_of_its_seed_and_no_two_are_alike() -> None:
    assert all(World.draw(seed) == world for seed, world in WORLDS.items())
    assert len({tuple(sorted(world.does.items())) for world in WORLDS.values()}) == len(WORLDS)


@given(operation=st.sampled_from(OPERATIONS), value=st.integers(0, VALUES - 1))
def test_an_operation_is_arithmetic_modulo_the_number_of_values(operation: str, value: int) -> None:
    assert result(operation, value) == eval(f"({value} {operation}) % {VALUES}")


@given(seed=st.integers(0, 10_000), world=st.sampled_from(list(WORLDS.values())))
def test_the_answer_of_a_problem_follows_from_its_text(seed: int, world: World) -> None:
    prompt = world.prompt(np.random.default_rng(seed))
    assert world.answer(prompt) == wanted(world, prompt.text)
    assert 0 <= prompt.start < VALUES
    assert len(prompt.verbs) == 2


@pytest.mark.parametrize("seed", WORLDS)
def test_facts_tell_what_verbs_do_or_what_operations_give(seed: int) -> None:
    world, rng = WORLDS[seed], stream(seed, "facts")
    forms = {3: 0, 4: 0}
    for _ in range(300):
        for said in world.fact(rng).removeprefix("fact : ").split(" . "):
            words = said.split()
            forms[len(words)] += 1
            if len(words) == 3:
                assert world.does[words[0]] == words[2]
            else:
                assert reached(int(words[0]), (words[1],)) == int(words[3])
    assert min(forms.values()) > 100


# --- solutions --------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 10_000),
    world=st.sampled_from(list(WORLDS.values())),
    source=st.sampled_from(EVERYONE),
)
def test_a_solution_is_right_if_and_only_if_its_last_word_is(
    seed: int, world: World, source: str
) -> None:
    rng = np.random.default_rng(seed)
    prompt = world.prompt(rng)
    solution = world.solution(prompt, source, rng)
    assert solution.source == source
    assert solution.correct == (int(solution.text.split()[-1]) == wanted(world, prompt.text))


def readings(world: World, source: str, verbs: Operations) -> set[Operations]:
    """What a source may take the verbs for, by its habit alone."""
    taken = (
        {world.does[verb], world.does[world.looks[verb]]}
        if verb == world.pitfall[source]
        else {world.does[verb]}
        for verb in verbs
    )
    return set(product(*taken))


def shown(world: World, prompt: Prompt, source: str, error: str) -> Iterator[Operations]:
    """All that a source may show for a problem if that goes wrong."""
    for read in readings(world, source, prompt.verbs):
        for at, verb in enumerate(prompt.verbs):
            misread = world.does[world.looks[verb]]
            yield (*read[:at], misread if error == "misread" else read[at], *read[at + 1 :])


@pytest.mark.parametrize("source", EVERYONE)
@pytest.mark.parametrize("seed", CALIBRATED)
def test_errors_are_what_they_are_called(seed: int, source: str) -> None:
    for prompt, solution in written(seed, source):
        possible = shown(WORLDS[seed], prompt, source, solution.error)
        assert operations(solution) in possible, (prompt, solution)


@pytest.mark.parametrize("source", EVERYONE)
@pytest.mark.parametrize("seed", CALIBRATED)
def test_only_a_slip_or_a_wrong_final_number_parts_the_answer_from_the_operations(
    seed: int, source: str
) -> None:
    agrees: dict[str, list[bool]] = {error: [] for error in ("none", *ERRORS)}
    for prompt, solution in written(seed, source):
        last = int(solution.text.split()[-1])
        agrees[solution.error].append(reached(prompt.start, operations(solution)) == last)
    assert all(all(agrees[error]) for error in ("none", "misread"))
    assert not any(agrees["final"])
    # What follows a slip may undo it: twice five more is as much as before, modulo ten.
    assert np.mean(agrees["slip"]) < 0.2


@pytest.mark.parametrize("error", sorted(set(ERRORS)))
def test_every_source_makes_every_error_and_it_spoils_most_answers(error: str) -> None:
    for seed, source in product(CALIBRATED, EVERYONE):
        correct = [s.correct for _, s in written(seed, source) if s.error == error]
        assert len(correct) > 10
        assert np.mean(correct) < 0.3


@pytest.mark.parametrize("source", EVERYONE)
@pytest.mark.parametrize("seed", CALIBRATED)
def test_a_source_misreads_its_pitfall_far_more_often_than_other_verbs(
    seed: int, source: str
) -> None:
    world = WORLDS[seed]
    misread: dict[bool, list[bool]] = {True: [], False: []}
    for prompt, solution in written(seed, source):
        for verb, read in zip(prompt.verbs, operations(solution), strict=True):
            misread[verb == world.pitfall[source]].append(read != world.does[verb])
    assert np.mean(misread[True]) > 3 * np.mean(misread[False]) > 0


@pytest.mark.parametrize("source", EVERYONE)
@pytest.mark.parametrize("seed", CALIBRATED)
def test_care_is_how_often_nothing_beside_habit_goes_wrong(seed: int, source: str) -> None:
    care = WORLDS[seed].care[source]
    clean = [solution.error == "none" for _, solution in written(seed, source)]
    assert abs(np.mean(clean) - care) < 4 * np.sqrt(care * (1 - care) / len(clean))


# --- words ------------------------------------------------------------------------------------


def test_a_source_is_known_by_its_first_word() -> None:
    first = [{s.text.split()[0] for _, s in written(0, source)} for source in EVERYONE]
    assert sum(map(len, first)) == len(set().union(*first))


@pytest.mark.parametrize("source", SOURCES)
def test_a_right_solution_has_several_forms(source: str) -> None:
    rng = stream(3, "forms")
    prompt = Prompt(3, tuple(VERBS[:3]))
    found = [WORLDS[0].solution(prompt, source, rng) for _ in range(200)]
    assert len({solution.text for solution in found if solution.correct}) >= 5


@pytest.mark.parametrize("seed", WORLDS)
def test_the_vocabulary_is_closed_in_every_world_and_has_no_word_twice(seed: int) -> None:
    words = vocabulary()
    assert len(set(words)) == len(words)
    for source in EVERYONE:
        for prompt, solution in written(seed, source, 100):
            assert set(f"{prompt.text} {solution.text}".split()) <= set(words)
