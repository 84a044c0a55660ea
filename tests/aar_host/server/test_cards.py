"""A card tells what a method is and holds no score."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.server.cards import check_card
from aar_lab.errors import BadInput
from aar_lab.types import MethodCard

MEASURES = ("PGR", "accuracy", "Accuracies", "leaderboard", "recovered", "recovers")
LINKS = (" ", " of ", " = ", " was about ", " rose to ", " (public) ")


@given(st.sampled_from(MEASURES), st.sampled_from(LINKS), st.floats(0, 1))
def test_a_measure_beside_a_fraction_is_a_score(measure: str, link: str, value: float) -> None:
    for text in (f"Its {measure}{link}{value:.2f}", f"We saw {value:.3f}{link}{measure} here"):
        for card in (MethodCard("Title", text), MethodCard(text, "An idea.")):
            with pytest.raises(BadInput, match="a card holds no score"):
                check_card(card)


@pytest.mark.parametrize(
    "text", ["Accuracy 91 %", "91% PGR", "recovers 40 per cent of the gap", "PGR\t.9", "pgr: −0.1"]
)
def test_other_spellings_are_scores_too(text: str) -> None:
    with pytest.raises(BadInput):
        check_card(MethodCard("Title", text))


@pytest.mark.parametrize(
    "text",
    [
        "Keep labels of confidence above 0.9; fit at rate 1e-3 for 2 epochs.",
        "The weak supervisor's accuracy is unknown. Half of the rows, 0.5, are kept.",
        "Soft labels should recover more of the gap than hard ones.",
        "PGR rises where labels agree, over 2 generations.",
    ],
)
def test_a_method_in_words_is_none(text: str) -> None:
    check_card(MethodCard("Title", text))
