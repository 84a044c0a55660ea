"""A card tells what a method is and holds no score."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cards import CARD, card_with

from aar_host.server.cards import check_card
from aar_lab.errors import BadInput

MEASURES = ("PGR", "accuracy", "Accuracies", "leaderboard", "recovered", "recovers")
LINKS = (" ", " of ", " = ", " was about ", " rose to ", " (public) ")


@given(st.sampled_from(MEASURES), st.sampled_from(LINKS), st.floats(0, 1))
def test_a_measure_beside_a_fraction_is_a_score(measure: str, link: str, value: float) -> None:
    for text in (f"Its {measure}{link}{value:.2f}", f"We saw {value:.3f}{link}{measure} here"):
        for name in ("title", "idea", "objective", "data", "procedure"):
            with pytest.raises(BadInput, match=f"{name}: .* a card holds no score"):
                check_card(card_with(**{name: text}))
        with pytest.raises(BadInput, match=r"hyperparameters: .* a card holds no score"):
            check_card(card_with(hyperparameters={"note": text}))


@pytest.mark.parametrize(
    "text", ["Accuracy 91 %", "91% PGR", "recovers 40 per cent of the gap", "PGR\t.9", "pgr: −0.1"]
)
def test_other_spellings_are_scores_too(text: str) -> None:
    with pytest.raises(BadInput):
        check_card(card_with(idea=text))


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
    check_card(card_with(idea=text))


@pytest.mark.parametrize("name", ["pgr", "accuracy"])
def test_a_hyper_parameter_can_be_a_score(name: str) -> None:
    with pytest.raises(BadInput, match=f"{name} = 0.91"):
        check_card(card_with(hyperparameters={"epochs": 2, name: 0.91}))


def test_hyper_parameters_are_none() -> None:
    stated = {"epochs": 2, "rate": 1e-3, "loss": "LogConf", "both_orders": True}
    check_card(card_with(hyperparameters=stated))
    check_card(CARD)
