"""A method card for whatever needs one, as object, as JSON and as the docstring of a source."""

from __future__ import annotations

from typing import Any

from aar_lab.cards import MethodCard

CARD = MethodCard("A title", "An idea.", "An objective.", "The data.", "A procedure.", {})


def card_body(**changes: Any) -> dict[str, Any]:
    """The card as JSON, with other fields."""
    return CARD.as_dict() | changes


def card_with(**changes: Any) -> MethodCard:
    """The card with other fields."""
    return MethodCard.from_dict(card_body(**changes))


def docstring(card: MethodCard = CARD) -> str:
    """The lines that stand at the top of a source of that card."""
    stated = [f"{name} = {value!r}" for name, value in card.hyperparameters.items()] or ["none"]
    paragraphs = [
        card.title,
        card.idea,
        f"Objective: {card.objective}",
        f"Data: {card.data}",
        f"Procedure: {card.procedure}",
        "\n".join(["Hyper-parameters:", *stated]),
    ]
    text = "\n\n".join(paragraphs)
    return f"{text!r}\nFAMILY = {card.family!r}\n"
