"""Problems of single texts, and finite ones: every purpose has a part of its own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.problems.base import Draw, Sizes
from aar_host.problems.single import FiniteProblem, Row
from aar_lab.errors import BadSettings
from aar_lab.learners.pretraining import Pretraining
from aar_lab.problems.bundle import Formats
from aar_lab.problems.objective import Metric, Objective
from aar_lab.problems.tokens import END, vocabulary_of

SIZES = Sizes(train_labeled=10, weak_problems=2, train_unlabeled=8, test=12, shifted=4, pairs=2)
PURPOSES = {"train_labeled": 10, "train_unlabeled": 8, "practice": 5, "test": 12, "shifted": 4}


class Parity(FiniteProblem):
    """Is a number below 50 odd?"""

    name = "parity"
    summary = "Odd?"
    brief = "y = 1 means odd."
    formats = Formats(task="{number} |", gap="_")
    vocabulary = vocabulary_of((*map(str, range(50)), "_", "|"))
    sizes = SIZES
    shapes = {"M": {"width": 8, "layers": 1, "heads": 2, "context": 4}}  # noqa: RUF012
    pretraining = {"M": Pretraining(1000)}  # noqa: RUF012
    weak = "M"
    total = 50
    practice = 5
    objective = Objective((Metric("brier"),))

    def rows(self, what: Draw, rng: np.random.Generator) -> list[Row]:
        return [
            ({"number": str(place)}, {"y": int(place % 2), "problem": place})
            for place in self.taken(what)
            for _ in range(what.pairs)
        ]

    def documents(self, chunk: int) -> list[str]:
        free = sorted(set(range(self.total)) - set(self.unseen().tolist()))
        return [f"{place} | {END}" for place in free]


def draw(source: FiniteProblem, purpose: str, seed: int = 0, problems: int | None = None) -> Draw:
    return Draw(seed, purpose, problems or PURPOSES[purpose], 2, purpose == "shifted")


@given(st.integers(0, 1000))
def test_parts_are_disjoint_and_of_their_sizes(world: int) -> None:
    source = Parity(seed=world)
    parts = {purpose: source.part(purpose) for purpose in PURPOSES}
    assert {purpose: len(part) for purpose, part in parts.items()} == PURPOSES
    every = np.concatenate(list(parts.values()))
    assert len(np.unique(every)) == every.size
    assert set(source.unseen()) == {*parts["test"], *parts["shifted"]}


def test_another_world_is_another_split() -> None:
    assert set(Parity(0).part("test")) != set(Parity(1).part("test"))


def test_every_draw_gives_the_same_rows_under_other_ids() -> None:
    source = Parity()
    first, second = (source.draw(draw(source, "test", seed)) for seed in (1, 2))
    assert first[0].data == second[0].data
    assert first[1].problems == second[1].problems
    assert not set(first[0].ids) & set(second[0].ids)
    assert source.draw(draw(source, "test", 1))[0] == first[0]


def test_a_smaller_draw_is_the_beginning_of_a_larger_one() -> None:
    source = Parity()
    few = source.draw(draw(source, "test", problems=3))[1].problems
    assert few == source.draw(draw(source, "test"))[1].problems[:6]


def test_data_that_run_out_are_told() -> None:
    source = Parity()
    with pytest.raises(BadSettings, match="holds 12 of the 50"):
        source.draw(draw(source, "test", problems=13))
    with pytest.raises(BadSettings, match="no such part"):
        source.draw(Draw(0, "fresh", 1, 1))
    source.total = 38
    with pytest.raises(BadSettings, match="39 wanted"):
        source.draw(draw(source, "test"))


def test_the_public_description_says_what_is_declared() -> None:
    problem = Parity(seed=4).public()
    assert problem.finite
    assert problem.objective == Parity.objective
    assert problem.version == "1-world4"
    assert problem.students == {"M": {"vocabulary": 54, **Parity.shapes["M"]}}


def test_labels_belong_to_their_items() -> None:
    source = Parity()
    inputs, labels = source.draw(draw(source, "shifted"))
    assert labels.ids == inputs.ids
    assert labels.shifted.all()
    for row, truth, problem in zip(inputs.data, labels.truth, labels.problems, strict=True):
        assert int(row["number"]) % 2 == truth
        assert problem == row["number"]


def test_the_corpus_is_tokens_and_nothing_is_shipped() -> None:
    source = Parity()
    words = source.vocabulary
    found = [" ".join(words[token] for token in row) for row in source.corpus("M", 0)]
    assert found == source.documents(0)
    assert source.base_weights("M") is None
