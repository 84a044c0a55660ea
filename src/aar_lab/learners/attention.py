"""Blocks with their gradients by hand; `Block` under autograd is the reference.

Shapes: B rows, T positions, N = B · T, W width, H heads, D = W / H.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from aar_lab.learners.layers import Buffers, Linear, Mlp, Norm, gradient
from aar_lab.learners.model import Block

# The overload by name: to have it looked up takes longer than it runs.
softmax_backward = torch.ops.aten._softmax_backward_data.out

SMALL, LARGE = 1e-20, 1e30  # sums of exponentials that float32 holds with room to spare


class Frame(NamedTuple):
    """Memory of a block for batches of one shape.

    Views of it are made once: a step makes a hundred, and each costs as much as a small product.
    """

    joined: Tensor  # (N, 3W): queries, keys, values, later their gradients
    joined_by_head: Tensor  # (3, B, H, T, D), the same
    heads: Tensor  # (3, B, H, T, D), contiguous: strided products cost more than the copy
    qkv: tuple[Tensor, ...]  # three of (B·H, T, D), the same
    grads: Tensor  # as heads
    grad_qkv: tuple[Tensor, ...]  # as qkv
    read: Tensor  # (B·H, T, D): what the heads read
    grad_read: Tensor  # (B·H, T, D), its gradient
    merged: Tensor  # (N, W), as read
    merged_by_head: Tensor  # (B, H, T, D), the same
    grad_merged: Tensor  # (N, W), its gradient
    grad_merged_by_head: Tensor  # (B, H, T, D), the same
    scores: Tensor  # (B·H, T, T)
    probs: Tensor  # (B·H, T, T)
    sums: Tensor  # (B·H, T, 1)
    y: Tensor  # (N, W)

    @classmethod
    def of(cls, shape: torch.Size, heads: int, own: Buffers, scratch: Buffers) -> Frame:
        """Views for states of shape (B, T, W): of `own` what the backward pass needs."""
        (rows, length, width), size = shape, shape[0] * shape[1]
        head, square = (rows, heads, length, width // heads), (rows * heads, length, length)

        def by_head(joined: Tensor) -> Tensor:
            view = joined.view(rows, length, -1, heads, head[3])
            return view.permute(2, 0, 3, 1, 4)

        def alone(parts: Tensor) -> tuple[Tensor, ...]:
            return tuple(part.view(*square[:2], -1) for part in parts)

        joined, merged = scratch("joined", size, 3 * width), own("merged", size, width)
        split, grads = own("heads", 3, *head), scratch("heads", 3, *head)
        grad_merged = scratch("normed", size, width)
        return cls(
            joined=joined,
            joined_by_head=by_head(joined),
            heads=split,
            qkv=alone(split),
            grads=grads,
            grad_qkv=alone(grads),
            read=own("read", *square[:2], head[3]),
            grad_read=scratch("read", *square[:2], head[3]),
            merged=merged,
            merged_by_head=by_head(merged)[0],
            grad_merged=grad_merged,
            grad_merged_by_head=by_head(grad_merged)[0],
            scores=scratch("scores", *square),
            probs=own("probs", *square),
            sums=scratch("sums", *square[:2], 1),
            y=own("y", size, width),
        )


def _causal_softmax(scores: Tensor, probs: Tensor, sums: Tensor) -> None:
    """Softmax of (n, T, T) over what is not later, into `probs`.

    Without a maximum taken off, unless the exponentials leave their range: both the maximum and
    torch's own softmax take several times as long as all else here where rows are this short.
    """
    torch.exp(scores, out=probs).tril_()
    least, most = torch.aminmax(torch.sum(probs, -1, keepdim=True, out=sums))
    if least > SMALL and most < LARGE:
        probs.div_(sums)
    else:
        later = torch.full_like(scores[0], -math.inf).triu_(1)
        torch.softmax(scores.add_(later), -1, out=probs)


def _attention_backward(f: Frame) -> None:
    """Gradient of what the heads read → of queries, keys and values."""
    (q, k, v), (grad_q, grad_k, grad_v) = f.qkv, f.grad_qkv
    torch.bmm(f.probs.transpose(1, 2), f.grad_read, out=grad_v)
    # Σ probs · their gradient, along a row, is Σ read · its gradient (arXiv 2205.14135, B.2).
    inner = torch.mul(f.read, f.grad_read, out=grad_q)
    torch.sum(inner, -1, keepdim=True, out=f.sums)
    torch.bmm(f.grad_read, v.transpose(1, 2), out=f.scores).sub_(f.sums).mul_(f.probs)
    scale = q.shape[2] ** -0.5
    grad_q.baddbmm_(f.scores, k, beta=0, alpha=scale)
    grad_k.baddbmm_(f.scores.transpose(1, 2), q, beta=0, alpha=scale)


class BlockPass:
    """`Block.forward`, of (B, T, W)."""

    def __init__(self, block: Block, scratch: Buffers) -> None:
        self._heads, self._frames = block.heads, dict[tuple[int, ...], Frame]()
        self._qkv, self._out = Linear(block.qkv.weight), Linear(block.out.weight)
        self._scratch, self._own = scratch, Buffers(scratch.dtype)
        self._norm, self._mlp = Norm(block.norm1), Mlp(block, scratch)

    def _frame(self, shape: torch.Size) -> Frame:
        if shape not in self._frames:
            grown = self._own.grown
            frame = Frame.of(shape, self._heads, self._own, self._scratch)
            if self._own.grown > grown:
                self._frames.clear()  # They hold on to the smaller memory of before.
            self._frames[shape] = frame
        return self._frames[shape]

    def forward(self, x: Tensor) -> Tensor:
        f, flat = self._frame(x.shape), x.flatten(0, 1)
        normed = self._norm.forward(flat)
        torch.mm(normed, self._qkv.turned, out=f.joined)
        f.heads.copy_(f.joined_by_head)
        q, k, v = f.qkv
        f.scores.baddbmm_(q, k.transpose(1, 2), beta=0, alpha=q.shape[2] ** -0.5)
        _causal_softmax(f.scores, f.probs, f.sums)
        torch.bmm(f.probs, v, out=f.read)
        f.merged_by_head.copy_(f.read.view(f.merged_by_head.shape))
        self._kept = f, x.shape, normed
        y = torch.addmm(flat, f.merged, self._out.turned, out=f.y)
        return self._mlp.forward(y).view(x.shape)

    def backward(self, grad: Tensor) -> Tensor:
        """Gradient of the output → of the input, in the same memory."""
        f, shape, normed = self._kept
        flat = self._mlp.backward(grad.flatten(0, 1))
        self._out.backward(flat, f.merged, f.grad_merged)
        f.grad_read.view(f.grad_merged_by_head.shape).copy_(f.grad_merged_by_head)
        _attention_backward(f)
        f.joined_by_head.copy_(f.grads)
        to_normed = self._qkv.backward(f.joined, normed, f.grad_merged)
        return flat.add_(self._norm.backward(to_normed)).view(shape)


class LastPass:
    """`Block.last`, at one position of each row: (B, T, W) → (B, W).

    A single query needs no keys and values of its own: q·(K n) = (Kᵀq)·n, and the mean of V n is
    V times the mean of n. So a head reads the normed states themselves, and the matrices K and V
    are applied B times instead of N times.
    """

    def __init__(self, block: Block, scratch: Buffers) -> None:
        self._heads, self._out = block.heads, Linear(block.out.weight)
        self._norm, self._mlp = Norm(block.norm1), Mlp(block, scratch)
        self._parts = self._split(block.qkv.weight.detach())
        self._grads = self._split(gradient(block.qkv.weight))

    def _split(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(3W, W) → Q (W, W); K and V (H, D, W)."""
        q, k, v = qkv.view(3, -1, qkv.shape[1])
        return q, k.view(self._heads, -1, len(k)), v.view(self._heads, -1, len(v))

    def _by_head(self, x: Tensor) -> Tensor:
        """(B, W) → (H, B, D)."""
        return x.view(len(x), self._heads, -1).transpose(0, 1)

    def forward(self, x: Tensor, at: Tensor) -> Tensor:
        (rows, length, width), (to_q, to_k, to_v) = x.shape, self._parts
        last = torch.arange(0, rows * length, length).add_(at)
        normed = self._norm.forward(x.flatten(0, 1))
        asking, normed = normed.index_select(0, last), normed.view(x.shape)
        q = self._by_head(torch.mm(asking, to_q.t()).mul_((width // self._heads) ** -0.5))
        query = torch.bmm(q, to_k).transpose(0, 1)
        scores = torch.bmm(query, normed.transpose(1, 2))
        hidden = torch.arange(length) > at[:, None, None]
        probs = torch.softmax(scores.masked_fill_(hidden, -math.inf), -1)
        seen = torch.bmm(probs, normed)
        mixed = torch.bmm(seen.transpose(0, 1), to_v.transpose(1, 2))
        merged = mixed.transpose(0, 1).reshape(rows, width)
        self._kept = last, normed, asking, q, query, probs, seen, merged
        return self._mlp.forward(
            torch.addmm(x.flatten(0, 1).index_select(0, last), merged, self._out.turned)
        )

    def backward(self, grad: Tensor) -> Tensor:
        """Gradient of the output (B, W) → of the input (B, T, W)."""
        last, normed, asking, q, query, probs, seen, merged = self._kept
        (to_q, to_k, to_v), (grad_q, grad_k, grad_v) = self._parts, self._grads
        grad = self._mlp.backward(grad)
        mixed = self._by_head(self._out.backward(grad, merged, torch.empty_like(grad)))
        torch.bmm(mixed.transpose(1, 2), seen.transpose(0, 1), out=grad_v)
        to_seen = torch.bmm(mixed, to_v).transpose(0, 1)
        scores = torch.bmm(to_seen, normed.transpose(1, 2))
        softmax_backward(scores, probs, -1, probs.dtype, grad_input=scores)
        to_query = torch.bmm(scores, normed).transpose(0, 1)
        torch.bmm(q.transpose(1, 2), to_query, out=grad_k)
        asked = torch.bmm(to_query, to_k.transpose(1, 2)).transpose(0, 1).reshape(grad.shape)
        asked.mul_(q.shape[-1] ** -0.5)
        torch.mm(asked.t(), asking, out=grad_q)
        to_normed = torch.bmm(probs.transpose(1, 2), to_seen)
        to_normed.baddbmm_(scores.transpose(1, 2), query)
        flat = to_normed.flatten(0, 1).index_add_(0, last, asked @ to_q)
        return self._norm.backward(flat).index_add_(0, last, grad).view(normed.shape)
