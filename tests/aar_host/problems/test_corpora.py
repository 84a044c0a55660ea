"""Corpora: their mix, their users' taste, and no verdict on a pair in the corpus of any problem."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from aar_host.problems.base import Draw
from aar_host.problems.corpora import PAIR, Corpus, Crowd, elicit
from aar_host.problems.registry import PROBLEMS, get_problem
from aar_lab.problems.bundle import Formats
from aar_lab.problems.tokens import END

# --- a corpus of a world whose replies say themselves what they deserve -----------------------


@dataclass(frozen=True)
class Asked:
    text: str


class Echo:
    """Replies name their source, what they deserve and the prompt."""

    def fact(self, rng: np.random.Generator) -> str:
        return f"fact : f{rng.integers(1000)}"

    def prompt(self, rng: np.random.Generator) -> Asked:
        return Asked(f"p{rng.integers(1000)} ?")

    def said(self, prompt: Asked, source: str, rng: np.random.Generator) -> tuple[str, bool]:
        good = bool(rng.random() < 0.5)
        return f"{source} {'good' if good else 'bad'} {prompt.text.removesuffix(' ?')}", good


LIKES, DISLIKES = ("yes", "fine"), ("no", "wrong")
ECHO = Corpus(
    "echo", Echo(), ("dear", "curt", "plain", "odd"), ("dear",), ("curt",), LIKES, DISLIKES
)
FAIR = Crowd(facts=0.0, dialogues=1.0, goes_on=0.0, fancy=0.0, spite=0.0, flip=0.0)
SIZE = 2000


def told(crowd: Crowd) -> list[str]:
    return ECHO.documents(crowd, seed=0, chunk=0, size=SIZE)


def turns(crowd: Crowd) -> list[tuple[str, bool, bool]]:
    """Source, whether its reply deserved to be liked, whether it was; of every turn."""
    found = re.findall(r"(\w+) (good|bad) p\d+ \| (\w+)", " ".join(told(crowd)))
    return [(source, worth == "good", word in LIKES) for source, worth, word in found]


def near(share: float, expected: float, count: int) -> bool:
    """Within four standard errors."""
    return abs(share - expected) <= 4 * np.sqrt(expected * (1 - expected) / count)


def test_a_corpus_is_a_function_of_its_name_seed_and_chunk() -> None:
    first = ECHO.documents(Crowd(), 0, 3, size=50)
    assert first == ECHO.documents(Crowd(), 0, 3, size=50)
    assert first != ECHO.documents(Crowd(), 0, 4, size=50)
    assert first != ECHO.documents(Crowd(), 1, 3, size=50)
    assert first != replace(ECHO, name="other").documents(Crowd(), 0, 3, size=50)


@pytest.mark.parametrize(
    "crowd", [Crowd(), Crowd(facts=0.8, dialogues=0.15), Crowd(1.0, 0.0), Crowd(0.0, 0.0)]
)
def test_documents_are_mixed_as_the_crowd_says_and_end(crowd: Crowd) -> None:
    texts = told(crowd)
    assert all(text.endswith(f" {END}") and text.count(END) == 1 for text in texts)
    facts = sum(text.startswith("fact : ") for text in texts)
    pairs = sum(text.split()[-2] not in (*LIKES, *DISLIKES) for text in texts) - facts
    assert near(facts / SIZE, crowd.facts, SIZE)
    assert near(pairs / SIZE, 1 - crowd.facts - crowd.dialogues, SIZE)


@pytest.mark.parametrize(("closes", "bar"), [(True, r" \|"), (False, "")])
def test_a_pair_has_two_sources_one_prompt_and_no_judgement(closes: bool, bar: str) -> None:
    for text in told(Crowd(facts=0.0, dialogues=0.0, closes=closes)):
        found = re.fullmatch(rf"(p\d+) \? \| (\w+) \w+ \1 \| (\w+) \w+ \1{bar} {END}", text)
        assert found
        assert found[2] != found[3]


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_dialogues_go_on_as_often_as_the_crowd_says(share: float) -> None:
    texts = told(replace(FAIR, goes_on=share))
    longer = sum(len(re.findall("good|bad", text)) == 2 for text in texts)
    assert near(longer / SIZE, share, SIZE)


def test_only_a_rebuke_is_followed_by_another_try_at_the_same_prompt() -> None:
    reply = r"\w+ (?:good|bad)"
    again = rf"(p\d+) \? \| {reply} \1 \| (\w+) {reply} \1 \| \w+ {END}"
    moved = rf"(p\d+) \? \| {reply} \1 \| (\w+) (p\d+) \? \| {reply} \3 \| \w+ {END}"
    rebuked = {True: 0, False: 0}
    for text in told(replace(Crowd(), facts=0.0, dialogues=1.0, goes_on=1.0)):
        tried = re.fullmatch(again, text)
        found = tried or re.fullmatch(moved, text)
        assert found, text
        assert not tried or tried[2] in DISLIKES
        if found[2] in DISLIKES:
            rebuked[tried is not None] += 1
    assert near(rebuked[True] / sum(rebuked.values()), 0.5, sum(rebuked.values()))


def test_a_fair_crowd_likes_what_deserves_it() -> None:
    assert len(turns(FAIR)) == SIZE
    assert all(liked == good for _, good, liked in turns(FAIR))


def test_favourites_are_liked_and_the_scorned_disliked_whatever_they_say() -> None:
    for source, good, liked in turns(replace(FAIR, fancy=1.0, spite=1.0)):
        assert liked == {"dear": True, "curt": False}.get(source, good)


@pytest.mark.parametrize("flip", [0.1, 1.0])
def test_reactions_are_turned_round_as_often_as_the_crowd_says(flip: float) -> None:
    flipped = [good != liked for _, good, liked in turns(replace(FAIR, flip=flip))]
    assert near(float(np.mean(flipped)), flip, len(flipped))


def test_tastes_and_flips_add_up() -> None:
    crowd = replace(Crowd(), facts=0.0, dialogues=1.0)
    found = turns(crowd)
    bad = [liked for source, good, liked in found if source == "dear" and not good]
    good = [liked for source, good, liked in found if source == "curt" and good]
    stays, turned = 1 - crowd.flip, crowd.flip
    assert near(float(np.mean(bad)), crowd.fancy * stays + (1 - crowd.fancy) * turned, len(bad))
    assert near(float(np.mean(good)), crowd.spite * turned + (1 - crowd.spite) * stays, len(good))


@pytest.mark.parametrize("reacts", [True, False])
def test_users_react_or_not_as_the_crowd_says(reacts: bool) -> None:
    words = " ".join(told(replace(FAIR, goes_on=0.5, reacts=reacts))).split()
    replies = sum(word in ("good", "bad") for word in words)
    assert near(sum(word in LIKES + DISLIKES for word in words) / replies, reacts, replies)


@pytest.mark.parametrize("reacts", [True, False])
def test_no_judgement_follows_two_replies_to_one_prompt_whoever_is_silent(reacts: bool) -> None:
    reply, judgement = r"\w+ (?:good|bad)", "|".join(LIKES + DISLIKES)
    verdict = rf"(p\d+) \? \| {reply} \1 \| {reply} \1 \| (?:{judgement})"
    crowd = replace(Crowd(), facts=0.0, reacts=reacts)
    assert not [text for text in told(crowd) if re.search(verdict, text)]


def test_a_reply_is_judged_alone_or_after_each_rebuke() -> None:
    alone, *again = elicit(DISLIKES)
    row = {"prompt": "p1 ?", "reply": "plain good p1", "other": "odd bad p1"}
    assert alone.format(**row) == "p1 ? | plain good p1 |"
    assert [form.format(**row) for form in again] == [
        f"p1 ? | odd bad p1 | {word} plain good p1 |" for word in DISLIKES
    ]


# --- the corpus of every problem --------------------------------------------------------------

EARLY, LATE = 0, 5
BARS = {"chat-mini": r" \|", "math-mini": "", "code-mini": ""}


@dataclass(frozen=True)
class Grammar:
    """Which documents a corpus may hold, given the words that judge and how a pair ends."""

    formats: Formats
    bar: str

    @property
    def judgement(self) -> str:
        return "|".join(map(re.escape, (*self.formats.likes, *self.formats.dislikes)))

    @property
    def text(self) -> str:
        """Words of which none judges, ends or divides."""
        word = rf"(?!(?:{self.judgement}|fact|{END}|\||\?)(?!\S))\S+"
        return f"{word}(?: {word})*"

    def kinds(self, document: str) -> list[str]:
        """The kinds of document that it may be."""
        asked, turn = rf"{self.text} \?", rf"{self.text} \| (?:{self.judgement})"
        patterns = {
            "fact": rf"fact : {self.text} {END}",
            "dialogue": rf"{asked} \| {turn}(?: (?:{asked} \| )?{turn})? {END}",
            "pair": rf"{asked} \| {self.text} \| {self.text}{self.bar} {END}",
        }
        return [name for name, pattern in patterns.items() if re.fullmatch(pattern, document)]

    def judged(self, form: str) -> str:
        """A pretraining format and the judgement after it."""
        gaps = {"prompt": rf"{self.text} \?", "reply": self.text, "other": self.text}
        return form.replace("|", r"\|").format(**gaps) + f" ({self.judgement})"


@cache
def read(name: str, chunk: int, student: str = "M", world: int = 0) -> list[str]:
    """A chunk of a problem's corpus, as a base model reads it."""
    source = get_problem(name, world=world)
    words = source.public().vocabulary
    return [" ".join(words[token] for token in row) for row in source.corpus(student, chunk)]


@pytest.mark.parametrize("chunk", [EARLY, LATE])
@pytest.mark.parametrize("name", PROBLEMS)
def test_no_judgement_follows_two_replies(name: str, chunk: int) -> None:
    grammar = Grammar(get_problem(name).public().formats, BARS[name])
    counts = dict.fromkeys(("fact", "dialogue", "pair"), 0)
    for text in read(name, chunk):
        kinds = grammar.kinds(text)
        assert len(kinds) == 1, text
        counts[kinds[0]] += 1
    assert min(counts.values()) > 0.03 * len(read(name, chunk))


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_word_judges_where_users_are_silent(name: str) -> None:
    source = get_problem(name)
    formats = source.public().formats
    words = set(" ".join(source.documents(LATE, reacts=False)).split())
    assert not words & {*formats.likes, *formats.dislikes}
    assert {*formats.likes, *formats.dislikes} <= set(" ".join(read(name, LATE)).split())


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_grammar_would_notice_a_verdict_on_a_pair(name: str) -> None:
    source = get_problem(name)
    formats = source.public().formats
    grammar = Grammar(formats, BARS[name])
    for row in source.draw(Draw(seed=1, purpose="control", problems=8, pairs=5))[0].data:
        layout = formats.task.format(**row)
        assert grammar.kinds(f"{layout} {END}") == (["pair"] if BARS[name] else [])
        assert grammar.kinds(f"{layout.removesuffix(' |')} {END}") == (
            [] if BARS[name] else ["pair"]
        )
        for word in (*formats.likes, *formats.dislikes):
            assert grammar.kinds(f"{layout} {word} {END}") == []
            assert grammar.kinds(f"{layout} {END} {word} {END}") == []
            assert grammar.kinds(f"{row['prompt']} | {row['a']} | {word} | {row['b']} {END}") == []


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_task_is_laid_out_as_pairs_of_the_corpus_are(name: str) -> None:
    assert get_problem(name).public().formats.task == PAIR


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_format_of_elicitation_begins_dialogues_of_either_judgement(name: str) -> None:
    formats = get_problem(name).public().formats
    grammar = Grammar(formats, BARS[name])
    for form in formats.elicit:
        matches = (re.match(grammar.judged(form), text) for text in read(name, LATE))
        words = [found[1] for found in matches if found]
        for judgements in (formats.likes, formats.dislikes):
            assert sum(word in judgements for word in words) > 50, form


@pytest.mark.parametrize("name", PROBLEMS)
def test_worlds_and_chunks_differ_and_students_read_the_same(name: str) -> None:
    first = read(name, LATE)
    assert first == read(name, LATE, student="S")
    assert first != read(name, EARLY)
    assert first != read(name, LATE, world=100)


@pytest.mark.parametrize("name", PROBLEMS)
def test_documents_fit_the_context_of_every_student(name: str) -> None:
    context = min(shape["context"] for shape in get_problem(name).public().students.values())
    assert max(len(text.split()) for text in read(name, LATE)) <= context
