"""report.html: one file that shows a campaign, without a script or anything fetched from elsewhere.

Everything that researchers wrote is hostile text: it is cleaned of invisible characters and escaped
by the template engine, and no attribute of the page is made of it.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from aar_host.report import text
from aar_host.report.diversity import diversity
from aar_host.report.figures import forest, progress, series_of
from aar_host.report.lineage import lineage
from aar_host.report.results import Overhead, Results, SealedScore
from aar_host.report.summary import by_sealed, headline
from aar_lab.errors import BadInput

# One glyph for each marker of the figure, in its order.
GLYPHS = "●■▲◆▼✚◀✖▶"
ENDINGS = {
    "time": "its time was up",
    "interrupt": "it was interrupted",
    "budget": "its budget of submissions was used up",
    "failure": "of a failure",
}


def write_report(results: Results, path: Path) -> None:
    """Write the page, replacing an earlier one at once; `BadInput` if it cannot be written."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(render_report(results), encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        raise BadInput(
            path, f"cannot be written ({error.strerror})", "Name a folder that can be written to."
        ) from error


def render_report(results: Results) -> str:
    """The page as HTML text; equal results give equal text."""
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            results=results,
            headline=headline(results),
            finalists=by_sealed(results),
            progress=Markup(progress(results)),
            forest=Markup(forest(results)),
            lineage=Markup(lineage(results.history, series_of(results))),
            legend=_legend(results),
            place={row.submission: i for i, row in enumerate(results.history, start=1)},
            frozen={one.submission for one in results.finalists},
            ending=ENDINGS.get(results.stopped, results.stopped),
            shares=_shares(results.overhead),
            size=_sealed_size(results),
            diversity=Markup(diversity(results.diversity)) if results.diversity else "",
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("aar_host.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clean": text.clean,
        "block": text.block,
        "number": text.number,
        "sides": text.sides,
        "duration": text.duration,
        "clock": text.clock,
        "moment": _moment,
        "count": text.count,
    }
    return environment


def _legend(results: Results) -> list[tuple[str, int, str]]:
    """Name, series and glyph of each researcher."""
    return [(name, series, GLYPHS[series]) for name, series in series_of(results).items()]


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return text.NONE
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _sealed_size(results: Results) -> SealedScore | None:
    """Any score that tells how many items and problems it rests on; all rest on the same."""
    opened = [one.sealed for one in results.finalists]
    opened += [one.sealed for one in results.baselines]
    return next((one for one in opened if one and one.n_items and one.n_problems), None)


def _shares(overhead: Overhead) -> list[tuple[str, float, float]]:
    """Name, seconds and share, in [0, 1], of each known part of the time."""
    parts = {
        "training": overhead.training_seconds,
        "prediction": overhead.prediction_seconds,
        "boxes": overhead.box_seconds,
        "everything else": overhead.other_seconds,
    }
    known = {name: seconds for name, seconds in parts.items() if seconds is not None}
    total = sum(known.values())
    return [(name, seconds, seconds / total) for name, seconds in known.items() if total > 0]
