"""The registry: every problem is found by its name, every student of it by its own."""

from __future__ import annotations

import pytest

from aar_host.problems.registry import PROBLEMS, get_problem
from aar_lab.errors import UnknownName


def test_there_are_three_testbeds() -> None:
    assert sorted(PROBLEMS) == ["chat-mini", "code-mini", "math-mini"]


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_is_found_by_its_name_in_the_world_and_with_the_student_asked_for(
    name: str,
) -> None:
    assert get_problem(name).name == name
    assert get_problem(name, strong="L").strong == "L"
    shipped = PROBLEMS[name].shipped_world
    versions = {get_problem(name, world=world).public().version for world in (None, shipped, 100)}
    assert len(versions) == 2


def test_an_unknown_problem_or_student_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownName, match=f"Known are: {', '.join(PROBLEMS)}"):
        get_problem("chat-maxi")
    with pytest.raises(UnknownName, match="Known are: S, M, L"):
        get_problem("chat-mini", strong="XL")
