"""Campaigns whose processes are killed end as if nobody had disturbed them. See `crashes`."""

from __future__ import annotations

import pytest
from tests.aar_host.fleet.crashes import crash

KILLS = 6


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_random_kills_lose_nothing_double_nothing_and_change_no_score(tmp_path):
    tally = crash(KILLS, 3, tmp_path)
    assert tally.faults == []
    assert tally.kills.total() == KILLS
    assert len(tally.kills) >= 2, tally.kills
    assert tally.accepted >= 4
