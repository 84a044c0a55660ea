"""Which control groups are used, and what is written to them, on imitated hierarchies."""

from __future__ import annotations

import os
from pathlib import Path

from aar_host.sandbox.cgroups import ControlGroup, Hierarchy, detect, sweep

V1 = "4:memory:/me\n3:pids:/\n2:cpu,cpuacct:/\n0::/\n"


def mountinfo(place, kind, *options):
    """One line of /proc/self/mountinfo."""
    return f"1 2 0:3 / {place} rw,relatime shared:9 - {kind} {kind} rw,{','.join(options)}\n"


def test_version_1_below_the_own_group(tmp_path):
    (tmp_path / "memory" / "me").mkdir(parents=True)
    (tmp_path / "pids").mkdir()
    (tmp_path / "cpu").mkdir()
    mounts = mountinfo(tmp_path / "memory", "cgroup", "memory")
    mounts += mountinfo(tmp_path / "pids", "cgroup", "pids")
    partial = detect(V1, mounts)
    full = detect(V1, mounts + mountinfo(tmp_path / "cpu", "cgroup", "cpu", "cpuacct"))
    assert partial is None
    assert full is not None
    assert full.version == 1
    assert full.parents["memory"] == tmp_path / "memory" / "me"
    assert full.parents["cpuacct"] == tmp_path / "cpu"


def test_version_2_uses_the_nearest_delegated_group(tmp_path):
    (tmp_path / "user" / "session").mkdir(parents=True)
    control = tmp_path / "user" / "session" / "cgroup.subtree_control"
    control.mkdir()  # neither writable nor readable as a file: not delegated
    (tmp_path / "user" / "cgroup.subtree_control").write_text("")
    found = detect("0::/user/session\n", mountinfo(tmp_path, "cgroup2", "nsdelegate"))
    assert found is not None
    assert (found.version, found.parents["pids"]) == (2, tmp_path / "user")


def test_no_group_where_nothing_is_mounted(tmp_path):
    assert detect("0::/\n", "") is None
    assert detect("0::/../x\n", mountinfo(tmp_path / "absent", "cgroup2")) is None


def test_version_2_files(tmp_path):
    hierarchy = Hierarchy(2, dict.fromkeys(("memory", "pids", "cpuacct"), tmp_path))
    group = ControlGroup(hierarchy, 1000, 7)
    (folder,) = tmp_path.glob("aar-box-*")
    (folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    (folder / "memory.events").write_text("oom 3\noom_kill 1\n")
    (folder / "memory.peak").write_text("900\n")
    (folder / "cgroup.procs").write_text("12\n13\n")
    (folder / "cgroup.kill").write_text("")
    assert (folder / "memory.max").read_text() == "1000"
    assert (folder / "pids.max").read_text() == "7"
    assert (group.cpu_seconds(), group.peak(), group.out_of_memory()) == (2.5, 900, True)
    assert group.pids() == [12, 13]
    assert group.join == [str(folder / "cgroup.procs")]
    group.kill()
    assert (folder / "cgroup.kill").read_text() == "1"


def test_leftovers_of_dead_hosts_are_swept(tmp_path):
    hierarchy = Hierarchy(2, {"memory": tmp_path})
    start = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    alive = tmp_path / f"aar-box-{os.getpid()}-{start}-0"
    reused = tmp_path / f"aar-box-{os.getpid()}-1-0"
    foreign = tmp_path / "aar-box-of-mine"
    for folder in (alive, reused, foreign):
        folder.mkdir()
    assert sweep(hierarchy) == 1
    assert alive.exists()
    assert foreign.exists()
    assert not reused.exists()
