"""A seat in a real box, with a scripted shell and with the real one."""

from __future__ import annotations

import threading
import time

import pytest

from aar_host.sandbox.runtime import box_python
from aar_lab.errors import BadInput, JobFailed, OverBudget, Unavailable

SHELL = """
import json, os, shlex, sys, time
for line in sys.stdin:
    verb, *words = shlex.split(line)
    output, code = {"words": words, "token": os.environ["AAR_TOKEN"]}, 0
    if verb == "die":
        sys.exit("no more")
    if verb == "hang":
        time.sleep(60)
    if verb == "refuse":
        error = {"code": "over_budget", "value": "3", "fault": "used up", "remedy": "Stop."}
        output, code = {"error": error}, 1
    if verb == "data":
        output["data"] = open("/data/problem.json").read()
    if verb == "mumble":
        print("mumble", flush=True)
        continue
    print(json.dumps({"command": line, "exit": code, "output": output}), flush=True)
"""
SCRIPTED = (*box_python(), "-c", SHELL)


def test_commands_and_answers(make):
    station = make(command=SCRIPTED)
    assert station.lab("say", "two words", "ünï'code")["words"] == ["two words", "ünï'code"]
    assert station.lab("say")["token"] == "secret"
    assert station.lab("data")["data"] == "public"
    assert (station.name, station.direction.name, station.seed) == ("ada", "distillation", 7)


def test_errors_are_typed(make):
    station = make(command=SCRIPTED)
    with pytest.raises(OverBudget, match="3: used up"):
        station.lab("refuse")
    assert station.lab("say", "on")["words"] == ["on"]


def test_a_command_is_one_line(make):
    with pytest.raises(BadInput, match="one line"):
        make(command=SCRIPTED).lab("post", "two\nlines")


def test_a_dead_box_is_replaced_so_often(make, heard):
    station = make(command=SCRIPTED, restarts=2)
    for _ in range(3):
        with pytest.raises(JobFailed, match="the box ended") as failure:
            station.lab("die")
        assert failure.value.status == "crashed"
    with pytest.raises(Unavailable, match="died 3 times"):
        station.lab("say")
    assert [state for _, state, _ in heard] == ["box_lost", *["restarted", "box_lost"] * 2]
    assert "no more" in heard[0][2]["log"]


def test_it_goes_on_in_the_new_box(make):
    station = make(command=SCRIPTED)
    with pytest.raises(JobFailed):
        station.lab("die")
    assert station.lab("say", "again")["words"] == ["again"]


def test_the_workspace_outlives_the_box(make):
    station = make(command=SCRIPTED)
    station.write("methods/001.py", "ünïcode")
    with pytest.raises(JobFailed):
        station.lab("die")
    assert station.read("methods/001.py") == "ünïcode"
    with pytest.raises(BadInput):
        station.read("../secret")


def test_a_command_that_hangs_ends_its_box(make, heard):
    station = make(command=SCRIPTED, deadline=0.5)
    began = time.monotonic()
    with pytest.raises(JobFailed, match="timeout"):
        station.lab("hang")
    assert time.monotonic() - began < 5
    assert heard[-1][2]["status"] == "timeout"


def test_noise_is_not_an_answer(make):
    with pytest.raises(JobFailed, match="not an answer"):
        make(command=SCRIPTED).lab("mumble")


def test_closing_ends_a_command_that_runs(make, heard):
    station = make(command=SCRIPTED)
    station.lab("say")
    closing = threading.Timer(0.3, station.close)
    closing.start()
    with pytest.raises(Unavailable, match="closed"):
        station.lab("hang")
    closing.join()
    station.close()
    with pytest.raises(Unavailable, match="closed"):
        station.lab("say")
    assert heard == []


def test_the_real_shell_without_a_host(make, heard):
    station = make()
    with pytest.raises(Unavailable, match="does not answer"):
        station.lab("brief")
    with pytest.raises(BadInput, match="No such command"):
        station.lab("cheat")
    assert heard == []


def test_reports_reach_the_fleet(make, heard):
    make().report("trying", title="soft")
    assert heard == [("ada", "trying", {"title": "soft"})]
