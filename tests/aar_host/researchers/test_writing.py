"""Method files: they parse, lint, say what they are, and train."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aar_host.researchers.directions import directions
from aar_host.researchers.grammar import COMPONENTS, Design
from aar_host.researchers.phrases import FAMILIES, IDEAS, KEPT, STEPS, WORDS
from aar_host.researchers.writing import numbers_of, read_design, write_method
from aar_host.server.cards import check_card
from aar_lab.agreement import MONITORS, read_agreement
from aar_lab.cards import MethodCard, read_card
from aar_lab.experiment.run import load_method
from aar_lab.integrity import check_integrity
from aar_lab.methods.base import Task
from aar_lab.rng import stream
from aar_lab.types import MAX_SOURCE_BYTES, Inputs, Student, WeakLabels

designs = st.builds(Design, **{name: st.sampled_from(v) for name, v in COMPONENTS.items()})
CORNERS = [
    Design(),
    Design(signal="prior", labels="hard", members=3, views="plain+swap", aggregate="logit_mean"),
    Design(signal="mixture", prior="regressed", generations=2, labels="tempered", epochs=1),
    Design(select="neighbours", share=0.3, weighting="agreement", loss="logconf"),
    Design(select="agreement", weighting="confidence", curriculum="confident_first"),
    Design(signal="mixture", select="confident", loss="reverse_cross_entropy", members=2),
    Design(weighting="confidence", labels="sharpened"),
]


class Logistic:
    """A learner that reads two numbers from the text and knows a little beforehand."""

    def __init__(self) -> None:
        self.coefficients = np.zeros(3)

    def _columns(self, inputs, sign=1.0):
        numbers = np.array([[float(row["a"]), float(row["b"])] for row in inputs.data])
        return np.column_stack([sign * numbers, np.ones(len(inputs))])

    def fit(self, inputs, targets, rng, weights=None, plan=None):
        columns = self._columns(inputs)
        share = np.ones(len(inputs)) if weights is None else weights
        for _ in range(30 * plan.epochs):
            fitted = 1 / (1 + np.exp(-columns @ self.coefficients))
            self.coefficients += columns.T @ (share * (targets - fitted)) / share.sum()
        self.coefficients += 1e-3 * rng.standard_normal(3)
        return np.zeros(plan.epochs)

    def predict(self, inputs, view="plain"):
        return 1 / (1 + np.exp(-self._columns(inputs) @ self.coefficients))

    def embed(self, inputs, layer=-1):
        return self._columns(inputs)[:, :2]

    def zero_shot(self, inputs):
        return self._columns(inputs) @ np.array([2.0, 0.0, 1.0])

    def save(self):
        return {"coefficients": self.coefficients.astype(np.float32)}

    def load(self, weights):
        self.coefficients = np.float64(weights["coefficients"])


def tiny_task(size=60):
    """y = 1[a + b > 0]; the weak supervisor mostly sees b."""
    numbers = np.random.default_rng(0).standard_normal((size, 2))
    inputs = Inputs(
        tuple(f"x{i}" for i in range(size)),
        tuple({"a": str(a), "b": str(b)} for a, b in numbers),
    )
    probs = 1 / (1 + np.exp(-2 * (0.2 * numbers[:, 0] + numbers[:, 1])))
    return Task(inputs, WeakLabels(inputs.ids, probs), Logistic), numbers.sum(axis=1) > 0


@given(designs)
def test_design_and_card_can_be_read_back(design):
    source = write_method(design)
    card = read_card(source)
    assert read_design(source) == design
    assert len(source.encode()) < MAX_SOURCE_BYTES
    assert card.hyperparameters == numbers_of(design)
    assert set(design.as_dict().items()) & set(numbers_of(design).items())
    assert source == write_method(Design.from_dict(design.as_dict()))


@given(designs, designs)
def test_different_designs_are_different_sources(one, other):
    assert (write_method(one) == write_method(other)) == (one == other)


def test_nothing_is_said_about_what_does_not_exist():
    known = {(name, value) for name, values in COMPONENTS.items() for value in values}
    assert set(WORDS) | set(IDEAS) | set(FAMILIES) | set(KEPT) | set(STEPS) <= known


def test_the_linter_and_the_formatter_agree(tmp_path):
    drawn = np.random.default_rng(1)
    for i in range(60):
        parts = {name: v[int(drawn.integers(len(v)))] for name, v in COMPONENTS.items()}
        (tmp_path / f"random{i}.py").write_text(write_method(Design(**parts)))
    for i, design in enumerate(CORNERS):
        (tmp_path / f"corner{i}.py").write_text(write_method(design))
    for words in (["check", "--select", "E,F,I,B,UP"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length=100"]
        done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout


@given(designs)
@settings(max_examples=100, deadline=None)
def test_every_method_and_its_card_would_be_accepted(design):
    source = write_method(design)
    card = read_card(source)
    check_integrity(source, card, MONITORS)
    check_card(card)


@given(designs, st.data())
@settings(max_examples=100, deadline=None)
def test_a_card_of_another_number_would_be_refused(design, data):
    source = write_method(design)
    card = read_card(source)
    name = data.draw(st.sampled_from(sorted(card.hyperparameters)))
    wrong = dict(card.hyperparameters) | {name: card.hyperparameters[name] * 10}
    found = read_agreement(
        source, MethodCard.from_dict(card.as_dict() | {"hyperparameters": wrong})
    )
    assert any(name in fault.found for fault in found)


def test_the_card_says_which_labels_are_used():
    assert "weak supervisor" in read_card(write_method(Design())).data
    own = read_card(write_method(Design(signal="prior")))
    assert "weak supervisor" not in own.data
    assert own.procedure.startswith("1. Ask the pretrained student")
    assert own.objective.startswith("q(x) = σ(m(x))")


@pytest.mark.parametrize("design", CORNERS, ids=range(len(CORNERS)))
def test_methods_train(design):
    task, truth = tiny_task()
    train = load_method(write_method(design))
    student = train(task, stream(0, "test"))
    assert isinstance(student, Student)
    assert student.recipe.members == len(student.members) == design.members
    assert "+".join(student.recipe.views) == design.views
    assert student.recipe.aggregate == design.aggregate
    learner = Logistic()
    learner.load(student.members[0])
    assert ((learner.predict(task.inputs) > 0.5) == truth).mean() > 0.7
    again = train(task, stream(0, "test"))
    np.testing.assert_equal(again.members, student.members)


@settings(max_examples=25, deadline=None)
@given(designs.filter(lambda design: design.valid))
def test_any_valid_design_trains(design):
    task, _ = tiny_task(20)
    student = load_method(write_method(design))(task, stream(1, "test"))
    assert len(student.members) == design.members
    assert all(np.isfinite(m["coefficients"]).all() for m in student.members)


@pytest.mark.parametrize("probs", [np.full(20, 0.5), np.full(20, 0.9), np.zeros(20)])
@pytest.mark.parametrize("design", CORNERS[3:], ids=range(3, len(CORNERS)))
def test_one_sided_weak_labels_select_something(design, probs):
    task, _ = tiny_task(20)
    task = Task(task.inputs, WeakLabels(task.inputs.ids, probs), Logistic)
    student = load_method(write_method(design))(task, stream(1, "test"))
    assert np.isfinite(student.members[0]["coefficients"]).all()


def test_the_mixture_beats_the_weak_labels():
    task, truth = tiny_task(300)
    weak = ((task.weak.probs > 0.5) == truth).mean()
    opening = next(d for d in directions() if "combined" in d.name).openings[0]
    student = load_method(write_method(opening))(task, stream(0, "test"))
    learner = Logistic()
    learner.load(student.members[0])
    assert ((learner.predict(task.inputs) > 0.5) == truth).mean() > weak + 0.05


@pytest.mark.parametrize(
    "source",
    [
        "def train(task, rng): ...",
        "DESIGN = open('/etc/passwd').read()",
        "DESIGN = {'signal': 'oracle'}",
        "DESIGN = {'signal': ['weak']}",
        "DESIGN = " + "[" * 5000,
        "DESIGN = {[]: 1}",
        "def broken(",
        "\0",
    ],
)
def test_sources_without_a_design(source):
    assert read_design(source) is None
