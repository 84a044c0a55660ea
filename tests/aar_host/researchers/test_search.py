"""The search against a scripted host."""

from __future__ import annotations

import json
from itertools import count

import pytest
from tests.aar_host.researchers.fake_station import GOOD_TRIAL, FakeStation, landscape

from aar_host.researchers.directions import directions, get_direction
from aar_host.researchers.grammar import Design
from aar_host.researchers.search import PATIENCE, Search, fault_of
from aar_host.researchers.writing import write_method
from aar_lab.errors import BadSource, JobFailed, NotAuthorised, Unavailable

SEARCH = Search(pause=lambda seconds: None)


@pytest.fixture(name="make_station")
def _make_station():
    """Makes fake stations; the direction is named."""
    return lambda direction, **more: FakeStation(get_direction(direction), **more)


@pytest.fixture
def station(make_station):
    return make_station("data reweighting")


def never() -> bool:
    return False


def finding(submission: str, pgr: float, body: str = "I found this.") -> str:
    """As `lab findings --into` writes it."""
    head = f"# result by bob\n\n- cites {submission}: PGR {pgr}, interval [0.1, 0.9]\n"
    return f"{head}\n> {body}\n"


@pytest.mark.parametrize("direction", [direction.name for direction in directions()])
def test_it_improves_on_its_first_proposals(make_station, direction):
    station = make_station(direction, cap=25)
    SEARCH.run(station, never)
    scores = station.scores()
    assert len(scores) == 25
    assert max(scores) >= max(scores[:3]) + 0.1
    assert sum(scores[-8:]) / 8 > sum(scores[:3]) / 3


def test_it_opens_along_its_direction(station):
    SEARCH.run(station, never)
    assert tuple(station.designs()[:2]) == station.direction.openings
    assert station.parents[:2] == [(), ()]
    assert any(station.parents[2:])


def test_no_design_is_submitted_twice(make_station):
    station = make_station("evolutionary search", cap=60)
    SEARCH.run(station, never)
    assert len(set(station.designs())) == 60


def test_equal_answers_equal_work(make_station):
    first, second, other = (make_station("distillation", seed=seed) for seed in (5, 5, 6))
    for station in (first, second, other):
        SEARCH.run(station, never)
    assert first.submitted == second.submitted
    assert first.posted == second.posted
    assert first.files == second.files
    assert first.submitted != other.submitted


def test_good_and_bad_outcomes_are_posted_and_cited(station):
    SEARCH.run(station, never)
    kinds = [kind for kind, _, _ in station.posted]
    assert len(kinds) == len(station.submitted)
    assert {"result", "negative"} <= set(kinds)
    assert [cites for _, _, cites in station.posted] == [
        (f"{i:012x}",) for i in range(1, len(kinds) + 1)
    ]


def test_no_score_is_typed_into_a_finding(make_station):
    station = make_station("distillation", score=lambda design: 0.7331)
    SEARCH.run(station, never)
    assert not any("0.73" in body or "73" in body for _, body, _ in station.posted)


def test_a_result_is_what_was_best_when_it_came(station):
    SEARCH.run(station, never)
    best = 0.0
    for (kind, _, _), pgr in zip(station.posted, station.scores(), strict=True):
        assert (kind == "result") == (pgr > best)
        best = max(best, pgr)


def test_failed_submissions_are_posted_as_errors(make_station):
    station = make_station("distillation", cap=4, score=lambda design: None)
    SEARCH.run(station, never)
    assert [kind for kind, _, _ in station.posted] == ["error"] * 4
    assert "out of memory" in station.posted[0][1]


def test_a_method_that_fails_its_trial_is_not_submitted(make_station):
    error = BadSource("method.py", "it divides by zero", "Do not.")
    ends = count()
    station = make_station("distillation", trial=lambda design: error)
    SEARCH.run(station, lambda: next(ends) > 20)
    assert not station.submitted
    assert {kind for kind, _, _ in station.posted} == {"error"}
    assert "divides by zero" in station.posted[0][1]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, None),
        ({"seconds": 60.0}, "slow"),
        ({"swap_consistency": 0.0}, "position"),
        ({"agreement": 0.5, "prior_agreement": 0.5}, "chance"),
        ({"agreement": 0.9, "prior_agreement": 0.5}, None),
        ({"swap_consistency": None, "prior_agreement": None}, None),
        ({"swap_consistency": None, "agreement": 0.0, "prior_agreement": 0.9}, "chance"),
        ({"share_positive": 0.99}, "same for all"),
        ({"share_positive": 0.0}, "same for all"),
        ({"mean_confidence": 0.5}, "same for all"),
        ({"share_positive": 0.4, "mean_confidence": 0.6}, None),
    ],
)
def test_what_a_trial_tells(change, fault):
    found = fault_of({**GOOD_TRIAL, **change}, 10.0)
    assert found is None if fault is None else fault in found


def test_slow_methods_are_dropped_in_silence(make_station):
    slow = {**GOOD_TRIAL, "seconds": 99.0}
    station = make_station(
        "distillation", trial=lambda design: slow if design.members > 1 else GOOD_TRIAL
    )
    SEARCH.run(station, never)
    assert station.submitted
    assert all(design.members == 1 for design in station.designs())
    assert "too slow" in station.files["notebook.md"]
    assert not any("slow" in body for _, body, _ in station.posted)


def test_the_findings_of_others_are_built_upon(station):
    peak = Design(signal="mixture", select="confident", labels="sharpened", epochs=3, members=3)
    station.others = [(finding("b" * 12, 0.95), write_method(peak))]
    SEARCH.run(station, never)
    assert peak not in station.designs()
    assert any("b" * 12 in parents for parents in station.parents)


def test_a_score_quoted_by_an_author_is_not_believed(station):
    typed = "- cites cccccccccccc: PGR 5.0, interval [1, 9]"
    station.others = [
        (f"# insight by bob\n\n\n> {typed}\n> say I\n", write_method(Design())),
    ]
    SEARCH.run(station, never)
    assert not any("c" * 12 in parents for parents in station.parents)


def test_sources_without_a_design_are_passed_over(station):
    station.others = [(finding("b" * 12, 0.9), "def train(task, rng): ...")]
    SEARCH.run(station, never)
    assert len(station.submitted) == 12


def test_it_ends_when_the_budget_does(make_station):
    station = make_station("distillation", cap=2)
    SEARCH.run(station, never)
    assert len(station.submitted) == 2
    assert station.states[-1][0] == "finished"
    assert "used up" in station.states[-1][1]["reason"]


def test_a_known_method_is_a_conflict_and_no_end(station):
    opening = station.direction.openings[0]
    station.others = [("# result by bob\n\n> without a citation\n", write_method(opening))]
    SEARCH.run(station, never)
    assert opening not in station.designs()
    assert len(station.submitted) == 12


def test_a_frozen_campaign_is_the_end(station):
    station.state = "frozen"
    SEARCH.run(station, never)
    assert not station.submitted
    assert "frozen" in station.states[-1][1]["reason"]


def test_after_stop_the_outcome_is_awaited_and_posted_and_nothing_begun(station):
    asked, scores = count(), station._scores
    running = {"status": "running", "score": None}
    station._scores = lambda *words: running if words and next(asked) < 3 else scores(*words)
    SEARCH.run(station, lambda: bool(station.submitted))
    assert len(station.submitted) == 1
    assert len(station.posted) == 1


def test_a_closed_seat_ends_the_wait(station):
    scores = station._scores

    def closed(*words):
        if station.submitted:
            raise Unavailable("ada", "its seat was closed", "The campaign is over.")
        return scores(*words)

    station._scores = closed
    SEARCH.run(station, lambda: bool(station.submitted))
    assert len(station.submitted) == 1
    assert not station.posted


@pytest.mark.parametrize("error", [Unavailable("host", "gone", "Wait."), BadSource("a", "b", "c")])
def test_a_host_that_always_fails_is_left(station, error):
    calls = []

    def brief():
        calls.append(1)
        raise error

    station._brief = brief
    SEARCH.run(station, never)
    assert len(calls) == PATIENCE


def test_a_lost_token_is_the_end(station):
    def brief():
        raise NotAuthorised("token", "expired", "Ask for another.")

    station._brief = brief
    SEARCH.run(station, never)
    assert [state for state, _ in station.states] == ["reading", "finished"]


def test_a_box_that_dies_now_and_then_is_survived(station):
    numbers, scores = count(), station._scores

    def sometimes(*words):
        if words and next(numbers) % 3 == 1:
            raise JobFailed("scores", "the box ended", "Again.")
        return scores(*words)

    station._scores = sometimes
    SEARCH.run(station, never)
    assert len(station.submitted) == 12
    assert len({cites for _, _, cites in station.posted}) == len(station.posted) == 12


def test_the_notebook_tells_every_step(station):
    SEARCH.run(station, never)
    entries = [json.loads(line) for line in station.files["notebook.jsonl"].splitlines()]
    assert [entry["step"] for entry in entries] == list(range(1, len(entries) + 1))
    assert [Design.from_dict(entry["design"]) for entry in entries[:12]] == station.designs()
    assert all(
        entry["facts"]["score"]["pgr"] == landscape(Design.from_dict(entry["design"]))
        for entry in entries[:12]
    )
    assert "## 1. " in station.files["notebook.md"]


def resumed(station: FakeStation, cap: int, keep: bool = True) -> None:
    """The same seat and host after a kill, with or without its workspace."""
    station._cap = cap
    if not keep:
        station.files.clear()
    SEARCH.run(station, never)


def test_after_a_kill_it_goes_on_and_does_nothing_twice(make_station):
    station = make_station("evolutionary search", cap=6)
    SEARCH.run(station, never)
    resumed(station, 14)
    assert len(set(station.designs())) == len(station.submitted) == 14
    cited = [cites for _, _, cites in station.posted]
    assert len(set(cited)) == len(cited) == 14
    assert any(int(name, 16) <= 6 for parents in station.parents[6:] for name in parents)


def test_what_ended_while_it_was_dead_is_posted(make_station):
    station = make_station("distillation", cap=5)
    SEARCH.run(station, never)
    lost = station.posted.pop()
    resumed(station, 5)
    assert station.posted[-1][2] == lost[2]
    assert len(station.posted) == 5


def test_what_ended_while_it_was_dead_is_posted_though_the_search_is_over(make_station):
    station = make_station("distillation", cap=3)
    SEARCH.run(station, never)
    lost = station.posted.pop()
    SEARCH.run(station, lambda: True)
    assert station.posted[-1][2] == lost[2]
    assert len(station.submitted) == 3


@pytest.mark.parametrize("keep", [True, False])
def test_the_notebook_goes_on_where_the_workspace_was_kept(make_station, keep):
    station = make_station("distillation", cap=4)
    SEARCH.run(station, never)
    resumed(station, 8, keep)
    lines = station.files["notebook.jsonl"].splitlines()
    entries = [json.loads(line) for line in lines]
    handed_in = [e["facts"]["submission"] for e in entries if "submission" in e["facts"]]
    assert handed_in == [f"{n:012x}" for n in range(1 if keep else 5, 9)]
    assert station.files["notebook.md"].count("# ada: distillation\n") == 1


def test_a_broken_notebook_is_left_aside(make_station):
    station = make_station("distillation", cap=4)
    station.files["notebook.jsonl"] = 'x\n[]\n{"design": {"signal": 3}, "step": 1}\n{"step": 2}\n'
    SEARCH.run(station, never)
    assert len(station.submitted) == 4


def test_a_submission_whose_answer_was_lost_is_asked_for_again(make_station):
    station = make_station("distillation", cap=3)
    submit, lost = station._submit, count()

    def forgetful(*words):
        if station.files[words[0]] in station.submitted:
            return {"submission": f"{station.submitted.index(station.files[words[0]]) + 1:012x}"}
        found = submit(*words)
        if next(lost) == 0:
            raise JobFailed("submit", "the box ended", "Again.")
        return found

    station._submit = forgetful
    SEARCH.run(station, never)
    assert len(station.submitted) == len(station.posted) == 3
