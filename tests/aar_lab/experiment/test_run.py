"""From source text to a student."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.tiny import ARCH, examples, random_weights, weak_labels, write_bundle

from aar_lab.errors import BadIds, BadSource, BadWeights, UnknownName
from aar_lab.experiment.run import load_method, make_task, run_method
from aar_lab.experiment.students import infer
from aar_lab.methods import naive
from aar_lab.problems.bundle import Bundle
from aar_lab.types import Student

INPUTS, TRUTH = examples(24)
WEAK = weak_labels(INPUTS, TRUTH)
METHOD = '''
"""A method in one file, as a researcher writes it."""

from __future__ import annotations

from dataclasses import dataclass

from aar_lab.learners.base import Plan
from aar_lab.types import Student


@dataclass(frozen=True)
class Args:
    rate: float = 1e-3


def train(task, rng, args: Args = Args()):
    student = task.student()
    student.fit(task.inputs, task.weak.probs, rng, plan=Plan(rate=args.rate))
    return Student((student.save(),))
'''


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle(write_bundle(tmp_path_factory.mktemp("data") / "bundle", INPUTS))


def test_a_method_of_one_file_runs(bundle: Bundle) -> None:
    task = make_task(bundle, "S", bundle.inputs(), WEAK)
    student = run_method(load_method(METHOD), task, seed=0)
    probs = infer(task.student, student, INPUTS).probs
    assert probs.std() > 0


def test_the_host_seed_alone_decides(bundle: Bundle) -> None:
    def answers(seed: int) -> list[float]:
        task = make_task(bundle, "S", INPUTS, WEAK)
        probs: list[float] = infer(task.student, run_method(naive.train, task, seed), INPUTS).probs
        return list(probs)

    assert answers(3) == answers(3)
    assert answers(3) != answers(4)


def test_loading_a_method_twice_gives_two_of_them() -> None:
    first = load_method("count = []\ndef train(task, rng):\n    count.append(1)\n    return count")
    second = load_method("count = []\ndef train(task, rng):\n    return count")
    first(None, None)
    assert second(None, None) == []


def test_an_error_names_the_file_and_the_line() -> None:
    with pytest.raises(SyntaxError) as caught:
        load_method("def train(:", "mine.py")
    assert (caught.value.filename, caught.value.lineno) == ("mine.py", 1)


@pytest.mark.parametrize("source", ["", "x = 1", "train = 3"])
def test_a_source_without_train_is_refused(source: str) -> None:
    with pytest.raises(BadSource, match="no function `train`"):
        load_method(source)


@pytest.mark.parametrize("answer", [None, {"weights": 1}, np.zeros(3), Student])
def test_anything_but_a_student_is_refused(bundle: Bundle, answer: object) -> None:
    task = make_task(bundle, "S", INPUTS, WEAK)
    with pytest.raises(BadSource, match=type(answer).__name__):
        run_method(lambda task, rng: answer, task, 0)


def test_the_student_of_another_problem_is_refused(bundle: Bundle) -> None:
    task = make_task(bundle, "S", INPUTS, WEAK)
    other = replace(ARCH, width=2 * ARCH.width)
    foreign = Student((random_weights(other, head=True),))
    student = run_method(lambda task, rng: foreign, task, seed=0)
    with pytest.raises(BadWeights, match="Keep the architecture"):
        infer(task.student, student, INPUTS)


def test_a_task_says_how_examples_are_written(bundle: Bundle) -> None:
    assert make_task(bundle, "S", INPUTS, WEAK).formats == bundle.problem.formats


def test_a_task_needs_a_known_student_and_fitting_labels(bundle: Bundle) -> None:
    with pytest.raises(UnknownName, match="Known are: S, W"):
        make_task(bundle, "X", INPUTS, WEAK)
    with pytest.raises(UnknownName):
        make_task(bundle, "W", INPUTS, WEAK)
    with pytest.raises(BadIds):
        make_task(bundle, "S", INPUTS.take([0, 1]), WEAK)


def test_a_folder_without_a_problem_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"problem\.json"):
        Bundle(tmp_path)
