"""Losses against their equations, worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from aar_lab.learners.losses import (
    AdaptConf,
    ForwardCorrection,
    LogConf,
    Loss,
    cross_entropy,
    reverse_cross_entropy,
    weighted_mean,
)

LOSSES: list[Callable[[], Loss]] = [
    lambda: cross_entropy,
    lambda: LogConf(),
    lambda: reverse_cross_entropy,
    lambda: AdaptConf(),
    lambda: ForwardCorrection(0.2, 0.8),
]
ROWS = st.lists(
    st.tuples(st.floats(-8, 8), st.floats(0, 1), st.floats(0.1, 3)), min_size=1, max_size=8
)


def tensor(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def entropy(t: float, f: float) -> float:
    return -t * math.log(f) - (1 - t) * math.log(1 - f)


def columns(rows: list[tuple[float, float, float]]) -> tuple[Tensor, Tensor, Tensor]:
    logits, targets, weights = (tensor(*column) for column in zip(*rows, strict=True))
    return logits, targets, weights


# --- weighted mean ----------------------------------------------------------------------------


def test_the_mean_is_weighted_by_example() -> None:
    assert weighted_mean(tensor(1, 2, 6), tensor(1, 3, 0)).item() == pytest.approx(7 / 4)
    assert weighted_mean(tensor(1, 2), tensor(0, 0)).item() == 0


@pytest.mark.parametrize("make", LOSSES)
@given(rows=ROWS, factor=st.floats(0.1, 50))
def test_the_scale_of_the_weights_does_not_matter(
    make: Callable[[], Loss], rows: list[tuple[float, float, float]], factor: float
) -> None:
    logits, targets, weights = columns(rows)
    plain = make()(logits, targets, weights, 0.5)
    assert torch.isclose(make()(logits, targets, factor * weights, 0.5), plain)


@pytest.mark.parametrize("make", LOSSES)
@given(rows=ROWS)
def test_exchanging_the_classes_changes_nothing(
    make: Callable[[], Loss], rows: list[tuple[float, float, float]]
) -> None:
    logits, targets, weights = columns(rows)
    plain = make()(logits, targets, weights, 0.5)
    assert torch.isclose(make()(-logits, 1 - targets, weights, 0.5), plain, atol=1e-6)


# --- each loss --------------------------------------------------------------------------------


def test_cross_entropy_is_that_of_soft_targets() -> None:
    expected = (entropy(0.3, sigmoid(1.0)) + 2 * entropy(1.0, sigmoid(-2.0))) / 3
    found = cross_entropy(tensor(1.0, -2.0), tensor(0.3, 1.0), tensor(1, 2), 0.0)
    assert found.item() == pytest.approx(expected)


def test_reverse_cross_entropy_clips_the_targets() -> None:
    expected = (entropy(sigmoid(1.0), 0.98) + entropy(sigmoid(-0.5), 0.3)) / 2
    found = reverse_cross_entropy(tensor(1.0, -0.5), tensor(1.0, 0.3), tensor(1, 1), 0.0)
    assert found.item() == pytest.approx(expected)


def test_logconf_is_its_equation() -> None:
    logits, targets = [-2.0, -1.0, 1.0, 2.0], [0.1, 0.4, 0.7, 0.8]
    # Mean target ½, so τ is the median of f, and the two upper rows are the student's ones.
    own = [0.0, 0.0, 1.0, 1.0]
    mixed = [(1 - 0.5) * t + 0.5 * o for t, o in zip(targets, own, strict=True)]
    expected = sum(entropy(t, sigmoid(x)) for t, x in zip(mixed, logits, strict=True)) / 4
    found = LogConf(most=0.5)(tensor(*logits), tensor(*targets), torch.ones(4), 0.9)
    assert found.item() == pytest.approx(expected)


def test_logconf_keeps_the_balance_of_the_classes() -> None:
    logits, targets = torch.linspace(1, 9, 40), torch.full((40,), 0.25)
    pull = torch.autograd.functional.jacobian(
        lambda x: LogConf(most=1.0)(x, targets, torch.ones(40), 0.9), logits
    )
    assert int((pull < 0).sum()) == 10, "a quarter of the rows is pulled up, all f being above ½"


def test_logconf_balances_each_batch_whatever_the_one_before_it_was() -> None:
    """A threshold from staler and lower f would call every row of a batch 1, and drive f up."""
    loss = LogConf(most=1.0)
    loss(torch.full((32,), -9.0), torch.full((32,), 0.5), torch.ones(32), 0.9)
    logits, targets = torch.linspace(1, 9, 40), torch.full((40,), 0.5)
    pull = torch.autograd.functional.jacobian(
        lambda x: loss(x, targets, torch.ones(40), 0.9), logits
    )
    assert int((pull < 0).sum()) == 20


@pytest.mark.parametrize("most", [0.3, 0.5])
def test_logconf_warms_up_in_a_straight_line_without_a_jump(most: float) -> None:
    logits, targets = tensor(-1.0, 2.0), tensor(0.4, 0.6)

    def value(done: float) -> float:
        return LogConf(most=most, warmup=0.2)(logits, targets, torch.ones(2), done).item()

    plain = cross_entropy(logits, targets, torch.ones(2), 0.0).item()
    full = value(0.2)
    assert value(0.0) == pytest.approx(plain)
    assert abs(full - plain) > 0.01
    for done in np.linspace(0, 0.2, 21):
        assert value(float(done)) == pytest.approx(plain + done / 0.2 * (full - plain))
    assert value(0.99) == value(0.2)


def test_the_students_own_labels_pass_no_gradient() -> None:
    logits = tensor(-1.0, 0.5, 2.0).requires_grad_()
    targets = tensor(0.2, 0.5, 0.8)
    LogConf(most=0.5)(logits, targets, torch.ones(3), 0.9).backward()
    mixed = 0.5 * targets + 0.5 * tensor(0.0, 0.5, 1.0)
    assert logits.grad is not None
    assert torch.allclose(logits.grad, (torch.sigmoid(logits.detach()) - mixed) / 3)


def test_adaptconf_is_its_equation() -> None:
    (x, t), (y, u) = (2.0, 0.8), (2.0, 0.3)
    agreed = 0.5
    surprise = math.exp(entropy(1.0, sigmoid(y))), math.exp(entropy(0.0, sigmoid(y)))
    beta = surprise[0] / sum(surprise)
    assert beta < agreed
    expected = (
        entropy((1 - agreed) * t + agreed, sigmoid(x)) + entropy((1 - beta) * u + beta, sigmoid(y))
    ) / 2
    found = AdaptConf()(tensor(x, y), tensor(t, u), torch.ones(2), 0.9)
    assert found.item() == pytest.approx(expected)


def test_adaptconf_starts_as_cross_entropy_and_its_own_labels_pass_no_gradient() -> None:
    logits, targets = tensor(-1.0, 2.0).requires_grad_(), tensor(0.4, 0.6)
    plain = cross_entropy(logits, targets, torch.ones(2), 0.0)
    assert AdaptConf()(logits, targets, torch.ones(2), 0.0).item() == pytest.approx(plain.item())
    AdaptConf(temperature=1e9)(logits, targets, torch.ones(2), 0.9).backward()
    mixed = 0.5 * targets + 0.5 * tensor(0.0, 1.0)
    assert logits.grad is not None
    assert torch.allclose(logits.grad, (torch.sigmoid(logits.detach()) - mixed) / 2, atol=1e-6)


def test_forward_correction_is_the_likelihood_of_the_noisy_label() -> None:
    # P(ỹ = 1 | x) = f·0.9 + (1 − f)·0.3
    noisy = [sigmoid(x) * 0.9 + (1 - sigmoid(x)) * 0.3 for x in (1.0, -2.0)]
    expected = (entropy(1.0, noisy[0]) + entropy(0.0, noisy[1])) / 2
    found = ForwardCorrection(0.3, 0.9)(tensor(1.0, -2.0), tensor(1, 0), torch.ones(2), 0.0)
    assert found.item() == pytest.approx(expected)


def test_forward_correction_without_noise_is_cross_entropy() -> None:
    logits, targets, ones = tensor(1.0, -2.0), tensor(1.0, 0.3), torch.ones(2)
    plain = cross_entropy(logits, targets, ones, 0.0).item()
    assert ForwardCorrection(0, 1)(logits, targets, ones, 0.0).item() == pytest.approx(plain)


def test_forward_correction_is_content_with_noise_that_it_expects() -> None:
    """Among equal rows of which a tenth is labelled wrong, a sure student loses nothing more."""
    loss, targets, ones = (
        ForwardCorrection(0.1, 0.9),
        tensor(*([1.0] * 9 + [0.0])),
        tensor(*([1.0] * 10)),
    )
    sure = loss(20.0 * ones, targets, ones, 0.0)
    unsure = loss(2.0 * ones, targets, ones, 0.0)
    assert sure.item() == pytest.approx(entropy(0.9, 0.9), abs=1e-4)
    assert sure < unsure
