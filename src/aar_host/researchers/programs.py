"""Where agents of others are installed: their native programs, which need nothing beside them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aar_host.settings import agents_dir, setting
from aar_lab.errors import BadSettings

PLACE = "/opt/agents"
_ELF = b"\x7fELF"


@dataclass(frozen=True)
class Program:
    """A program that boxes are given.

    Args:
        name: as in messages to people.
        setting: that names its path.
        command: as on PATH.
        natives: where the native program lies in a folder `node_modules`, as patterns, best first.
        up: how many folders above it belong to it.
    """

    name: str
    setting: str
    command: str
    natives: tuple[str, ...]
    up: int = 0

    def find(self) -> Path:
        """The native program; `BadSettings` if there is none."""
        for candidate in self._candidates():
            if native := next(self._natives(candidate), None):
                return native
        raise BadSettings(
            self.name,
            f"its program is not found (setting {self.setting}, PATH, {agents_dir()})",
            f"Run `make setup`, or set AAR_{self.setting.upper()} to its path.",
        )

    def mounted(self) -> tuple[str, Mapping[str, Path]]:
        """Its path in a box, and the mounts that bring it there."""
        native = self.find()
        place = f"{PLACE}/{self.command}"
        top = native.parents[self.up - 1] if self.up else native
        inside = native.relative_to(top)
        return (f"{place}/{inside}" if self.up else place), {place: top}

    def _candidates(self) -> Iterator[Path]:
        if named := setting(self.setting):
            yield Path(named)  # what is named by a person is not replaced by anything else
            return
        if found := shutil.which(self.command):
            yield Path(found)
        yield agents_dir() / "node_modules" / ".bin" / self.command

    def _natives(self, candidate: Path) -> Iterator[Path]:
        """The candidate itself, or what the npm package around it wraps."""
        path = candidate.resolve()
        if _is_native(path):
            yield path
        for parent in path.parents:
            if parent.name == "node_modules":
                for pattern in self.natives:
                    yield from filter(_is_native, sorted(parent.glob(pattern)))


def _is_native(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_ELF)) == _ELF


CLAUDE_CODE = Program(
    "Claude Code",
    "claude_code",
    "claude",
    ("@anthropic-ai/claude-code/bin/claude.exe", "@anthropic-ai/claude-code-linux-*/claude"),
)
CODEX = Program("Codex", "codex", "codex", ("@openai/codex-linux-*/vendor/*/bin/codex",), up=2)
