"""A researcher's verbs, each defined once. The command line (`cli.py`) and the tools of the MCP
servers (`mcp.py`) are generated from them.

A verb returns what `--json` prints. To add one, write its function and its entry in `VERBS`;
a function that needs a heavy import is named as "module:function" and loaded only when it runs.
"""

from __future__ import annotations

import pkgutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from aar_lab.agreement import read_agreement
from aar_lab.cards import read_card
from aar_lab.client import MAX_WAIT, Client
from aar_lab.errors import BadInput, BadSource
from aar_lab.integrity import Violation, read_rules
from aar_lab.types import MAX_SOURCE_BYTES, FindingKind, JobStatus

UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)

KINDS = tuple(kind.value for kind in FindingKind)

Connect = Callable[[], Client]
Run = Callable[..., dict[str, Any]]


class TextFile(str):
    """A kind of parameter: the function gets a text. On the command line it is named by a path and
    read from there; anywhere else the text itself is handed in, so that no server opens a path
    that a client names."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a verb.

    Args:
        name: as the function calls it; `builds_on` becomes the option `--builds-on`.
        kind: str, int, float, TextFile, or Path: a place in the box, unknown outside of it.
        place: an argument is positional; an option has a name and may be left out.
        default: value of an option that is left out.
        optional: whether an argument may be left out.
        many: whether it may be repeated; its value is then a tuple.
        choices: the values allowed, or () for any.
        limit: of the bytes of a TextFile.
        most: largest number for a server, where a call that waits keeps a thread busy.
    """

    name: str
    kind: type
    help: str
    place: Literal["argument", "option"] = "option"
    default: float | None = None
    optional: bool = False
    many: bool = False
    choices: tuple[str, ...] = ()
    limit: int = MAX_SOURCE_BYTES
    most: float | None = None


@dataclass(frozen=True)
class Verb:
    """Something that a researcher can do: `function(connect, **parameters)` returns JSON.

    `local` marks one that runs code of the researcher: it exists only where a box is.
    """

    name: str
    summary: str
    example: str
    function: Run | str
    parameters: tuple[Parameter, ...] = ()
    local: bool = False

    def load(self) -> Run:
        """The function itself; imports its module if it is only named so far."""
        if isinstance(self.function, str):
            return cast(Run, pkgutil.resolve_name(self.function))
        return self.function


def brief(connect: Connect) -> dict[str, Any]:
    """See `VERBS`."""
    return connect().brief()


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


def scores(connect: Connect, submission: str | None = None, wait: float = 0.0) -> dict[str, Any]:
    """All of one's own submissions, or one of them in detail."""
    client = connect()
    return client.submissions() if submission is None else _awaited(client, submission, wait)


def leaderboard(connect: Connect) -> dict[str, Any]:
    """See `VERBS`."""
    return connect().leaderboard()


def post(connect: Connect, kind: str, body: str, cites: Sequence[str] = ()) -> dict[str, Any]:
    """See `VERBS`."""
    return connect().post(kind, body, cites)


def findings(connect: Connect, since: int = 0, into: Path | None = None) -> dict[str, Any]:
    """The findings, or the names of the files that they were written to."""
    found = connect().findings(since)
    if into is None:
        return found
    return {"files": write_findings(found["findings"], into), "last": found["last"]}


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
        "scores",
        "How your submissions stand, or one of them in detail.",
        "lab scores 3f2a90b1c4de --wait 60",
        scores,
        (Parameter("submission", str, "its id; all if left out", "argument", optional=True), _WAIT),
    ),
    Verb("leaderboard", "The scored submissions, best first.", "lab leaderboard", leaderboard),
    Verb(
        "post",
        "Tell the others what you found; cite submissions instead of typing numbers.",
        'lab post negative "Soft labels lose to hard ones." --cites 3f2a90b1c4de',
        post,
        (
            Parameter("kind", str, "what it is", "argument", choices=KINDS),
            Parameter("body", str, "1…4,000 characters", "argument"),
            Parameter("cites", str, "a submission that it is about", many=True),
        ),
    ),
    Verb(
        "findings",
        "What the others found, or the same as a folder of Markdown files.",
        "lab findings --into findings",
        findings,
        (
            Parameter("since", int, "only those after this number", default=0),
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
)


def without_box(verbs: Sequence[Verb] = VERBS) -> tuple[Verb, ...]:
    """The verbs that the host may carry out: none runs code, no parameter names a path."""
    return tuple(
        replace(verb, parameters=tuple(p for p in verb.parameters if p.kind is not Path))
        for verb in verbs
        if not verb.local
    )


def read_source(file: Path, limit: int = MAX_SOURCE_BYTES) -> str:
    """The text of a file of at most `limit` bytes.

    Raises:
        BadInput: it cannot be read.
        BadSource: it is no text, or too long.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(limit + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise BadInput(file, f"cannot be read ({error.strerror})", "Give a file.") from error
    except UnicodeDecodeError as error:
        raise BadSource(file, f"not UTF-8 at byte {error.start}", "Save it as UTF-8.") from error
    if len(content) > limit:
        raise BadSource(file, f"more than {limit} bytes", "Shorten it.")
    return text


def write_findings(rows: Sequence[Mapping[str, Any]], folder: Path) -> list[str]:
    """Write one Markdown file for each finding; INDEX.md lists all that the folder now holds.

    Returns:
        The names of the files written, INDEX.md last.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = [f"{row['number']:06d}-{row['kind']}.md" for row in rows]
        for name, row in zip(names, rows, strict=True):
            (folder / name).write_text(_markdown(row), encoding="utf-8")
        _write_index(folder)
    except OSError as error:
        raise BadInput(folder, f"cannot be written ({error.strerror})", "Name another.") from error
    return [*names, "INDEX.md"]


def _write_index(folder: Path) -> None:
    lines = ["# Findings", ""]
    for path in sorted(folder.glob("[0-9]*-*.md")):
        head = path.read_text(encoding="utf-8").split("\n", 1)[0]
        lines.append(f"- [{path.name}]({path.name}): {head.removeprefix('# ')}")
    (folder / "INDEX.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _markdown(row: Mapping[str, Any]) -> str:
    """The host says who wrote and what it scored; all that the author typed is quoted."""
    lines = [f"# {row['kind']} by {row['author']}", ""]
    for name in row["cites"]:
        score = row["scores"][name]
        shown = f"PGR {score['pgr']}, interval {score['interval']}" if score else "no score yet"
        lines.append(f"- cites {name}: {shown}")
    return "\n".join([*lines, "", *(f"> {line}" for line in row["body"].splitlines()), ""])


def _awaited(client: Client, submission: str, wait: float) -> dict[str, Any]:
    until = time.monotonic() + wait
    while True:
        left = max(0.0, until - time.monotonic())
        found = client.submission(submission, min(left, MAX_WAIT))
        if found["status"] not in UNFINISHED or left <= 0:
            return found
