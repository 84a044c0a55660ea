"""The network of the CPU students: a small causal transformer, read at the last position."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Architecture:
    """Shape of a network; parameters ≈ layers · 12 · width² + (vocabulary + context) · width."""

    vocabulary: int
    width: int = 64
    layers: int = 3
    heads: int = 4
    context: int = 64

    def as_dict(self) -> dict[str, int]:
        """As JSON."""
        return asdict(self)


class Block(nn.Module):
    """Pre-norm attention and a ReLU network of four times the width."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.heads = arch.heads
        self.norm1 = nn.LayerNorm(arch.width)
        self.qkv = nn.Linear(arch.width, 3 * arch.width, bias=False)
        self.out = nn.Linear(arch.width, arch.width, bias=False)
        self.norm2 = nn.LayerNorm(arch.width)
        self.up = nn.Linear(arch.width, 4 * arch.width, bias=False)
        self.down = nn.Linear(4 * arch.width, arch.width, bias=False)

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def _mlp(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.down(functional.relu(self.up(self.norm2(x))))
        return x + hidden

    def forward(self, x: Tensor) -> Tensor:
        """(batch, length, width) → the same, each position seeing itself and those before."""
        q, k, v = (self._heads(part) for part in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self._mlp(x + self.out(mixed.transpose(1, 2).reshape(x.shape)))

    def last(self, x: Tensor, at: Tensor) -> Tensor:
        """The same at one position of each row: (batch, length, width), (batch,) → (batch, width).

        Queries, output and MLP are computed for that position alone: of a block's
        12 · width² multiplications per token only the 2 · width² of keys and values remain.
        """
        rows = torch.arange(len(x))
        normed = self.norm1(x)
        width = x.shape[-1]
        k, v = functional.linear(normed, self.qkv.weight[width:]).chunk(2, dim=-1)
        q = functional.linear(normed[rows, at][:, None], self.qkv.weight[:width])
        visible = torch.arange(x.shape[1])[None] <= at[:, None]
        mixed = functional.scaled_dot_product_attention(
            self._heads(q), self._heads(k), self._heads(v), attn_mask=visible[:, None, None]
        )
        return self._mlp(x[rows, at] + self.out(mixed.transpose(1, 2).reshape(len(x), width)))


class Network(nn.Module):
    """Token and position embeddings, blocks, final norm; the output embedding is tied."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.arch = arch
        self.tokens = nn.Embedding(arch.vocabulary, arch.width)
        self.positions = nn.Embedding(arch.context, arch.width)
        self.blocks = nn.ModuleList(Block(arch) for _ in range(arch.layers))
        self.norm = nn.LayerNorm(arch.width)
        self.head = nn.Linear(arch.width, 1)
        self._initialise()

    def _initialise(self) -> None:
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                scale = (
                    0.02 if name.startswith(("tokens", "positions")) else parameter.shape[1] ** -0.5
                )
                nn.init.normal_(parameter, std=scale)
            if name.endswith(("out.weight", "down.weight")) or name.startswith("head"):
                nn.init.zeros_(parameter)

    def embedded(self, tokens: Tensor) -> Tensor:
        """(batch, length) → (batch, length, width)."""
        x: Tensor = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        return x

    def all_logits(self, tokens: Tensor) -> Tensor:
        """Next-token logits at every position: (batch, length) → (batch, length, vocabulary)."""
        x = self.embedded(tokens)
        for block in self.blocks:
            x = block(x)
        return functional.linear(self.norm(x), self.tokens.weight)

    def last_hidden(self, tokens: Tensor, lengths: Tensor, layer: int = -1) -> Tensor:
        """State after `layer` blocks (−1: all, normed) at each row's last token: (batch, width)."""
        depth = len(self.blocks) if layer < 0 else layer
        x = self.embedded(tokens)
        if depth == 0:
            return x[torch.arange(len(x)), lengths - 1]
        for block in list(self.blocks)[: depth - 1]:
            x = block(x)
        final = self.blocks[depth - 1]
        assert isinstance(final, Block)
        state = final.last(x, lengths - 1)
        return self.norm(state) if layer < 0 else state

    def next_logits(self, tokens: Tensor, lengths: Tensor, words: Tensor) -> Tensor:
        """Logits of the given words after each row: (batch, len(words))."""
        return functional.linear(self.last_hidden(tokens, lengths), self.tokens.weight[words])

    def margin(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Logit of y = 1 for each row: (batch,)."""
        logit: Tensor = self.head(self.last_hidden(tokens, lengths))
        return logit[:, 0]
