"""A researcher's verbs, each defined once. The command line is generated from them (`cli.py`).

A verb returns what `--json` prints. To add one, write its function and its entry in `VERBS`;
a function that needs a heavy import is named as "module:function" and loaded only when it runs.
"""

from __future__ import annotations

import ast
import pkgutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from aar_lab.box import forum_folder
from aar_lab.client import MAX_WAIT, Client
from aar_lab.errors import BadInput, BadSource
from aar_lab.forum import lineage_tree, write_files, write_findings
from aar_lab.integrity import parse, read_rules
from aar_lab.types import FAMILIES, MAX_SOURCE_BYTES, FindingKind, JobStatus, MethodCard

UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)

KINDS = tuple(kind.value for kind in FindingKind)
VOTES = {"up": 1, "down": -1}

Connect = Callable[[], Client]
Run = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a verb.

    Args:
        name: as the function calls it; `builds_on` becomes the option `--builds-on`.
        kind: str, int, float or Path.
        place: an argument is positional; an option has a name and may be left out.
        default: value of an option that is left out.
        optional: whether an argument may be left out.
        many: whether it may be repeated; its value is then a tuple.
        choices: the values allowed, or () for any.
    """

    name: str
    kind: type
    help: str
    place: Literal["argument", "option"] = "option"
    default: float | None = None
    optional: bool = False
    many: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verb:
    """Something that a researcher can do: `function(connect, **parameters)` returns JSON."""

    name: str
    summary: str
    example: str
    function: Run | str
    parameters: tuple[Parameter, ...] = ()

    def load(self) -> Run:
        """The function itself; imports its module if it is only named so far."""
        if isinstance(self.function, str):
            return cast(Run, pkgutil.resolve_name(self.function))
        return self.function


def brief(connect: Connect) -> dict[str, Any]:
    """The host's brief, with the folder of the forum where this box has one."""
    told, folder = connect().brief(), forum_folder()
    return told | {"forum": str(folder)} if folder.is_dir() else told


def check(connect: Connect, file: Path) -> dict[str, Any]:
    """See `VERBS`; the host reads a source by the same rules before it accepts it."""
    found = read_rules(read_source(file))
    return {"ok": not found, "violations": [violation.as_dict() for violation in found]}


def submit(
    connect: Connect, file: Path, builds_on: Sequence[str] = (), wait: float = 0.0
) -> dict[str, Any]:
    """Read the card from the file, hand both in, and wait for the end if asked to."""
    source = read_source(file)
    client = connect()
    accepted = client.submit(source, read_card(source), builds_on)
    return _awaited(client, accepted["submission"], wait) if wait else accepted


def scores(connect: Connect, submission: str | None = None, wait: float = 0.0) -> dict[str, Any]:
    """All of one's own submissions, or one of them in detail."""
    client = connect()
    return client.submissions() if submission is None else _awaited(client, submission, wait)


def leaderboard(connect: Connect) -> dict[str, Any]:
    """See `VERBS`."""
    return connect().leaderboard()


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


_WAIT = Parameter("wait", float, "seconds to wait for the end of the jobs", default=0.0)

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
    ),
    Verb(
        "check",
        "Does a method keep the integrity rules? Names each line that does not, and the remedy.",
        "lab check confident.py",
        check,
        (Parameter("file", Path, "the method's source file", "argument"),),
    ),
    Verb(
        "submit",
        "Hand in a method; its card is read from the file (docstring and FAMILY).",
        "lab submit confident.py --builds-on 3f2a90b1c4de --wait 60",
        submit,
        (
            Parameter("file", Path, "the method's source file", "argument"),
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


def read_source(file: Path) -> str:
    """The text of a method file; `BadInput` if it cannot be read, `BadSource` if it is no text."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_SOURCE_BYTES + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise BadInput(file, f"cannot be read ({error.strerror})", "Give a file.") from error
    except UnicodeDecodeError as error:
        raise BadSource(file, f"not UTF-8 at byte {error.start}", "Save it as UTF-8.") from error
    if len(content) > MAX_SOURCE_BYTES:
        raise BadSource(file, f"more than {MAX_SOURCE_BYTES} bytes", "Shorten the source.")
    return text


def read_card(text: str) -> MethodCard:
    """The card in a method's source: docstring (first line, rest) and FAMILY; nothing is executed.

    Raises:
        BadSource: the text is not Python, or has no docstring.
        BadInput: the title, the idea or the family is out of range.
    """
    module = parse(text)
    words = (ast.get_docstring(module) or "").strip()
    if not words:
        raise BadSource(
            "source", "it has no docstring", "Begin the file with a title line and the idea."
        )
    title, _, idea = words.partition("\n")
    return MethodCard(title.strip(), idea.strip() or title.strip(), _family(module))


def _family(module: ast.Module) -> str:
    for node in module.body:
        names = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(name, ast.Name) and name.id == "FAMILY" for name in names):
            value = cast(ast.Assign, node).value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                return value.value
            raise BadSource(
                f"line {node.lineno}", "FAMILY is no text", f"One of: {', '.join(FAMILIES)}."
            )
    return "other"


def _awaited(client: Client, submission: str, wait: float) -> dict[str, Any]:
    until = time.monotonic() + wait
    while True:
        left = max(0.0, until - time.monotonic())
        found = client.submission(submission, min(left, MAX_WAIT))
        if found["status"] not in UNFINISHED or left <= 0:
            return found
