"""Bundles, rows and tokens."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tiny import PROBLEM, VOCABULARY, examples, write_bundle

from aar_lab.errors import BadInput
from aar_lab.problems.bundle import Bundle, Problem, read_inputs, write_inputs
from aar_lab.problems.rows import RowWriter
from aar_lab.problems.tokens import END, PAD, Tokeniser, vocabulary_of
from aar_lab.types import Inputs

ONE = Inputs(("x",), ({"prompt": "ask of", "a": "good", "b": "bad poor"},))


def words(rows: list[list[int]]) -> list[str]:
    return [" ".join(VOCABULARY[token] for token in row) for row in rows]


def test_a_problem_survives_json() -> None:
    assert Problem.from_dict(json.loads(json.dumps(PROBLEM.as_dict()))) == PROBLEM


@pytest.mark.parametrize("name", ["summary", "formats", "students"])
def test_a_problem_with_a_missing_field_is_refused(name: str) -> None:
    body = PROBLEM.as_dict()
    del body[name]
    with pytest.raises(BadInput, match=name):
        Problem.from_dict(body)


@pytest.mark.parametrize("change", [{"labels": [1]}, {"formats": None}, {"formats": {"task": ""}}])
def test_a_problem_with_a_strange_field_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Problem.from_dict(PROBLEM.as_dict() | change)


def test_a_problem_has_no_field_for_labels() -> None:
    names = {field.name for kind in (Problem, Inputs) for field in fields(kind)}
    assert not names & {"labels", "truth", "y", "metadata", "answers"}


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=4),
        st.dictionaries(st.sampled_from(["prompt", "a", "b"]), st.text(max_size=6)),
        min_size=1,
    )
)
def test_inputs_survive_a_file_whatever_their_text(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[str, dict[str, str]]
) -> None:
    inputs = Inputs(tuple(rows), tuple(rows.values()))
    path = tmp_path_factory.mktemp("inputs") / "inputs.jsonl"
    write_inputs(path, inputs)
    assert read_inputs(path) == inputs


def test_a_bundle_reads_what_was_written(tmp_path: Path) -> None:
    inputs, _ = examples(5)
    bundle = Bundle(write_bundle(tmp_path / "b", inputs))
    assert bundle.problem == PROBLEM
    assert bundle.inputs() == inputs
    assert bundle.weights("S").is_file()


# --- rows -------------------------------------------------------------------------------------


def test_a_row_has_the_format_of_the_task_and_the_swap_view_exchanges_the_replies() -> None:
    writer = RowWriter(PROBLEM)
    assert words(writer.task(ONE)) == ["ask of | good | bad poor |"]
    assert words(writer.task(ONE, "swap")) == ["ask of | bad poor | good |"]


def test_eliciting_shows_each_reply_alone() -> None:
    first, second = RowWriter(PROBLEM).elicit(ONE)
    assert words(first) == ["ask of | good |"]
    assert words(second) == ["ask of | bad poor |"]


def test_another_template_shows_the_other_reply_before_the_judged_one() -> None:
    first, second = RowWriter(PROBLEM).elicit(ONE, template=1)
    assert words(first) == ["ask of | bad poor | no good |"]
    assert words(second) == ["ask of | good | no bad poor |"]


def test_a_problem_without_alternatives_has_no_swap_view() -> None:
    single = replace(PROBLEM, formats=replace(PROBLEM.formats, swap=()))
    with pytest.raises(BadInput, match="no alternatives"):
        RowWriter(single).task(ONE, "swap")


def test_words_of_approval_are_single_tokens() -> None:
    writer = RowWriter(PROBLEM)
    assert words([writer.likes, writer.dislikes]) == ["yes aye", "no"]


def test_a_problem_without_a_pretraining_format_cannot_be_elicited() -> None:
    silent = replace(PROBLEM, formats=replace(PROBLEM.formats, elicit=()))
    with pytest.raises(BadInput, match="declares 0 pretraining formats"):
        RowWriter(silent).elicit(ONE)


# --- tokens -----------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(VOCABULARY)))
def test_tokens_are_positions_in_the_vocabulary(chosen: list[str]) -> None:
    tokens = Tokeniser(VOCABULARY)
    assert [VOCABULARY[i] for i in tokens.encode("  ".join(chosen))] == chosen
    assert len(tokens) == len(VOCABULARY)


def test_a_word_outside_the_vocabulary_is_named() -> None:
    with pytest.raises(BadInput, match="'strange'"):
        Tokeniser(VOCABULARY).encode("good strange words")


@pytest.mark.parametrize("wrong", [(), (PAD,), (END, PAD, "a"), (PAD, END, "a", "a")])
def test_a_vocabulary_begins_with_the_special_words_and_has_each_word_once(
    wrong: tuple[str, ...],
) -> None:
    with pytest.raises(BadInput):
        Tokeniser(wrong)


def test_a_vocabulary_of_words_keeps_their_order_and_drops_repetitions() -> None:
    assert vocabulary_of(["b", "a", "b"]) == (PAD, END, "b", "a")
