"""What a finished campaign says as one run of an experiment; read from its directory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aar_host.fleet.campaign import options_of
from aar_host.fleet.timeline import Timeline
from aar_host.jobs.places import view_campaign_store
from aar_host.store import Store
from aar_host.store.ledger import events
from aar_host.store.schema import SubmissionKind
from aar_host.store.submissions import list_submissions, method_source
from aar_host.studies.complexity import Complexity, complexity_of
from aar_host.studies.diversity import POINTS, Tried, diversity_of
from aar_host.studies.families import Family, family_of

RESULTS = "results.json"


@dataclass(frozen=True)
class HandedIn:
    """A method as it was handed in, `seconds` after the start, scored or not."""

    submission: str
    researcher: str
    seconds: float
    family: Family
    complexity: Complexity

    @property
    def tried(self) -> Tried:
        """For `diversity`."""
        return Tried(self.seconds, self.researcher, self.family.found)


def handed_in(store: Store, campaign: str) -> list[HandedIn]:
    """Every method of a campaign, oldest first; predictions have no source and are left out."""
    timeline = Timeline(events(store, campaign))
    found = []
    for one in list_submissions(store, campaign):
        if one.kind is SubmissionKind.METHOD:
            source = method_source(store, one.id)
            family = family_of(source, str(one.card["family"]))
            at = timeline.at(one.created)
            found.append(HandedIn(one.id, one.author, at, family, complexity_of(source)))
    return found


def diversity_in(directory: Path) -> dict[str, Any]:
    """As `diversity_of` over the time of its search, of the campaign in a directory, with what each
    method is; errors as of `view_campaign_store`."""
    rows = handed_in(*view_campaign_store(directory))
    return {
        **diversity_of([row.tried for row in rows], _search_seconds(directory)),
        "agreeing": sum(row.family.agrees for row in rows),
        "description": _mean([row.complexity.description for row in rows]),
        "submissions": [
            {
                "submission": row.submission,
                "researcher": row.researcher,
                "seconds": row.seconds,
                "family": row.family.found,
                "families": list(row.family.all),
                "declared": row.family.declared,
                **row.complexity.as_dict(),
            }
            for row in rows
        ],
    }


def complete_results(directory: Path) -> None:
    """Write `diversity_in` into the campaign's results.json, in one step, where it is not yet."""
    path = directory / RESULTS
    found = json.loads(path.read_text())
    if "diversity" not in found:
        draft = path.with_name(f".{path.name}.draft")
        draft.write_text(json.dumps({**found, "diversity": diversity_in(directory)}, indent=1))
        draft.rename(path)


def finished(directory: Path) -> bool:
    """Whether the campaign in a directory is over."""
    return (directory / RESULTS).exists()


def cut_short(directory: Path) -> bool:
    """Whether a finished campaign was interrupted, in its search or in its final."""
    results = _read(directory)
    errors = [finalist["error"] for finalist in results["finalists"]]
    # The one conflict that a finalist may have is that its training was not waited for.
    untrained = any(error is not None and error["code"] == "conflict" for error in errors)
    return results["stopped"] == "interrupt" or untrained


def measured(directory: Path) -> dict[str, Any]:
    """What a finished campaign found and how its researchers went about it, as JSON.

    `pgr` is the sealed one of the finalist that led on the public part before that was opened; None
    where no finalist has one.
    """
    results = _read(directory)
    best = _leader(results["finalists"])
    diversity = diversity_in(directory)
    return {
        "campaign": results["campaign"],
        "stopped": results["stopped"],
        "seconds": results["seconds"],
        "marks": results["marks"],
        "pgr": best and best["sealed"]["pgr"],
        "interval": best and best["sealed"]["interval"],
        "public": best and best["public"]["pgr"],
        "submissions": results["submissions"],
        "failed": results["failed"],
        "frontier": _frontier(results["history"], _search_seconds(directory)),
        **{name: diversity[name] for name in ("entropy", "corrected", "families", "curve")},
        **{name: diversity[name] for name in ("agreeing", "description")},
    }


def _search_seconds(directory: Path) -> float:
    return options_of(directory).minutes * 60


def _read(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / RESULTS).read_bytes())
    return found


def _leader(finalists: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    opened = [one for one in finalists if one["sealed"] is not None]
    known = [one for one in opened if one["public"]["pgr"] is not None]
    return max(known, key=lambda one: one["public"]["pgr"], default=None)


def _frontier(history: Sequence[Mapping[str, Any]], seconds: float) -> list[float | None]:
    """The highest public PGR so far at each of POINTS moments, None before the first."""
    moments = [seconds * point / POINTS for point in range(1, POINTS + 1)]
    rows = [(row["seconds"], row["pgr"]) for row in history if row["pgr"] is not None]
    return [max((pgr for at, pgr in rows if at <= now), default=None) for now in moments]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
