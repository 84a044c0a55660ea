"""docs/write-a-problem.md is what the code does."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

from tests.own_problem import GUIDE

from aar_host.problems.checking import CHECKS
from aar_host.problems.single import SingleProblem
from aar_lab.problems.objective import Objective

TEXT = GUIDE.read_text()


def first_column(heading: str) -> list[str]:
    """First cells of the table below a heading."""
    below = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| ([^|]+) \|", below, re.MULTILINE)[1:]


def test_the_table_of_checks_is_complete() -> None:
    names = [look.__name__.replace("_", " ") for group in CHECKS for look, _ in group]
    assert first_column("Checks") == ["loads", *names, "train (`--train`)"]


def test_what_a_file_must_say_exists() -> None:
    named = re.findall(r"`(\w+)", " ".join(first_column("What a file must say")))
    assert len(named) > 8
    known = {*vars(SingleProblem), *SingleProblem.__annotations__}
    assert set(named) <= known


def test_the_objective_of_the_guide_can_be_declared() -> None:
    listing = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)[1]
    found: dict[str, Any] = {}
    exec(listing, found)  # noqa: S102
    objective = found["objective"]
    assert isinstance(objective, Objective)
    assert all(getattr(objective, field.name) for field in fields(objective))
