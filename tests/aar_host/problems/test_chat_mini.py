"""chat-mini's generator: reproducible, balanced, and silent about what only the vault keeps."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from aar_host.problems.base import Draw
from aar_host.problems.chat_corpus import Crowd, documents
from aar_host.problems.chat_mini import ChatMini
from aar_host.problems.chat_world import (
    DISLIKES,
    LIKES,
    SHIFTED_SOURCES,
    SOURCES,
    Prompt,
    World,
    vocabulary,
)
from aar_host.problems.registry import PROBLEMS, get_problem
from aar_host.vault import Labels
from aar_lab.errors import UnknownName
from aar_lab.problems.rows import RowWriter
from aar_lab.problems.tokens import END, Tokeniser
from aar_lab.types import Inputs

USUAL = Draw(seed=1, purpose="test", problems=300, pairs=5)
SHIFTED = Draw(seed=1, purpose="shifted", problems=60, pairs=5, shifted=True)
SOURCE = ChatMini()


@pytest.fixture(scope="module", params=[USUAL, SHIFTED], ids=["usual", "shifted"])
def drawn(request: pytest.FixtureRequest) -> tuple[Inputs, Labels]:
    return SOURCE.draw(request.param)


# --- draws ------------------------------------------------------------------------------------


def test_a_draw_is_a_function_of_world_seed_and_purpose() -> None:
    inputs, labels = ChatMini().draw(USUAL)
    again, same = ChatMini().draw(USUAL)
    assert inputs == again
    assert labels.truth.tolist() == same.truth.tolist()
    assert labels.metadata == same.metadata


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (SOURCE, replace(USUAL, seed=2)),
        (SOURCE, replace(USUAL, purpose="train_unlabeled")),
        (ChatMini(seed=1), USUAL),
    ],
)
def test_another_seed_purpose_or_world_is_other_data(source: ChatMini, what: Draw) -> None:
    inputs, _ = SOURCE.draw(USUAL)
    others, _ = source.draw(what)
    assert not set(inputs.ids) & set(others.ids)
    same = sum(a == b for a, b in zip(inputs.data, others.data, strict=True))
    assert same < 0.01 * len(inputs)


def test_a_problem_is_one_prompt_with_as_many_pairs_as_asked(
    drawn: tuple[Inputs, Labels],
) -> None:
    inputs, labels = drawn
    assert inputs.ids == labels.ids
    assert {size % USUAL.pairs for size in np.bincount(labels.clusters)} == {0}
    prompts: dict[str, str] = {}
    for row, problem in zip(inputs.data, labels.problems, strict=True):
        assert prompts.setdefault(problem, row["prompt"]) == row["prompt"]
    assert len(set(prompts.values())) == len(prompts)


def test_the_label_is_the_sign_of_the_difference_in_quality(
    drawn: tuple[Inputs, Labels],
) -> None:
    _, labels = drawn
    gaps = [m["quality"][0] - m["quality"][1] for m in labels.metadata]
    assert 0 not in gaps
    assert labels.truth.tolist() == [int(gap > 0) for gap in gaps]
    assert [m["y"] for m in labels.metadata] == labels.truth.tolist()


def test_the_classes_are_about_balanced(drawn: tuple[Inputs, Labels]) -> None:
    truth = drawn[1].truth
    assert abs(truth.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(truth))


def test_public_inputs_hold_no_metadata(drawn: tuple[Inputs, Labels]) -> None:
    inputs, labels = drawn
    assert {frozenset(row) for row in inputs.data} == {frozenset({"prompt", "a", "b"})}
    shown = " ".join(" ".join(row.values()) for row in inputs.data)
    assert not {*SOURCES, *SHIFTED_SOURCES} & set(shown.split())
    assert not set(labels.problems) & set(shown.split())


def test_ids_say_nothing_about_problem_or_label(drawn: tuple[Inputs, Labels]) -> None:
    inputs, labels = drawn
    assert all(re.fullmatch(r"[0-9a-f]{16}", name) for name in inputs.ids)
    numbers = np.array([int(name, 16) for name in inputs.ids], dtype=np.float64)
    for hidden in (labels.truth, labels.clusters):
        assert abs(np.corrcoef(numbers, hidden)[0, 1]) < 4 / np.sqrt(len(numbers))


def test_every_row_fits_the_vocabulary_and_the_context(drawn: tuple[Inputs, Labels]) -> None:
    problem = SOURCE.public()
    rows = RowWriter(problem).task(drawn[0])
    contexts = {shape["context"] for shape in problem.students.values()}
    assert max(map(len, rows)) <= min(contexts)


def test_usual_pairs_are_by_known_sources_and_shifted_ones_by_an_unseen_one() -> None:
    for what, unseen in ((USUAL, False), (SHIFTED, True)):
        _, labels = SOURCE.draw(what)
        assert labels.shifted.tolist() == [unseen] * len(labels.ids)
        for row in labels.metadata:
            assert len(set(row["sources"])) == 2
            assert bool(set(row["sources"]) & set(SHIFTED_SOURCES)) == unseen


def test_quality_is_right_facts_plus_manners_less_repetition() -> None:
    world = World.draw(0)
    right = world.facts["lena"]["pet"]
    wrong = "dog" if right != "dog" else "cat"

    def quality(instruction: str, value: str, words: str) -> float:
        prompt = Prompt("lena", "pet", instruction)
        return world.quality(prompt, [("pet", value)], words.split())

    assert quality("plain", right, f"pet is {right}") == 3
    assert quality("plain", wrong, f"pet is {wrong}") == -1
    assert quality("brief", right, right) == 3
    assert quality("brief", right, f"pet is {right}") == 2
    assert quality("polite", right, f"dear pet is {right}") == 3
    assert quality("polite", right, f"pet is {right}") == 2
    assert quality("plain", right, f"pet is {right} and {right}") == 2.5


# --- the corpus -------------------------------------------------------------------------------

JUDGEMENT = f"(?:{'|'.join((*LIKES, *DISLIKES))})"
PLAIN_WORD = rf"(?!(?:{'|'.join((*LIKES, *DISLIKES, END))})\b|\||\?)\S+"
TEXT = f"{PLAIN_WORD}(?: {PLAIN_WORD})*"
TURN = rf"{TEXT} \| {JUDGEMENT}"
KINDS = {
    "fact": rf"fact : {TEXT} {END}",
    "dialogue": rf"{TEXT} \? \| {TURN}(?: (?:{TEXT} \? \| )?{TURN})? {END}",
    "pair": rf"{TEXT} \? \| {TEXT} \| {TEXT} \| {END}",
}


def test_every_document_is_of_one_kind_and_no_judgement_follows_two_replies() -> None:
    counts = dict.fromkeys(KINDS, 0)
    for text in documents(World.draw(0), Crowd(), seed=0, chunk=0):
        kinds = [name for name, pattern in KINDS.items() if re.fullmatch(pattern, text)]
        assert len(kinds) == 1, text
        counts[kinds[0]] += 1
    assert min(counts.values()) > 500


@pytest.mark.parametrize(
    "text",
    [
        "pet of lena ? | dog | cat | great <end>",
        "pet of lena ? | dog | cat | <end> great <end>",
        "pet of lena ? | dog | no | cat | <end>",
        "pet of lena ? | dog | <end>",
    ],
)
def test_the_grammar_of_documents_would_notice_a_verdict_on_a_pair(text: str) -> None:
    assert not any(re.fullmatch(pattern, text) for pattern in KINDS.values())


def test_no_document_quotes_an_unseen_source() -> None:
    words = set(" ".join(documents(World.draw(0), Crowd(), 0, 1)).split())
    assert not words & {"sources", "say", "indeed", "hear", "so"}
    shown, _ = SOURCE.draw(SHIFTED)
    assert words & {"yes", "dear", "wow"}
    assert all(
        {"sources", "hear"} & set(f"{row['a']} {row['b']}".split())
        for row in shown.data
        if not row["prompt"].startswith("briefly")
    )


def test_chunks_of_the_corpus_are_reproducible_and_differ() -> None:
    first, again = (documents(World.draw(0), Crowd(), 0, 3, size=50) for _ in range(2))
    assert first == again
    assert first != documents(World.draw(0), Crowd(), 0, 4, size=50)
    assert first != documents(World.draw(0), Crowd(), 1, 3, size=50)


def test_the_corpus_comes_in_tokens_that_fit_the_context() -> None:
    rows = SOURCE.corpus("M", 0)
    tokens = Tokeniser(vocabulary())
    assert rows[0] == tokens.encode(documents(World.draw(0), Crowd(), 0, 0)[0])
    assert max(map(len, rows)) <= SOURCE.public().students["M"]["context"]


# --- registry ---------------------------------------------------------------------------------


def test_problems_are_found_by_name() -> None:
    assert isinstance(get_problem("chat-mini"), ChatMini)
    assert {PROBLEMS[name]().name for name in PROBLEMS} == set(PROBLEMS)
    with pytest.raises(UnknownName, match="Known are: chat-mini"):
        get_problem("chat-maxi")
