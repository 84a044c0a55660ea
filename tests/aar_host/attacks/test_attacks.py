"""What the API's answers give away under each policy, to one researcher and to nine together."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest
from tests.aar_host.attacks.attackers import ATTACKS, Oracle, decode, detecting
from tests.cards import CARD, card_body
from tests.paper import CEILING, WEAK, Paper

from aar_host.auth import authenticate
from aar_host.feedback import EXACT, GUARDED, SEALED, honeylabels
from aar_host.jobs.judging import Judge
from aar_host.store import Tier
from aar_host.store.campaigns import get_campaign
from aar_host.store.claims import Claim, add_claim
from aar_host.store.ledger import events
from aar_host.store.predictions import content_of
from aar_host.store.submissions import get_submission

BASE = 0.7
QUICK = ("masks",)
NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in ATTACKS]
SMALL, STUDIED = 111, 1263


@pytest.mark.parametrize("depth", range(6))
def test_the_detecting_matrix_detects(depth):
    matrix = detecting(depth)
    bits = np.random.default_rng(depth).integers(0, 2, size=(20, matrix.shape[1]))
    assert all((decode(matrix @ row) == row).all() for row in bits)


def attack(paper: Paper, name: str, colluders: int, seed: int = 1):
    """The honest answers that an attack starts from, those that it ends with, and its oracle."""
    rng = np.random.default_rng(seed)
    base = paper.draw(rng, BASE)
    with paper.open() as clients:
        oracle = Oracle(paper, clients[:colluders])
        return base, ATTACKS[name](oracle, base, rng), oracle


@pytest.mark.parametrize("name", NAMES)
def test_exact_answers_give_every_label_away(tmp_path, name):
    paper = Paper(tmp_path, EXACT, SMALL)
    _, found, oracle = attack(paper, name, colluders=1)
    assert paper.recovered(found, paper.public) >= 0.95
    if name == "detecting matrix":
        assert oracle.asked < SMALL


def test_nine_colluders_ask_as_one(tmp_path):
    paper = Paper(tmp_path, EXACT, SMALL)
    _, found, _ = attack(paper, "masks", colluders=9)
    assert paper.recovered(found, paper.public) >= 0.95


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("name", NAMES)
def test_guarded_answers_gain_nothing_on_the_sealed_part(tmp_path, name, seed):
    """Nine colluders who use up every cap of four days."""
    paper = Paper(tmp_path, GUARDED, STUDIED, seed)
    base, found, _ = attack(paper, name, colluders=9, seed=seed)
    assert get_campaign(paper.store, paper.campaign).charged == GUARDED.max_submissions
    before, after = (paper.recovered(answers, ~paper.public) for answers in (base, found))
    assert (after - before) / (CEILING - WEAK) <= 0.02


def test_three_a_day_ten_each_and_ninety_in_all(tmp_path):
    paper = Paper(tmp_path, GUARDED, STUDIED)
    rng = np.random.default_rng(0)
    with paper.open() as clients:
        alone = Oracle(paper, clients[:1], days=1)
        assert [alone.ask(paper.draw(rng, BASE)) is None for _ in range(4)] == [False] * 3 + [True]
        alone = Oracle(paper, clients[:1], days=9)
        while alone.ask(paper.draw(rng, BASE)) is not None:
            pass
        assert 3 + alone.asked == GUARDED.max_each
        rest = Oracle(paper, clients[1:], days=9)
        while rest.ask(paper.draw(rng, BASE)) is not None:
            pass
        assert GUARDED.max_each + rest.asked == GUARDED.max_submissions


def test_near_duplicates_are_charged_and_given_the_earlier_answer(tmp_path):
    paper = Paper(tmp_path, GUARDED, STUDIED)
    rng = np.random.default_rng(0)
    base = paper.draw(rng, BASE)
    near = base.copy()
    near[np.flatnonzero(paper.public)[:21]] ^= True  # of 421: 4.99 %
    far = base.copy()
    far[np.flatnonzero(paper.public)[:42]] = ~paper.truth[np.flatnonzero(paper.public)[:42]]
    with paper.open() as clients:
        oracle = Oracle(paper, clients)
        first, second, third = (oracle.ask(answers) for answers in (base, near, far))
    assert first == second != third
    assert get_campaign(paper.store, paper.campaign).charged == 3


def test_the_same_answers_again_are_the_same_submission(tmp_path):
    paper = Paper(tmp_path, GUARDED, STUDIED)
    answers = paper.draw(np.random.default_rng(0), BASE)
    with paper.open() as clients:
        oracle = Oracle(paper, clients[:1])
        assert oracle.ask(answers) == oracle.ask(answers)
    assert get_campaign(paper.store, paper.campaign).charged == 1


def test_on_sealed_answers_cannot_be_expressed(tmp_path):
    paper = Paper(tmp_path, SEALED, SMALL)
    body = {"predictions": paper.rows(paper.truth), "card": card_body()}
    with paper.open() as clients:
        ada = clients[0]
        assert ada.get("inputs").status_code == 409
        assert ada.post("predictions", json=body).status_code == 409
        assert ada.post("submissions", json=body).status_code == 422
        both = {"source": "def train(task, rng): ...", **body}
        assert ada.post("submissions", json=both).status_code == 422
    assert get_campaign(paper.store, paper.campaign).charged == 0


@pytest.mark.parametrize("fault", ["missing", "foreign", "outside"])
def test_what_cannot_be_read_is_charged_before_a_label_is(tmp_path, fault):
    """The vault is gone: whoever read a label now would fail."""
    paper = Paper(tmp_path, GUARDED, STUDIED)
    rows = paper.rows(paper.truth)
    change = {"missing": {}, "foreign": {"0" * 16: 0.5}, "outside": {paper.ids[0]: 1.5}}
    rows = {**rows, **change[fault]}
    if fault == "missing":
        del rows[paper.ids[0]]
    shutil.rmtree(tmp_path / "vault")
    with paper.open() as clients:
        answer = clients[0].post("predictions", json={"predictions": rows, "card": card_body()})
    assert answer.status_code == 422
    assert get_campaign(paper.store, paper.campaign).charged == 1
    kinds = [event.kind for event in events(paper.store, paper.campaign)]
    assert kinds[-1] == "submission_refused"


def test_a_crash_between_taking_and_judging_loses_nothing(tmp_path):
    """Killed after the acceptance: the next server judges what is there."""
    paper = Paper(tmp_path, GUARDED, STUDIED)
    judge = Judge(paper.store, paper.grounds)
    parts = judge.read(paper.rows(paper.truth))
    actor = authenticate(paper.store, paper.tokens[0]).id
    claim = Claim(parts, content_of(parts), CARD)
    name = add_claim(paper.store, paper.campaign, actor, claim, GUARDED.gate)
    with paper.open() as clients:
        found = clients[0].get(f"submissions/{name}").json()
    assert found["status"] == "done"
    assert found["score"]["pgr"] > 0.5


def test_honeylabels_are_scored_the_wrong_way_round_and_on_the_public_part_alone(tmp_path):
    paper = Paper(tmp_path, GUARDED, STUDIED)
    judge = Judge(paper.store, paper.grounds)
    public = [name for name, mine in zip(paper.ids, paper.public, strict=True) if mine]
    honey = honeylabels(GUARDED, paper.grounds.secret, public)
    assert len(honey) == 40
    with paper.open() as clients:
        oracle = Oracle(paper, clients)
        oracle.ask(paper.truth)
        name = clients[0].get("submissions").json()["submissions"][0]["submission"]
    found = get_submission(paper.store, name)
    accuracies = judge.score(found, Tier.PUBLIC)["accuracy"]
    assert accuracies == [pytest.approx(1 - 40 / len(public))] * GUARDED.seeds
    assert judge.score(found, Tier.SEALED)["accuracy"] == [1.0] * GUARDED.seeds


def steps_of(action) -> list[str]:
    """The functions of this project that an action calls and leaves, in order."""
    called: list[str] = []

    def note(frame, event, _argument) -> None:
        if "aar_" in frame.f_code.co_filename.rsplit("src", 1)[-1]:
            called.append(f"{event} {frame.f_code.co_name}")

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return called


def test_scoring_takes_the_same_steps_whatever_the_labels(tmp_path):
    """Function by function: nothing is skipped, repeated or reordered for a right answer."""
    paper = Paper(tmp_path, GUARDED, STUDIED)
    judge, actor = Judge(paper.store, paper.grounds), authenticate(paper.store, paper.tokens[0]).id
    rng = np.random.default_rng(0)
    steps: list[list[str]] = []
    for answers in (paper.truth, paper.truth, ~paper.truth, paper.draw(rng, 0.5)):
        parts = judge.read(paper.rows(answers))
        name = add_claim(paper.store, paper.campaign, actor, Claim(parts, content_of(parts), CARD))
        found = get_submission(paper.store, name)
        steps.append(steps_of(lambda found=found: judge.score(found, Tier.PUBLIC)))
        paper.now += 24 * 3600
    assert len(steps[1]) > 100
    assert steps[1] == steps[2] == steps[3]


def test_honeylabels_tell_who_copies_answers_from_who_reads(tmp_path):
    paper = Paper(tmp_path, GUARDED, STUDIED)
    judge, rng = Judge(paper.store, paper.grounds), np.random.default_rng(3)
    honey = np.isin(paper.ids, judge.honeylabels)
    told = {"reads": paper.draw(rng, 0.9), "copies": np.where(honey, ~paper.truth, paper.truth)}
    found = {}
    with paper.open() as clients:
        for client, (name, answers) in zip(clients, told.items(), strict=False):
            Oracle(paper, [client]).ask(answers)
            mine = client.get("submissions").json()["submissions"][0]["submission"]
            found[name] = judge.on_honey(mine)
    assert found["copies"].matched == found["copies"].of == 40
    assert found["copies"].p_value < 1e-6 < 0.01 < found["reads"].p_value


def test_a_policy_of_predictions_takes_no_method(tmp_path):
    paper = Paper(tmp_path, GUARDED, SMALL)
    body = {"source": "def train(task, rng): ...", "card": card_body()}
    with paper.open() as clients:
        assert clients[0].post("submissions", json=body).status_code == 409
    assert get_campaign(paper.store, paper.campaign).charged == 0
