"""Forward and backward pass of `Network.margin` by hand; autograd on the network is its reference.

At this size half of a step under autograd is bookkeeping: the graph, fresh memory for every result,
and an attention kernel made for longer rows and wider heads. Here matrix products write into memory
kept from step to step, and gradients go straight to where the optimiser reads them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from aar_lab.learners.attention import BlockPass, LastPass
from aar_lab.learners.layers import Buffers, Norm, gradient
from aar_lab.learners.model import Block, Network


class Step:
    """The margins of a batch, and the gradients of the network's parameters given theirs.

    The parameters' memory must stay where it is as long as this is used.
    """

    def __init__(self, network: Network) -> None:
        scratch = Buffers(network.head.weight.dtype)
        self._network, self._own = network, Buffers(scratch.dtype)
        self._tokens = gradient(network.tokens.weight)
        self._positions = gradient(network.positions.weight)
        self._head, self._bias = gradient(network.head.weight), gradient(network.head.bias)
        blocks = [block for block in network.blocks if isinstance(block, Block)]
        self._blocks = [BlockPass(block, scratch) for block in blocks[:-1]]
        self._last, self._norm = LastPass(blocks[-1], scratch), Norm(network.norm)

    @torch.inference_mode()
    def margin(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """As `Network.margin`: (B, T), (B,) → (B,)."""
        network, (rows, length) = self._network, tokens.shape
        x = self._own("x", tokens.numel(), network.arch.width)
        torch.index_select(network.tokens.weight, 0, tokens.flatten(), out=x)
        x = x.view(rows, length, -1).add_(network.positions.weight[:length])
        for block in self._blocks:
            x = block.forward(x)
        state = self._norm.forward(self._last.forward(x, lengths - 1))
        self._kept = tokens, state
        return torch.addmm(network.head.bias, state, network.head.weight.t())[:, 0]

    @torch.inference_mode()
    def backward(self, grad: Tensor) -> None:
        """Set each parameter's gradient, given the margins' (B,) in the latest batch."""
        network, (tokens, state) = self._network, self._kept
        torch.mm(grad[None], state, out=self._head)
        self._bias.copy_(grad.sum())
        states = self._last.backward(self._norm.backward(grad[:, None] * network.head.weight))
        for block in reversed(self._blocks):
            states = block.backward(states)
        torch.sum(states, 0, out=self._positions.zero_()[: tokens.shape[1]])
        self._tokens.zero_().index_add_(0, tokens.flatten(), states.flatten(0, 1))
