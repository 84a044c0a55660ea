"""The check of a source: exact limits, and no text that breaks it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.server.source import check_source
from aar_lab.digest import digest_text
from aar_lab.errors import BadSource
from aar_lab.types import MAX_SOURCE_BYTES

GOOD = "def train(task, rng):\n    return task\n"


@pytest.mark.parametrize(
    "source",
    [
        GOOD,
        "def train(task, rng, depth=3, *, width=2): ...",
        "def train(*args): ...",
        "def train(task, /, rng, **more): ...",
        "def train(x): ...\ndef train(task, rng): ...",
        "'''Ünïcode 训练'''\n" + GOOD,
        GOOD + "#" * (MAX_SOURCE_BYTES - len(GOOD)),
    ],
)
def test_a_good_source_gives_its_digest(source):
    assert check_source(source) == digest_text(source)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "no top-level function"),
        ("train = lambda task, rng: 0", "no top-level function"),
        ("class A:\n    def train(task, rng): ...", "no top-level function"),
        ("\n\ndef train(task): ...", "line 3: `train` cannot be called"),
        ("def train(task, rng, depth): ...", "cannot be called"),
        ("def train(task, rng, *, depth): ...", "cannot be called"),
        ("def train(task, *, rng): ...", "cannot be called"),
        ("def train(task, rng): ...\ndef train(task): ...", "line 2"),
        ("async def train(task, rng): ...", "async"),
        (GOOD + "\nif:", "line 4: not Python"),
        (GOOD + "\n x = 1", "line 4: not Python"),
        (GOOD + "x = '\0'", "line 3: it holds a NUL"),
        (GOOD + "'\ud800'", "surrogate"),
        (GOOD + "#" * MAX_SOURCE_BYTES, "more than 65536"),
        (GOOD + "#" + "é" * (MAX_SOURCE_BYTES // 2), "more than 65536"),
        ("# coding: nonsense\n" + GOOD + "x ===", "not Python"),
    ],
)
def test_a_bad_source_is_refused_with_its_place(source, words):
    with pytest.raises(BadSource, match=words):
        check_source(source)


@pytest.mark.parametrize(
    "deep",
    [
        "(" * 30_000 + ")" * 30_000,
        "[" * 30_000,
        "-" * 60_000 + "1",
        "not " * 16_000 + "1",
        "1" + "+1" * 30_000,
        "a" + ".b" * 30_000,
        "f" + "()" * 30_000,
        "lambda:" * 9_000 + "0",
        "f'{" * 10_000,
        "\n".join(" " * i + "if 1:" for i in range(300)),
        "1" * 60_000,
    ],
)
def test_deep_or_long_sources_do_not_crash(deep):
    with pytest.raises(BadSource):
        check_source(deep)


@given(text=st.text(st.characters() | st.sampled_from("\ud800\0")))
def test_any_text_is_refused_or_digested(text):
    with suppress(BadSource):
        assert check_source(text) == digest_text(text)


@given(text=st.text(alphabet="def train(,*/=:)[]{}'\"\\\n\t@lambdyifor#0\x00\ufeff"))
def test_python_like_text_is_refused_or_digested(text):
    with suppress(BadSource):
        assert check_source(text) == digest_text(text)
