"""A researcher's verbs, each defined once. The command line (`cli.py`) and the tools of the MCP
servers (`mcp.py`) are generated from them.

A verb returns what `--json` prints. To add one, write its function and its entry in `VERBS`;
a function that needs a heavy import is named as "module:function" and loaded only when it runs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aar_lab.agreement import read_agreement
from aar_lab.box import forum_folder
from aar_lab.cards import read_card
from aar_lab.client import MAX_WAIT, Client
from aar_lab.errors import BadInput
from aar_lab.forum import lineage_tree, write_files, write_findings
from aar_lab.integrity import Violation, read_rules
from aar_lab.types import FindingKind, JobStatus
from aar_lab.verbs import Connect, Parameter, TextFile, Verb

UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)

KINDS = tuple(kind.value for kind in FindingKind)
VOTES = {"up": 1, "down": -1}
MAX_ANSWER_BYTES = 240 * 1024  # a request has at most 256 KiB


def brief(connect: Connect) -> dict[str, Any]:
    """The host's brief, with the folder of the forum where this box has one."""
    told, folder = connect().brief(), forum_folder()
    return told | {"forum": str(folder)} if folder.is_dir() else told


def check(connect: Connect, file: str) -> dict[str, Any]:
    """See `VERBS`; the host reads a source by the same rules before it accepts it."""
    found = [*read_rules(file), *_check_card(file)]
    return {"ok": not found, "violations": [violation.as_dict() for violation in found]}


def _check_card(source: str) -> list[Violation]:
    try:
        return read_agreement(source, read_card(source))
    except BadInput as error:
        return [Violation(1, error.fault, error.value, error.remedy)]


def submit(
    connect: Connect, file: str, builds_on: Sequence[str] = (), wait: float = 0.0
) -> dict[str, Any]:
    """Read the card from the source, hand both in, and wait for the end if asked to."""
    card, client = read_card(file), connect()
    accepted = client.submit(file, card, builds_on)
    return _awaited(client, accepted["submission"], wait) if wait else accepted


def inputs(connect: Connect) -> dict[str, Any]:
    """See `VERBS`."""
    return connect().inputs()


def answer(
    connect: Connect, predictions: str, card: str, builds_on: Sequence[str] = ()
) -> dict[str, Any]:
    """Hand in the JSON object of id → P(y = 1), with the card that a source states."""
    return connect().predict(_rows(predictions), read_card(card), builds_on)


def _rows(text: str) -> dict[str, float]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput("predictions", f"not JSON ({error})", "Write {id: probability}.") from error
    good = isinstance(rows, dict) and all(type(value) in (int, float) for value in rows.values())
    if not good:
        raise BadInput("predictions", "no object of numbers", "Write {id: probability}.")
    return dict(rows)


def scores(connect: Connect, submission: str | None = None, wait: float = 0.0) -> dict[str, Any]:
    """All of one's own submissions, or one of them in detail."""
    client = connect()
    return client.submissions() if submission is None else _awaited(client, submission, wait)


def leaderboard(connect: Connect, limit: int | None = None) -> dict[str, Any]:
    """See `VERBS`."""
    return connect().leaderboard(limit)


def post(
    connect: Connect, kind: str, body: str, cites: Sequence[str] = (), parent: str | None = None
) -> dict[str, Any]:
    """See `VERBS`."""
    return connect().post(kind, body, cites, parent)


def vote(connect: Connect, finding: str, direction: str) -> dict[str, Any]:
    """See `VERBS`."""
    return connect().vote(finding, VOTES[direction])


def findings(
    connect: Connect, since: int = 0, limit: int | None = None, into: Path | None = None
) -> dict[str, Any]:
    """The findings, or the names of the files that they were written to."""
    found = connect().findings(since, limit)
    if into is None:
        return found
    return {"files": write_findings(found["findings"], into), "last": found["last"]}


def snapshot(
    connect: Connect, action: str, submission: str, into: Path | None = None
) -> dict[str, Any]:
    """The files of a submission, or the names under which they were written; `action` is get."""
    found = connect().snapshot(submission)
    if into is None:
        return found
    return found | {"files": write_files(found["files"], into)}


def lineage(connect: Connect) -> dict[str, Any]:
    """What builds on what; `text` shows the same as a tree."""
    found = connect().lineage()
    return found | {"text": "\n".join(lineage_tree(found["nodes"], found["edges"]))}


def source(connect: Connect, submission: str) -> dict[str, Any]:
    """See `VERBS`."""
    return connect().source(submission)


_METHOD = Parameter("file", TextFile, "the method's source", "argument")
_WAIT = Parameter(
    "wait", float, "seconds to wait for the end of the jobs", default=0.0, most=MAX_WAIT
)

VERBS = (
    Verb("brief", "What is asked, the rules, and what is left of the budget.", "lab brief", brief),
    Verb(
        "try",
        "Train a method on the practice data of this box, and describe the student.",
        "lab try confident.py",
        "aar_lab.experiment.trial:try_method",
        (
            Parameter("file", Path, "the method's source file", "argument"),
            Parameter("seed", int, "of the split and of the method's random stream", default=0),
        ),
        local=True,
    ),
    Verb(
        "check",
        "Is the card whole, does the code agree with it and keep the rules? Names lines at fault.",
        "lab check confident.py",
        check,
        (_METHOD,),
    ),
    Verb(
        "submit",
        "Hand in a method; its card is read from the file (sections of the docstring, FAMILY).",
        "lab submit confident.py --builds-on 3f2a90b1c4de --wait 60",
        submit,
        (
            _METHOD,
            Parameter("builds_on", str, "a submission that it builds on", many=True),
            _WAIT,
        ),
    ),
    Verb(
        "inputs",
        "All test inputs, where the campaign takes predictions; else they are withheld.",
        "lab inputs --json",
        inputs,
    ),
    Verb(
        "predict",
        "Train a method on this box's data and write its answers to the test inputs as JSON.",
        "lab predict confident.py predictions.json",
        "aar_lab.experiment.predicting:predict_inputs",
        (
            Parameter("file", Path, "the method's source file", "argument"),
            Parameter("into", Path, "file to write", "argument"),
            Parameter("seed", int, "of the method's random stream", default=0),
        ),
        local=True,
    ),
    Verb(
        "answer",
        "Hand in predictions for all test inputs, where the campaign takes them.",
        "lab answer predictions.json confident.py",
        answer,
        (
            Parameter(
                "predictions", TextFile, "JSON: id → P(y = 1)", "argument", limit=MAX_ANSWER_BYTES
            ),
            Parameter("card", TextFile, "a source whose docstring is the card", "argument"),
            Parameter("builds_on", str, "a submission that it builds on", many=True),
        ),
    ),
    Verb(
        "scores",
        "How your submissions stand, or one of them in detail.",
        "lab scores 3f2a90b1c4de --wait 60",
        scores,
        (Parameter("submission", str, "its id; all if left out", "argument", optional=True), _WAIT),
    ),
    Verb(
        "leaderboard",
        "The scored submissions, best first.",
        "lab leaderboard --limit 10",
        leaderboard,
        (Parameter("limit", int, "at most so many; 100 if left out"),),
    ),
    Verb(
        "post",
        "Tell the others what you found; cite submissions instead of typing numbers.",
        'lab post negative "Soft labels lose to hard ones." --cites 3f2a90b1c4de',
        post,
        (
            Parameter("kind", str, "what it is", "argument", choices=KINDS),
            Parameter("body", str, "1…4,000 characters", "argument"),
            Parameter("cites", str, "a submission that it is about", many=True),
            Parameter("parent", str, "the finding that it replies to"),
        ),
    ),
    Verb(
        "vote",
        "Say whether another's finding is useful; one vote each, which may be changed.",
        "lab vote 3f2a90b1c4de up",
        vote,
        (
            Parameter("finding", str, "its id", "argument"),
            Parameter("direction", str, "useful or not", "argument", choices=tuple(VOTES)),
        ),
    ),
    Verb(
        "findings",
        "What the others found, or the same as a folder of Markdown files.",
        "lab findings --into findings",
        findings,
        (
            Parameter("since", int, "only what is new after this number", default=0),
            Parameter("limit", int, "at most so many; go on with --since"),
            Parameter("into", Path, "write one file for each, and INDEX.md"),
        ),
    ),
    Verb(
        "source",
        "The source of anybody's submission.",
        "lab source 3f2a90b1c4de",
        source,
        (Parameter("submission", str, "its id", "argument"),),
    ),
    Verb(
        "snapshot",
        "Anybody's submission as files: method, card, and what it builds on.",
        "lab snapshot get 3f2a90b1c4de --into theirs",
        snapshot,
        (
            Parameter("action", str, "what to do with it", "argument", choices=("get",)),
            Parameter("submission", str, "its id", "argument"),
            Parameter("into", Path, "write the files into this folder"),
        ),
    ),
    Verb("lineage", "Which submission builds on which, as a tree.", "lab lineage", lineage),
)


def without_box(verbs: Sequence[Verb] = VERBS) -> tuple[Verb, ...]:
    """The verbs that the host may carry out: none runs code, no parameter names a path."""
    return tuple(
        replace(verb, parameters=tuple(p for p in verb.parameters if p.kind is not Path))
        for verb in verbs
        if not verb.local
    )


def _awaited(client: Client, submission: str, wait: float) -> dict[str, Any]:
    until = time.monotonic() + wait
    while True:
        left = max(0.0, until - time.monotonic())
        found = client.submission(submission, min(left, MAX_WAIT))
        if found["status"] not in UNFINISHED or left <= 0:
            return found
