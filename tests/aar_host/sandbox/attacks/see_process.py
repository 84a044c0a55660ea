"""Find another process by a word of its command line: see_process.py WORD-BACKWARDS."""

import sys
from pathlib import Path

word = sys.argv[1][::-1].encode()
seen = [path for path in Path("/proc").glob("[0-9]*/cmdline") if word in path.read_bytes()]
sys.exit(0 if seen else 1)
