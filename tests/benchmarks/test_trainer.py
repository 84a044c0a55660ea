from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from benchmarks.trainer import collate, our_network, stock_gpt2, train

from aar_lab.learners.base import Plan
from aar_lab.learners.model import Architecture, Network

ARCH = Architecture(vocabulary=11, width=8, layers=2, heads=2, context=12)
ROWS = [[3, 4, 5, 6], [7, 8], [9, 10, 2, 3, 4, 5], [6]]
BATCH = collate([{"input_ids": row, "labels": float(i % 2)} for i, row in enumerate(ROWS)])
STUDENTS = [our_network, stock_gpt2]


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    network = Network(ARCH)
    for name, parameter in network.named_parameters():
        if name != "head.bias":
            torch.nn.init.normal_(parameter, std=0.5)
    return network


def arrays(network: Network) -> dict[str, np.ndarray]:
    return {k: v.detach().numpy().copy() for k, v in network.state_dict().items()}


@pytest.mark.parametrize("student", STUDENTS)
def test_both_models_compute_our_margins(student, network) -> None:
    model = student(ARCH, arrays(network)).model.eval()

    with torch.no_grad():
        margins = network.margin(BATCH["input_ids"], BATCH["attention_mask"].sum(1))
        found = model(**BATCH)["logits"][:, 0]

    torch.testing.assert_close(found, margins, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("student", STUDENTS)
def test_weights_come_back_as_they_went_in(student, network) -> None:
    given = arrays(network)

    found = student(ARCH, given).weights()

    assert found.keys() == given.keys()
    for name, value in given.items():
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize("student", STUDENTS)
def test_training_learns_its_rows_and_leaves_what_we_lack_at_zero(student, network) -> None:
    given = student(ARCH, arrays(network))
    examples = [{"input_ids": row, "labels": float(i % 2)} for i, row in enumerate(ROWS)] * 8

    train(given, examples, Plan(epochs=20, batch=8, rate=1e-2), 0, "group_by_length")

    with torch.no_grad():
        right = (given.model.eval()(**BATCH)["logits"] > 0) == (BATCH["labels"] > 0)
    assert bool(right.all())
    names = ("c_attn.bias", "c_proj.bias", "c_fc.bias")
    absent = [p for name, p in given.model.named_parameters() if name.endswith(names)]
    assert all(not p.any() for p in absent)
