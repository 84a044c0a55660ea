"""Kill random processes of campaigns, let them resume, and compare with one that nobody disturbed.

`python -m tests.aar_host.fleet.crashes --kills 100` prints the figures as one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.aar_host.fleet.killing import Process, descendants, kill

from aar_host.jobs.executor import LocalExecutor
from aar_host.jobs.manifest import read_manifest
from aar_host.jobs.training import workspace_name
from aar_host.sandbox import box_dir
from aar_host.store import Store, Tier, open_store
from aar_host.store.campaigns import get_campaign
from aar_host.store.findings import list_findings
from aar_host.store.jobs import jobs_of
from aar_host.store.ledger import events, verify_ledger
from aar_host.store.schema import CampaignState
from aar_host.store.scores import leaderboard
from aar_host.store.submissions import list_submissions
from aar_lab.types import JobStatus

MOST_EVENTS, AT_ONCE, SECONDS = 8, 0.2, 600.0


@dataclass
class Tally:
    """What was done, and what was found wrong."""

    kills: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    campaigns: int = 0
    accepted: int = 0
    orphans: set[Process] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        shown = {name: value for name, value in vars(self).items() if name != "orphans"}
        return {**shown, "total_kills": self.kills.total(), "ok": not self.faults}


class Driver:
    """A campaign in processes of its own, started and taken up again as often as asked."""

    def __init__(self, out: Path, log: Path, environment: Mapping[str, str]) -> None:
        self.out, self.log = out, log
        words = ["-m", "tests.aar_host.fleet.crash_driver", str(out), str(log)]
        self._process = subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environment),
            text=True,
        )

    def start(self) -> Process:
        """Start the campaign, or go on with it."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return Process.of(self._number())

    def wait(self) -> int:
        """The exit status of the campaign's process, once it has ended."""
        return self._number()

    def _number(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def ask(out: Path, query: str, otherwise: Any) -> Any:
    """The first value that the store of a running campaign answers, if there is a store."""
    with suppress(sqlite3.Error):
        connection = sqlite3.connect(f"file:{out / 'store.db'}?mode=ro", uri=True)
        try:
            row = connection.execute(query).fetchone()
            return row[0] if row else otherwise
        finally:
            connection.close()
    return otherwise


def length(out: Path) -> int:
    """Entries of the ledger so far."""
    return int(ask(out, "SELECT count(*) FROM ledger", 0))


def disturb(driver: Driver, kills: int, rng: random.Random, tally: Tally) -> None:
    """Run a campaign to its end, with at most so many kills, at random points of its progress."""
    host = driver.start()
    while True:
        now, wanted = length(driver.out), rng.randint(0, MOST_EVENTS)
        pause, until = rng.random() * AT_ONCE, time.monotonic() + SECONDS
        left = kills - tally.kills.total()
        while host.alive and (left <= 0 or length(driver.out) < now + wanted):
            assert time.monotonic() < until, "it does not go on"
            time.sleep(0.02)
        time.sleep(pause)
        if not host.alive:
            if (status := driver.wait()) != 0:
                tally.faults.append(f"{driver.out.name}: the host ended with status {status}")
            return
        place = ask(driver.out, "SELECT state FROM campaigns", "setting up")
        orphans = descendants(host)
        kind = kill(host, rng)
        tally.kills[kind] += 1
        tally.phases[place] += 1
        if kind in ("host", "all"):
            driver.wait()
            tally.orphans |= orphans
            host = driver.start()


def board(store: Store, campaign: str) -> list[Any]:
    """Authors, titles, public and sealed scores; ids left out, which are drawn."""
    found = []
    sealed = {e.submission: e.body for e in leaderboard(store, campaign, Tier.SEALED)}
    for entry in leaderboard(store, campaign):
        bodies = [entry.body, sealed.get(entry.submission)]
        told = [b and {k: v for k, v in b.items() if k != "submission"} for b in bodies]
        found.append([entry.author, entry.card["title"], *told])
    return sorted(found, key=lambda row: row[:2])


def read_log(log: Path) -> list[dict[str, str]]:
    """The submissions that researchers were told of."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [json.loads(line) for line in lines]


def faults(out: Path, log: Path, expected: Sequence[Any]) -> list[str]:
    """What is wrong with a campaign that has ended."""
    store, name = open_store(out / "store.db"), read_manifest(out)["campaign"]
    verify_ledger(store)
    found = list_submissions(store, name)
    ids = {one.id for one in found}
    cited = Counter(c for finding in list_findings(store, name) for c in finding.cites)
    kinds = Counter(event.kind for event in events(store, name))
    told = {row["submission"] for row in read_log(log)}
    charged = get_campaign(store, name).charged
    checks = {
        "an accepted submission is lost": told <= ids,
        "a submission has no score": all(one.status is JobStatus.DONE for one in found),
        "duplicate submissions": len({(s.author, s.content) for s in found}) == len(found),
        "duplicate charges": charged == len(found) == kinds["submission_accepted"],
        "duplicate or missing findings": cited == Counter(ids),
        "duplicate scores": kinds["score_recorded"] == len(found) + _finalists(store, name),
        "duplicate jobs": _jobs(store, sorted(ids)) == kinds["job_finished"],
        "it was opened twice": kinds["sealed_opened"] == kinds["finalists_chosen"] == 1,
        "it is not closed": get_campaign(store, name).state is CampaignState.CLOSED,
        "another leaderboard": board(store, name) == expected,
        "no results": (out / "results.json").exists(),
        "workspaces are left": not _left(out, name),
    }
    return [f"{out.name}: {fault}" for fault, holds in checks.items() if not holds]


def _finalists(store: Store, campaign: str) -> int:
    return len(leaderboard(store, campaign, Tier.SEALED))


def _jobs(store: Store, ids: Sequence[str]) -> int:
    return sum(len(jobs_of(store, name, tier)) for name in ids for tier in Tier)


def _left(out: Path, campaign: str) -> list[Path]:
    worker = LocalExecutor(open_store(out / "store.db"), out, 0).names
    patterns = (f"{campaign}-*", workspace_name(worker))
    return [place for pattern in patterns for place in box_dir().glob(pattern)]


def crash(kills: int, seed: int, folder: Path) -> Tally:
    """One campaign in peace, then as many as it takes for so many kills."""
    environment = {
        **os.environ,
        "AAR_CACHE_DIR": str(folder / "cache"),
        "AAR_JOB_ATTEMPTS": "1000",
        "AAR_SEAT_RESTARTS": "1000",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    rng, tally, began = random.Random(seed), Tally(), time.monotonic()
    _run(folder / "calm", environment, 0, (rng, tally))
    store = open_store(folder / "calm" / "store.db")
    expected = board(store, read_manifest(folder / "calm")["campaign"])
    assert len(expected) == 4, expected
    while tally.kills.total() < kills and not tally.faults:
        tally.campaigns += 1
        out = folder / f"run-{tally.campaigns}"
        log = _run(out, environment, kills, (rng, tally))
        tally.accepted += len({row["submission"] for row in read_log(log)})
        tally.faults += faults(out, log, expected)
        if any(process.alive for process in tally.orphans):
            tally.faults.append(f"{out.name}: processes outlived their host")
    tally.seconds = round(time.monotonic() - began, 1)
    return tally


def _run(
    out: Path, environment: Mapping[str, str], kills: int, luck: tuple[random.Random, Tally]
) -> Path:
    log = out.with_suffix(".log")
    driver = Driver(out, log, environment)
    try:
        disturb(driver, kills, *luck)
    finally:
        driver.close()
    return log


def main() -> None:
    """Print the figures; exit code 1 if anything was lost, doubled or changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aar-crash-") as folder:
        tally = crash(asked.kills, asked.seed, Path(folder))
    print(json.dumps(tally.as_dict(), indent=1))
    sys.exit(0 if not tally.faults else 1)


if __name__ == "__main__":
    main()
