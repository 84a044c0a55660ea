"""report.html: complete, self-contained, and deaf to whatever researchers write."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from aar_host.report.page import render_report, write_report
from aar_host.report.results import Results
from aar_lab.errors import BadInput

Read = Callable[[dict[str, Any]], Results]

VOID = {"meta", "br", "use", "path"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><a href='javascript:alert(1)'>x</a>",
    "</style></pre></code></td></svg><h1>PGR 1.00</h1>",
    "<!--",
    "]]><!doctype html>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;",
    "\x1b[2J\x00\u202e\u2028",
    "$\\frac{$",
]


class Outline(HTMLParser):
    """Tags, attributes and text of a page; notes a tag that is closed out of order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def poisoned(document: dict[str, Any], text: str) -> dict[str, Any]:
    """The document with `text` wherever a researcher, or a name, may put words."""
    for one in document["finalists"]:
        one |= {"researcher": text, "title": text, "source": text, "submission": text}
        one["card"] |= dict.fromkeys(("idea", "objective", "data", "procedure", "family"), text)
        one["card"]["hyperparameters"] = {text: text}
        if one["error"]:
            one["error"] = dict.fromkeys(("code", "value", "fault", "remedy"), text)
    for row in document["history"]:
        row |= {"researcher": text, "title": text, "status": text, "builds_on": [text]}
        row["submission"] = text
    for finding in document["findings"]:
        finding |= {"author": text, "kind": text, "body": text, "cites": [text]}
    for row in document["researchers"]:
        row |= {"name": text, "direction": text}
    names = ("rule", "researcher", "evidence", "severity", "place")
    document["flags"] = [dict.fromkeys(names, text)]
    spent = {"model_dollars": 1.0, "compute_dollars": 0.5, "tokens": 3e6, "hours": 2.0}
    row = {"name": text, "submissions": 1, **spent}
    document["costs"] = {"total": row | {"name": "all"}, "researchers": [row]}
    return document | {"marks": [text], "jobs": {text: 1}, "campaign": text, "problem": text}


def test_everything_is_shown(results: Results) -> None:
    page = render_report(results)
    text = Outline(page).text
    for words in (
        "it beats naive",
        "optimistic",
        "Soft labels\nlose to hard ones.",
        "def train(task, rng):",
        "min over f of\n    CE(f, p_w)",
        "The sure half.",
        "1. Select.\n2. Fit.",
        "epochs = 2, rate = 0.001, soft = True, loss = CE",
        "Not scored (job_failed): seed 3: it crashed. See it.",
        "crashed",
        "0.610",
        "18 done",
        "What was not",
        "results.json",
        "within 0.086",
    ):
        assert words in text
    assert page.count("<svg") == 3


def test_the_page_is_well_formed(results: Results) -> None:
    assert Outline(render_report(results)).open == []


def test_the_page_needs_nothing_from_elsewhere(results: Results) -> None:
    outline = Outline(render_report(results))
    assert not {"script", "link", "img", "iframe", "object", "embed", "form"} & set(outline.tags)
    links = [value or "" for name, value in outline.attributes if name.endswith(("href", "src"))]
    assert links
    assert all(link.startswith("#") for link in links)
    assert "url(http" not in render_report(results)


def test_links_have_targets(results: Results) -> None:
    attributes = Outline(render_report(results)).attributes
    targets = {value for name, value in attributes if name == "id"}
    links = {(value or "")[1:] for name, value in attributes if name.endswith("href")}
    assert links <= targets


def test_equal_results_give_equal_pages(results: Results) -> None:
    assert render_report(results) == render_report(results)


def test_flags_and_costs_are_shown_where_there_are_any(
    document: dict[str, Any], read: Read
) -> None:
    bare = Outline(render_report(read(document))).text
    assert "Flags" not in bare
    assert "Costs" not in bare
    text = Outline(render_report(read(poisoned(document, "word")))).text
    assert "A flag is a question to a person" in text
    assert "3000000" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_nothing_to_the_page(
    document: dict[str, Any], read: Read, text: str
) -> None:
    calm = Outline(render_report(read(poisoned(document, "word"))))
    hostile = Outline(render_report(read(poisoned(document, text))))
    assert hostile.tags == calm.tags
    assert sorted(dict(hostile.attributes)) == sorted(dict(calm.attributes))
    assert not {"\x1b", "\x00", "\u202e", "\u2028"} & set(hostile.text)


def test_hostile_text_is_shown_as_it_is(document: dict[str, Any], read: Read) -> None:
    text = HOSTILE[0]
    document["finalists"][0]["source"] = text
    assert text in Outline(render_report(read(document))).text


def test_results_that_hold_no_card_have_a_page(document: dict[str, Any], read: Read) -> None:
    for one in document["finalists"]:
        del one["card"]
    text = Outline(render_report(read(document))).text
    assert "def train(task, rng):" in text
    assert "Hyper-parameters" not in text


def test_marks_and_a_missing_sandbox_are_prominent(document: dict[str, Any], read: Read) -> None:
    document |= {"marks": ["ran without a sandbox"], "sandbox": "none"}
    text = Outline(render_report(read(document))).text
    assert text.index("ran without a sandbox") < text.index("recovered")
    assert "No number here is evidence." in text
    assert "Against a method that means harm, nothing" in text
    assert "true labels or test items" not in text


def test_a_campaign_without_anything_has_a_page(document: dict[str, Any], read: Read) -> None:
    for name in ("finalists", "baselines", "researchers", "history", "findings"):
        document[name] = []
    document |= {"bound": None, "seed": None, "started": None, "jobs": {}, "overhead": {}}
    document["anchors"] |= {"naive": None, "confident": None, "zero_shot": None}
    text = Outline(render_report(read(document))).text
    assert "supports no claim" in text
    assert "Nobody posted any." in text


def test_an_earlier_report_is_replaced(tmp_path: Path, results: Results) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    write_report(results, path)
    assert path.read_text(encoding="utf-8") == render_report(results)
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_that_cannot_be_written_is_a_typed_error(tmp_path: Path, results: Results) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        write_report(results, tmp_path / "absent" / "report.html")
