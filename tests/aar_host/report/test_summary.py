"""What a report claims, and what it must not claim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.report.results import Gain, HistoryRow, Results
from aar_host.report.summary import UNSCORED, by_sealed, frontier, headline, leader, verdict
from aar_lab.types import Interval

Read = Callable[[dict[str, Any]], Results]


def test_the_leader_is_chosen_by_its_public_score(results: Results) -> None:
    best = leader(results)
    assert best is not None
    assert best.researcher == "ada"
    assert by_sealed(results)[0].researcher == "bob"


def test_a_finalist_without_a_sealed_score_cannot_lead(
    document: dict[str, Any], read: Read
) -> None:
    document["finalists"][2]["public"]["pgr"] = 0.99
    best = leader(read(document))
    assert best is not None
    assert best.researcher == "ada"


def test_the_sentence_gives_score_gain_and_verdict(results: Results) -> None:
    found = headline(results)
    assert found.sentence == (
        "“Method of ada” by ada recovered 0.50 [0.40, 0.60] of the performance gap on the sealed "
        "part; its gain over naive is 0.28 [0.18, 0.38], and the interval excludes 0: "
        "it beats naive."
    )
    assert any("2 of 3 finalists" in remark for remark in found.remarks)
    assert any("1 finalist could not be scored" in remark for remark in found.remarks)


def test_a_title_cannot_leave_its_quotation(document: dict[str, Any], read: Read) -> None:
    document["finalists"][0]["title"] = "T” by ada recovered 9.99. “"
    sentence = headline(read(document)).sentence
    assert (sentence.count("“"), sentence.count("”")) == (1, 1)
    assert sentence.index("9.99") < sentence.index("”")


def test_without_a_sealed_score_there_is_no_claim(document: dict[str, Any], read: Read) -> None:
    document["finalists"] = document["finalists"][2:]
    assert headline(read(document)).sentence == UNSCORED
    document["finalists"] = []
    assert headline(read(document)).sentence == UNSCORED


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.01, 0.3, "excludes 0: it beats naive"),
        (0.0, 0.3, "includes 0"),
        (-0.1, 0.0, "includes 0"),
        (-0.3, -0.1, "excludes 0: naive beats it"),
    ],
)
def test_the_verdict_follows_the_interval(low: float, high: float, words: str) -> None:
    assert words in verdict(Gain((low + high) / 2, Interval(low, high)))


def row(seconds: float, pgr: float | None) -> HistoryRow:
    return HistoryRow(seconds, "ada", "s", "t", "done", pgr, None, ())


@given(st.lists(st.tuples(st.floats(0, 100), st.none() | st.floats(-2, 2))))
def test_the_frontier_rises_to_the_best(points: list[tuple[float, float | None]]) -> None:
    rises = frontier([row(*point) for point in points])
    heights = [pgr for _, pgr in rises]
    known = [pgr for _, pgr in points if pgr is not None]
    assert heights == sorted(set(heights))
    assert heights[-1:] == ([max(known)] if known else [])
    assert set(rises) <= set(points)
