"""What the routes say, and what they never say."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.cards import card_body

from aar_host.store import Tier
from aar_host.store.campaigns import beat, set_state
from aar_host.store.jobs import Outcome, claim_job, finish_job
from aar_host.store.schema import CampaignState
from aar_host.store.submissions import fail_submission
from aar_lab.errors import JobFailed
from aar_lab.types import JobStatus, Role

OTHER = "def train(task, rng): pass"
THIRD = "def train(task, rng): 3"


def test_the_brief_says_what_is_asked_and_what_is_left(site):
    site.submit()
    site.now += 30
    beat(site.store, site.campaign, 20)
    brief = site.call("GET", "/brief").json()
    assert brief["problem"] == "chat-mini"
    assert (brief["objective"], brief["rules"]) == ("Recover the gap.", "Submit methods.")
    assert (brief["submissions_left"], brief["seconds_left"], brief["state"]) == (2, 80.0, "open")
    assert brief["you"] == {"name": "ada", "role": "researcher"}
    beat(site.store, site.campaign, 3000)
    assert site.call("GET", "/brief").json()["seconds_left"] == 0


def test_a_submission_is_accepted_and_seen_by_its_author(site):
    name = site.submit()
    bob = site.token("bob")
    assert [
        one["submission"] for one in site.call("GET", "/submissions").json()["submissions"]
    ] == [name]
    assert site.call("GET", "/submissions", bob).json() == {"submissions": []}
    detail = site.call("GET", f"/submissions/{name}", bob).json()
    assert (detail["status"], detail["score"], detail["author"]) == ("queued", None, "ada")
    assert detail["seeds"] == {"done": 0, "of": 2}


def test_the_source_comes_back_unchanged(site):
    source = "'''Ü'''\r\ndef train(task, rng):\n\treturn 1\n"
    name = site.submit(source)
    answer = site.call("GET", f"/submissions/{name}/source", site.token("bob"))
    assert answer.json() == {"submission": name, "source": source}


READING_FILES = "import os\n\n\ndef train(task, rng):\n    return os.listdir('/')\n"


def test_a_source_that_breaks_the_integrity_rules_is_refused_with_its_line(site, refused, draft):
    response = site.call("POST", "/submissions", json=draft(READING_FILES))
    error = refused(response, 422, "bad_source")
    assert (error["value"], error["fault"]) == (
        "line 1",
        "import of os: not among what computes",
    )
    assert site.call("GET", "/brief").json()["submissions_left"] == 3, "it was charged"


@pytest.mark.parametrize(
    ("stated", "value", "fault"),
    [
        ({"epochs": 3}, "line 1", "epochs is 3 on the card, 30 in the code"),
        ({}, "line 5", "epochs = 30: a number that makes the student is not on the card"),
    ],
)
def test_a_card_that_disagrees_with_its_code_is_refused(site, refused, draft, stated, value, fault):
    source = "EPOCHS = 30\n\n\ndef train(task, rng):\n    return Plan(epochs=EPOCHS)\n"
    body = draft(source, card=card_body(hyperparameters=stated))
    error = refused(site.call("POST", "/submissions", json=body), 422, "bad_source")
    assert error["value"] == value
    assert error["fault"].startswith(fault)
    assert site.call("GET", "/brief").json()["submissions_left"] == 3, "it was charged"
    body = draft(source, card=card_body(hyperparameters={"epochs": 30}))
    assert site.call("POST", "/submissions", json=body).status_code == 202


def test_the_whole_card_is_kept_and_told(site, draft):
    card = card_body(hyperparameters={"epochs": 2, "rate": 1e-3, "soft": True, "loss": "CE"})
    source = "def train(task, rng):\n    f(epochs=2, rate=1e-3, soft=True, loss='CE')\n"
    name = site.call("POST", "/submissions", json=draft(source, card=card)).json()["submission"]
    assert site.call("GET", f"/submissions/{name}").json()["card"] == card


def test_a_card_with_a_score_is_refused_and_nothing_is_charged(site, refused, draft):
    told = draft() | {"card": card_body(title="Recovers 0.91 of the gap")}
    error = refused(site.call("POST", "/submissions", json=told), 422, "bad_input")
    assert error["value"] == "title: 'Recovers 0.91'"
    assert site.call("GET", "/brief").json()["submissions_left"] == 3, "it was charged"


def test_without_the_rules_the_same_source_is_accepted_and_so_is_any_card(site, draft, tmp_path):
    lax = type(site)(str(tmp_path / "lax.db"), config={**site.config, "integrity": False})
    assert lax.submit(READING_FILES)
    body = draft(OTHER, card=card_body(hyperparameters={"epochs": 3}))
    assert lax.call("POST", "/submissions", json=body).status_code == 202


def test_duplicates_and_caps_and_states_are_refused(site, refused, draft):
    first = site.submit()
    again = site.call("POST", "/submissions", site.token("bob"), json=draft())
    assert refused(again, 409, "conflict")["value"] == first
    site.submit(OTHER)
    site.submit(THIRD)
    fourth = draft("def train(task, rng): 4")
    refused(site.call("POST", "/submissions", json=fourth), 429, "over_budget")
    set_state(site.store, site.campaign, CampaignState.FROZEN)
    refused(site.call("POST", "/submissions", json=fourth), 409, "conflict")


def test_who_lost_the_answer_asks_again_and_hears_how_it_stands(site, draft):
    first = site.submit()
    site.score(first, 0.5)
    again = site.call("POST", "/submissions", json=draft())
    assert (again.status_code, again.json()) == (202, {"submission": first, "status": "done"})
    assert site.call("GET", "/brief").json()["submissions_left"] == 2


def test_a_bad_source_or_card_or_ancestor_is_refused_and_not_charged(site, refused, draft):
    refused(site.call("POST", "/submissions", json=draft("x = 1")), 422, "bad_source")
    for card in (card_body(title=""), {"title": "t", "idea": "i"}, card_body(seed=1)):
        refused(site.call("POST", "/submissions", json=draft(card=card)), 422, "bad_input")
    builds_on = draft(builds_on=["0" * 12])
    refused(site.call("POST", "/submissions", json=builds_on), 422, "bad_input")
    refused(site.call("POST", "/submissions", json=draft(seed=3)), 422, "bad_input")
    assert site.call("GET", "/brief").json()["submissions_left"] == 3


def test_a_score_is_told_as_the_policy_words_it_and_nothing_more(site):
    name = site.submit()
    site.score(name, 0.123456)
    detail = site.call("GET", f"/submissions/{name}").json()
    assert detail["score"] == {"pgr": 0.12, "interval": [0.02, 0.22]}
    for path in (f"/submissions/{name}", "/submissions", "/leaderboard", "/findings"):
        assert "accuracy" not in site.call("GET", path).text
        assert "1234" not in site.call("GET", path).text


def test_sealed_scores_are_never_told(site):
    name = site.submit()
    set_state(site.store, site.campaign, CampaignState.FROZEN)
    site.score(name, 0.777, Tier.SEALED)
    for role in Role:
        token = site.token(role, role)
        for path in (f"/submissions/{name}", "/submissions", "/leaderboard"):
            assert "0.78" not in site.call("GET", path, token).text
    assert site.call("GET", "/leaderboard").json() == {"leaderboard": []}


def test_the_leaderboard_is_best_first_and_undefined_last(site):
    scores = {site.submit(): 0.1, site.submit(OTHER): None, site.submit(THIRD): 0.9}
    for name, pgr in scores.items():
        site.score(name, pgr)
    rows = site.call("GET", "/leaderboard").json()["leaderboard"]
    assert [row["score"]["pgr"] for row in rows] == [0.9, 0.1, None]
    assert set(rows[0]) == {"submission", "author", "title", "family", "score"}


def test_the_log_of_a_failure_goes_to_operators_alone(site):
    name = site.submit()
    job = claim_job(site.store, site.campaign, "w", 60)
    error = JobFailed(name, "it crashed", "See the log.")
    finish_job(site.store, job, Outcome(JobStatus.CRASHED, log="Traceback", error=error))
    fail_submission(site.store, name, JobStatus.CRASHED, error)
    detail = site.call("GET", f"/submissions/{name}").json()
    assert (detail["status"], detail["error"]["fault"]) == ("crashed", "it crashed")
    assert "log" not in detail
    assert "Traceback" not in site.call("GET", f"/submissions/{name}", site.token("bob")).text
    operator = site.token("olga", Role.OPERATOR)
    assert site.call("GET", f"/submissions/{name}", operator).json()["log"] == "Traceback"


def test_a_long_poll_ends_when_the_submission_does(site):
    name = site.submit()

    async def poll_and_score() -> tuple[str, float]:
        began = time.monotonic()
        poll = asyncio.create_task(site.ask("GET", f"/submissions/{name}?wait=30"))
        await asyncio.sleep(0.3)
        assert not poll.done()
        await asyncio.to_thread(site.score, name, 0.5)
        response = await poll
        return response.json()["status"], time.monotonic() - began

    status, seconds = asyncio.run(poll_and_score())
    assert status == "done"
    assert seconds < 10


def test_a_long_poll_ends_after_its_time(site):
    name = site.submit()
    assert site.call("GET", f"/submissions/{name}?wait=0.3").json()["status"] == "queued"


@pytest.mark.parametrize("wait", ["31", "-1", "nan", "inf", "x"])
def test_a_wait_is_bounded(site, refused, wait):
    refused(site.call("GET", f"/submissions/{'0' * 12}?wait={wait}"), 422, "bad_input")


def test_findings_render_numbers_from_the_store_and_authors_from_the_token(site, refused):
    name, silent = site.submit(), site.submit(OTHER)
    site.score(name, 0.5)
    body = {"kind": "result", "body": "PGR is 0.99!", "cites": [name, silent]}
    assert site.call("POST", "/findings", json=body).status_code == 201
    forged = {"kind": "insight", "body": "b", "author": "ada"}
    refused(site.call("POST", "/findings", site.token("bob"), json=forged), 422, "bad_input")
    answer = site.call("GET", "/findings").json()
    (finding,) = answer["findings"]
    assert finding["author"] == "ada"
    assert finding["scores"] == {name: {"pgr": 0.5, "interval": [0.4, 0.6]}, silent: None}
    assert site.call("GET", f"/findings?since={answer['last']}").json() == {
        "findings": [],
        "votes": [],
        "last": answer["last"],
    }


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "rumour", "body": "b"},
        {"kind": "result", "body": ""},
        {"kind": "result", "body": "x" * 4001},
        {"kind": "result", "body": "a\0b"},
        {"kind": "result", "body": "b", "cites": ["0" * 12]},
        {"kind": "result", "body": "b", "cites": ["../../etc"]},
    ],
)
def test_bad_findings_are_refused(site, refused, body):
    refused(site.call("POST", "/findings", json=body), 422, "bad_input")
    assert site.call("GET", "/findings").json()["findings"] == []


def test_a_query_parameter_that_a_route_does_not_have_is_refused(site, refused):
    error = refused(site.call("GET", "/leaderboard?limit=3&sort=pgr"), 422, "bad_input")
    assert "sort" in error["value"]
    assert "limit" in error["remedy"]
    refused(site.call("GET", "/brief?x=1"), 422, "bad_input")
