"""AdamW over flat vectors against torch's over parameters."""

from __future__ import annotations

import pytest
import torch
from tests.tiny import ARCH, random_weights

from aar_lab.learners.base import Plan
from aar_lab.learners.model import Network
from aar_lab.learners.optimiser import FlatAdamW


def network() -> Network:
    found = Network(ARCH)
    weights = random_weights(ARCH, head=True)
    found.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
    return found


def give_gradients(found: Network, size: float, seed: int) -> None:
    source = torch.Generator().manual_seed(seed)
    for parameter in found.parameters():
        value = size * torch.randn(parameter.shape, generator=source)
        parameter.grad = value if parameter.grad is None else parameter.grad.copy_(value)


@pytest.mark.parametrize("size", [1e-4, 1.0])
def test_steps_are_those_of_adamw_after_clipping(size: float) -> None:
    plan, mine, theirs = Plan(rate=1e-2, head=5.0), network(), network()
    flat = FlatAdamW(mine, plan)
    rates = [5e-2 if name.startswith("head") else 1e-2 for name, _ in theirs.named_parameters()]
    groups = [{"params": [p], "lr": r} for p, r in zip(theirs.parameters(), rates, strict=True)]
    reference = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.0)
    for seed, factor in enumerate((1.0, 0.5, 0.1)):
        give_gradients(mine, size, seed)
        flat.step(factor)
        give_gradients(theirs, size, seed)
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
        for group, rate in zip(reference.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        reference.step()
    assert flat.steps == 3
    for found, expected in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(found, expected, atol=1e-5)


def test_parameters_that_are_not_finite_are_noticed() -> None:
    found = network()
    flat = FlatAdamW(found, Plan())
    assert flat.finite()
    give_gradients(found, float("nan"), 0)
    flat.step(1.0)
    assert not flat.finite()
