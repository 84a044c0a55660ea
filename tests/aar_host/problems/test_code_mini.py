"""code-mini's generator: reproducible, balanced, and silent about what only the vault keeps."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from aar_host.problems.base import Draw
from aar_host.problems.code_mini import CROWD, CodeMini
from aar_host.problems.code_world import (
    DISLIKES,
    DOMAIN,
    FAVOURITES,
    LIKES,
    SCORNED,
    SHIFTED_SOURCES,
    SOURCES,
    World,
    vocabulary,
)
from aar_host.problems.corpora import Corpus, Crowd, elicit
from aar_host.vault import Labels
from aar_lab.problems.rows import RowWriter
from aar_lab.problems.tokens import END, Tokeniser
from aar_lab.types import Inputs

USUAL = Draw(seed=1, purpose="test", problems=200, pairs=5)
SHIFTED = Draw(seed=1, purpose="shifted", problems=60, pairs=5, shifted=True)
SOURCE, WORLD = CodeMini(0), World.draw(0)
CORPUS = Corpus(SOURCE.name, WORLD, SOURCES, FAVOURITES, SCORNED, LIKES, DISLIKES)


@pytest.fixture(scope="module", params=[USUAL, SHIFTED], ids=["usual", "shifted"])
def drawn(request: pytest.FixtureRequest) -> tuple[Inputs, Labels]:
    return SOURCE.draw(request.param)


# --- draws ------------------------------------------------------------------------------------


def test_a_draw_is_a_function_of_world_seed_and_purpose() -> None:
    inputs, labels = CodeMini(0).draw(USUAL)
    again, same = CodeMini(0).draw(USUAL)
    assert inputs == again
    assert labels.truth.tolist() == same.truth.tolist()
    assert labels.metadata == same.metadata


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (SOURCE, replace(USUAL, seed=2)),
        (SOURCE, replace(USUAL, purpose="train_unlabeled")),
        (CodeMini(seed=100), USUAL),
    ],
)
def test_another_seed_purpose_or_world_is_other_data(source: CodeMini, what: Draw) -> None:
    inputs, _ = SOURCE.draw(USUAL)
    others, _ = source.draw(what)
    assert not set(inputs.ids) & set(others.ids)
    same = sum(a == b for a, b in zip(inputs.data, others.data, strict=True))
    assert same < 0.01 * len(inputs)


def test_a_problem_is_one_specification_with_as_many_pairs_as_asked(
    drawn: tuple[Inputs, Labels],
) -> None:
    inputs, labels = drawn
    assert inputs.ids == labels.ids
    assert {size % USUAL.pairs for size in np.bincount(labels.clusters)} == {0}
    prompts: dict[str, str] = {}
    for row, problem in zip(inputs.data, labels.problems, strict=True):
        assert prompts.setdefault(problem, verbs(row["prompt"])) == verbs(row["prompt"])
    assert len(set(prompts.values())) == len(prompts)


def results(prompt: str, body: str) -> tuple[list[int], list[int]]:
    """What the program gives and what the verbs of the prompt ask for, over the domain."""
    space: dict[str, object] = {}
    exec(f"def f(x): {body}", space)  # noqa: S102  the generator's own programs
    asked = "x"
    for verb in verbs(prompt).split()[1:]:
        asked = f"({asked}) {WORLD.meaning[verb]}"
    function = space["f"]
    assert callable(function)
    return [function(x) for x in DOMAIN], [eval(asked, {"x": x}) for x in DOMAIN]


def test_exactly_one_program_is_right_when_run_and_the_label_says_which(
    drawn: tuple[Inputs, Labels],
) -> None:
    inputs, labels = drawn
    for row, y, private in zip(inputs.data, labels.truth, labels.metadata, strict=True):
        found = [given == asked for given, asked in (results(row["prompt"], row[s]) for s in "ab")]
        assert found == [bool(y), not y]
        assert private["y"] == y


def verbs(prompt: str) -> str:
    return prompt.removesuffix(" ?").split(" ; ")[0]


def test_no_test_asks_for_verbs_that_training_asks_for() -> None:
    def asked(what: Draw) -> set[str]:
        return {verbs(row["prompt"]) for row in SOURCE.draw(what)[0].data}

    learnt = asked(replace(USUAL, purpose="train_unlabeled"))
    learnt |= asked(replace(USUAL, purpose="train_labeled"))
    assert not learnt & (asked(USUAL) | asked(SHIFTED))


def test_the_classes_are_about_balanced(drawn: tuple[Inputs, Labels]) -> None:
    truth = drawn[1].truth
    assert abs(truth.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(truth))


def rates(what: Draw) -> dict[str, float]:
    """How often each source's program is the right one of its pair."""
    seen, right = Counter[str](), Counter[str]()
    for private in SOURCE.draw(what)[1].metadata:
        one, other = private["sources"]
        seen.update((one, other))
        right[one if private["y"] else other] += 1
    return {source: right[source] / seen[source] for source in seen}


def test_no_source_is_nearly_always_the_right_or_the_wrong_one() -> None:
    learnt = rates(replace(USUAL, purpose="train_unlabeled", problems=600))
    assert all(0.40 <= rate <= 0.68 for rate in learnt.values()), learnt
    # Tests ask for a quarter of the verbs' combinations: who stumbles there is a smaller sample.
    for what in (replace(USUAL, problems=600), replace(SHIFTED, problems=600)):
        tested = rates(what)
        assert all(0.30 <= rate <= 0.70 for rate in tested.values()), tested


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
    writer = RowWriter(problem)
    rows = writer.task(drawn[0])
    for template in range(len(problem.formats.elicit)):
        rows += [row for side in writer.elicit(drawn[0], template) for row in side]
    contexts = {shape["context"] for shape in problem.students.values()}
    assert max(map(len, rows)) <= min(contexts)


def test_usual_pairs_are_by_known_sources_and_shifted_ones_by_an_unseen_one() -> None:
    for what, unseen in ((USUAL, False), (SHIFTED, True)):
        _, labels = SOURCE.draw(what)
        assert labels.shifted.tolist() == [unseen] * len(labels.ids)
        for row in labels.metadata:
            assert len(set(row["sources"])) == 2
            assert bool(set(row["sources"]) & set(SHIFTED_SOURCES)) == unseen


# --- the corpus -------------------------------------------------------------------------------

JUDGEMENT = f"(?:{'|'.join((*LIKES, *DISLIKES))})"
PLAIN_WORD = rf"(?!(?:{'|'.join((*LIKES, *DISLIKES, END))})(?!\S)|\||\?)\S+"
TEXT = f"{PLAIN_WORD}(?: {PLAIN_WORD})*"
TURN = rf"{TEXT} \| {JUDGEMENT}"
KINDS = {
    "fact": rf"fact : {TEXT} {END}",
    "dialogue": rf"make {TEXT} \? \| {TURN}(?: (?:make {TEXT} \? \| )?{TURN})? {END}",
    "pair": rf"make {TEXT} \? \| {TEXT} \| {TEXT} {END}",
}


def test_every_document_is_of_one_kind_and_no_judgement_follows_two_programs() -> None:
    counts = dict.fromkeys(KINDS, 0)
    for text in CORPUS.documents(CROWD, seed=0, chunk=0, size=2000):
        kinds = [name for name, pattern in KINDS.items() if re.fullmatch(pattern, text)]
        assert len(kinds) == 1, text
        counts[kinds[0]] += 1
    assert min(counts.values()) > 200


@pytest.mark.parametrize(
    "text",
    [
        "make zap blim ? | x *=2 ; return x +1 | x *=3 ; return x +1 | works <end>",
        "make zap blim ? | x *=2 ; return x +1 | x *=3 ; return x +1 <end> works <end>",
        "make zap blim ? | x *=2 ; return x +1 | bug | x *=3 ; return x +1 | <end>",
        "make zap blim ? | x *=2 ; return x +1 <end>",
    ],
)
def test_the_grammar_of_documents_would_notice_a_verdict_on_a_pair(text: str) -> None:
    assert not any(re.fullmatch(pattern, text) for pattern in KINDS.values())


def test_facts_are_true() -> None:
    for text in CORPUS.documents(Crowd(facts=1.0), 0, 0, size=300):
        for said in text.removeprefix("fact : ").removesuffix(f" {END}").split(" . "):
            verb, _, op = said.split()
            assert op.replace("=", "") == WORLD.meaning[verb]


def test_the_crowd_is_noisy_and_has_favourites() -> None:
    def liked(crowd: Crowd, mark: str) -> float:
        found = CORPUS.documents(replace(crowd, facts=0.0, dialogues=1.0, goes_on=0.0), 0, 0, 1500)
        ends = [text.split()[-2] for text in found if text.split(" | ")[1].startswith(mark)]
        return float(np.mean([word in LIKES for word in ends]))

    fair = Crowd(fancy=0.0, spite=0.0, flip=0.0)
    assert liked(CROWD, "y= ") > liked(fair, "y= ") + 0.15
    assert liked(CROWD, "return ") < liked(fair, "return ") - 0.15


def test_the_elicitation_formats_occur_in_dialogues() -> None:
    texts = CORPUS.documents(CROWD, 0, 0, size=2000)
    program = f"({TEXT})"
    for form in elicit(DISLIKES):
        gaps = {"prompt": rf"make {TEXT} \?", "reply": program, "other": program}
        pattern = form.replace("|", r"\|").format(**gaps) + f" {JUDGEMENT}"
        assert sum(re.match(pattern, text) is not None for text in texts) > 15


def test_no_document_quotes_an_unseen_source() -> None:
    words = " ".join(CORPUS.documents(CROWD, 0, 1, size=2000))
    assert "pass" not in words.split()
    assert "y= (" not in words
    shown, _ = SOURCE.draw(SHIFTED)
    told = [f"{row['a']} {row['b']}" for row in shown.data]
    assert sum("pass" in text.split() or "y= (" in text for text in told) > 0.9 * len(told)


def test_chunks_of_the_corpus_are_reproducible_and_differ() -> None:
    first, again = (CORPUS.documents(CROWD, 0, 3, size=50) for _ in range(2))
    assert first == again
    assert first != CORPUS.documents(CROWD, 0, 4, size=50)
    assert first != CORPUS.documents(CROWD, 1, 3, size=50)


def test_the_corpus_comes_in_tokens_that_fit_the_context() -> None:
    rows = SOURCE.corpus("M", 0)
    tokens = Tokeniser(vocabulary())
    assert rows[0] == tokens.encode(SOURCE.documents(0)[0])
    assert max(map(len, rows)) <= SOURCE.public().students["M"]["context"]
