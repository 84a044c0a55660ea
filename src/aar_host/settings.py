"""Every setting, once: name, default, help. Nothing else reads the environment."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from aar_lab.errors import BadSettings


@dataclass(frozen=True)
class Setting:
    """One setting; the environment variable `AAR_<NAME>` overrides the default."""

    name: str
    default: str
    help: str


SETTINGS = (
    Setting("cache_dir", "", "prepared data and anchors; empty: the user's cache folder"),
    Setting("box_dir", "", "where boxes live while they run; empty: the system's temporary folder"),
    Setting(
        "database_url",
        "",
        "where campaigns are stored: sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME; "
        "empty: a file in each campaign's directory",
    ),
    Setting("sandbox", "bubblewrap", "bubblewrap, or none (asked for only; marks every result)"),
    Setting("workers", "2", "training jobs at a time"),
    Setting("job_memory_mb", "2048", "memory of one box, in MiB"),
    Setting("job_seconds", "60", "wall time of one seed of a training job, in seconds"),
    Setting("job_attempts", "3", "how often a job's worker may be lost before the job is"),
    Setting("job_pids", "64", "processes and threads of one box"),
    Setting("job_disk_mb", "64", "what one box may write to its workspace, in MiB"),
    Setting("seat_restarts", "3", "how often a researcher's dead box is replaced in one run"),
    Setting("max_submissions", "", "submissions of a campaign, pooled; empty: the policy's cap"),
    Setting("snapshots_url", "", "methods by digest: folder or s3://…; empty: DIR/snapshots"),
    Setting("agent_memory_mb", "3072", "memory of the box of an agent that asks a model, in MiB"),
    Setting("agent_pids", "256", "processes and threads of such a box"),
    Setting("agent_disk_mb", "512", "what such a box may write to its workspace, in MiB"),
    Setting("agents_dir", "", "npm folder with agents; empty: `agents` beside the Python's `bin`"),
    Setting("claude_code", "", "the program of Claude Code; empty: found on PATH or in agents_dir"),
    Setting("codex", "", "the program of Codex; empty: found on PATH or in agents_dir"),
    Setting("compute_dollars_per_hour", "0.0", "of one training job at a time; for costs alone"),
    Setting("token_hours", "24", "life of a token, in hours"),
)


def setting(name: str) -> str:
    """The value in force of a setting; `BadSettings` if there is none of that name."""
    entry = next((s for s in SETTINGS if s.name == name), None)
    if entry is None:
        known = ", ".join(s.name for s in SETTINGS)
        raise BadSettings(name, "there is no such setting", f"Known are: {known}.")
    return os.environ.get(f"AAR_{name.upper()}", entry.default)


def number(name: str) -> int:
    """The value in force of a setting that is a positive whole number."""
    text = setting(name)
    if not text.isdecimal() or int(text) < 1:
        raise BadSettings(
            f"AAR_{name.upper()}={text}", "not a positive whole number", "Correct or unset it."
        )
    return int(text)


def amount(name: str) -> float:
    """The value in force of a setting that is a finite number of at least 0."""
    text = setting(name)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise BadSettings(
            f"AAR_{name.upper()}={text}", "no number of at least 0", "Correct or unset it."
        )
    return value


def number_or(name: str, default: int) -> int:
    """The value in force of a setting that is a positive whole number, or nothing: the default."""
    return number(name) if setting(name) else default


def cache_dir() -> Path:
    """Where prepared data and anchors are kept."""
    return Path(setting("cache_dir") or platformdirs.user_cache_dir("aar"))


def agents_dir() -> Path:
    """The npm folder into which agents are installed."""
    return Path(setting("agents_dir") or Path(sys.prefix, "agents"))


def variable(name: str) -> str:
    """A variable that the user named, as that which holds a key; empty if it is not set."""
    return os.environ.get(name, "")


def environment(**more: str) -> dict[str, str]:
    """The environment of a program that we start: our own, and more."""
    return {**os.environ, **more}
