"""Families told from source: registered methods, methods of the search, and hand-written cases."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from importlib.resources import files

import numpy as np
import pytest

from aar_host.researchers.grammar import COMPONENTS, Design
from aar_host.researchers.phrases import family_of as declared_by_search
from aar_host.researchers.writing import write_method
from aar_host.studies.families import RULES, family_of
from aar_lab.cards import FAMILIES
from aar_lab.errors import BadSource
from aar_lab.methods import NAMES

HEAD = """
import numpy as np
from aar_lab.learners.base import Plan
from aar_lab.learners.losses import LogConf, cross_entropy
from aar_lab.methods.base import hard_labels
from aar_lab.types import Aggregate, Recipe, Student

"""


def found(body: str, before: str = "") -> tuple[str, ...]:
    """Every family of a method whose `train` has this body."""
    inside = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    source = f"{HEAD}{textwrap.dedent(before)}\n\ndef train(task, rng):\n{inside}\n"
    return family_of(source).all


def registered(name: str) -> tuple[str, str]:
    """The source of a registered method, and the family that it declares."""
    source = files("aar_lab.methods").joinpath(f"{name}.py").read_text(encoding="utf-8")
    match = re.search(r'^FAMILY = "(.*)"', source, re.MULTILINE)
    assert match
    return source, match[1]


def test_registered_methods_are_what_they_say_but_for_two_that_learn_from_themselves():
    families = {name: family_of(*registered(name)) for name in NAMES}
    others = {
        (name, one.declared, one.found)
        for name, one in families.items()
        if one.found != one.declared
    }
    assert others == {
        ("epiplexity", "data filtering", "self-training"),
        ("em_posterior", "unsupervised elicitation", "self-training"),
    }
    assert [name for name, one in families.items() if not one.agrees] == ["epiplexity"]


def test_what_the_search_writes_is_among_others_what_it_says():
    rng, confusion = np.random.default_rng(1), Counter()
    for _ in range(150):
        drawn = {
            name: values[int(rng.integers(len(values)))] for name, values in COMPONENTS.items()
        }
        design = Design(**drawn)
        one = family_of(write_method(design), declared_by_search(design))
        assert one.agrees, design
        confusion[one.declared, one.found] += 1
    apart = {pair for pair in confusion if pair[0] != pair[1]}
    assert apart <= {
        ("model internals", "data filtering"),
        ("model internals", "unsupervised elicitation"),
    }


def test_every_rule_names_a_known_family():
    assert {name for name, _ in RULES} | {"other"} == set(FAMILIES)


FIT = "s = task.student()\n"
END = "\nreturn Student((s.save(),))"
CASES = {
    "hard labels alone": (FIT + "s.fit(task.inputs, task.weak.probs > 0.5, rng)" + END, ("other",)),
    "soft labels": (FIT + "s.fit(task.inputs, task.weak.probs, rng)" + END, ("distillation",)),
    "keywords": (
        FIT + "s.fit(inputs=task.inputs, targets=task.weak.probs.round(), rng=rng)" + END,
        ("other",),
    ),
    "a custom loss": (
        FIT
        + "s.fit(task.inputs, hard_labels(task.weak.probs), rng, plan=Plan(2, loss=LogConf()))"
        + END,
        ("loss function",),
    ),
    "the usual loss by name": (
        FIT
        + "s.fit(task.inputs, hard_labels(task.weak.probs), rng, plan=Plan(loss=cross_entropy))"
        + END,
        ("other",),
    ),
    "weights of ones": (
        FIT
        + "s.fit(task.inputs, hard_labels(task.weak.probs), rng, np.ones(len(task.inputs)))"
        + END,
        ("other",),
    ),
    "weights by confidence": (
        FIT
        + "s.fit(task.inputs, hard_labels(task.weak.probs), rng, np.abs(task.weak.probs - 0.5))"
        + END,
        ("confidence weighting",),
    ),
    "rows at random": (
        "rows = rng.permutation(len(task.inputs))[:9]\n"
        + FIT
        + "s.fit(task.inputs.take(rows), hard_labels(task.weak.probs[rows]), rng)"
        + END,
        ("other",),
    ),
    "rows by confidence": (
        "rows = np.argsort(np.abs(task.weak.probs - 0.5))[9:]\n"
        + FIT
        + "s.fit(task.inputs.take(rows), hard_labels(task.weak.probs[rows]), rng)"
        + END,
        ("data filtering",),
    ),
    "rows by text": (
        "rows = [i for i, text in enumerate(task.inputs.data) if len(str(text)) > 3 and text]\n"
        "kept = np.array([str(text) for text in task.inputs.data]).argsort()\n"
        + FIT
        + "s.fit(task.inputs.take(kept), hard_labels(task.weak.probs[kept]), rng)"
        + END,
        ("data filtering",),
    ),
    "pseudo-labels of its own": (
        FIT
        + "s.fit(task.inputs, task.weak.probs, rng)\nown = s.predict(task.inputs) > 0.5\n"
        + FIT
        + "s.fit(task.inputs, own, rng)"
        + END,
        ("self-training",),
    ),
    "a schedule in a loop": (
        "order = np.argsort(-np.abs(task.weak.probs - 0.5))\n" + FIT + "for share in (0.3, 1.0):\n"
        "    rows = order[: int(share * len(order))]\n"
        "    s.fit(task.inputs.take(rows), hard_labels(task.weak.probs[rows]), rng)" + END,
        ("data filtering", "curriculum"),
    ),
    "more of the same is no schedule": (
        FIT + "for _ in range(3):\n    s.fit(task.inputs, hard_labels(task.weak.probs), rng)" + END,
        ("other",),
    ),
    "a probe of states": (
        FIT + "states = s.embed(task.inputs)\n"
        "belief = states @ np.linalg.lstsq(states, task.weak.probs > 0.5)[0] > 0\n"
        "s.fit(task.inputs, belief, rng)" + END,
        ("model internals",),
    ),
    "asked in pretraining's format": (
        FIT + 'return Student((s.save(),), Recipe(views=("elicit",)))',
        ("unsupervised elicitation",),
    ),
    "members from a loop": (
        "kept = []\nfor _ in range(3):\n"
        "    s = task.student()\n    s.fit(task.inputs, hard_labels(task.weak.probs), rng)\n"
        "    kept.append(s.save())\n"
        "return Student(tuple(kept), Recipe(members=3, aggregate=Aggregate.MEAN))",
        ("ensemble",),
    ),
    "a dead branch does not count": (
        FIT + "targets = hard_labels(task.weak.probs)\n"
        "if 1 > 2:\n    targets = s.zero_shot(task.inputs)\n"
        "s.fit(task.inputs, targets, rng)" + END,
        ("other",),
    ),
    "a branch that may be taken counts": (
        FIT + "targets = hard_labels(task.weak.probs)\n"
        "if targets.mean() > 0.9:\n    targets = s.zero_shot(task.inputs) > 0\n"
        "s.fit(task.inputs, targets, rng)" + END,
        ("unsupervised elicitation",),
    ),
    "noise that climbs": (
        FIT + "s.fit(task.inputs, hard_labels(task.weak.probs), rng)\nbase = s.save()\n"
        "for _ in range(4):\n"
        "    tried = {name: w + rng.normal(size=w.shape) for name, w in base.items()}\n"
        "    s.load(tried)\n    if s.predict(task.inputs).std() > 0.4:\n        base = tried\n"
        "s.load(base)" + END,
        ("evolutionary",),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_method_does_decides(name):
    body, expected = CASES[name]
    assert found(body) == expected


def test_values_are_followed_through_functions_classes_and_registered_methods():
    before = """
    from dataclasses import dataclass

    from aar_lab.methods import self_distill
    from aar_lab.methods.ccs import Args, believed


    @dataclass
    class Teacher:
        rounds: int = 1

        def labels(self, task, rng):
            plan = Plan(epochs=1)
            return self_distill.out_of_fold(task, task.weak.probs, rng, 2, plan)
    """
    fit = "s = task.student()\ns.fit(task.inputs, {}, rng)\nreturn Student((s.save(),))"
    assert found(fit.format("Teacher().labels(task, rng)"), before) == ("self-training",)
    probe = "believed(task, task.student(), rng, Args())"
    assert found(fit.format(probe), before)[0] == "model internals"


def test_a_helper_used_twice_keeps_its_uses_apart():
    before = """
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))
    """
    body = """
    s = task.student()
    prior = sigmoid(s.zero_shot(task.inputs))
    targets = sigmoid(2 * task.weak.probs - 1)
    rows = np.flatnonzero(prior > 0.5)
    s.fit(task.inputs.take(rows), targets[rows], rng)
    return Student((s.save(),))
    """
    assert found(body, before) == ("data filtering", "distillation")


@pytest.mark.parametrize(
    "source",
    [
        "def train(task, rng):\n    return train(task, rng)\n",
        "def train(task, rng):\n" + "    while task:\n        rng = rng(task)\n" * 400,
        "x = " + "+".join("1" * 900),
        "def f(x):\n    return f(f(x)) + f(f(x))\n\ndef train(task, rng):\n    return f(f(task))\n",
        "train = 3\n",
        "",
    ],
)
def test_a_hostile_source_costs_little_and_is_other(source):
    assert family_of(source).found == "other"


def test_what_is_not_python_is_refused():
    with pytest.raises(BadSource):
        family_of("def train(:")
