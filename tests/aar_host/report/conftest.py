"""A campaign's results as the fleet writes them, small but with something of everything."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from aar_host.report.results import Results, parse_results

SOURCE = '''"""Confident self-distillation

Keep what the supervisor is sure of, then learn from one's own out-of-fold predictions.
"""
from aar_lab.types import Student

FAMILY = "distillation"


def train(task, rng):
    student = task.student()
    student.fit(task.inputs, task.weak.probs, rng)
    return Student((student.save(),))
'''


def sealed(pgr: float, gain: float | None) -> dict[str, Any]:
    """A sealed score whose intervals are 0.1 to either side."""
    return {
        "pgr": pgr,
        "interval": [pgr - 0.1, pgr + 0.1],
        "gain_over_naive": gain and {"mean": gain, "interval": [gain - 0.1, gain + 0.1]},
        "shifted_pgr": pgr - 0.2,
        "shifted_interval": [None, pgr],
        "n_items": 2000,
        "n_problems": 400,
    }


def finalist(researcher: str, submission: str, public: float, score: Any) -> dict[str, Any]:
    """A finalist, with an error where there is no score."""
    fault = {"code": "job_failed", "value": "seed 3", "fault": "it crashed", "remedy": "See it."}
    return {
        "researcher": researcher,
        "submission": submission,
        "title": f"Method of {researcher}",
        "digest": "d" * 64,
        "public": {"pgr": public, "interval": [public - 0.1, public + 0.1]},
        "sealed": score,
        "error": None if score else fault,
        "source": SOURCE,
        "card": {
            "idea": "Errors differ.",
            "objective": "min over f of\n    CE(f, p_w)",
            "data": "The sure half.",
            "procedure": "1. Select.\n2. Fit.",
            "hyperparameters": {"epochs": 2, "rate": 1e-3, "soft": True, "loss": "CE"},
            "family": "distillation",
        },
    }


def entry(seconds: float, researcher: str, submission: str, pgr: float | None) -> dict[str, Any]:
    """A row of the history; without a PGR it crashed."""
    return {
        "seconds": seconds,
        "researcher": researcher,
        "submission": submission,
        "title": f"Method of {researcher}",
        "status": "crashed" if pgr is None else "done",
        "pgr": pgr,
        "interval": None if pgr is None else [pgr - 0.1, pgr + 0.1],
        "builds_on": [],
    }


def anchors() -> dict[str, Any]:
    """All references, as `aar anchors --json` gives them."""
    naive = {"n": 5, "mean": 0.664, "se": 0.006, "pgr": 0.23, "interval": [0.1, 0.36]}
    return {
        "version": "a" * 64,
        "weak": {"n": 5, "mean": 0.61, "se": 0.004},
        "ceiling": {"n": 5, "mean": 0.83, "se": 0.003},
        "naive": naive,
        "confident": {**naive, "pgr": 0.26},
        "zero_shot": {"mean": 0.74},
    }


def facts() -> dict[str, Any]:
    """What was asked, and what it took."""
    return {
        "campaign": "c0ffee",
        "problem": "chat-mini",
        "version": "1-world0",
        "policy": "SEALED",
        "sandbox": "bubblewrap",
        "marks": [],
        "seed": 7,
        "started": 1767225600.0,
        "seconds": 180.0,
        "stopped": "time",
        "submissions": 4,
        "failed": 1,
        "jobs": {"done": 18, "crashed": 2},
        "bound": 0.086,
        "overhead": {
            "training_seconds": 100.0,
            "prediction_seconds": 40.0,
            "box_seconds": 20.0,
            "other_seconds": 40.0,
        },
    }


def researcher(name: str, submissions: int, failed: int, best: float) -> dict[str, Any]:
    """A row of the researchers."""
    counts = {"submissions": submissions, "failed": failed, "best": best}
    return {"name": name, "direction": f"direction of {name}", **counts}


def finding() -> dict[str, Any]:
    """A negative result."""
    body = "Soft labels\nlose to hard ones."
    return {"author": "bob", "kind": "negative", "body": body, "cites": ["s2"], "seconds": 61.0}


def example() -> dict[str, Any]:
    """The whole document; a fresh one at each call."""
    return facts() | {
        "anchors": anchors(),
        "finalists": [
            finalist("ada", "s1", 0.55, sealed(0.5, 0.28)),
            finalist("bob", "s2", 0.48, sealed(0.53, 0.31)),
            finalist("cyd", "s3", 0.3, None),
        ],
        "baselines": [
            {"method": "naive", "sealed": sealed(0.22, None)},
            {"method": "confident", "sealed": sealed(0.27, 0.05)},
        ],
        "researchers": [
            researcher("ada", 2, 1, 0.55),
            researcher("bob", 1, 0, 0.48),
            researcher("cyd", 1, 0, 0.3),
        ],
        "history": [
            entry(12.0, "ada", "s0", None),
            entry(30.5, "bob", "s2", 0.48),
            entry(55.0, "cyd", "s3", 0.3),
            {**entry(80.0, "ada", "s1", 0.55), "builds_on": ["s2"]},
        ],
        "findings": [finding()],
    }


@pytest.fixture
def document() -> dict[str, Any]:
    """results.json as Python objects, to be changed at will."""
    return example()


@pytest.fixture
def results() -> Results:
    """The example as it is read."""
    return parse_results(json.dumps(example()))


@pytest.fixture
def read() -> Callable[[dict[str, Any]], Results]:
    """Reads a document as if it came from a file."""
    return lambda body: parse_results(json.dumps(body))
