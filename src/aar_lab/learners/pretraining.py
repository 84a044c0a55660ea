"""Language-model pretraining of the tiny base models on an unlabelled procedural corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from aar_lab.learners.batching import pad, shuffled_batches
from aar_lab.learners.machine import use_one_thread
from aar_lab.learners.model import Architecture, Network
from aar_lab.rng import derive, stream
from aar_lab.types import Weights


@dataclass(frozen=True)
class Pretraining:
    """Settings: tokens to see, documents a batch, peak rate, share of steps before the decay."""

    tokens: int
    batch: int = 64
    rate: float = 4e-3
    flat: float = 0.3


@dataclass(frozen=True)
class Pretrained:
    """A base model, how many tokens it saw, and its mean loss over the last 5 % of them."""

    weights: Weights
    tokens: int
    loss: float


def _batches(
    documents: Callable[[int], Sequence[Sequence[int]]], size: int, rng: np.random.Generator
) -> Iterator[torch.Tensor]:
    chunk = 0
    while True:
        rows = documents(chunk)
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        for picked in shuffled_batches(lengths, size, rng):
            yield torch.from_numpy(pad([rows[i] for i in picked])[0])
        chunk += 1


def _optimisers(network: Network, rate: float) -> list[torch.optim.Optimizer]:
    blocks = [p for p in network.blocks.parameters() if p.ndim == 2]
    rest = [
        p for n, p in network.named_parameters() if not (n.startswith("blocks") and p.ndim == 2)
    ]
    rest = [p for p in rest if p is not network.head.weight and p is not network.head.bias]
    return [
        torch.optim.Muon(blocks, lr=rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def _begin_step(
    optimisers: Sequence[torch.optim.Optimizer], settings: Pretraining, done: float
) -> None:
    """Clear gradients; the rate rises over the first 2 % of the tokens and falls after `flat`."""
    decay = min(1.0, (1 - done) / (1 - settings.flat))
    for optimiser in optimisers:
        optimiser.zero_grad(set_to_none=True)
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * decay * min(1.0, done / 0.02 + 0.02)


def _weights(network: Network) -> Weights:
    return {
        name: tensor.detach().numpy().copy()
        for name, tensor in network.state_dict().items()
        if not name.startswith("head")
    }


def pretrain(
    arch: Architecture,
    documents: Callable[[int], Sequence[Sequence[int]]],
    settings: Pretraining,
    seed: int,
    progress: Callable[[int, float], None] = lambda tokens, loss: None,
) -> Pretrained:
    """Train a network from nothing to predict the next token (Muon on matrices, AdamW on the rest).

    Uses one thread, so that the same seed gives the same weights on the same machine.

    Args:
        documents: gives the tokenised documents of chunk 0, 1, 2, …
        progress: called after each step with the tokens seen and the step's loss in nats.
    """
    use_one_thread()
    torch.manual_seed(derive(seed, "pretrain", "initial weights"))
    network = Network(arch)
    optimisers = _optimisers(network, settings.rate)
    batches = _batches(documents, settings.batch, stream(seed, "pretrain", "order"))
    seen, losses = 0, []
    while seen < settings.tokens:
        batch = next(batches)
        _begin_step(optimisers, settings, seen / settings.tokens)
        logits = network.all_logits(batch[:, :-1])
        loss = functional.cross_entropy(
            logits.flatten(0, 1), batch[:, 1:].flatten(), ignore_index=0
        )
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
        seen += int((batch != 0).sum())
        losses.append((seen, float(loss.detach())))
        progress(*losses[-1])
    tail = [value for tokens, value in losses if tokens > 0.95 * seen]
    return Pretrained(_weights(network), seen, float(np.mean(tail)))
