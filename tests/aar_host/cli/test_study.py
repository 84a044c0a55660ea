"""The command `aar study`: a study that is there already is told again without a campaign."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.aar_host.studies.campaigns import DIRECTED, end, hand_in, set_up

from aar_host.cli import group
from aar_host.fleet.options import Options
from aar_host.settings import number
from aar_host.studies.study import STUDIES, Repeats, run_study


def aar(*words: str) -> Result:
    return CliRunner().invoke(group, ["study", *words])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A study of one pair."""

    def campaign(options: Options, fresh: bool) -> None:
        set_up(options)
        end(options.out, hand_in(options.out, DIRECTED), 0.3 + 0.1 * options.sharing)

    base = Options("chat-mini", 2, 0.5, 0, tmp_path / "study", "none", number("workers"))
    run_study(STUDIES["sharing-vs-alone"], base, Repeats(1, campaign, lambda words: None))
    return tmp_path / "study"


ASKED = ("--repeats", "1", "--researchers", "2", "--minutes", "0.5", "--sandbox", "none")


def test_a_finished_study_is_told_as_a_table_and_drawn(out):
    shown = aar("sharing-vs-alone", "--out", str(out), *ASKED)
    assert shown.exit_code == 0
    assert "sealed PGR" in shown.stdout
    assert "0.40" in shown.stdout
    assert (out / "study.png").exists()
    assert (out / "study.svg").exists()


def test_it_is_one_document(out):
    found = json.loads(aar("sharing-vs-alone", "--out", str(out), *ASKED, "--json").stdout)
    assert found["comparisons"][0]["difference"] == pytest.approx(0.1)
    assert found["complete"]


@pytest.mark.parametrize(
    "words",
    [("sharing-vs-alone", "--alone"), ("directed-vs-undirected", "--directions", "none")],
)
def test_what_a_study_varies_cannot_be_chosen(tmp_path, words):
    error = json.loads(aar(*words, "--out", str(tmp_path / "x"), "--json").stdout)["error"]
    assert error["code"] == "bad_settings"
    assert not (tmp_path / "x").exists()
