"""Checks of a problem of one's own: whole ones pass, and every rule notices when it is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.own_problem import changed, derived, listing, small

from aar_host.jobs.laying import PRACTICE_PROBLEMS
from aar_host.problems import rules
from aar_host.problems.checking import CHECKS, check_problem

NAMES = ["loads", *(look.__name__.replace("_", " ") for group in CHECKS for look, _ in group)]

# By rule: the problem with that rule broken.
BROKEN: list[tuple[str, str]] = [
    ("loads", small() + "\n1 / 0\n"),
    ("loads", changed(small(), "weak_misses = 0.1", "weak_misses = ")),
    ("loads", changed(small(), "def documents", "def papers")),
    ("description", changed(small(), 'name = "brackets"', 'name = "../brackets"')),
    ("description", changed(small(), 'brief = "y = 1', 'brief = " " or "')),
    ("description", changed(small(), "weak_misses = 0.1", 'weak = "XL"')),
    ("shapes", changed(small(), '"heads": 4', '"heads": 5')),
    ("shapes", changed(small(), '"S": Pretraining(200_000), ', "")),
    (
        "shapes",
        derived(
            """
def public(self):
    problem = super().public()
    return replace(problem, students={"S": {**problem.students["S"], "vocabulary": 5}, "M": {}})
"""
        ).replace("import numpy as np", "from dataclasses import replace\n\nimport numpy as np"),
    ),
    ("vocabulary", changed(small(), '"_", "|"', '"_"')),
    ("vocabulary", changed(small(), 'gap="_"', 'gap="?"')),
    ("sizes", changed(small(), "weak_problems=10", "weak_problems=20")),
    ("sizes", changed(small(), "test=60", "test=5")),
    ("sizes", changed(small(), "weak_misses = 0.1", "weak_misses = 1.0")),
    ("draws", changed(small(), "rows: list[Row] = []", "rows, rng = [], np.random.default_rng()")),
    ("draws", changed(small(), "range(what.pairs)", "range(3)")),
    ("draws", changed(small(), "return rows\n", "return rows / 2\n")),
    (
        "draws",
        derived(
            """
def draw(self, what):
    return super().draw(Draw(what.seed, what.purpose, what.problems, what.pairs))
"""
        ),
    ),
    ("draws", derived("def draw(self, what):\n    return super().draw(replaced(what))")),
    ("rows", changed(small(), '"context": 28', '"context": 18')),
    ("rows", changed(small(), '(("(", ")"), ("[", "]"))', '(("(", ")"), ("[", "}"))')),
    (
        "ids",
        derived(
            """
def draw(self, what):
    inputs, labels = super().draw(what)
    ids = tuple(f"{what.seed}-{at}" for at in range(len(inputs)))
    from dataclasses import replace
    return replace(inputs, ids=ids), replace(labels, ids=ids)
"""
        ),
    ),
    (
        "labels",
        derived(
            """
def rows(self, what, rng):
    found = super().rows(what, rng)
    for _, private in found:
        private["y"] |= int(rng.random() < 0.8)
    return found
"""
        ),
    ),
    ("clusters", changed(small(), 'f"{what.purpose} {number}"', '"one"')),
    (
        "split",
        derived("def rows(self, what, rng):\n    return super().rows(what, stream(what.seed))"),
    ),
    ("split", derived("finite = True").replace('f"{what.purpose} {number}"', "number")),
    ("metadata hidden", changed(small(), '"y": int', '"row": 1, "y": int')),
    (
        "metadata hidden",
        changed(
            changed(small(), '"y": int', '"kind": words[0], "y": int'),
            '{"row": " ".join(words)}',
            '{"row": " ".join(words), "first": words[0]}',
        ),
    ),
    ("metadata hidden", changed(small(), '"y": int', '"set": {1}, "y": int')),
    ("corpus", changed(small(), " | {END}", " |")),
    ("corpus", changed(small(), "FAR_PAIRS + 1)", "FAR_PAIRS + 9)")),
    ("corpus", changed(small(), " | {END}", " | {END} ( {END}")),
    (
        "corpus",
        derived(
            """
def documents(self, chunk):
    shown = self.draw(Draw(1, "train_unlabeled", 60, 4))[0]
    return [f"{row['row']} | ( {END}" for row in shown.data]
"""
        ),
    ),
    (
        "corpus",
        derived(
            """
finite = True

def documents(self, chunk):
    shown = self.draw(Draw(1, "test", 60, 4))[0]
    return [f"{row['row']} | {END}" for row in shown.data]
"""
        ),
    ),
]
# What gives a label away: the public fields, the private label and the items' order, as code.
TOLD = {
    "a field that is the label": 'inputs["hint"] = "yes" if private["y"] else "no"',
    "a word among others": 'inputs["hint"] = f"{rng.random()} " + "good" * private["y"]',
    "a length": 'inputs["hint"] = f"{rng.random()} " * (1 + private["y"] + 2 * rng.integers(2))',
    "a forbidden name": 'inputs["target"] = str(rng.random())',
}


def checked(text: str, folder: Path) -> dict[str, tuple[bool, str]]:
    path = folder / "problem.py"
    path.write_text(text)
    return {check.name: (check.ok, check.found) for check in check_problem(str(path))[1]}


def test_the_problem_of_the_guide_keeps_every_rule(tmp_path: Path) -> None:
    found = checked(listing(), tmp_path)
    assert list(found) == NAMES
    assert all(ok for ok, _ in found.values()), found


@pytest.mark.parametrize(("rule", "text"), BROKEN, ids=[rule for rule, _ in BROKEN])
def test_a_broken_rule_is_noticed_by_its_check_alone(rule: str, text: str, tmp_path: Path) -> None:
    failed = {name: told for name, (ok, told) in checked(text, tmp_path).items() if not ok}
    assert list(failed) == [rule], failed


def test_every_rule_has_been_seen_broken() -> None:
    assert {rule for rule, _ in BROKEN} | {"labels hidden"} == set(NAMES)


@pytest.mark.parametrize("code", TOLD.values(), ids=TOLD)
def test_a_field_that_tells_the_label_is_noticed(code: str, tmp_path: Path) -> None:
    text = derived(
        f"""
def rows(self, what, rng):
    found = super().rows(what, rng)
    for inputs, private in found:
        {code}
    return found
"""
    )
    failed = [name for name, (ok, _) in checked(text, tmp_path).items() if not ok]
    assert failed == ["labels hidden"]


@pytest.mark.parametrize(
    "order",
    [
        "sorted(found, key=lambda row: row[1]['y'])",
        "[(row, private | {'y': at % 2}) for at, (row, private) in enumerate(found)]",
        "[(row, private | {'y': at // 4 % 2}) for at, (row, private) in enumerate(found)]",
    ],
    ids=["sorted", "in turn within a problem", "in turn"],
)
def test_an_order_that_tells_the_label_is_noticed(order: str, tmp_path: Path) -> None:
    text = derived(
        f"def rows(self, what, rng):\n    found = super().rows(what, rng)\n    return {order}"
    )
    failed = [name for name, (ok, _) in checked(text, tmp_path).items() if not ok]
    assert failed == ["labels hidden"]


@pytest.mark.parametrize("name", ["{name}-{'bad good'.split()[y]}", "{y}{name}", "{name}{y}"])
def test_ids_that_tell_the_label_are_noticed(name: str, tmp_path: Path) -> None:
    text = derived(
        f"""
def draw(self, what):
    from dataclasses import replace
    inputs, labels = super().draw(what)
    ids = tuple(f"{name}" for name, y in zip(inputs.ids, labels.truth))
    return replace(inputs, ids=ids), replace(labels, ids=ids)
"""
    )
    failed = [name for name, (ok, _) in checked(text, tmp_path).items() if not ok]
    assert failed == ["labels hidden"]


def test_a_fault_in_the_file_is_told_with_its_line(tmp_path: Path) -> None:
    text = changed(small(), "rows: list[Row] = []", "rows: list[Row] = [][0]")
    line = 1 + text[: text.index("[][0]")].count("\n")
    ok, told = checked(text, tmp_path)["draws"]
    assert not ok
    assert f"problem.py, line {line}: IndexError" in told


def test_what_rests_on_a_broken_rule_is_not_looked_at(tmp_path: Path) -> None:
    found = checked(changed(small(), '"heads": 4', '"heads": 5'), tmp_path)
    assert list(found) == ["loads", "description", "shapes", "vocabulary", "sizes"]


def test_an_unknown_problem_is_one_failed_check() -> None:
    source, found = check_problem("chess")
    assert source is None
    assert [(check.name, check.ok) for check in found] == [("loads", False)]


def test_as_many_practice_problems_are_drawn_as_a_campaign_wants() -> None:
    assert rules.PRACTICE_PROBLEMS == PRACTICE_PROBLEMS
