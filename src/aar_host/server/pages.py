"""The forum's files as text, from the store, and nothing that the API would not tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aar_host.feedback import Policy
from aar_host.server.forum import finding_rows
from aar_host.server.telling import answers_of
from aar_host.store import Store
from aar_host.store.findings import roots_of, select_findings
from aar_host.store.submissions import UNFINISHED, Submission, list_submissions
from aar_host.store.votes import tallies
from aar_lab.digest import canonical
from aar_lab.forum import (
    INDEX,
    NOTICE,
    file_of,
    finding_page,
    index_entry,
    inline,
    quoted,
    told,
)

VALUED = 20
LEADERBOARD = "LEADERBOARD.md"
WHERE = (
    f"Scores are in [{LEADERBOARD}]({LEADERBOARD}); a submission that is cited lies in "
    "submissions/, its page under ID.md and its source under ID.py."
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Forum:
    """All that the files are made of.

    Args:
        rows: findings as the API tells them, oldest first.
        files: finding → its file.
        replies: finding → files of those that reply to it.
        submissions: oldest first.
        answers: submission → the policy's answer.
    """

    rows: Sequence[Row]
    files: Mapping[str, str]
    replies: Mapping[str, Sequence[str]]
    submissions: Sequence[Submission]
    answers: Mapping[str, Row]


def pages(store: Store, campaign: str, policy: Policy) -> dict[str, str]:
    """Every file but the sources, by its path in the folder."""
    forum = _read(store, campaign, policy)
    built, cited = _links(forum)
    found = {
        forum.files[row["finding"]]: finding_page(
            row, forum.files, forum.replies.get(row["finding"], ())
        )
        for row in forum.rows
    }
    for one in forum.submissions:
        page = _submission(one, forum.answers.get(one.id), built[one.id], cited[one.id])
        found[f"submissions/{one.id}.md"] = page
    return found | {INDEX: _index(forum), LEADERBOARD: _leaderboard(forum)}


def _read(store: Store, campaign: str, policy: Policy) -> _Forum:
    with store.reading() as connection:
        found = select_findings(connection, campaign)
        roots = roots_of(connection, found)
        counted = tallies(connection, [one.id for one in found])
    rows = finding_rows(store, policy, found, roots, counted)
    files = {row["finding"]: file_of(row) for row in rows}
    replies: dict[str, list[str]] = {}
    for row in rows:
        if row["parent"]:
            replies.setdefault(row["parent"], []).append(files[row["finding"]])
    submitted = list_submissions(store, campaign)
    answers = answers_of(store, policy, [one.id for one in submitted])
    return _Forum(rows, files, replies, submitted, answers)


def _links(forum: _Forum) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """For each submission those that build on it, and the files of findings that cite it."""
    built: dict[str, list[str]] = {one.id: [] for one in forum.submissions}
    cited: dict[str, list[str]] = {one.id: [] for one in forum.submissions}
    for one in forum.submissions:
        for parent in one.builds_on:
            built[parent].append(one.id)
    for row in forum.rows:
        for name in row["cites"]:
            # A submission accepted between two looks at the store is linked at the next.
            cited.get(name, []).append(forum.files[row["finding"]])
    return built, cited


def _index(forum: _Forum) -> str:
    lines = ["# Findings", "", NOTICE, "", WHERE, ""]
    valued = [row for row in forum.rows if row["votes"]["sum"] > 0]
    valued.sort(key=lambda row: (-row["votes"]["sum"], -row["number"]))
    for title, rows in (
        ("Most valued", valued[:VALUED]),
        ("Newest first", reversed(forum.rows)),
    ):
        lines += [f"## {title}", "", *_entries(forum, rows), ""]
    return "\n".join(lines)


def _entries(forum: _Forum, rows: Iterable[Row]) -> list[str]:
    found: list[str] = []
    for row in rows:
        found += index_entry(row, len(forum.replies.get(row["finding"], ())))
    return found or ["None yet."]


def _leaderboard(forum: _Forum) -> str:
    lines = ["# Leaderboard", "", NOTICE, ""]
    scored = [one for one in forum.submissions if one.id in forum.answers]
    scored.sort(key=lambda one: _worst_last(forum.answers[one.id]))
    for place, one in enumerate(scored, 1):
        score = told(forum.answers[one.id])
        head = f"{place}. [{one.id}](submissions/{one.id}.md) by {inline(one.author)}: {score}"
        lines += [head, *quoted(one.card["title"], "   ")]
    return "\n".join([*lines, *([] if scored else ["Nothing has a score yet."]), ""])


def _submission(
    one: Submission, answered: Row | None, built: Sequence[str], cited: Sequence[str]
) -> str:
    status = "not finished" if one.status in UNFINISHED else one.status
    lines = [f"# Submission {one.id} by {inline(one.author)}", "", f"- status: {status}"]
    lines.append(f"- {told(answered)}")
    lines += [f"- builds on [{name}]({name}.md)" for name in one.builds_on]
    lines += [f"- [{name}]({name}.md) builds on it" for name in built]
    lines += [f"- cited by [{name}](../{name})" for name in cited]
    if one.method_digest is not None:
        lines.append(f"- source: [{one.id}.py]({one.id}.py), byte for byte: `lab source {one.id}`")
    for name, text in one.card.items():
        lines += ["", f"{inline(name)}:", "", *quoted(_text(text))]
    if one.error is not None:
        lines += ["", "error:", "", *quoted(f"{one.error['value']}: {one.error['fault']}")]
    return "\n".join([*lines, ""])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else canonical(value)


def _worst_last(answered: Row) -> tuple[bool, float]:
    pgr = answered["pgr"]
    return pgr is None, -float(pgr or 0)
