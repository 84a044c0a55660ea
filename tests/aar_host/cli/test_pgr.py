"""`aar pgr`: one document, typed errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aar_host.cli import group
from aar_host.cli.pgr import MAX_BYTES
from aar_lab.metrics import pgr_from_accuracies

GOOD = {
    "weak": [0.6, 0.62, 0.61],
    "ceiling": [0.9, 0.88],
    "transfer": [0.7, 0.72, 0.74],
    "n_items": 2000,
}


def aar_pgr(text: str | bytes, *options: str) -> Result:
    return CliRunner().invoke(group, ["pgr", "-", *options], input=text)


def error_of(result: Result) -> dict[str, str]:
    assert result.exit_code == 1
    return json.loads(result.stdout)["error"]


def test_the_document_is_pgr_its_interval_and_the_references() -> None:
    document = json.loads(aar_pgr(json.dumps(GOOD), "--json").stdout)
    expected = pgr_from_accuracies(**GOOD)
    assert list(document) == [
        "pgr",
        "interval",
        "method",
        "weak",
        "ceiling",
        "transfer",
        "n_items",
    ]
    assert document["pgr"] == expected.mean
    assert document["interval"] == expected.interval.as_list()
    assert document["method"] == expected.method
    assert document["weak"]["n"] == 3
    assert document["transfer"]["mean"] == pytest.approx(0.72)
    assert document["ceiling"]["se"] == pytest.approx(0.01)
    assert document["n_items"] == 2000


def test_a_file_is_read_as_stdin_is(tmp_path: Path) -> None:
    file = tmp_path / "accuracies.json"
    file.write_text(json.dumps(GOOD))
    shown = CliRunner().invoke(group, ["pgr", str(file), "--json"])
    assert shown.stdout == aar_pgr(json.dumps(GOOD), "--json").stdout


def test_the_table_shows_roles_and_interval() -> None:
    shown = aar_pgr(json.dumps(GOOD)).stdout
    found = pgr_from_accuracies(**GOOD)
    assert all(role in shown for role in ("weak", "ceiling", "transfer"))
    assert f"{found.mean:.3f}" in shown
    assert f"{found.interval.low:.3f} to {found.interval.high:.3f}" in shown


def test_an_unbounded_side_is_null_and_named_in_the_table() -> None:
    rough = {
        "weak": [0.57, 0.6, 0.63] * 2,
        "ceiling": [0.73, 0.74] * 3,
        "transfer": [0.69, 0.75],
        "n_items": 100,
    }
    low, high = json.loads(aar_pgr(json.dumps(rough), "--json").stdout)["interval"]
    assert low == pytest.approx(-0.968, abs=1e-3)
    assert high is None
    assert "-0.968 to unbounded" in aar_pgr(json.dumps(rough)).stdout


@pytest.mark.parametrize(
    ("change", "code", "value"),
    [
        ({"weak": [0.6, float("nan")]}, "bad_probabilities", "nan among weak"),
        ({"ceiling": [0.9, float("inf")]}, "bad_probabilities", "inf among ceiling"),
        ({"transfer": [0.7, 1.2]}, "bad_probabilities", "1.2 among transfer"),
        ({"transfer": [0.7]}, "too_few_seeds", "1 seed of transfer"),
        ({"transfer": []}, "too_few_seeds", "0 seed of transfer"),
        ({"ceiling": [0.6, 0.6]}, "undefined_pgr", "ceiling 0.6000, weak 0.6100"),
        ({"weak": [0.6, "0.6"]}, "bad_input", "weak.1"),
        ({"weak": [0.6, True]}, "bad_input", "weak.1"),
        ({"weak": 0.6}, "bad_input", "weak"),
        ({"n_items": 2.5}, "bad_input", "n_items"),
        ({"n_items": True}, "bad_input", "n_items"),
        ({"n_items": 0}, "bad_input", "n_items 0"),
        ({"n_items": 10**400}, "bad_input", "n_items 1"),
        ({"strong": [0.5]}, "bad_input", "strong"),
    ],
)
def test_wrong_values_are_typed_and_named(change: dict[str, Any], code: str, value: str) -> None:
    error = error_of(aar_pgr(json.dumps(GOOD | change), "--json"))
    assert error["code"] == code
    assert error["value"].startswith(value)


@pytest.mark.parametrize("key", GOOD)
def test_a_missing_key_is_named(key: str) -> None:
    left = {name: value for name, value in GOOD.items() if name != key}
    error = error_of(aar_pgr(json.dumps(left), "--json"))
    assert (error["code"], error["value"]) == ("bad_input", key)
    assert '"n_items"' in error["remedy"]


@pytest.mark.parametrize(
    "text", ["", "PGR", "[1, 2]", "null", "[" * 10_000, b"\xff\xfe\x00", '{"weak": [0.6,']
)
def test_what_is_no_such_json_is_refused(text: str | bytes) -> None:
    assert error_of(aar_pgr(text, "--json"))["code"] == "bad_input"


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    file = tmp_path / "huge.json"
    file.write_text(json.dumps(GOOD) + " " * MAX_BYTES)
    error = error_of(CliRunner().invoke(group, ["pgr", str(file), "--json"]))
    assert error["code"] == "bad_input"
    assert "longer than" in error["fault"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for place in (tmp_path / "nowhere.json", tmp_path):
        error = error_of(CliRunner().invoke(group, ["pgr", str(place), "--json"]))
        assert (error["code"], error["value"]) == ("bad_input", str(place))


def test_without_json_an_error_goes_to_stderr() -> None:
    result = aar_pgr("PGR")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "bad_input" in result.stderr
