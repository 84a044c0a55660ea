"""Method cards: their limits, and their way through a source that nobody runs."""

from __future__ import annotations

import keyword
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cards import CARD, card_body, card_with, docstring

from aar_lab.cards import FAMILIES, SECTIONS, MethodCard, read_card
from aar_lab.errors import BadInput, BadSource

WHOLE = '''"""Naive on confident labels.

    min over f of  CE(f(x), 1[p_w(x) > ½])

Uncertain labels are mostly wrong; see Data: below.

Objective: min over f of
        Σ CE(f(x), t(x))
Data: unlabelled inputs,
  weak labels
Procedure:
  1. select
  2. fit
Hyper-parameters: margin = 0.1, epochs = 2,
  rate = 1e-3  # peak
  views = ("plain", "swap"), loss = logconf, note = "a, b = 3"
  scheme = best of both, lambda = -1, swap = True
  odd = 1)(b
"""
FAMILY = "data filtering"
'''


def test_a_card_is_read_from_the_sections_of_a_docstring() -> None:
    card = read_card(WHOLE)
    assert card.title == "Naive on confident labels."
    assert card.idea.splitlines()[0] == "min over f of  CE(f(x), 1[p_w(x) > ½])"
    assert card.idea.endswith("see Data: below.")
    assert card.objective == "min over f of\nΣ CE(f(x), t(x))"
    assert card.data == "unlabelled inputs,\nweak labels"
    assert card.procedure == "1. select\n2. fit"
    assert card.family == "data filtering"
    assert card.hyperparameters == {
        "margin": 0.1,
        "epochs": 2,
        "rate": 1e-3,
        "views": '("plain", "swap")',
        "loss": "logconf",
        "note": "a, b = 3",
        "scheme": "best of both",
        "lambda": -1,
        "swap": True,
        "odd": "1)(b",
    }


WORDS = st.text(string.ascii_letters + "½Σσ→ ,;", min_size=1, max_size=60).filter(
    lambda text: text == text.strip()
)
NAMES = st.from_regex(r"[a-z_][a-z_0-9]{0,20}", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name)
)
VALUES = (
    st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
    | st.booleans()
    | st.text(max_size=60)
)
cards = st.builds(
    MethodCard,
    *(WORDS for _ in range(5)),
    st.dictionaries(NAMES, VALUES, max_size=5),
    st.sampled_from(FAMILIES),
)


@given(card=cards)
def test_any_card_survives_its_source(card: MethodCard) -> None:
    assert read_card(docstring(card)) == card


@given(card=cards)
def test_any_card_survives_json(card: MethodCard) -> None:
    assert MethodCard.from_dict(card.as_dict()) == card


def test_reading_a_card_executes_nothing(tmp_path) -> None:
    touched = tmp_path / "touched"
    read_card(docstring() + f"open({str(touched)!r}, 'w').close()\n")
    assert not touched.exists()


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_that_is_missing_or_doubled_is_named_with_an_example(name: str) -> None:
    with pytest.raises(BadSource, match=rf"lacks the section `{name}:`\. Write one, as `{name}: "):
        read_card(docstring().replace(f"{name}:", "Also:"))
    with pytest.raises(BadSource, match=f"more than one section `{name}:`"):
        read_card(docstring().replace(f"{name}:", f"{name}: x\\n\\n{name}:"))


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("x = 1", BadSource, "docstring"),
        ("if:", BadSource, "not Python"),
        ("(" * 300, BadSource, "not Python"),
        (docstring().replace("'other'", "3"), BadSource, "line 2"),
        (docstring().replace("'other'", "'x' + 'y'"), BadSource, "FAMILY"),
        (docstring().replace("'other'", "'magic'"), BadInput, "unknown family"),
        (docstring().replace("A title", "t" * 121), BadInput, "title"),
        (docstring().replace("An idea.", ""), BadSource, "no idea"),
        (docstring().replace("The data.", " "), BadInput, "data of 0 characters"),
        (docstring().replace("none", "three epochs"), BadSource, "three epochs"),
        (docstring().replace("none", "epochs = "), BadSource, "epochs"),
        (docstring().replace("none", "epochs = 3, epochs = 30"), BadSource, "stated twice"),
        (docstring().replace("none", "epochs = 3\\nepochs = 3"), BadSource, "stated twice"),
        (docstring().replace("none", "rate = 1e999"), BadInput, "finite"),
    ],
)
def test_bad_sources_of_cards_are_refused(text: str, error: type[BadInput], words: str) -> None:
    with pytest.raises(error, match=words):
        read_card(text)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"title": " \n"},
        {"title": "t" * 121},
        *({name: text} for name in ("idea", "objective", "data", "procedure") for text in " ☃"),
        {"idea": 3},
        {"data": None},
        {"family": "magic"},
        {"family": []},
        {"seed": 1},
        {"hyperparameters": []},
        {"hyperparameters": {f"n{i}": i for i in range(41)}},
        {"hyperparameters": {"two words": 1}},
        {"hyperparameters": {"n" * 61: 1}},
        {"hyperparameters": {1: 1}},
        *(
            {"hyperparameters": {"n": value}}
            for value in (float("nan"), float("inf"), 10**400, "x" * 201, None, [1], {"a": 1}, 1j)
        ),
    ],
)
def test_a_card_out_of_its_limits_is_refused(changes: dict[str, object]) -> None:
    changes = {name: "i" * 2001 if text == "☃" else text for name, text in changes.items()}
    with pytest.raises(BadInput):
        card_with(**changes)


@pytest.mark.parametrize("name", [name for name in CARD.as_dict() if name != "family"])
def test_every_field_is_required(name: str) -> None:
    with pytest.raises(BadInput, match=f"{name}: the card lacks this field"):
        MethodCard.from_dict({key: value for key, value in card_body().items() if key != name})


@pytest.mark.parametrize("body", [None, [], "card", 3])
def test_what_is_no_object_is_no_card(body: object) -> None:
    with pytest.raises(BadInput, match="JSON object"):
        MethodCard.from_dict(body)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_card_at_its_limits_is_accepted(family: str) -> None:
    stated = {f"{'n' * 57}{i:03d}": "x" * 200 for i in range(40)}
    texts = dict.fromkeys(("idea", "objective", "data", "procedure"), "i" * 2000)
    card = card_with(title="t" * 120, family=family, hyperparameters=stated, **texts)
    assert (card.family, len(card.hyperparameters)) == (family, 40)


def test_a_card_does_not_change_with_what_it_was_made_of() -> None:
    stated: dict[str, int | str | float | bool] = {"epochs": 3}
    card = card_with(hyperparameters=stated)
    stated["epochs"] = 30
    assert card.hyperparameters == {"epochs": 3}
