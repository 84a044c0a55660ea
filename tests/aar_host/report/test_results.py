"""Reading results.json: what is there is kept, what is wrong is named."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aar_host.report.results import Results, parse_anchors, parse_results, read_results
from aar_lab.errors import BadInput, Corrupt
from aar_lab.types import Interval


def test_every_part_is_read(tmp_path: Path, document: dict[str, Any]) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(document))
    results = read_results(path)
    assert [one.researcher for one in results.finalists] == ["ada", "bob", "cyd"]
    assert results.finalists[0].sealed is not None
    assert results.finalists[0].sealed.n_problems == 400
    assert results.finalists[2].error is not None
    assert results.history[3].builds_on == ("s2",)
    assert results.anchors.zero_shot is not None
    assert results.anchors.zero_shot.mean == 0.74


def test_a_null_side_is_unbounded(results: Results) -> None:
    assert results.finalists[0].sealed is not None
    assert results.finalists[0].sealed.shifted_interval == Interval(-math.inf, 0.5)


def test_unknown_fields_are_left_out(
    document: dict[str, Any], results: Results, read: Callable[[dict[str, Any]], Results]
) -> None:
    document["later"] = document["finalists"][0]["later"] = 1
    assert read(document) == results


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("seconds",), "long", "seconds"),
        (("seconds",), math.nan, "seconds"),
        (("finalists", 1, "sealed", "pgr"), None, "finalists.1.sealed.pgr"),
        (("finalists", 0, "public", "interval"), [1], "finalists.0.public.interval"),
        (("finalists", 0, "public", "interval"), [1, 0], "finalists.0.public.interval"),
        (("finalists", 0, "public", "interval"), ["0", 1], "finalists.0.public.interval"),
        (("history", 2), "row", "history.2"),
        (("jobs", "done"), 1.5, "jobs.done"),
    ],
)
def test_a_wrong_field_is_named(
    document: dict[str, Any], path: tuple[Any, ...], value: object, named: str
) -> None:
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(Corrupt) as caught:
        parse_results(json.dumps(document))
    assert caught.value.value == f"results.json, {named}"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", b"\xff"])
def test_what_is_no_such_document_is_corrupt(text: str | bytes) -> None:
    with pytest.raises(Corrupt, match=r"results\.json"):
        parse_results(text)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere\.json: cannot be read \(No such file"):
        read_results(tmp_path / "nowhere.json")


def test_broken_anchors_are_named() -> None:
    with pytest.raises(Corrupt, match="anchors, ceiling"):
        parse_anchors({"version": "a", "weak": {"mean": 0.6}})
