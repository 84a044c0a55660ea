"""math-mini: labels that recomputation confirms, a shortcut that is there, and biased users."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from aar_host.problems.base import Draw
from aar_host.problems.math_mini import LESSONS, MathMini
from aar_host.problems.math_world import (
    DISLIKES,
    FAVOURITES,
    LIKES,
    SCORNED,
    SHIFTED_SOURCES,
    SOURCES,
    VERBS,
    World,
)
from aar_host.vault import Labels
from aar_lab.types import Inputs

USUAL = Draw(seed=1, purpose="test", problems=300, pairs=5)
SHIFTED = replace(USUAL, purpose="shifted", shifted=True)
WORLDS = {seed: World.draw(seed) for seed in (0, 100)}


@cache
def drawn(seed: int, what: Draw) -> tuple[Inputs, Labels]:
    return MathMini(seed).draw(what)


@cache
def documents(chunk: int) -> list[str]:
    return MathMini(0).documents(chunk)


def answer(seed: int, prompt: str) -> int:
    """The right answer, from the words of the problem and what the world's verbs do."""
    start, *verbs = prompt.removesuffix(" ?").split()
    value = int(start)
    for verb in verbs:
        value = eval(f"({value}) {WORLDS[seed].does[verb]}")
    return value % 10


# --- draws ------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", [USUAL, SHIFTED], ids=["usual", "shifted"])
@pytest.mark.parametrize("seed", WORLDS)
def test_exactly_one_solution_ends_in_the_right_answer_and_the_label_names_it(
    seed: int, what: Draw
) -> None:
    inputs, labels = drawn(seed, what)
    position = MathMini(0).public().formats.answer
    assert position is not None
    for row, truth in zip(inputs.data, labels.truth, strict=True):
        right = [int(row[s].split()[position]) == answer(seed, row["prompt"]) for s in "ab"]
        assert right == [truth == 1, truth == 0]


@pytest.mark.parametrize("what", [USUAL, SHIFTED], ids=["usual", "shifted"])
def test_the_items_of_a_problem_are_different_pairs_for_one_prompt(what: Draw) -> None:
    inputs, labels = drawn(0, what)
    assert len(set(zip(labels.problems, (row["prompt"] for row in inputs.data), strict=True))) == (
        len(set(labels.problems))
    )
    pairs = [frozenset((row["a"], row["b"])) for row in inputs.data]
    for start in range(0, len(pairs), what.pairs):
        assert len(set(pairs[start : start + what.pairs])) == what.pairs


@pytest.mark.parametrize("seed", WORLDS)
def test_no_source_is_nearly_always_the_right_or_the_wrong_one(seed: int) -> None:
    for what, sources in ((USUAL, SOURCES), (SHIFTED, SHIFTED_SOURCES)):
        seen, right = Counter[str](), Counter[str]()
        for row in drawn(seed, what)[1].metadata:
            seen.update(row["sources"])
            right[row["sources"][0 if row["y"] else 1]] += 1
        rates = {source: right[source] / seen[source] for source in sources}
        assert all(0.35 < rate < 0.68 for rate in rates.values()), rates


@pytest.mark.parametrize("seed", WORLDS)
def test_the_most_common_answer_of_a_problem_is_mostly_right(seed: int) -> None:
    """It is right in 0.85 of the problems of world 0 and 0.87 of world 100: a known shortcut."""
    pools = defaultdict(set)
    for row in drawn(seed, USUAL)[0].data:
        pools[row["prompt"]] |= {row["a"], row["b"]}
    hits = []
    for prompt, pool in pools.items():
        counts = Counter(int(text.split()[-1]) for text in pool)
        best = [value for value, count in counts.items() if count == max(counts.values())]
        hits.append((answer(seed, prompt) in best) / len(best))
    assert 0.6 < np.mean(hits) < 0.95


@pytest.mark.parametrize("what", [USUAL, SHIFTED], ids=["usual", "shifted"])
@pytest.mark.parametrize("seed", WORLDS)
def test_length_is_no_shortcut(seed: int, what: Draw) -> None:
    inputs, labels = drawn(seed, what)
    longer = [len(row["a"].split()) - len(row["b"].split()) for row in inputs.data]
    right = [(gap > 0) == (y == 1) for gap, y in zip(longer, labels.truth, strict=True) if gap != 0]
    assert len(right) > 300
    assert 0.4 < np.mean(right) < 0.6


# --- the corpus -------------------------------------------------------------------------------


def test_the_corpus_begins_with_lessons() -> None:
    def facts(chunk: int) -> float:
        return float(np.mean([text.startswith("fact") for text in documents(chunk)]))

    assert facts(LESSONS - 1) > 2 * facts(LESSONS)


def test_no_document_quotes_an_unseen_source() -> None:
    assert not {"see", "hear"} & set(" ".join(documents(LESSONS)).split())
    shown, _ = drawn(0, SHIFTED)
    assert all({"see", "hear"} & set(f"{row['a']} {row['b']}".split()) for row in shown.data)


def author(reply: str) -> str:
    """The source of a solution, by its first word."""
    first = reply.split()[0]
    if first in VERBS:
        return "steps"
    if first.isdecimal():
        return "chain"
    return {"please": "polite", "dear": "polite", "we": "wordy"}.get(first, "short")


def test_users_forgive_favourites_their_errors_and_grudge_the_scorned_their_merits() -> None:
    liked: dict[tuple[str, bool], list[bool]] = defaultdict(list)
    for text in documents(LESSONS):
        if text.startswith("fact") or text.count("|") != 2:
            continue
        prompt, reply, after = text.split(" | ")
        if after.split()[0] not in LIKES + DISLIKES:
            continue
        right = int(reply.split()[-1]) == answer(0, prompt)
        source = author(reply)
        manner = "favoured" if source in FAVOURITES else "scorned" if source in SCORNED else ""
        liked[manner, right].append(after.split()[0] in LIKES)
    rates = {case: np.mean(found) for case, found in liked.items()}
    assert rates["favoured", False] > rates["", False] + 0.2
    assert rates["scorned", True] < rates["", True] - 0.2
    assert rates["", True] > 0.8 > 0.2 > rates["", False]
