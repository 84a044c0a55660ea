"""AdamW over flat vectors."""

from __future__ import annotations

import torch
from torch import Tensor

from aar_lab.learners.base import Plan
from aar_lab.learners.model import Network


class FlatAdamW:
    """AdamW (torch's fused kernel) over two flat vectors: the body's parameters, the head's.

    Every parameter and its gradient are views into one vector, so that a step is one call instead
    of dozens; at this size the calls, not the arithmetic, are the cost.
    """

    def __init__(self, network: Network, plan: Plan) -> None:
        named = list(network.named_parameters())
        heads = [p for name, p in named if name.startswith("head")]
        bodies = [p for name, p in named if not name.startswith("head")]
        self._groups = [(_flatten(bodies), plan.rate), (_flatten(heads), plan.rate * plan.head)]
        self._state = [
            (torch.zeros_like(flat), torch.zeros_like(flat), torch.tensor(0.0))
            for (flat, _), _ in self._groups
        ]
        self.steps = 0

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Go along the parameters' gradients, clipped to norm 1, at `factor` times the rate."""
        squares = sum((grad.dot(grad) for (_, grad), _ in self._groups), torch.zeros(()))
        # The kernel divides by it, so that clipping costs no pass of its own.
        excess = torch.clamp(squares.sqrt() + 1e-6, min=1.0)
        for ((flat, grad), rate), (first, second, count) in zip(
            self._groups, self._state, strict=True
        ):
            count += 1
            torch._fused_adamw_(
                [flat],
                [grad],
                [first],
                [second],
                [],
                [count],
                lr=rate * factor,
                beta1=0.9,
                beta2=0.98,
                weight_decay=0.0,
                eps=1e-8,
                amsgrad=False,
                maximize=False,
                grad_scale=excess,
            )
        self.steps += 1

    def finite(self) -> bool:
        """Whether every parameter is finite; a loss can hide that the step behind it was not."""
        return all(bool(flat.isfinite().all()) for (flat, _), _ in self._groups)


def _flatten(parameters: list[torch.nn.Parameter]) -> tuple[Tensor, Tensor]:
    flat = torch.cat([p.detach().reshape(-1) for p in parameters])
    grad, at = torch.zeros_like(flat), 0
    for p in parameters:
        p.data = flat[at : at + p.numel()].view(p.shape)
        p.grad = grad[at : at + p.numel()].view(p.shape)
        at += p.numel()
    return flat, grad
