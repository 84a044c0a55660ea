"""A study: two conditions, repeated in pairs of campaigns that differ in nothing else.

The campaigns of a pair share the seed of the researchers' draws; test items and training seeds are
fresh secrets of each. Which condition comes first alternates, so that a machine that grows slower
favours neither. Every campaign lies in OUT/NN/CONDITION and may be interrupted like any other; the
study goes on from what is there. One that was interrupted by hand is shorter than the others: it
is set aside and run again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aar_host.fleet.campaign import options_of
from aar_host.fleet.options import Options
from aar_host.folders import held
from aar_host.jobs.manifest import has_manifest
from aar_host.studies.measuring import cut_short, finished, measured
from aar_host.studies.paired import compare_pairs
from aar_lab.errors import BadSettings, Conflict
from aar_lab.metrics import holm

DOCUMENT, PLAN = "study.json", "plan.json"
MAX_REPEATS = 200


@dataclass(frozen=True)
class Study:
    """Two conditions by name, each with what it changes in a campaign's options.

    Args:
        field: the option in which they differ.
    """

    name: str
    question: str
    field: str
    conditions: Mapping[str, bool]


STUDIES = {
    one.name: one
    for one in (
        Study(
            "directed-vs-undirected",
            "Does a direction for each researcher help, and does it keep their ideas apart?",
            "directed",
            {"directed": True, "undirected": False},
        ),
        Study(
            "sharing-vs-alone",
            "Does it help to see what others found, and does it make ideas alike?",
            "sharing",
            {"sharing": True, "alone": False},
        ),
    )
}

# What is compared, with its name in words. The first is what a study is about.
MEASURES: Mapping[str, str] = {
    "pgr": "sealed PGR",
    "corrected": "family entropy",
    "description": "idea complexity",
    "submissions": "submissions",
}

# Runs the campaign of these options to its end; whether it is a new one, or goes on.
Runner = Callable[[Options, bool], None]


@dataclass(frozen=True)
class Repeats:
    """How often a study is repeated, and what makes and tells its campaigns.

    Args:
        count: of pairs, 1…MAX_REPEATS.
        runner: see `Runner`.
        tell: is told in words what comes next.
    """

    count: int
    runner: Runner
    tell: Callable[[str], None]

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MAX_REPEATS:
            raise BadSettings(f"{self.count} repeats", f"not in 1…{MAX_REPEATS}", "Correct it.")


def run_study(study: Study, base: Options, repeats: Repeats) -> dict[str, Any]:
    """Run what is missing of a study in `base.out`, and leave OUT/study.json; returns the same.

    Args:
        base: of every campaign; its seed is that of the first pair.

    Raises:
        Conflict: another study lies there, or another process is at work on it.
    """
    base.out.mkdir(parents=True, exist_ok=True)
    with held(base.out):
        _check_plan(study, base)
        pairs = list[dict[str, Any]]()
        for number in range(repeats.count):
            whole = _run_pair(study, base, repeats, number)
            if not whole:
                break
            pairs.append(_pair(study, base, number))
            document = document_of(study, base, pairs, repeats.count)
            _write(base.out / DOCUMENT, document)
        document = document_of(study, base, pairs, repeats.count)
        _write(base.out / DOCUMENT, document)
    return document


def order_of(study: Study, number: int) -> list[str]:
    """The conditions of a pair in the order in which they are run."""
    names = list(study.conditions)
    return names if number % 2 == 0 else names[::-1]


def options_for(study: Study, base: Options, number: int, condition: str) -> Options:
    """The campaign of a condition in a pair."""
    place = base.out / f"{number + 1:02d}" / condition
    changes: dict[str, Any] = {study.field: study.conditions[condition]}
    return replace(base, out=place, seed=base.seed + number, **changes)


def _run_pair(study: Study, base: Options, repeats: Repeats, number: int) -> bool:
    """Whether both campaigns are there and whole."""
    for condition in order_of(study, number):
        options = options_for(study, base, number, condition)
        if finished(options.out) and cut_short(options.out):
            _set_aside(options.out)
        if finished(options.out):
            continue
        repeats.tell(f"pair {number + 1} of {repeats.count}: {condition}")
        fresh = not has_manifest(options.out)
        repeats.runner(options if fresh else options_of(options.out), fresh)
        if cut_short(options.out):
            return False
    return True


def _set_aside(place: Path) -> None:
    taken = len(list(place.parent.glob(f"{place.name}-interrupted-*")))
    place.rename(place.with_name(f"{place.name}-interrupted-{taken + 1}"))


def _check_plan(study: Study, base: Options) -> None:
    plan = json.loads(json.dumps({"study": study.name, "options": base.as_dict()}))
    path = base.out / PLAN
    if not path.exists():
        if any(child.is_dir() for child in base.out.iterdir()):
            raise Conflict(base.out, "it is not empty", "Give another directory.")
        _write(path, plan)
    before = json.loads(path.read_bytes())
    if before != plan:
        named = {"study": (before["study"], plan["study"])} | {
            name: (before["options"].get(name), value) for name, value in plan["options"].items()
        }
        name, (was, asked) = next((n, pair) for n, pair in named.items() if pair[0] != pair[1])
        raise Conflict(
            base.out, f"its study has {name} {was}, not {asked}", "Ask for the same, or elsewhere."
        )


def _pair(study: Study, base: Options, number: int) -> dict[str, Any]:
    names = list(study.conditions)
    places = {name: options_for(study, base, number, name).out for name in names}
    return {
        "pair": number + 1,
        "seed": base.seed + number,
        "order": order_of(study, number),
        "conditions": {name: measured(place) for name, place in places.items()},
    }


def document_of(
    study: Study, base: Options, pairs: list[dict[str, Any]], repeats: int
) -> dict[str, Any]:
    """The study as JSON. `p_holm` counts all measures of the study as tests; `unscored` campaigns
    have no sealed PGR."""
    first, second = study.conditions
    compared = [
        {"measure": measure, "label": label}
        | compare_pairs(
            [tuple(pair["conditions"][name][measure] for name in (first, second)) for pair in pairs]
        ).as_dict()
        for measure, label in MEASURES.items()
    ]
    known = [row for row in compared if row["p"] is not None]
    adjusted = holm([row["p"] for row in known]).tolist() if known else []
    by_holm = {row["measure"]: p for row, p in zip(known, adjusted, strict=True)}
    return {
        "study": study.name,
        "question": study.question,
        "first": first,
        "second": second,
        "problem": base.problem,
        "researchers": base.researchers,
        "minutes": base.minutes,
        "drivers": sorted({seat.driver for seat in base.seated}),
        "repeats": repeats,
        "complete": len(pairs) == repeats,
        "marks": sorted({mark for run in _runs(pairs) for mark in run["marks"]}),
        "unscored": sum(run["pgr"] is None for run in _runs(pairs)),
        "comparisons": [{**row, "p_holm": by_holm.get(row["measure"])} for row in compared],
        "pairs": pairs,
    }


def _runs(pairs: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    return [run for pair in pairs for run in pair["conditions"].values()]


def _write(path: Path, body: Mapping[str, Any]) -> None:
    draft = path.with_name(f".{path.name}")
    draft.write_text(json.dumps(body, indent=1))
    draft.rename(path)
