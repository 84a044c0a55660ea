"""Studies run pairs that differ in one option, go on where they were left, and say what follows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.aar_host.studies.campaigns import ALIKE, DIRECTED, end, hand_in, set_up

from aar_host.fleet.options import Options
from aar_host.studies.figures import draw_study
from aar_host.studies.study import MEASURES, STUDIES, Repeats, document_of, run_study
from aar_lab.errors import BadSettings, Conflict

STUDY = STUDIES["directed-vs-undirected"]


class Fleet:
    """Runs campaigns at once: the directed ones are more diverse and a little better.

    Args:
        stop_at: the number of the call that is interrupted by hand, or in which it is killed.
    """

    def __init__(self, interrupted: int = 0, killed: int = 0) -> None:
        self.calls: list[tuple[Options, bool]] = []
        self._interrupted, self._killed = interrupted, killed

    def __call__(self, options: Options, fresh: bool) -> None:
        self.calls.append((options, fresh))
        if fresh:
            set_up(options)
        if len(self.calls) == self._killed:
            raise KeyboardInterrupt
        names = hand_in(options.out, DIRECTED if options.directed else ALIKE)
        pgr = 0.5 + 0.01 * (options.seed % 3) + 0.1 * options.directed
        stopped = "interrupt" if len(self.calls) == self._interrupted else "time"
        end(options.out, names, pgr, stopped=stopped)


def base(out: Path) -> Options:
    return Options("chat-mini", 2, 0.5, 7, out, "none", 1)


def silent(words: str) -> None:
    """Nothing is told."""


def test_pairs_share_a_seed_differ_in_one_option_and_alternate(tmp_path):
    fleet, told = Fleet(), []
    run_study(STUDY, base(tmp_path), Repeats(1, fleet, told.append))
    found = run_study(STUDY, base(tmp_path), Repeats(2, fleet, told.append))
    rows = [(one.out.parts[-2:], one.seed, one.directed) for one, _ in fleet.calls]
    assert rows == [
        (("01", "directed"), 7, True),
        (("01", "undirected"), 7, False),
        (("02", "undirected"), 8, False),
        (("02", "directed"), 8, True),
    ]
    plain = [replace(one, out=tmp_path, seed=0, directed=True) for one, _ in fleet.calls]
    assert len(set(map(repr, plain))) == 1
    assert all(fresh for _, fresh in fleet.calls)
    assert told[0] == "pair 1 of 1: directed"
    assert found["complete"]
    assert json.loads((tmp_path / "study.json").read_text()) == found


def pairs_of(count: int) -> list[dict[str, object]]:
    """Pairs in which the directed campaign is better by 0.1, and 0.5 nats more diverse."""
    numbers = {name: {"pgr": 0.5, "corrected": 1.0} for name in STUDY.conditions}
    numbers["directed"] = {"pgr": 0.6, "corrected": 1.5}
    same = {"description": 100.0, "submissions": 9, "marks": ["a mark"]}
    conditions = {name: {**same, **found} for name, found in numbers.items()}
    return [{"pair": i + 1, "conditions": conditions} for i in range(count)]


def test_differences_are_tested_by_pairs_and_for_all_measures_together(tmp_path):
    found = document_of(STUDY, base(tmp_path), pairs_of(6), 6)
    rows = {row["measure"]: row for row in found["comparisons"]}
    assert list(rows) == list(MEASURES)
    assert rows["pgr"]["difference"] == pytest.approx(0.1)
    assert rows["pgr"]["p"] == rows["pgr"]["smallest_p"] == 2 / 64
    assert rows["pgr"]["p_holm"] == pytest.approx(len(MEASURES) * 2 / 64)
    assert rows["submissions"]["p"] == rows["submissions"]["p_holm"] == 1
    assert (found["marks"], found["unscored"]) == (["a mark"], 0)
    nothing = document_of(STUDY, base(tmp_path), [], 6)
    assert {row["p_holm"] for row in nothing["comparisons"]} == {None}


def test_a_study_goes_on_after_a_kill_and_repeats_nothing(tmp_path):
    killed = Fleet(killed=3)
    with pytest.raises(KeyboardInterrupt):
        run_study(STUDY, base(tmp_path), Repeats(2, killed, silent))
    assert len(json.loads((tmp_path / "study.json").read_text())["pairs"]) == 1
    later = Fleet()
    found = run_study(STUDY, base(tmp_path), Repeats(2, later, silent))
    assert [(one.out.name, fresh) for one, fresh in later.calls] == [
        ("undirected", False),
        ("directed", True),
    ]
    assert found["complete"]
    assert len(found["pairs"]) == 2


def test_a_campaign_that_was_interrupted_by_hand_ends_the_study_and_is_run_again(tmp_path):
    first = run_study(STUDY, base(tmp_path), Repeats(1, Fleet(interrupted=2), silent))
    assert (first["complete"], first["pairs"]) == (False, [])
    assert all(row["p"] is None for row in first["comparisons"])
    fleet = Fleet()
    found = run_study(STUDY, base(tmp_path), Repeats(1, fleet, silent))
    assert found["complete"]
    assert (fleet.calls[0][0].out.name, fleet.calls[0][1]) == ("undirected", True)
    assert (tmp_path / "01" / "undirected-interrupted-1" / "results.json").exists()


def test_another_study_in_the_same_place_is_refused(tmp_path):
    run_study(STUDY, base(tmp_path), Repeats(1, Fleet(), silent))
    with pytest.raises(Conflict, match=r"minutes 0.5, not 1.0"):
        run_study(STUDY, replace(base(tmp_path), minutes=1.0), Repeats(1, Fleet(), silent))
    other = STUDIES["sharing-vs-alone"]
    with pytest.raises(Conflict, match="study directed-vs-undirected"):
        run_study(other, base(tmp_path), Repeats(1, Fleet(), silent))
    (tmp_path / "else" / "folder").mkdir(parents=True)
    with pytest.raises(Conflict, match="not empty"):
        run_study(STUDY, base(tmp_path / "else"), Repeats(1, Fleet(), silent))


@pytest.mark.parametrize("count", [0, 201])
def test_repeats_out_of_range_are_refused(count):
    with pytest.raises(BadSettings):
        Repeats(count, Fleet(), silent)


def test_the_figure_is_drawn_twice_and_without_what_is_not_known(tmp_path):
    document = run_study(STUDY, base(tmp_path), Repeats(1, Fleet(), silent))
    document["pairs"][0]["conditions"]["directed"]["pgr"] = None
    png, svg = draw_study(document, tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    text = "".join(ElementTree.fromstring(svg.read_bytes()).itertext())
    for words in ("directed-vs-undirected", "undirected", "sealed PGR", "nats", "1 pair"):
        assert words in text
