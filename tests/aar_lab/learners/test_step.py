"""The step by hand against autograd on the network."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tiny import random_weights
from torch import Tensor

from aar_lab.learners.attention import BlockPass
from aar_lab.learners.layers import Buffers
from aar_lab.learners.losses import (
    AdaptConf,
    ForwardCorrection,
    LogConf,
    Loss,
    cross_entropy,
    reverse_cross_entropy,
)
from aar_lab.learners.model import Architecture, Block, Network
from aar_lab.learners.step import Step

SHAPES = {
    "one block": Architecture(vocabulary=11, width=8, layers=1, heads=2, context=40),
    "S": Architecture(vocabulary=83, width=32, layers=2, heads=2),
    "M": Architecture(vocabulary=83, width=64, layers=3, heads=4),
    "L": Architecture(vocabulary=83, width=96, layers=4, heads=6),
}
LOSSES: dict[str, Loss] = {
    "cross-entropy": cross_entropy,
    "logconf": LogConf(),
    "reverse": reverse_cross_entropy,
    "adaptconf": AdaptConf(),
    "forward correction": ForwardCorrection(0.2, 0.3),
}
PRECISIONS = [(torch.float32, 1e-5), (torch.float64, 1e-10)]


def network(arch: Architecture, dtype: torch.dtype = torch.float64, sharp: float = 1.0) -> Network:
    """Random weights, queries and keys `sharp` times as large as the others."""
    found = Network(arch)
    weights = random_weights(arch, head=True)
    found.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
    with torch.no_grad():
        for block in found.blocks:
            block.get_parameter("qkv.weight")[: 2 * arch.width] *= sharp
    return found.to(dtype)


def batch(arch: Architecture, seed: int, rows: int = 7, longest: int = 19) -> tuple[Tensor, Tensor]:
    """Random rows of different lengths, right-padded with 0."""
    source = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest + 1, (rows,), generator=source)
    tokens = torch.randint(2, arch.vocabulary, (rows, longest), generator=source)
    return tokens * (torch.arange(longest) < lengths[:, None]), lengths


def by_autograd(
    found: Network, rows: tuple[Tensor, Tensor], loss: Callable[[Tensor], Tensor]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Margins and gradients."""
    margin = found.margin(*rows)
    gradients = torch.autograd.grad(loss(margin), list(found.parameters()))
    return margin.detach(), dict(zip(dict(found.named_parameters()), gradients, strict=True))


def by_hand(
    found: Network, step: Step, rows: tuple[Tensor, Tensor], loss: Callable[[Tensor], Tensor]
) -> tuple[Tensor, dict[str, Tensor]]:
    """The same."""
    margin = step.margin(*rows).clone().requires_grad_()
    step.backward(*torch.autograd.grad(loss(margin), margin))
    gradients = {k: p.grad.clone() for k, p in found.named_parameters() if p.grad is not None}
    return margin.detach(), gradients


def assert_equal(
    mine: tuple[Tensor, dict[str, Tensor]],
    theirs: tuple[Tensor, dict[str, Tensor]],
    tolerance: float,
) -> None:
    """Relative to the largest entry of each tensor."""
    assert set(mine[1]) == set(theirs[1])
    pairs = {"margin": (mine[0], theirs[0])} | {k: (mine[1][k], theirs[1][k]) for k in mine[1]}
    for name, (found, expected) in pairs.items():
        scale = float(expected.abs().max()) + 1e-12
        assert float((found - expected).abs().max()) <= tolerance * scale, name


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("name", SHAPES)
def test_margins_and_gradients_are_those_of_autograd(
    name: str, dtype: torch.dtype, tolerance: float
) -> None:
    arch = SHAPES[name]
    found, rows = network(arch, dtype), batch(arch, 0, rows=32, longest=23)
    weights = torch.randn(32, generator=torch.Generator().manual_seed(1)).to(dtype)
    step = Step(found)
    mine = by_hand(found, step, rows, lambda margin: (margin * weights).sum())
    theirs = by_autograd(found, rows, lambda margin: (margin * weights).sum())
    assert_equal(mine, theirs, tolerance)


@given(st.integers(0, 2**31), st.sampled_from(sorted(LOSSES)), st.floats(0, 0.99))
@settings(max_examples=25, deadline=None)
def test_every_loss_passes_its_gradient_on(seed: int, name: str, done: float) -> None:
    arch = SHAPES["S"]
    found, rows = network(arch), batch(arch, seed)
    source = torch.Generator().manual_seed(seed)
    targets, weights = torch.rand((2, 7), generator=source, dtype=torch.float64)

    def loss(margin: Tensor) -> Tensor:
        return LOSSES[name](margin, targets, weights, done)

    assert_equal(by_hand(found, Step(found), rows, loss), by_autograd(found, rows, loss), 1e-10)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 33)), min_size=2, max_size=4))
@settings(max_examples=20, deadline=None)
def test_what_earlier_batches_left_in_memory_does_not_matter(shapes: list[tuple[int, int]]) -> None:
    arch = SHAPES["S"]
    found = network(arch)
    step = Step(found)
    for seed, (rows, longest) in enumerate(shapes):
        given_ = batch(arch, seed, rows, longest)
        theirs = by_autograd(found, given_, Tensor.sum)
        assert_equal(by_hand(found, step, given_, Tensor.sum), theirs, 1e-10)


@pytest.mark.parametrize("sharp", [0.0, 6.0, 60.0])
def test_attention_may_be_flat_or_so_sharp_that_exponentials_overflow(sharp: float) -> None:
    arch = SHAPES["S"]
    found, rows = network(arch, sharp=sharp), batch(arch, 3)
    mine = by_hand(found, Step(found), rows, Tensor.sum)
    assert_equal(mine, by_autograd(found, rows, Tensor.sum), 1e-9)
    found = found.float()
    _, gradients = by_hand(found, Step(found), rows, Tensor.sum)
    assert all(bool(value.isfinite().all()) for value in gradients.values())


@pytest.mark.parametrize("sharp", [1.0, 60.0])
def test_no_position_sees_a_later_one_however_large_its_score(sharp: float) -> None:
    arch = SHAPES["S"]
    block = network(arch, torch.float32, sharp).blocks[0]
    assert isinstance(block, Block)
    states = torch.randn(2, 9, arch.width, generator=torch.Generator().manual_seed(0))
    changed = states.clone()
    changed[:, 5:] += 1
    hand = BlockPass(block, Buffers(torch.float32))
    with torch.inference_mode():
        before, after = hand.forward(states).clone(), hand.forward(changed)
    assert torch.equal(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])
