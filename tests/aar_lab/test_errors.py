"""Errors: the drawn tree is the real one, and each crosses the wire unharmed."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_lab import errors
from aar_lab.errors import JobFailed, LabError, from_dict

KINDS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LabError)
]


def drawn_parents() -> dict[str, str]:
    """Child → parent, read from the drawing at the top of the file."""
    path: list[str] = []
    parents = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([│ ]*)[├└]── (\w+)", line)
        if found:
            path = [*path[: len(found[1]) // 4], found[2]]
            parents[found[2]] = path[-2] if len(path) > 1 else "LabError"
    return parents


def test_the_drawn_tree_is_the_real_one() -> None:
    real = {kind.__name__: kind.__base__.__name__ for kind in KINDS if kind.__base__}
    del real["LabError"]
    assert drawn_parents() == real


def test_codes_are_unique_and_stable() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)
    assert LabError.code == "error"
    assert errors.UndefinedPGR.code == "undefined_pgr"
    assert errors.BadIds.code == "bad_ids"


@pytest.mark.parametrize("kind", KINDS)
@given(value=st.text(), fault=st.text(), remedy=st.text())
def test_every_error_crosses_the_wire_unharmed(
    kind: type[LabError], value: str, fault: str, remedy: str
) -> None:
    sent = kind(value, fault, remedy)
    received = from_dict(sent.as_dict())
    assert type(received) is kind
    assert received.as_dict() == sent.as_dict()
    assert str(received) == str(sent)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_comes_back_whole_from_another_process(kind: type[LabError]) -> None:
    error = kind("v", "f", "r")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.as_dict(), str(again)) == (kind, error.as_dict(), str(error))


def test_a_message_says_value_fault_and_remedy() -> None:
    assert str(LabError(0.71, "too low", "Raise it.")) == "0.71: too low. Raise it."


def test_an_unknown_code_becomes_the_root() -> None:
    received = from_dict({"code": "from the future", "value": "v", "fault": "f", "remedy": "r"})
    assert type(received) is LabError
    assert str(received) == "v: f. r"
    assert str(from_dict({})) == ": unknown fault. "


def test_a_failed_job_keeps_status_and_log() -> None:
    failed = JobFailed("job", "fault", "remedy", status="timeout", log="last words")
    assert (failed.status, failed.log) == ("timeout", "last words")
