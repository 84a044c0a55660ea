"""Reading what others found: findings as files, and the sources of what they cite."""

from __future__ import annotations

import re

from aar_host.researchers.base import Station
from aar_host.researchers.notebook import Known, Notebook
from aar_host.researchers.writing import read_design
from aar_lab.errors import UnknownName

FOLDER = "findings"
SOURCES_A_ROUND = 5
# The host writes these lines from the store; what authors typed is quoted with "> ".
_CITED = re.compile(r"^- cites ([0-9a-f]{12}): PGR (-?\d+(?:\.\d+)?),", re.MULTILINE)


def source_of(station: Station, submission: str) -> str:
    """The source of a submission; empty where predictions were handed in, which have none."""
    try:
        return str(station.lab("source", submission)["source"])
    except UnknownName:
        return ""


class Reader:
    """Follows the forum of one campaign."""

    def __init__(self, station: Station, notebook: Notebook) -> None:
        self._station, self._notebook = station, notebook
        self._since = 0
        self._open: dict[str, float] = {}  # scored submissions whose source is unread
        self._done: set[str] = set()

    def own(self, submission: str) -> None:
        """Mark a submission as one's own, which need not be read."""
        self._done.add(submission)

    def read(self) -> int:
        """Read the new findings and the sources of the best that they cite.

        Returns:
            How many designs were learnt.
        """
        found = self._station.lab("findings", "--since", str(self._since), "--into", FOLDER)
        for name in found["files"]:
            if name != "INDEX.md":
                text = self._station.read(f"{FOLDER}/{name}")
                self._open |= {cited: float(pgr) for cited, pgr in _CITED.findall(text)}
        self._since = found["last"]
        for submission in self._done:
            self._open.pop(submission, None)
        ranked = sorted(self._open, key=lambda name: (-self._open[name], name))
        return sum(map(self._study, ranked[:SOURCES_A_ROUND]))

    def _study(self, submission: str) -> bool:
        source = source_of(self._station, submission)
        self._done.add(submission)
        design = read_design(source)
        if design is None:
            return False
        self._notebook.learn(Known(design, self._open[submission], submission))
        return True
