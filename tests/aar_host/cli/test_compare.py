"""`aar baselines` and `aar transfer`, on a problem of one's own that learns in a second."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aar_host.cli import group
from aar_lab.methods import NAMES

FILE = """
from pathlib import Path
from tests.aar_host.jobs.trained_tiny import TrainedTiny

class PROBLEM(TrainedTiny):
    def __init__(self, seed=0, strong="S"):
        home = Path(__file__).parent / "weights"
        home.mkdir(exist_ok=True)
        super().__init__(home)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compare")


@pytest.fixture(autouse=True)
def _own_cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AAR_CACHE_DIR", str(home / "cache"))
    monkeypatch.setenv("AAR_WORKERS", "1")


@pytest.fixture
def problem(home: Path) -> str:
    path = home / "own.py"
    path.write_text(FILE)
    return str(path)


def aar(*words: str) -> Result:
    return CliRunner().invoke(group, words)


def test_methods_are_compared_and_drawn(problem: str, home: Path) -> None:
    words = ("baselines", problem, "--seeds", "5", "--methods", "soft, naive", "--data-seed", "7")
    told = aar(*words, "--figure", str(home / "pgr.svg"), "--json")
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert [row["method"] for row in found["methods"]] == ["soft", "naive"]
    assert (found["problem"], found["student"], found["seeds"]) == ("tiny", "S", 5)
    figure = (home / "pgr.svg").read_text()
    assert "soft" in figure
    assert "95 % interval" in figure
    shown = aar(*words)
    assert shown.exit_code == 0
    assert "matched" in shown.stdout
    assert "…" not in shown.stdout
    assert "soft" in shown.stdout


def test_a_method_is_followed_elsewhere(problem: str) -> None:
    words = ("transfer", "soft", "--from", problem, "--to", problem, "--world-seed", "2")
    told = aar(*words, "--json")
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert set(found) == {"method", "home", "away"}
    assert found["home"]["methods"][0]["pgr"]["mean"] == found["away"]["methods"][0]["pgr"]["mean"]
    shown = aar(*words)
    assert "does it transfer?" in shown.stdout


@pytest.mark.parametrize(
    ("words", "code", "value"),
    [
        (("baselines", "chat-maxi"), "unknown_name", "chat-maxi"),
        (("baselines", "chat-mini", "--methods", "magic"), "unknown_name", "magic"),
        (("baselines", "chat-mini", "--student", "XL"), "unknown_name", "XL"),
        (("baselines", "chat-mini", "--figure", "pgr.gif"), "bad_input", "pgr.gif"),
        (("baselines", "chat-mini", "--figure", "no/where.png"), "bad_input", "no/where.png"),
        (("transfer", "naive"), "bad_input", "transfer naive"),
        (("transfer", "magic", "--student", "L"), "unknown_name", "magic"),
    ],
)
def test_what_cannot_be_done_is_told_before_the_work(
    words: tuple[str, ...], code: str, value: str
) -> None:
    told = aar(*words, "--json")
    assert told.exit_code == 1
    error = json.loads(told.stdout)["error"]
    assert (error["code"], error["value"]) == (code, value)


def test_every_method_is_listed() -> None:
    assert [row["name"] for row in json.loads(aar("methods", "--json").stdout)] == list(NAMES)
