"""Tables for the terminal, as they are printed."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from aar_host.report.results import Results
from aar_host.report.tables import anchors_table, finalists_table, leaderboard_table
from aar_lab.errors import Corrupt

Read = Callable[[dict[str, Any]], Results]


def printed(table: Table, width: int = 120, color: bool = False) -> str:
    stream = io.StringIO()
    system = "truecolor" if color else None
    Console(file=stream, width=width, force_terminal=color, color_system=system).print(table)
    return stream.getvalue()


def test_finalists_stand_beside_the_baselines(results: Results) -> None:
    shown = printed(finalists_table(results))
    names = re.findall(r"^(ada|bob|cyd|naive|confident)\b", shown, re.MULTILINE)
    assert names == ["bob", "ada", "cyd", "naive", "confident"]
    for words in ("0.55", "[0.18, 0.38]", "it crashed"):
        assert words in shown


def test_numbers_survive_a_narrow_terminal(results: Results) -> None:
    shown = printed(finalists_table(results), width=80)
    assert "[0.18, 0.38]" in shown
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert all(name in shown for name in ("ada", "naive", "confident"))


def test_a_gain_above_zero_is_green(document: dict[str, Any], read: Read) -> None:
    document["baselines"], document["finalists"] = [], document["finalists"][:1]
    assert "\x1b[32m0.28" in printed(finalists_table(read(document)), color=True)
    document["finalists"][0]["sealed"]["gain_over_naive"]["interval"] = [0.0, 0.5]
    assert "\x1b[32m" not in printed(finalists_table(read(document)), color=True)


def test_marks_stand_below_the_table(document: dict[str, Any], read: Read) -> None:
    document["marks"] = ["ran without a sandbox"]
    assert "ran without a sandbox" in printed(finalists_table(read(document)))


def test_foreign_text_is_neither_markup_nor_control(document: dict[str, Any], read: Read) -> None:
    document["finalists"][0] |= {"researcher": "[red]x[/red]", "title": "\x1b[2J[link=http://e]y"}
    shown = printed(finalists_table(read(document)))
    assert "[red]x[/red]" in shown
    assert "\\x1b[2J[link=http://e]y" in shown
    assert "\x1b" not in shown


def test_anchors(document: dict[str, Any]) -> None:
    shown = printed(anchors_table(document["anchors"]))
    for words in ("0.610", "0.004", "0.23 [0.10, 0.36]", "zero-shot", "1 by definition"):
        assert words in shown
    with pytest.raises(Corrupt):
        anchors_table({"version": "a"})


def test_the_leaderboard_keeps_its_order() -> None:
    score = {"pgr": 0.4, "interval": [None, 0.5]}
    row = {"submission": "s1", "author": "ada", "title": "[b]T", "family": "other", "score": score}
    unknown = {**row, "author": "bob", "score": {"pgr": None, "interval": None, "reason": "r"}}
    shown = printed(leaderboard_table([row, unknown]))
    assert shown.index("ada") < shown.index("bob")
    assert "0.40 (−∞, 0.50]" in shown
    assert "[b]T" in shown
