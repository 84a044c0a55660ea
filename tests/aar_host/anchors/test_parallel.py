"""Many trainings at a time: all are reported, and a failing one does not stop the others."""

from __future__ import annotations

from pathlib import Path

from aar_host.anchors.parallel import Call, run_all


def write(path: Path, number: int) -> None:
    path.write_text(str(10 // number))


def test_all_calls_run_and_a_failing_one_is_told_by_name(tmp_path: Path) -> None:
    calls: dict[str, Call] = {str(n): (write, (tmp_path / str(n), n)) for n in (0, 1, 2, 5)}
    told: list[tuple[str, int]] = []
    failed = run_all(calls, 2, lambda name, done: told.append((name, done)))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "1": "10",
        "2": "5",
        "5": "2",
    }
    assert [type(error) for error in failed.values()] == [ZeroDivisionError]
    assert list(failed) == ["0"]
    assert sorted(name for name, _ in told) == sorted(calls)
    assert [done for _, done in told] == [1, 2, 3, 4]


def test_nothing_to_do_starts_no_process() -> None:
    assert run_all({}, 2, lambda name, done: None) == {}
