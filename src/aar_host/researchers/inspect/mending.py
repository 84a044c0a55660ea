"""Completes logs of sessions that were cut, from what Inspect kept beside them.

`python -m aar_host.researchers.inspect.mending FOLDER`: the folder of one researcher's logs; with
the variables of its sessions, since Inspect keeps its notes below XDG_DATA_HOME.
"""

from __future__ import annotations

import sqlite3
import sys
import zipfile
from pathlib import Path

from inspect_ai.log import RecoveryNotAvailable, recover_eval_log, recoverable_eval_logs

_LOST = (RecoveryNotAvailable, zipfile.BadZipFile, sqlite3.Error, OSError, ValueError)


def mend(logs: Path) -> int:
    """Replace each incomplete log by a whole one; how many could not be."""
    failed = 0
    for found in recoverable_eval_logs(log_dir=str(logs)):
        try:
            recover_eval_log(found.log.name, overwrite=True)
        except _LOST as error:
            failed += 1
            sys.stderr.write(f"{Path(found.log.name).name}: {error}\n")
    return failed


if __name__ == "__main__":
    sys.exit(min(mend(Path(sys.argv[1])), 1))
