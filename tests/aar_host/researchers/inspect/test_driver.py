"""What the driver starts, and what it tells where something is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from aar_host.researchers.base import Wire
from aar_host.researchers.inspect import Bounds, Inspect, Prices, mend_logs
from aar_host.researchers.inspect.config import OWN_MEMORY, read_config
from aar_lab.errors import BadSettings

BOX = {
    "sandbox": "bubblewrap",
    "workspace": "/boxes/ada",
    "mounts": {"/data": "/bundle"},
    "sockets": {"/run/host.sock": "/host.sock", "/run/model.sock": "/model.sock"},
    "environment": {"AAR_TOKEN": "t"},
    "limits": {
        "memory_bytes": 3 << 30,
        "wall_seconds": 10.0,
        "cpu_seconds": 10.0,
        "pids": 9,
        "disk_bytes": 9,
        "log_bytes": 9,
        "address_space": False,
    },
}


class At:
    """A station that knows what the driver asks for."""

    name, seed, model, wire = "ada", 7, "some-model", Wire.MESSAGES

    def __init__(self, left=None):
        self._left = left

    def lab(self, verb):
        assert verb == "brief"
        return {"seconds_left": self._left}


def test_a_launch_is_a_process_of_the_host(tmp_path):
    launch = Inspect(tmp_path).launch(At(), "Do research.")
    assert launch.outside
    assert "brief" not in " ".join(launch.command)
    logs = tmp_path / "researchers" / "ada" / "inspect"
    assert set(launch.environment.values()) == {str(logs / ".state")}
    bounds = Bounds(dollars=2.0, prices=Prices(1.0, 2.0, 3.0, 4.0))
    launch = Inspect(tmp_path, bounds).launch(At(), "Do research.")
    config = read_config(json.loads(launch.stdin) | {"box": BOX})
    assert (config.seat, config.seed, config.brief) == ("ada", 7, "Do research.")
    assert (config.model, config.wire, str(config.socket)) == (
        "some-model",
        Wire.MESSAGES,
        "/model.sock",
    )
    assert (config.bounds, config.logs) == (bounds, logs)


def test_a_tool_s_box_has_no_way_to_the_model(tmp_path):
    launch = Inspect(tmp_path).launch(At(), "Do research.")
    config = read_config(json.loads(launch.stdin) | {"box": BOX})
    assert set(config.box.sockets) == {"/run/host.sock"}
    assert config.box.limits.memory_bytes == (3 << 30) - OWN_MEMORY
    assert not config.box.limits.address_space
    assert config.box.environment == {"AAR_TOKEN": "t"}


@pytest.mark.parametrize(("left", "seconds"), [(100.7, 98), (1.0, 1), (1e6, 50), (None, 50)])
def test_a_session_ends_before_the_campaign(tmp_path, left, seconds):
    launch = Inspect(tmp_path, replace(Bounds(), seconds=50 if left != 100.7 else 500)).launch(
        At(left), ""
    )
    assert json.loads(launch.stdin)["bounds"]["seconds"] == seconds


def test_without_the_extra(tmp_path):
    with pytest.raises(BadSettings, match=r"no_such_package.*\[inspect\]"):
        Inspect(tmp_path, needed=("json", "no_such_package")).launch(At(), "")


def test_without_a_model(tmp_path):
    station = At()
    station.model = None
    with pytest.raises(BadSettings, match="its seat has none"):
        Inspect(tmp_path).launch(station, "")


def test_the_driver_does_without_the_package():
    words = (
        "import sys; import aar_host.researchers.inspect; "
        "sys.exit(any(n in sys.modules for n in ('inspect_ai', 'openai', 'anthropic')))"
    )
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0


def test_there_is_nothing_to_mend(tmp_path):
    mend_logs(tmp_path)
    Inspect(tmp_path).launch(At(), "")
    mend_logs(tmp_path)
    assert list(tmp_path.rglob("*.eval")) == []
