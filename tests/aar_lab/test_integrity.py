"""The integrity rules: honest methods pass, and each way around is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cards import CARD

import aar_lab.methods
from aar_lab.cards import MethodCard
from aar_lab.errors import BadSource
from aar_lab.integrity import Violation, check_integrity, read_rules
from aar_lab.methods import NAMES

HONEST = '''"""Naive on confident labels."""

from __future__ import annotations

import numpy as np

from aar_lab.types import Recipe, Student

DESIGN = {"epochs": 2, "rate": 1e-3}


def train(task, rng):
    """Fit."""
    learner = task.student()
    sure = np.abs(task.weak.probs - 0.5) > 0.1
    learner.fit(task.inputs.take(np.flatnonzero(sure)), (task.weak.probs > 0.5)[sure], rng)
    weights = learner.save()
    learner.load(weights)
    return Student((weights,), Recipe())
'''
METHODS = Path(aar_lab.methods.__file__).parent


def test_an_honest_method_keeps_the_rules() -> None:
    assert read_rules(HONEST) == []
    check_integrity(HONEST, CARD, [read_rules])


@pytest.mark.parametrize("name", NAMES)
def test_every_published_method_keeps_the_rules(name: str) -> None:
    assert read_rules((METHODS / f"{name}.py").read_text()) == []


WAYS_AROUND = {
    "import os": "import of os",
    "import numpy as np, subprocess": "import of subprocess",
    "import torch": "import of torch",
    "import numpy.ctypeslib": "import of numpy.ctypeslib",
    "import sklearn.datasets": "import of sklearn.datasets",
    "import scipy.io": "import of scipy.io",
    "from scipy import io": "import of scipy.io",
    "from sklearn import datasets": "import of sklearn.datasets",
    "from numpy import load": "import of numpy.load",
    "from numpy import *": "import of numpy.*",
    "from . import x": "import from .",
    "from aar_lab import client": "import of aar_lab.client",
    "from aar_lab.client import Client": "import from aar_lab.client",
    "from aar_lab.box import SOCKET": "import from aar_lab.box",
    "from aar_lab.learners.gpt import read_weights": "import from aar_lab.learners.gpt",
    "from aar_lab.learners import gpt": "import of aar_lab.learners.gpt",
    "from aar_lab.methods import importlib": "import of aar_lab.methods.importlib",
    "from dataclasses import sys": "import of dataclasses.sys",
    "import dataclasses; dataclasses.sys.modules": "dataclasses….sys",
    "import functools as f; f.os": "f….os",
    "import statistics; statistics._x": "statistics…._x",
    "import numpy as np; np.load('/data/x')": "np….load",
    "import numpy as np; np.lib.format.open_memmap": "np….open_memmap",
    "import numpy as np; n = np; n.load('x')": "np",
    "import numpy as np; f(np)": "np",
    "from aar_lab.methods import ccs; ccs.np.load": "ccs….load",
    "import sklearn.base; sklearn.utils.parallel": "sklearn.utils",
    "import sklearn as s; s.utils": "sklearn.utils",
    "import aar_lab.learners.base; aar_lab.learners.gpt.x": "aar_lab.learners.gpt",
    "from aar_lab import learners as n; n.gpt": "aar_lab.learners.gpt",
    "from aar_lab import problems; problems.bundle": "aar_lab.problems.bundle",
    "import numpy as np; np.test()": "np….test",
    "task.student()._model": "._model",
    "import operator; operator.attrgetter('__class__')": ".attrgetter",
    "from operator import attrgetter": "import of operator.attrgetter",
    "import string; string.Formatter().get_field": ".get_field",
    "import typing; typing.get_type_hints": ".get_type_hints",
    "eval('1')": "eval",
    "run = exec": "exec",
    "open('/data/x')": "open",
    "__import__('os')": "__import__",
    "__builtins__": "__builtins__",
    "globals()": "globals",
    "getattr(task, name)": "getattr",
    "getattr(1, '__class__')": ".__class__",
    "(1).__class__.__base__.__subclasses__()": ".__class__",
    "(i for i in ()).gi_frame": ".gi_frame",
    "task.weak.probs.tofile('x')": ".tofile",
    "match 1:\n    case object(__class__=kind): pass": ".__class__",
    "def train(task, rng): task.secret": "task.secret",
    "def train(t, rng): t._anchors": "t._anchors",
    "LABELS = '" + "01" * 600 + "'": "a literal of 1200",
    "LABELS = b'" + "01" * 600 + "'": "a literal of 1200",
    "LABELS = " + hex(1 << 9000): "a literal of 1125",
    "LABELS = [" + "0, " * 300 + "]": "a literal of 300",
    "LABELS = {" + ", ".join(f"{i}: 1" for i in range(300)) + "}": "a literal of 300",
}


@pytest.mark.parametrize(("text", "found"), WAYS_AROUND.items())
def test_each_way_around_is_named_with_its_line(text: str, found: str) -> None:
    source = HONEST + "\n\n" + text + "\n"
    broken = read_rules(source)
    assert found in [violation.found for violation in broken]
    assert all(violation.line > HONEST.count("\n") for violation in broken)
    with pytest.raises(BadSource, match=r"line \d+: "):
        check_integrity(source, CARD, [read_rules])


def test_the_first_fault_is_told_and_how_many_more() -> None:
    with pytest.raises(BadSource, match=r"line 1: import of os: .* \(and 1 more\)"):
        check_integrity("import os\nopen('x')\n", CARD, [read_rules])


def test_a_docstring_may_be_long_and_a_name_plain() -> None:
    assert read_rules('"""' + "word " * 1000 + '"""\n' + HONEST.partition("\n")[2]) == []
    assert read_rules("class A:\n    def __init__(self):\n        super().__init__()\n") == []


def test_what_is_no_python_is_refused() -> None:
    with pytest.raises(BadSource, match="not Python"):
        read_rules("def train(:")


def test_any_reader_of_source_and_card_can_be_a_monitor() -> None:
    def strict(source: str, card: MethodCard) -> list[Violation]:
        return [Violation(7, f"told of {card.title!r}", "the card says otherwise", "Correct it.")]

    with pytest.raises(BadSource, match="line 7: the card says otherwise: told of 'A title'"):
        check_integrity(HONEST, CARD, [read_rules, strict])
