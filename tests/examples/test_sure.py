"""The example of a method can be handed in as it stands, and trains."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tiny import examples, factory, weak_labels

from aar_host.server.cards import check_card
from aar_host.server.source import check_source
from aar_lab.agreement import MONITORS
from aar_lab.cards import read_card
from aar_lab.experiment.run import load_method
from aar_lab.integrity import check_integrity
from aar_lab.methods.base import Task
from aar_lab.rng import stream
from aar_lab.types import WeakLabels

SOURCE = (Path(__file__).parents[2] / "examples" / "sure.py").read_text(encoding="utf-8")


def test_it_would_be_accepted() -> None:
    card = read_card(SOURCE)
    assert card.hyperparameters == {"margin": 0.2, "epochs": 2, "rate": 1e-3}
    check_source(SOURCE)
    check_card(card)
    check_integrity(SOURCE, card, MONITORS)


@pytest.mark.parametrize("sure", [True, False])
def test_it_trains(sure: bool) -> None:
    inputs, truth = examples(24)
    weak = weak_labels(inputs, truth) if sure else WeakLabels(inputs.ids, [0.5] * len(inputs))
    student = load_method(SOURCE)(Task(inputs, weak, factory()), stream(0, "test"))
    assert len(student.members) == 1
