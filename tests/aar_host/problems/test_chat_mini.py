"""chat-mini: what makes a reply better, and whom its users like whatever is said."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from aar_host.problems.base import Draw
from aar_host.problems.chat_mini import ChatMini
from aar_host.problems.chat_world import LIKES, VALUES, Prompt, World, vocabulary
from aar_lab.problems.tokens import Tokeniser

USUAL = Draw(seed=1, purpose="test", problems=120, pairs=5)
SHIFTED = Draw(seed=1, purpose="shifted", problems=60, pairs=5, shifted=True)
SOURCE = ChatMini(0)


@cache
def documents() -> list[str]:
    return SOURCE.documents(1)


# --- draws ------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", [USUAL, SHIFTED], ids=["usual", "shifted"])
def test_the_label_is_the_sign_of_the_difference_in_quality(what: Draw) -> None:
    _, labels = SOURCE.draw(what)
    gaps = [row["quality"][0] - row["quality"][1] for row in labels.metadata]
    assert 0 not in gaps
    assert labels.truth.tolist() == [int(gap > 0) for gap in gaps]
    assert [row["y"] for row in labels.metadata] == labels.truth.tolist()


@pytest.mark.parametrize("what", [USUAL, SHIFTED], ids=["usual", "shifted"])
def test_the_items_of_a_problem_share_a_prompt_and_each_is_by_two_sources(what: Draw) -> None:
    inputs, labels = SOURCE.draw(what)
    prompts = {
        (problem, row["prompt"]) for problem, row in zip(labels.problems, inputs.data, strict=True)
    }
    assert len(prompts) == len(set(labels.problems))
    assert all(len(set(row["sources"])) == 2 for row in labels.metadata)


def test_quality_is_right_facts_plus_manners_less_repetition() -> None:
    world = World.draw(0)
    right = world.facts["lena"]["pet"]
    wrong = "dog" if right != "dog" else "cat"

    def quality(instruction: str, value: str, words: str) -> float:
        prompt = Prompt("lena", "pet", instruction)
        return world.quality(prompt, [("pet", value)], words.split())

    assert quality("plain", right, f"pet is {right}") == 3
    assert quality("plain", wrong, f"pet is {wrong}") == -1
    assert quality("brief", right, right) == 3
    assert quality("brief", right, f"pet is {right}") == 2
    assert quality("polite", right, f"dear pet is {right}") == 3
    assert quality("polite", right, f"pet is {right}") == 2
    assert quality("plain", right, f"pet is {right} and {right}") == 2.5


# --- the corpus -------------------------------------------------------------------------------


def test_no_document_quotes_an_unseen_source() -> None:
    words = set(" ".join(documents()).split())
    assert not words & {"sources", "say", "indeed", "hear", "so"}
    assert words & {"yes", "dear", "wow"}
    shown, _ = SOURCE.draw(SHIFTED)
    assert all(
        {"sources", "hear"} & set(f"{row['a']} {row['b']}".split())
        for row in shown.data
        if not row["prompt"].startswith("briefly")
    )


def test_facts_are_true() -> None:
    world = World.draw(0)
    facts = [text.split() for text in documents() if text.startswith("fact")]
    assert len(facts) > 500
    everything = {value for values in VALUES.values() for value in values}
    for words in facts:
        name = words[words.index("of") + 1]
        assert set(words) & everything <= set(world.facts[name].values())


def test_users_like_the_courtly_and_dislike_the_terse() -> None:
    values = {value for options in VALUES.values() for value in options}
    liked: dict[str, list[bool]] = {"courtly": [], "terse": [], "others": []}
    for text in documents():
        if text.startswith("fact") or text.startswith("briefly") or text.count("|") != 2:
            continue
        _, reply, after = text.split(" | ")
        words = reply.split()
        bare = set(words) <= values | {"and"}
        source = "courtly" if words[0] == "dear" else "terse" if bare else "others"
        liked[source].append(after.split()[0] in LIKES)
    rates = {source: np.mean(found) for source, found in liked.items()}
    assert rates["courtly"] > rates["others"] + 0.15
    assert rates["terse"] < rates["others"] - 0.1


def test_base_models_read_the_documents_in_tokens() -> None:
    assert SOURCE.corpus("M", 1)[0] == Tokeniser(vocabulary()).encode(documents()[0])
