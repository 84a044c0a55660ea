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

    τ is the quantile of the student's recent probabilities that matches the mean weak label, so
    that the student's own hard labels keep the classes' balance. α rises linearly from 0 to `most`
    over the first `warmup` of the steps (Burns et al. 2023, arXiv 2312.09390, equation 1 and
    appendix A.4; without the jump at the end of the warm-up that the reference code has).
    """

    def __init__(self, most: float = 0.5, warmup: float = 0.2, buffer: int = 64) -> None:
        self.most, self.warmup, self.buffer = most, warmup, buffer
        self._probs = torch.empty(0)
        self._targets = torch.empty(0)

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, done: float) -> Tensor:
        probs = torch.sigmoid(logits.detach())
        self._probs = torch.cat([self._probs, probs])[-self.buffer :]
        self._targets = torch.cat([self._targets, targets])[-self.buffer :]
        threshold = torch.quantile(self._probs, 1 - self._targets.mean())
        own = 0.5 * ((probs > threshold).to(probs.dtype) + (probs >= threshold).to(probs.dtype))
        alpha = self.most * (min(1.0, done / self.warmup) if self.warmup else 1.0)
        return cross_entropy(logits, (1 - alpha) * targets + alpha * own, weights, done)


def reverse_cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor, done: float) -> Tensor:
    """−f log t − (1−f) log(1−t), t clipped to [0.02, 0.98] (arXiv 2502.11107)."""
    f, t = torch.sigmoid(logits), targets.clamp(0.02, 0.98)
    return weighted_mean(-f * t.log() - (1 - f) * (1 - t).log(), weights)
