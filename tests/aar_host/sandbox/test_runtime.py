"""What a box can import, for the ways in which the project can be installed."""

from __future__ import annotations

from dataclasses import replace

from aar_host.sandbox import box_python, run
from aar_host.sandbox.bubblewrap import Bubblewrap
from aar_host.sandbox.runtime import PACKAGES, find_runtime, hidden_in


def test_a_plain_install_is_covered(sandbox, spec, tmp_path):
    packages = tmp_path / "site-packages"
    (packages / "aar_host").mkdir(parents=True)
    (packages / "aar_host" / "secrets.py").write_text("KEY = 1")
    (packages / "other.py").write_text("")
    mounts = {**find_runtime().mounts, PACKAGES: packages}
    code = "import sys, other, aar_host.secrets; sys.exit('seen')"
    command = [*box_python(), "-c", code]
    open_one = replace(find_runtime(), mounts=mounts, hidden=())
    closed = replace(open_one, hidden=hidden_in(mounts, [packages / "aar_host"]))
    assert closed.hidden == (f"{PACKAGES}/aar_host",)
    assert run(Bubblewrap(None, open_one), command, spec).log == "seen\n"
    assert "No module named 'aar_host.secrets'" in run(Bubblewrap(None, closed), command, spec).log


def test_labels_that_come_in_a_package_are_covered(sandbox, spec):
    code = "import sys; from sklearn.datasets import load_digits; load_digits(); sys.exit('seen')"
    command = [*box_python(), "-c", code]
    open_one = replace(find_runtime(), hidden=())
    assert run(Bubblewrap(None, open_one), command, spec).log == "seen\n"
    assert "digits.csv.gz" in run(Bubblewrap(None, find_runtime()), command, spec).log


def test_only_what_is_mounted_needs_cover(tmp_path):
    host = tmp_path / "src" / "aar_host"
    host.mkdir(parents=True)
    assert hidden_in({"/opt/lab/aar_lab": tmp_path / "src" / "aar_lab"}, [host]) == ()
    assert hidden_in({"/usr": tmp_path}, [host, tmp_path / "absent"]) == ("/usr/src/aar_host",)


def test_modules_in_the_workspace_do_not_replace_others(sandbox, spec, workspace):
    (workspace / "json.py").write_text("raise SystemExit('replaced')")
    done = run(sandbox, [*box_python(), "-c", "import json, sys; sys.exit('fine')"], spec)
    assert done.log == "fine\n"


def test_lab_is_a_command(sandbox, spec):
    done = run(sandbox, ["/bin/sh", "-c", "cat $(command -v lab) >&2"], spec)
    assert "-m aar_lab.cli" in done.log
