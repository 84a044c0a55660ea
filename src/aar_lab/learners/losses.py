"""Losses for binary targets that may be soft; each is a mean weighted by example.

A loss takes the logits of P(y = 1), the targets in [0, 1], the examples' weights (all of shape
(b,)) and the share of the fit that is done, in [0, 1). It returns a scalar tensor.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Loss = Callable[[Tensor, Tensor, Tensor, float], Tensor]


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Σ w·v / Σ w; zero if all weights are zero."""
    return (values * weights).sum() / weights.sum().clamp_min(1e-12)


def cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor, done: float) -> Tensor:
    """−t log f − (1−t) log(1−f)."""
    each = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return weighted_mean(each, weights)


class LogConf:
    """Auxiliary confidence loss: cross-entropy against (1−α)·t + α·1[f > τ], f detached.

    τ is the quantile of f over the batch that matches its mean weak label, so that the student's
    own hard labels keep the classes' balance in every batch. α rises linearly from 0 to `most` over
    the first `warmup` of the steps (Burns et al. 2023, arXiv 2312.09390, equation 1 and appendix
    A.4; without the jump at the end of the warm-up that the reference code has).
    """

    def __init__(self, most: float = 0.5, warmup: float = 0.2) -> None:
        self.most, self.warmup = most, warmup

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, done: float) -> Tensor:
        # A τ from older answers lags behind a drift of f, and then confirms it.
        probs = torch.sigmoid(logits.detach())
        threshold = torch.quantile(probs, 1 - targets.mean())
        own = 0.5 * ((probs > threshold).to(probs.dtype) + (probs >= threshold).to(probs.dtype))
        alpha = self.most * (min(1.0, done / self.warmup) if self.warmup else 1.0)
        return cross_entropy(logits, (1 - alpha) * targets + alpha * own, weights, done)


def reverse_cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor, done: float) -> Tensor:
    """−f log t − (1−f) log(1−t), t clipped to [0.02, 0.98] (arXiv 2502.11107)."""
    f, t = torch.sigmoid(logits), targets.clamp(0.02, 0.98)
    return weighted_mean(-f * t.log() - (1 - f) * (1 - t).log(), weights)


class AdaptConf:
    """Adaptive confidence: (1−β)·CE(f, t) + β·CE(f, 1[f > ½]), β its own for each example.

    β = e^(s/T) / (e^(s/T) + e^(w/T)), s = CE(f, 1[f > ½]), w = CE(f, 1[t > ½]), all detached: ½
    where student and weak label agree, less the surer the student is that the label is wrong. β
    rises linearly to that over the first `warmup` of the steps (Guo et al. 2024, arXiv 2402.03749,
    and the code released with it).
    """

    def __init__(self, temperature: float = 1.0, warmup: float = 0.25) -> None:
        self.temperature, self.warmup = temperature, warmup

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, done: float) -> Tensor:
        seen = logits.detach()
        own = torch.heaviside(seen, torch.full_like(seen, 0.5))
        weak = torch.heaviside(targets - 0.5, torch.full_like(targets, 0.5))
        surprise = functional.binary_cross_entropy_with_logits
        gap = surprise(seen, own, reduction="none") - surprise(seen, weak, reduction="none")
        beta = torch.sigmoid(gap / self.temperature)
        beta = beta * (min(1.0, done / self.warmup) if self.warmup else 1.0)
        return cross_entropy(logits, (1 - beta) * targets + beta * own, weights, done)


class ForwardCorrection:
    """Cross-entropy after the noise: −t log g − (1−t) log(1−g), g = P(ỹ = 1 | x) = Tᵀf.

    Args:
        given_0, given_1: P(ỹ = 1 | y = 0) and P(ỹ = 1 | y = 1), in [0, 1] (Patrini et al. 2017,
            arXiv 1609.03683, theorem 2).
    """

    def __init__(self, given_0: float, given_1: float) -> None:
        self.given_0, self.given_1 = given_0, given_1

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, done: float) -> Tensor:
        f = torch.sigmoid(logits)
        noisy = (f * self.given_1 + (1 - f) * self.given_0).clamp(1e-6, 1 - 1e-6)
        each = functional.binary_cross_entropy(noisy, targets, reduction="none")
        return weighted_mean(each, weights)
