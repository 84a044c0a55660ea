"""The live view, on terminals and off."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from aar_host.fleet.options import ResearcherStatus, Status
from aar_host.report.live import LiveView, line

START = Status(researchers=(ResearcherStatus("ada", "starting"),), seconds_left=180)
LATER = Status(
    researchers=(
        ResearcherStatus("ada", "waiting", "submitted s1 [b]", 3, -0.12),
        ResearcherStatus("bob\x1b", "thinking", "read findings", 1, -0.2),
        ResearcherStatus("cyd", "failed"),
    ),
    submissions=4,
    jobs={"queued": 1, "running": 2, "done": 9, "crashed": 1, "timeout": 2},
    seconds_left=64.6,
)


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def plain(stream: io.StringIO) -> Console:
    return Console(file=stream, force_terminal=False, width=40)


def test_a_line_says_everything() -> None:
    assert line(LATER) == (
        "1:05 left · 4 submissions · jobs: 1 queued, 2 running, 9 done, 3 failed"
        " · best public PGR −0.12 by ada"
    )
    assert line(Status()).endswith("best public PGR –")


def test_off_a_terminal_lines_come_seldom_and_unbroken() -> None:
    stream, clock = io.StringIO(), Clock()
    with LiveView(console=plain(stream), now=clock) as view:
        view.update(START)
        for _ in range(19):
            clock.now += 1
            view.update(LATER)
    assert stream.getvalue().splitlines() == [line(START), line(LATER)]


def test_the_last_state_is_always_printed_once() -> None:
    stream, clock = io.StringIO(), Clock()
    with LiveView(console=plain(stream), now=clock) as view:
        view.update(START)
        view.update(LATER)
    assert stream.getvalue().splitlines() == [line(START), line(LATER)]


def test_a_terminal_shows_a_table_of_researchers() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=110, color_system=None)
    with LiveView(console=console) as view:
        view.update(LATER)
    shown = stream.getvalue()
    for words in ("submitted s1 [b]", "bob\\x1b", "−0.12", "1:05 left", "3 failed"):
        assert words in shown


def test_with_json_stdout_stays_empty(capsys: pytest.CaptureFixture[str]) -> None:
    with LiveView(json=True) as view:
        view.update(LATER)
    out, err = capsys.readouterr()
    assert out == ""
    assert "4 submissions" in err


def test_an_error_ends_the_view_and_passes_through() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True)

    def interrupted() -> None:
        with LiveView(console=console) as view:
            view.update(START)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "starting" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[?25h")
