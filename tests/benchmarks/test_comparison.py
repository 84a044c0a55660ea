from __future__ import annotations

import pytest
from benchmarks.comparison import Runs, compared, described

OURS = Runs(wall=[2.0, 4.0, 3.0], cpu=[1.0, 2.0, 1.0], accuracy=[0.90, 0.92, 0.94])


def test_the_share_is_the_floor_over_the_median_process_time() -> None:
    found = described(OURS, floor_seconds=0.25)

    assert found["wall_seconds"] == 3.0
    assert found["cpu_seconds"] == 1.0
    assert found["cpu_seconds_range"] == [1.0, 2.0]
    assert found["share_of_matmul_rate"] == 0.25


def test_the_ratio_is_of_medians_and_its_range_of_pairs() -> None:
    theirs = Runs(wall=[6.0, 8.0, 9.0], cpu=[4.0, 3.0, 5.0], accuracy=[0.90, 0.92, 0.94])

    found = compared(OURS, theirs)

    assert found["times_ours"] == 4.0
    assert found["times_ours_range"] == [1.5, 5.0]
    assert found["times_ours_by_wall"] == pytest.approx(8 / 3)


@pytest.mark.parametrize(("shift", "agrees"), [(0.0, True), (0.016, True), (0.017, False)])
def test_accuracies_agree_within_one_error_of_their_difference(shift: float, agrees: bool) -> None:
    theirs = Runs(OURS.wall, OURS.cpu, [value - shift for value in OURS.accuracy])

    found = compared(OURS, theirs)

    # Each mean has a standard error of 0.02 / √3, their difference √2 times that: 0.0163.
    assert found["accuracy_gain_se"] == pytest.approx(0.02 * (2 / 3) ** 0.5)
    assert found["accuracy_gain_of_ours"] == pytest.approx(shift)
    assert found["agrees_within_one_se"] is agrees
