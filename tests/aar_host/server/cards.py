"""Cards as clients send them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aar_lab.types import MethodCard


def card_body(card: MethodCard) -> dict[str, Any]:
    """A card as JSON."""
    return asdict(card)
