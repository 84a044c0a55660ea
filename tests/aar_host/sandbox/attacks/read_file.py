"""Print a file of the host: read_file.py PATH."""

import sys
from pathlib import Path

sys.stdout.write(Path(sys.argv[1]).read_text())
