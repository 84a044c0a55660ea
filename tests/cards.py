"""A method card for whatever needs one, as object and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aar_lab.types import MethodCard

CARD = MethodCard("A title", "An idea.")


def card_body(**changes: Any) -> dict[str, Any]:
    """The card as JSON, with other fields."""
    return asdict(CARD) | changes
