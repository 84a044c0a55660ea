"""Set a parameter of the running kernel (to the value that it has)."""

from pathlib import Path

parameter = Path("/proc/sys/vm/swappiness")
parameter.write_text(parameter.read_text())
