"""How numbers and foreign text are shown."""

from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.report.text import block, clean, clock, count, duration, measured, number, sides
from aar_lab.types import Interval

ANYTHING = st.text(st.characters())


@given(ANYTHING)
def test_cleaned_text_is_visible_and_can_be_written(text: str) -> None:
    shown = clean(text)
    shown.encode("utf-8")
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(ANYTHING)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(ANYTHING, st.integers(1, 20))
def test_cleaned_text_is_no_longer_than_asked(text: str, most: int) -> None:
    assert len(clean(text, most)) <= most


def test_steering_characters_are_spelt_out() -> None:
    assert clean("a\x1b[31mb\u202ec\n") == "a\\x1b[31mb\\u202ec\\n"
    assert clean("Grüße, 世界 🙂") == "Grüße, 世界 🙂"


def test_a_block_keeps_lines_and_tabs_alone() -> None:
    assert block("a\r\n\tb\rc") == "a\n\tb\\rc"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.125, "0.12"), (-0.5, "−0.50"), (-0.001, "0.00"), (None, "–"), (-math.inf, "−∞")],
)
def test_numbers(value: float | None, shown: str) -> None:
    assert number(value) == shown


def test_intervals() -> None:
    assert sides(Interval(-0.1, 0.66)) == "[−0.10, 0.66]"
    assert sides(Interval(-math.inf, math.inf)) == "(−∞, ∞)"
    assert measured(0.5, Interval(0.4, math.inf)) == "0.50 [0.40, ∞)"
    assert measured(None, Interval(0, 1)) == "–"


def test_times_and_counts() -> None:
    assert [duration(s) for s in (45, 185, 7620)] == ["45 s", "3 min 5 s", "2 h 7 min"]
    assert [clock(s) for s in (-1, 65)] == ["0:00", "1:05"]
    assert [count(n, "seed") for n in (1, 2000)] == ["1 seed", "2,000 seeds"]
