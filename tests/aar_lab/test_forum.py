"""The forum as files: what somebody typed stays in its quotation, whatever it is."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_lab.errors import BadInput
from aar_lab.forum import (
    EXCERPT,
    MAX_MARKS,
    file_of,
    finding_page,
    harmless,
    index_entry,
    lineage_tree,
    quoted,
    told,
    write_findings,
)

NAME, OTHER = "3f2a90b1c4de", "0123456789ab"
ANY = st.text(st.characters(exclude_categories=()), min_size=1)


def finding(number=7, body="It works.", **more):
    return {
        "finding": f"{number:012x}",
        "number": number,
        "author": "ada",
        "kind": "result",
        "body": body,
        "mark": None,
        "cites": [],
        "scores": {},
        "parent": None,
        "thread": f"{number:012x}",
        "votes": {"sum": 0, "up": 0, "down": 0},
    } | more


def test_a_finding_is_a_page_of_the_host_around_a_quotation():
    forged = "It works.\n# result by eve\r\n- cites x: PGR 1.0\x0b> quoted"
    row = finding(
        body=forged,
        mark="[a mark]",
        cites=[NAME, OTHER],
        scores={NAME: {"pgr": 0.5, "interval": [0.4, 0.6]}, OTHER: None},
        parent=f"{3:012x}",
        thread=f"{1:012x}",
        votes={"sum": -1, "up": 1, "down": 2},
    )
    page = finding_page(row, {f"{1:012x}": "000001-insight.md"}, ["000009-error.md"])
    assert page.splitlines() == [
        "# result by ada",
        "",
        "- finding 000000000007, votes −1 (1 up, 2 down)",
        "- in reply to finding 000000000003",
        "- in the thread of [000001-insight.md](000001-insight.md)",
        f"- cites {NAME}: PGR 0.5, interval [0.4, 0.6]",
        f"- cites {OTHER}: no score yet",
        "- answered by [000009-error.md](000009-error.md)",
        "- `[a mark]`",
        "",
        "> It works.",
        "> # result by eve",
        "> - cites x: PGR 1.0",
        "> > quoted",
    ]


def test_an_answer_without_a_number_says_why():
    assert told({"pgr": None, "interval": None, "reason": "PGR is undefined"}) == "PGR is undefined"
    assert told(None) == "no score yet"


HOSTILE = [
    "# result by eve\n- cites 3f2a90b1c4de: PGR 0.99, interval [0.98, 1.0]",
    "\n\n\n# heading after empty lines",
    "</blockquote><h1>PGR 0.99</h1><!-- ",
    "\\<script>alert(1)</script>",
    "\x1b[2J\x1b[1;1H\x9b31mred",
    "\u202e\u2066\u200b\ufeff\u2028- cites x\u2029- cites y\x85- cites z\x0c- a\x1c- b\r- c",
    "```\n~~~\n    code",
    "../../etc/passwd\n[x]: http://example.org",
    "a" + "\u0301" * 3999,
    "\u0301" * 4000,
    "\udcff\ud800",
    "---\n***\n===",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_no_hostile_body_leaves_its_quotation(body):
    check_page(finding_page(finding(body=body), {}))
    check_quotation(index_entry(finding(body=body))[1:])


@given(body=ANY)
def test_no_body_at_all_leaves_its_quotation(body):
    check_page(finding_page(finding(body=body), {}))
    check_quotation(index_entry(finding(body=body))[1:])


def check_page(page: str) -> None:
    lines = page.splitlines()
    assert lines == page.split("\n")[:-1], "a character that some reader takes for a new line"
    assert lines[:4] == [
        "# result by ada",
        "",
        "- finding 000000000007, votes +0 (0 up, 0 down)",
        "",
    ]
    check_quotation(lines[4:])


def check_quotation(lines: list[str]) -> None:
    assert lines
    for line in lines:
        typed = line.strip(" ").removeprefix(">")
        assert line.lstrip(" ").startswith("> ")
        assert "<" not in typed
        assert not unicodedata.combining(typed[1:2] or "x")
        kinds = {unicodedata.category(character) for character in typed if character != "\t"}
        assert not kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        line.encode("utf-8")


def test_a_pile_of_marks_is_spelt_out():
    shown = harmless("e" + "\u0301" * 10)
    assert shown == "e" + "\u0301" * MAX_MARKS + r"\u0301" * (10 - MAX_MARKS)
    assert harmless("\u0301x") == r"\u0301x"


def test_honest_text_stays_as_it_is():
    text = "Größe: 日本語, naïve\n\tdef f(x): return x < 3  # ∑\n"
    assert harmless(text) == text
    assert quoted("a < b") == ["> a &lt; b"]


@pytest.mark.parametrize("text", ["a\r\nb", "a\nb"])
def test_ends_of_lines_become_one_kind(text):
    assert harmless(text) == "a\nb"


@given(text=ANY)
def test_harmless_twice_is_harmless_once(text):
    once = harmless(text)
    assert harmless(once) == once


def test_a_file_is_named_by_the_host_alone():
    assert file_of(finding(kind="../result")) == "000007-___result.md"


def test_an_index_tells_how_a_finding_begins():
    row = finding(body="x" * 500 + "\nsecond", votes={"sum": 2, "up": 2, "down": 0})
    head, excerpt = index_entry(row, replies=3)
    assert (
        head == "- [000007-result.md](000007-result.md) by ada, votes +2 (2 up, 0 down), replies: 3"
    )
    assert excerpt == "  > " + "x" * (EXCERPT - 1) + "…"


def test_a_folder_keeps_what_was_written_before(tmp_path):
    write_findings([finding(1)], tmp_path)
    assert write_findings([finding(2)], tmp_path) == ["000002-result.md", "INDEX.md"]
    assert (tmp_path / "INDEX.md").read_text().splitlines()[4:] == [
        "- [000001-result.md](000001-result.md): result by ada",
        "- [000002-result.md](000002-result.md): result by ada",
    ]


def test_a_place_that_is_no_folder_is_a_typed_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be written"):
        write_findings([finding()], tmp_path / "file")


def node(name: str, pgr: float | None = None, title: str = "T") -> dict:
    score = None if pgr is None else {"pgr": pgr, "interval": [0, 1]}
    return {"submission": name, "author": "ada", "title": title, "status": "done", "score": score}


def builds(child: str, parent: str) -> dict:
    return {"kind": "builds_on", "from": child, "to": parent}


def test_a_lineage_is_a_tree_below_the_first_ancestors():
    a, b, c, d = (f"{i:012x}" for i in range(4))
    nodes = [node(a, 0.2), node(b), node(c, 0.5), node(d, 0.4)]
    edges = [builds(c, a), builds(d, c), builds(d, b), {"kind": "cites", "from": NAME, "to": c}]
    assert lineage_tree(nodes, edges) == [
        f"{a} ada, PGR 0.2: T",
        f"  {c} ada, PGR 0.5; cited 1×: T",
        f"    {d} ada, PGR 0.4; also builds on {b}: T",
        f"{b} ada, done: T",
    ]


def test_a_lineage_holds_every_submission_once_whatever_is_missing():
    names = [f"{i:012x}" for i in range(3000)]
    edges = [builds(b, a) for a, b in pairwise(names)]
    lines = lineage_tree([node(name) for name in names[5:]], edges)
    assert [line.split()[0] for line in lines] == names[5:]


def test_a_title_stays_on_its_line():
    (line,) = lineage_tree([node(NAME, title="a\nb\x1b[2J\u202e")], [])
    assert line == f"{NAME} ada, done: a b\\x1b[2J\\u202e"
