"""What a session tells the host while it runs: one JSON object a line."""

from __future__ import annotations

import json
from typing import IO, Any

from inspect_ai.event import CompactionEvent, ModelEvent, ToolEvent
from inspect_ai.hooks import Hooks, SampleEvent, hooks

MAX_TEXT = 500


class Teller:
    """Writes events to a stream.

    Args:
        stream: to the host.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def tell(self, event: str, **facts: Any) -> None:
        """One event."""
        self._stream.write(json.dumps({"event": event, **facts}) + "\n")
        self._stream.flush()


def tell_events(teller: Teller) -> None:
    """Have Inspect tell of each model call, tool call and compaction that has ended."""

    told: set[str | None] = set()  # an event may come again when more is known of it

    @hooks(name="aar_session", description="Tells the host what happens in a session.")
    class Session(Hooks):
        async def on_sample_event(self, data: SampleEvent) -> None:
            event = data.event
            if event.pending or event.uuid in told:
                return
            told.add(event.uuid)
            if isinstance(event, ModelEvent):
                teller.tell("model", **_model(event))
            elif isinstance(event, ToolEvent):
                teller.tell("tool", **_tool(event))
            elif isinstance(event, CompactionEvent):
                teller.tell("compaction", before=event.tokens_before, after=event.tokens_after)


def _model(event: ModelEvent) -> dict[str, Any]:
    usage = event.output.usage
    told: dict[str, Any] = {
        "model": event.model,
        "stop": event.output.stop_reason if event.output.choices else None,
        "retries": event.retries or 0,
    }
    if usage is not None:
        told |= {
            "input": usage.input_tokens,
            "output": usage.output_tokens,
            "cache_read": usage.input_tokens_cache_read or 0,
            "cache_write": usage.input_tokens_cache_write or 0,
        }
    return told | ({"error": event.error[:MAX_TEXT]} if event.error else {})


def _tool(event: ToolEvent) -> dict[str, Any]:
    told: dict[str, Any] = {"tool": event.function[:MAX_TEXT]}
    if event.error is not None:
        told |= {"error": event.error.type, "message": event.error.message[:MAX_TEXT]}
    return told
