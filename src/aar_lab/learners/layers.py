"""The parts of a block with their gradients by hand: linear maps, layer norm, the ReLU network.

Shapes: N positions of all rows, W width.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from aar_lab.learners.model import Block

# Overloads by name: to have them looked up takes longer than most of them run.
layer_norm_backward = torch.ops.aten.native_layer_norm_backward.default
threshold_backward = torch.ops.aten.threshold_backward.grad_input


class Buffers:
    """Named memory that is kept and grows."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype, self.grown = dtype, 0
        self._flat: dict[str, Tensor] = {}

    def __call__(self, name: str, *shape: int) -> Tensor:
        """An uninitialised tensor of that shape; shares memory with all others of the name."""
        size, flat = math.prod(shape), self._flat.get(name)
        if flat is None or flat.numel() < size:
            flat = self._flat[name] = torch.empty(size, dtype=self.dtype)
            self.grown += 1
        return flat[:size].view(shape)


def gradient(parameter: Tensor) -> Tensor:
    """Where its gradient goes."""
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad


class Linear:
    """x ↦ x Wᵀ without a bias."""

    def __init__(self, weight: Tensor) -> None:
        self.weight, self.grad = weight.detach(), gradient(weight)
        self.turned = self.weight.t()

    def backward(self, grad: Tensor, x: Tensor, out: Tensor) -> Tensor:
        """Gradient of the output → of the input, into `out`."""
        torch.mm(grad.t(), x, out=self.grad)
        return torch.mm(grad, self.weight, out=out)


class Norm:
    """Layer norm of (N, W)."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        self._weight, self._bias, self._eps = norm.weight.detach(), norm.bias.detach(), norm.eps
        self._to_weight, self._to_bias = gradient(norm.weight), gradient(norm.bias)
        self._shape = list(norm.normalized_shape)

    def forward(self, x: Tensor) -> Tensor:
        y, mean, rstd = torch.native_layer_norm(x, self._shape, self._weight, self._bias, self._eps)
        self._kept = x, self._shape, mean, rstd, self._weight, self._bias
        return y

    def backward(self, grad: Tensor) -> Tensor:
        """Gradient of the output → of the input."""
        found: tuple[Tensor, Tensor, Tensor]
        found = layer_norm_backward(grad, *self._kept, [True, True, True])
        self._to_weight.copy_(found[1])
        self._to_bias.copy_(found[2])
        return found[0]


class Mlp:
    """x + down(relu(up(norm(x)))) of (N, W)."""

    def __init__(self, block: Block, scratch: Buffers) -> None:
        self._up, self._down = Linear(block.up.weight), Linear(block.down.weight)
        self._norm, self._scratch, self._own = Norm(block.norm2), scratch, Buffers(scratch.dtype)

    def forward(self, x: Tensor) -> Tensor:
        normed = self._norm.forward(x)
        hidden = self._own("hidden", len(x), len(self._up.weight))
        torch.mm(normed, self._up.turned, out=hidden).relu_()
        self._kept = normed, hidden
        return torch.addmm(x, hidden, self._down.turned, out=self._own("y", *x.shape))

    def backward(self, grad: Tensor) -> Tensor:
        """Gradient of the output → of the input, in the same memory."""
        normed, hidden = self._kept
        inner = self._down.backward(grad, hidden, self._scratch("hidden", *hidden.shape))
        threshold_backward(inner, hidden, 0, grad_input=inner)
        outer = self._up.backward(inner, normed, self._scratch("normed", *normed.shape))
        return grad.add_(self._norm.backward(outer))
