"""Find a word in the environment of any process: read_environment.py WORD-BACKWARDS."""

import sys
from pathlib import Path


def environment(path: Path) -> bytes:
    """What the process was started with, as far as it can be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


word = sys.argv[1][::-1].encode()
seen = [path for path in Path("/proc").glob("[0-9]*/environ") if word in environment(path)]
sys.exit(0 if seen else 1)
