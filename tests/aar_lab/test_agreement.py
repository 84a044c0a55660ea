"""Card and code: honest sources agree, however they are written; what disagrees is named."""

from __future__ import annotations

import inspect
from dataclasses import asdict, fields
from importlib import import_module

import pytest
from tests.cards import card_with

from aar_lab.agreement import CALLS, read_agreement
from aar_lab.cards import Scalar
from aar_lab.errors import BadSource
from aar_lab.integrity import check_integrity
from aar_lab.learners.base import Plan
from aar_lab.methods import NAMES
from aar_lab.types import Recipe

FIT = "def train(task, rng):\n    task.student().fit(task.inputs, t, rng, plan={})\n"
STATED: dict[str, Scalar] = {"epochs": 3, "rate": 1e-3}

# Ways to say three epochs at a rate of 0.001.
HONEST = {
    "keywords": FIT.format("Plan(epochs=3, rate=1e-3)"),
    "positions": FIT.format("Plan(3, 0.001)"),
    "constants": "EPOCHS = 3\nRATE: float = 1e-3\n" + FIT.format("Plan(epochs=EPOCHS, rate=RATE)"),
    "at once": "EPOCHS, RATE = 3, 1e-3\n" + FIT.format("Plan(epochs=EPOCHS, rate=RATE)"),
    "a dict": "DESIGN = {'epochs': 3, 'rate': 1e-3}\n"
    + FIT.format("Plan(epochs=DESIGN['epochs'], rate=DESIGN.get('rate'))"),
    "a dict by words": "D = dict(epochs=3, rate=1e-3)\n" + FIT.format("Plan(**D)"),
    "an unpacked dict": FIT.format("Plan(**{'epochs': 3, 'rate': 1e-3})"),
    "a data class": "class Args:\n    epochs: int = 3\n    rate: float = 1e-3\n"
    "def train(task, rng, args=Args()):\n    Plan(args.epochs, args.rate)\n",
    "arguments of a class": "class Args:\n    epochs: int = 2\n    rate: float = 0.1\n"
    "def train(task, rng, args=Args(3, rate=1e-3)):\n    Plan(args.epochs, args.rate)\n",
    "an object": "class Fit:\n    def __init__(self, epochs, rate=1e-3):\n"
    "        self.epochs, self.rate = epochs, rate\n"
    "    def plan(self):\n        return Plan(self.epochs, self.rate)\nFit(3).plan()\n",
    "a method": "class Fit:\n    def plan(self, epochs, rate):\n"
    "        return Plan(epochs, rate)\nFit().plan(3, rate=1e-3)\n",
    "a class": "class Args:\n    epochs = 3\n    rate = 1e-3\n"
    + FIT.format("Plan(Args.epochs, Args.rate)"),
    "defaults": "def train(task, rng, epochs=3, *, rate=1e-3):\n    Plan(epochs, rate)\n",
    "a helper": "def fit(task, epochs, rate=0.1):\n    Plan(epochs, rate)\n"
    "fit(task, 3, rate=1e-3)\n",
    "a helper's default that every call replaces": "def fit(epochs=9):\n"
    "    return Plan(epochs=epochs)\nRATE = 1e-3\nfit(3)\n",
    "a closure": "epochs, rate = 3, 1e-3\ndef f(epochs=epochs):\n    Plan(epochs, rate)\n",
    "partial": "from functools import partial\npartial(Plan, epochs=3, rate=1e-3)\n",
    "another plan": "a = Plan(epochs=3, rate=1e-3)\nb = Plan(a.epochs, a.rate)\n",
    "a walrus": FIT.format("Plan(epochs=(n := 3), rate=1e-3)"),
    "arithmetic": FIT.format("Plan(epochs=6 // 2, rate=10 ** -3)"),
    "numbers that are none of the card's business": FIT.format("Plan(epochs=3, rate=1e-3)")
    + "    seed, part = 7, rows[: len(rows) // 4]\n    np.quantile(x, 0.15, axis=1)\n"
    "    np.clip(x, 1e-4, 1 - 1e-4)\n    helper(share=0.5)\n",
    "what is computed": "RATE = 1e-3\nEPOCHS = 3\n"
    + FIT.format("Plan(batch=max(1, len(task.inputs) // 8))"),
}


@pytest.mark.parametrize("source", HONEST.values(), ids=HONEST)
def test_honest_code_agrees_with_its_card(source: str) -> None:
    assert read_agreement(source, card_with(hyperparameters=STATED)) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_published_method_agrees_with_its_own_arguments(name: str) -> None:
    module = import_module(f"aar_lab.methods.{name}")
    stated = {
        argument: value if isinstance(value, Scalar) else repr(value)
        for argument, value in asdict(module.Args()).items()
    }
    source = inspect.getsource(module)
    assert read_agreement(source, card_with(hyperparameters=stated)) == []
    for argument in stated:
        assert read_agreement(source, card_with(hyperparameters=stated | {argument: "another"}))


# Ways to say thirty epochs where the card says three.
ATTACKS = {
    "plainly": "Plan(epochs=30)",
    "by position": "Plan(30)",
    "a name": "N = 30\nPlan(epochs=N)",
    "a name of a name": "A = 30\nB = A\ndef f(n=B):\n    Plan(epochs=n)",
    "a dict": "D = {'n': 30}\nPlan(epochs=D['n'])",
    "a dict that is changed": "D = {'epochs': 3}\nD['epochs'] = 30\nPlan(epochs=D['epochs'])",
    "a dict that is updated": "D = {'epochs': 3}\nD.update(epochs=30)\nPlan(epochs=D['epochs'])",
    "an unpacked dict": "D = {'epochs': 30}\nPlan(**D)",
    "a default": "def f(n=30):\n    Plan(epochs=n)",
    "a default beside a call": "def f(n=30):\n    Plan(epochs=n)\nf(3)\nf()",
    "train's default": "def train(task, rng, n=30):\n    Plan(epochs=n)\ntrain(1, 2, 3)",
    "an argument": "def f(n):\n    Plan(epochs=n)\nf(30)",
    "a field": "class A:\n    n: int = 30\nPlan(epochs=A().n)",
    "an attribute": "class A:\n    pass\nA.n = 30\nPlan(epochs=A.n)",
    "arithmetic": "Plan(epochs=2 * 15)",
    "arithmetic with a name": "E = 3\nPlan(epochs=E * 10)",
    "arithmetic with a number of the card": "epochs = 3\nPlan(epochs=epochs * 10)",
    "a minus": "Plan(epochs=-(-30))",
    "either": "Plan(epochs=3 if task else 30)",
    "rebinding": "epochs = 3\nepochs = 30\nPlan(epochs=epochs)",
    "another name of the plan": "from aar_lab.learners.base import Plan as P\nP(epochs=30)",
    "a copy of the plan": "P = Plan\nP(epochs=30)",
    "the module's plan": "base.Plan(epochs=30)",
    "a changed plan": "p = replace(Plan(epochs=3), epochs=30)",
    "a part of the plan": "partial(Plan, 30)",
    "adding up": "epochs = 3\nepochs += 27\nPlan(epochs=epochs)",
    "a loop": "for epochs in (3, 30):\n    Plan(epochs=epochs)",
    "a match": "match 30:\n    case epochs:\n        Plan(epochs=epochs)",
    "a global": "epochs = 3\ndef f():\n    global epochs\n    epochs = n()\nPlan(epochs=epochs)",
    "what is computed": "Plan(epochs=int('30'))",
    "a number of the card that stands for another": "total = 30\nPlan(epochs=total)",
}


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_another_number_is_found_wherever_it_hides(text: str) -> None:
    source = "UNUSED = dict(epochs=3)\n" + text + "\n"
    card = card_with(hyperparameters={"epochs": 3} | ({"total": 30} if "total" in text else {}))
    found = read_agreement(source, card)
    assert found
    assert all(fault.line > 1 for fault in found)
    with pytest.raises(BadSource, match=r"line \d+: epochs is 3 on the card, .* in the code"):
        check_integrity(source, card, [read_agreement])


@pytest.mark.parametrize("text", ["Plan(epochs=3, rate=0.002)", "R = 0.002\nPlan(3, R)"])
def test_a_number_that_the_card_leaves_out_is_named(text: str) -> None:
    (fault,) = read_agreement(text, card_with(hyperparameters={"epochs": 3}))
    assert (fault.line, fault.found) == (text.count("\n") + 1, "rate = 0.002")
    assert "not on the card" in fault.rule


def test_a_card_without_numbers_is_for_code_without_any() -> None:
    assert read_agreement("Plan()\nRecipe(views=('plain',))\n", card_with()) == []
    assert [fault.found for fault in read_agreement("Recipe(members=3)", card_with())] == [
        "members = 3"
    ]


@pytest.mark.parametrize("text", ["Recipe(('plain',), 3)", "Recipe(members=N, threshold=0.4)"])
def test_the_recipe_s_numbers_are_on_the_card(text: str) -> None:
    source = f"N = 3\n{text}\n"
    stated = {"members": 3} | ({"threshold": 0.4} if "threshold" in text else {})
    assert read_agreement(source, card_with(hyperparameters=stated)) == []
    assert read_agreement(source, card_with(hyperparameters=stated | {"members": 2}))
    assert read_agreement(source, card_with())


def test_members_may_be_counted() -> None:
    source = "MEMBERS = 3\nRecipe(members=len(members))\n"
    assert read_agreement(source, card_with(hyperparameters={"members": 3})) == []


def test_a_second_value_has_a_name_of_its_own() -> None:
    plans = "Plan(epochs=3, rate=1e-3)\n{}\nPlan(epochs=FIRST, rate=RATE * SLOWER)\n"
    source = plans.format("FIRST, RATE, SLOWER = 1, 1e-3, 0.5")
    stated = STATED | {"first": 1, "slower": 0.5}
    assert read_agreement(source, card_with(hyperparameters=stated)) == []
    found = read_agreement(source, card_with(hyperparameters=STATED))
    assert [fault.line for fault in found] == [3, 3]
    assert all("a name of its own" in fault.remedy for fault in found)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("LOSS = 'logconf'", "logconf"),
        ("Plan(loss=logconf)", "logconf"),
        ("Plan(loss=losses.LogConf(most=0.5))", "LogConf"),
        ("Recipe(aggregate=Aggregate.LOGIT_MEAN)", "logit_mean"),
        ("VIEWS = ['plain', 'swap']", '("plain", "swap")'),
        ("BOTH = True", True),
        ("margin = 0.1 * 3", 0.3),
        ("f(Margin=-1)", -1.0),
    ],
)
def test_what_is_said_in_words_agrees_too(text: str, value: Scalar) -> None:
    (name,) = (n for n in ("loss", "aggregate", "views", "both", "margin") if n in text.lower())
    assert read_agreement(text, card_with(hyperparameters={name: value})) == []
    for other in ("other", 17, not value):
        (fault,) = read_agreement(text, card_with(hyperparameters={name: other}))
        assert fault.line == 1


def test_a_name_that_the_code_has_not_is_told_at_its_beginning() -> None:
    (fault,) = read_agreement("x = 1\ny = 0.3\n", card_with(hyperparameters={"share": 0.3}))
    assert (fault.line, fault.found) == (
        1,
        "share is 0.3 on the card, nothing of this name in the code",
    )


@pytest.mark.parametrize(
    "source",
    [
        "".join(f"a{i} = a{i + 1} + a{i + 1}\n" for i in range(25)) + "a25 = 1\nPlan(epochs=a0)",
        "def f(n): pass\n" * 200 + "f(3)\n" * 200,
    ],
)
def test_what_takes_too_long_to_follow_is_refused(source: str) -> None:
    with pytest.raises(BadSource):
        read_agreement(source, card_with(hyperparameters={"epochs": 3}))


@pytest.mark.parametrize(
    "text",
    [
        "epochs = epochs\nPlan(epochs=epochs)",
        "a = b\nb = a\nPlan(epochs=a)",
        "def f(n):\n    f(n)\n    Plan(epochs=n)",
        "Plan(epochs=9 ** 9 ** 9 ** 9)",
        "Plan(epochs=1 / 0)",
        "Plan(epochs='x' * 10)",
        "Plan(epochs=0x" + "f" * 2000 + ")",
        "Plan(epochs=" + "-" * 80 + "30)",
        "Plan(epochs=" + "1 + " * 80 + "1)",
        "Plan(*a, epochs=1e999, **b, **f())",
        "Plan(epochs=[3, x])",
        "Plan(epochs=undefined.epochs)",
        "from x import *\nPlan(epochs=epochs)",
        "class A(B):\n    x.y: int = 3\nPlan(epochs=A().z)",
        "\n".join(f"def f(n={i}): pass" for i in range(40)) + "\nPlan(epochs=f)",
    ],
)
def test_what_leads_nowhere_is_no_number(text: str) -> None:
    card = card_with(hyperparameters={"epochs": 3})
    (fault,) = read_agreement(text + "\nx = {'epochs': 3}", card)
    assert fault.found == "epochs is 3 on the card, computed in the code"
    assert read_agreement(text, card_with()) == []


def test_the_parameters_are_those_of_plans_and_recipes() -> None:
    assert CALLS["Plan"] == tuple(field.name for field in fields(Plan))
    assert CALLS["Recipe"] == tuple(field.name for field in fields(Recipe))
