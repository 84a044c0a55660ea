"""What an agent is told when a session begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, UndefinedError

from aar_host.researchers.base import Station
from aar_lab.cards import FAMILIES, SECTIONS
from aar_lab.errors import JobFailed
from aar_lab.tools import VERBS

PLACE = "brief.md"
NOTEBOOK = "notebook.md"
MAX_PAST = 20


def write_brief(station: Station) -> tuple[str, Mapping[str, Any]]:
    """The brief in Markdown, put into the workspace, and the host's own on which it rests.

    Raises:
        LabError: as `Station.lab`; `JobFailed` too if the answer is not the host's.
    """
    told = station.lab("brief")
    answer = station.lab("scores")
    try:
        text = render(station, told, answer["submissions"])
    except (LookupError, TypeError, ValueError, UndefinedError) as error:
        # What `lab` says comes out of a box, where a program may stand in its place.
        raise JobFailed(
            "brief", f"no answer of the host ({error!r:.120})", "Look at the box.", "bad_output"
        ) from error
    station.write(PLACE, text)
    return text, told


def render(
    station: Station, told: Mapping[str, Any], past: Sequence[Mapping[str, Any]] = ()
) -> str:
    """The text.

    Args:
        told: what `lab brief` answers.
        past: what `lab scores` answers of one's earlier submissions, oldest first.
    """
    return _template(str(told["problem"])).render(
        told=told,
        rules=_sentences(told.get("rules")),
        direction=station.direction.sentence,
        verbs=VERBS,
        sections=SECTIONS.values(),
        families=FAMILIES,
        past=past[-MAX_PAST:],
        earlier=max(0, len(past) - MAX_PAST),
        notebook=NOTEBOOK,
    )


def _sentences(rules: object) -> list[str]:
    if isinstance(rules, str):
        return [rules]
    return [str(rule) for rule in rules] if isinstance(rules, list) else []


@cache
def _template(problem: str) -> Template:
    """That of the problem where there is one, else the common one."""
    environment = Environment(
        loader=PackageLoader("aar_host.researchers", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    own = f"brief.{problem}.md.jinja"
    known = {entry.name for entry in files("aar_host.researchers").iterdir()}
    return environment.get_template(own if own in known else "brief.md.jinja")
