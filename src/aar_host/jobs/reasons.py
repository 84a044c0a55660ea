"""What an author is told of a failed seed.

A training box holds weak labels that no researcher may see, and its code chooses every word of its
log. So the log and the words are the operator's; the author is told the status, the kind of
exception if it is one that we know, and a line of its own source: a few bits and not a channel.
`lab try` shows everything, in a box that holds nothing of worth.
"""

from __future__ import annotations

import builtins
import re

from aar_host.store.jobs import Job
from aar_lab import errors
from aar_lab.errors import JobFailed, LabError

KNOWN = frozenset(
    name
    for module in (builtins, errors)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Exception)
)
LINE = re.compile(r'File "method\.py", line (\d{1,5})\b')
KIND = re.compile(r"^(?:[\w.]+\.)?(\w+)(?::|$)")


def reason(job: Job) -> LabError:
    """The error of a job that has ended without a result, as its author may see it."""
    return JobFailed(
        f"seed {job.seed_index}",
        f"the method ended as {job.status.value}{_where(job.log)}",
        "Run it with `lab try`, which shows everything; what training boxes print stays here.",
        job.status,
    )


def _where(log: str) -> str:
    lines = [line for line in log.splitlines() if line.strip()]
    kind = KIND.match(lines[-1]) if lines else None
    told = f", {kind[1]}" if kind and kind[1] in KNOWN else ""
    places = LINE.findall(log)
    return f"{told}, line {places[-1]} of its source" if places else told
