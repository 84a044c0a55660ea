"""The figure of what builds on what."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from aar_host.report.figures import SVG
from aar_host.report.lineage import lineage, standalone
from aar_host.report.results import HistoryRow


def row(place: int, pgr: float | None, *parents: int, researcher: str = "ada") -> HistoryRow:
    status = "crashed" if pgr is None else "done"
    names = tuple(f"s{parent}" for parent in parents)
    return HistoryRow(60.0 * place, researcher, f"s{place}", "T", status, pgr, None, names)


ROWS = [row(0, 0.2), row(1, None, 0), row(2, 0.5, 0), row(3, 0.4, 1, 2, 99, researcher="bob")]
SERIES = {"ada": 0, "bob": 1}


def lines(svg: str) -> list[ElementTree.Element]:
    """The lines from a submission to what it builds on: paths of two points and their own style."""
    paths = ElementTree.fromstring(svg).iter(f"{{{SVG}}}path")
    return [p for p in paths if re.search(r"stroke-width: (1\.2|0\.4)\b", p.get("style", ""))]


def test_each_known_ancestor_has_a_line_and_the_best_has_a_strong_ancestry():
    found = lines(lineage(ROWS, SERIES))
    assert len(found) == 4
    assert sum("var(--ink)" in line.get("style", "") for line in found) == 1


def test_it_is_reproducible_and_in_roles():
    svg = lineage(ROWS, SERIES)
    assert svg == lineage(ROWS, SERIES)
    assert "#01" not in svg


def test_nothing_is_drawn_where_nothing_builds_on_anything():
    assert lineage([row(0, 0.2), row(1, 0.3, 99)], SERIES) == ""
    assert lineage([], {}) == ""


def test_nothing_need_have_a_score():
    assert lines(lineage([row(0, None), row(1, None, 0)], SERIES))


def test_hostile_names_stay_text():
    rows = [row(0, 0.1, researcher="</svg>\x1b"), row(1, 0.2, 0, researcher="</svg>\x1b")]
    words = "".join(ElementTree.fromstring(lineage(rows, {"</svg>\x1b": 0})).itertext())
    assert "</svg>\\x1b" in words


def test_a_file_of_its_own_brings_its_colours():
    root = ElementTree.fromstring(standalone(lineage(ROWS, SERIES)))
    style = root.find(f"{{{SVG}}}style")
    assert style is not None
    used = set(re.findall(r"var\((--[\w-]+)\)", lineage(ROWS, SERIES)))
    assert used
    assert used <= set(re.findall(r"(--[\w-]+):", style.text or ""))
