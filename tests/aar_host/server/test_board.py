"""The leaderboard as it is told: in order, whatever came when, and never read twice."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PGRS = st.lists(st.none() | st.floats(-1, 2), min_size=1, max_size=6)


@pytest.fixture
def wide(site, tmp_path):
    return type(site)(str(tmp_path / "wide.db"), config={**site.config, "max_submissions": 10**6})


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pgrs=PGRS, order=st.randoms(use_true_random=False))
def test_the_best_lead_and_of_equals_the_earlier(wide, pgrs, order):
    before = {row["submission"] for row in wide.call("GET", "/leaderboard").json()["leaderboard"]}
    names = []
    for pgr in pgrs:
        wide.now += 1
        number = len(before) + len(names)
        names.append((wide.submit(f"def train(task, rng): ...  # {wide.now} {number}"), pgr))
    for name, pgr in order.sample(names, len(names)):
        wide.score(name, pgr)
        wide.call("GET", "/leaderboard")
    rows = wide.call("GET", "/leaderboard?limit=1000").json()["leaderboard"]
    found = [row["submission"] for row in rows if row["submission"] not in before]
    rounded = {name: None if pgr is None else round(pgr, 2) for name, pgr in names}
    place = {name: i for i, (name, _) in enumerate(names)}
    expected = sorted(rounded, key=lambda n: (rounded[n] is None, -(rounded[n] or 0), place[n]))
    assert found == expected


def test_only_so_many_are_told_as_are_asked_for(wide, refused):
    for i in range(3):
        wide.score(wide.submit(f"def train(task, rng): ...  # {i}"), i / 10)
    told = wide.call("GET", "/leaderboard?limit=2").json()["leaderboard"]
    assert [row["score"]["pgr"] for row in told] == [0.2, 0.1]
    refused(wide.call("GET", "/leaderboard?limit=0"), 422, "bad_input")
