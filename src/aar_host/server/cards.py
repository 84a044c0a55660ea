"""The check of a method card: it is written before any result, and holds none."""

from __future__ import annotations

import re

from aar_lab.cards import LENGTHS, MethodCard
from aar_lab.errors import BadInput

_MEASURE = r"(?:pgr|accurac(?:y|ies)|leaderboard|recover(?:s|ed)?)"
_NUMBER = r"(?<![\w.])[-+−]?(?:\d*[.,]\d+|\d+(?:[.,]\d+)?\s?(?:%|per\s?cent))"
_GAP = r"[^.;\n]{0,40}?"
SCORE = re.compile(rf"\b{_MEASURE}\b{_GAP}{_NUMBER}|{_NUMBER}{_GAP}\b{_MEASURE}\b", re.IGNORECASE)


def check_card(card: MethodCard) -> None:
    """`BadInput` if a text or a hyper-parameter of the card tells a score.

    A score is a fraction or a percentage within 40 characters of the words PGR, accuracy,
    leaderboard or recovered. A claim in other words passes; it is read by people, and nothing is
    computed from a card.
    """
    texts = {name: getattr(card, name) for name in LENGTHS}
    stated = [f"{name} = {value}" for name, value in card.hyperparameters.items()]
    for name, text in (*texts.items(), *(("hyperparameters", one) for one in stated)):
        found = SCORE.search(text)
        if found is not None:
            raise BadInput(
                f"{name}: {found[0]!r:.80}",
                "a card holds no score; it says what the method is, before any result",
                "Post what came out as a finding that cites the submission.",
            )
