"""Any program as a researcher: it finds the brief as a file and its model at a URL.

The variables AAR_MODEL_URL and AAR_MODEL name the model, AAR_BRIEF the brief; the brief also comes
on its standard input. It need not call tools in the manner of a model provider, so what it does is
judged by its end alone: use it with `Patience(idle_turns=0)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aar_host.researchers.base import MODEL_PORT, Launch, Station
from aar_host.researchers.brief import PLACE
from aar_lab.errors import BadSettings


@dataclass(frozen=True)
class Command:
    """See `sessions.Agent`.

    Args:
        words: of the command, as it is called in the box.
    """

    words: Sequence[str]
    name = "command"

    def __post_init__(self) -> None:
        if not self.words:
            raise BadSettings("command", "it has no word", "Name a program.")

    def launch(self, station: Station, brief: str) -> Launch:
        """One run of the command; one without a model may do without."""
        environment = {"AAR_BRIEF": f"/workspace/{PLACE}"}
        if station.model is not None:
            environment["AAR_MODEL"] = station.model
            environment["AAR_MODEL_URL"] = f"http://127.0.0.1:{MODEL_PORT}"
        relay = station.model is not None
        return Launch(self.words, environment=environment, relay=relay, stdin=brief)
