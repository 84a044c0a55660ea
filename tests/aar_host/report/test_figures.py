"""The figures: inline, self-contained, equal for equal input."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from aar_host.report.figures import SERIES, SVG, forest, progress, series_of
from aar_host.report.page import GLYPHS
from aar_host.report.results import Results

Read = Callable[[dict[str, Any]], Results]


@pytest.mark.parametrize("figure", [progress, forest])
def test_a_figure_is_reproducible_and_refers_only_to_itself(
    results: Results, figure: Callable[[Results], str]
) -> None:
    svg = figure(results)
    assert svg == figure(results)
    known = {element.get("id") for element in ElementTree.fromstring(svg).iter()}
    targets = re.findall(r'xlink:href="([^"]*)"', svg) + re.findall(r"url\(([^)]*)\)", svg)
    assert targets
    assert {target.removeprefix("#") for target in targets} <= known


def test_the_figures_of_a_page_share_no_identifier(results: Results) -> None:
    def identifiers(svg: str) -> set[str]:
        return set(re.findall(r'\bid="([^"]*)"', svg))

    assert not identifiers(progress(results)) & identifiers(forest(results))


@pytest.mark.parametrize("figure", [progress, forest])
def test_every_colour_is_a_role(results: Results, figure: Callable[[Results], str]) -> None:
    svg = figure(results)
    assert "#01" not in svg
    assert "var(--ink)" in svg


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{{{SVG}}}text")]


def test_every_opened_method_has_a_row(results: Results) -> None:
    shown = words(forest(results))
    assert {"bob · Method of bob", "naive", "confident", "0.53 [0.43, 0.63]"} <= set(shown)
    assert not any("cyd" in word for word in shown)


def test_the_levels_are_named(results: Results) -> None:
    assert {"weak", "naive", "ceiling"} <= set(words(progress(results)))


def test_hostile_labels_stay_text(document: dict[str, Any], read: Read) -> None:
    document["finalists"][0] |= {"researcher": "$\\frac", "title": "</svg><script>\x00\u202e$$"}
    svg = forest(read(document))
    assert "<script" not in svg
    assert "$\\frac · </svg><script>\\x00\\u202e$$" in words(svg)


def test_extreme_scores_are_drawn_at_the_edge(document: dict[str, Any], read: Read) -> None:
    document["history"][1]["pgr"] = 1e300
    document["finalists"][0]["sealed"] |= {"pgr": -1e300, "interval": [None, None]}
    results = read(document)
    assert "1e300" not in progress(results) + forest(results)


def test_nothing_to_show_gives_no_figure(document: dict[str, Any], read: Read) -> None:
    document |= {"history": [], "finalists": [], "baselines": []}
    results = read(document)
    assert (progress(results), forest(results)) == ("", "")


def test_many_researchers_share_the_series(document: dict[str, Any], read: Read) -> None:
    one = document["researchers"][0]
    document["researchers"] = [{**one, "name": f"r{i}"} for i in range(20)]
    series = series_of(read(document))
    assert [series[f"r{i}"] for i in range(20)] == [i % SERIES for i in range(20)]
    assert len(GLYPHS) == SERIES
