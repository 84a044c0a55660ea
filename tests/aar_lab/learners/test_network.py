"""The network's short cuts against the computation in full."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tiny import ARCH, random_weights
from torch import Tensor

from aar_lab.learners.model import Network

SEEDS = st.integers(0, 2**31)


def network() -> Network:
    found = Network(ARCH)
    found.load_state_dict(
        {k: torch.from_numpy(v).double() for k, v in random_weights(ARCH, head=True).items()}
    )
    return found.double()


def batch(seed: int, rows: int = 5, longest: int = 12) -> tuple[Tensor, Tensor]:
    """Random rows, right-padded with 0."""
    source = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest + 1, (rows,), generator=source)
    tokens = torch.randint(2, ARCH.vocabulary, (rows, longest), generator=source)
    return tokens * (torch.arange(longest) < lengths[:, None]), lengths


def in_full(found: Network, tokens: Tensor, depth: int) -> Tensor:
    """States at all positions after `depth` blocks."""
    x = found.embedded(tokens)
    for block in list(found.blocks)[:depth]:
        x = block(x)
    return x


@given(SEEDS)
@settings(max_examples=20)
def test_the_last_position_equals_the_full_computation(seed: int) -> None:
    found, (tokens, lengths) = network(), batch(seed)
    rows = torch.arange(len(tokens))
    with torch.inference_mode():
        for depth in range(ARCH.layers + 1):
            expected = in_full(found, tokens, depth)[rows, lengths - 1]
            assert torch.allclose(found.last_hidden(tokens, lengths, depth), expected)
        expected = found.norm(in_full(found, tokens, ARCH.layers))[rows, lengths - 1]
        assert torch.allclose(found.last_hidden(tokens, lengths), expected)
        margin = found.head(expected)[:, 0]
        assert torch.allclose(found.margin(tokens, lengths), margin)


@given(SEEDS)
@settings(max_examples=20)
def test_logits_of_two_words_equal_those_of_the_full_vocabulary(seed: int) -> None:
    found, (tokens, lengths) = network(), batch(seed)
    words = torch.tensor([7, 3])
    with torch.inference_mode():
        every = found.all_logits(tokens)[torch.arange(len(tokens)), lengths - 1]
        assert torch.allclose(found.next_logits(tokens, lengths, words), every[:, words])


def test_neither_padding_nor_neighbours_matter() -> None:
    found, (tokens, lengths) = network(), batch(1)
    with torch.inference_mode():
        together = found.margin(tokens, lengths)
        for row, length, margin in zip(tokens, lengths, together, strict=True):
            alone = found.margin(row[None, :length], length[None])
            assert torch.allclose(alone[0], margin)


def test_gradients_through_the_short_cut_are_those_of_the_full_computation() -> None:
    tokens, lengths = batch(2)
    short, full = network(), network()
    short.margin(tokens, lengths).sum().backward()
    states = full.norm(in_full(full, tokens, ARCH.layers))
    full.head(states[torch.arange(len(tokens)), lengths - 1]).sum().backward()
    for (name, mine), theirs in zip(short.named_parameters(), full.parameters(), strict=True):
        assert mine.grad is not None, name
        assert theirs.grad is not None, name
        assert torch.allclose(mine.grad, theirs.grad, atol=1e-9), name


@pytest.mark.parametrize("position", [0, 3, 6])
def test_no_position_sees_a_later_one(position: int) -> None:
    found = network()
    tokens = torch.arange(2, 10)[None]
    changed = tokens.clone()
    changed[0, position + 1 :] += 1
    with torch.inference_mode():
        before, after = found.all_logits(tokens), found.all_logits(changed)
    assert torch.allclose(before[0, : position + 1], after[0, : position + 1])
    assert not torch.allclose(before[0, position + 1], after[0, position + 1])


def test_the_documented_number_of_parameters_is_about_right() -> None:
    size = sum(p.numel() for p in Network(ARCH).parameters())
    rule = ARCH.layers * 12 * ARCH.width**2 + (ARCH.vocabulary + ARCH.context) * ARCH.width
    assert size == pytest.approx(rule, rel=0.05)
