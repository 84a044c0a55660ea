"""A finished campaign as one run of an experiment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.aar_host.studies.campaigns import DIRECTED, end, hand_in, set_up

from aar_host.fleet.options import Options
from aar_host.studies.diversity import POINTS, entropy
from aar_host.studies.measuring import cut_short, diversity_in, finished, measured


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A campaign with four methods, not ended yet."""
    set_up(Options("chat-mini", 2, 1.0, 0, tmp_path / "run", "none", 1))
    hand_in(tmp_path / "run", DIRECTED)
    return tmp_path / "run"


def test_the_leader_on_public_is_measured_not_the_best_on_sealed(directory):
    end(directory, "abcd", 0.3)
    found = measured(directory)
    assert (found["pgr"], found["public"]) == (0.3, 0.4)
    assert found["submissions"] == 4
    assert found["families"] == {
        "distillation": 1,
        "ensemble": 1,
        "self-training": 1,
        "unsupervised elicitation": 1,
    }
    assert found["entropy"] == pytest.approx(entropy(found["families"]))
    assert found["agreeing"] == 4
    assert len(found["frontier"]) == POINTS
    assert (found["frontier"][0], found["frontier"][-1]) == (None, pytest.approx(0.4))
    json.dumps(found, allow_nan=False)


def test_a_campaign_without_a_sealed_score_has_no_pgr(directory):
    end(directory, "abcd", None)
    assert measured(directory)["pgr"] is None


def test_every_method_is_told_with_what_it_is_and_what_it_says(directory):
    rows = diversity_in(directory)["submissions"]
    assert [row["researcher"] for row in rows] == ["ada", "blaise"] * 2
    assert [row["family"] for row in rows] == [row["declared"] for row in rows]
    assert rows[1]["description"] > rows[0]["description"] > 0


def test_what_was_interrupted_is_told_from_what_ended(directory):
    assert not finished(directory)
    end(directory, "abcd", 0.3)
    assert finished(directory)
    assert not cut_short(directory)
    end(directory, "abcd", 0.3, stopped="interrupt")
    assert cut_short(directory)
    error = {"code": "conflict", "value": "s", "fault": "f", "remedy": "r"}
    left = {"public": {"pgr": 0.3, "interval": None}, "sealed": None}
    end(directory, "abcd", 0.3, finalists=[{**left, "error": error}])
    assert cut_short(directory)
    end(directory, "abcd", 0.3, finalists=[{**left, "error": {**error, "code": "job_failed"}}])
    assert not cut_short(directory)
