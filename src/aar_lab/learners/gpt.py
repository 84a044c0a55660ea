"""The CPU student: a pretrained tiny transformer with a new binary head."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from torch import Tensor

from aar_lab.digest import digest_json
from aar_lab.errors import BadIds, BadInput, BadProbabilities, BadWeights, EmptySelection
from aar_lab.learners.base import Plan, Writer
from aar_lab.learners.batching import IntArray, pad, shuffled_batches, sorted_batches
from aar_lab.learners.model import Architecture, Network
from aar_lab.learners.optimiser import FlatAdamW
from aar_lab.learners.step import Step
from aar_lab.types import FloatArray, Inputs, Weights, check_probabilities

INFERENCE_ROWS = 128
ALONE = ("first", "second")
REMEMBERED = 64

Memory = dict[str, FloatArray]


class Gpt:
    """A `Learner`. Same seed, same machine, same number of threads: identical predictions.

    Args:
        arch: shape of the network.
        base: pretrained weights, without a head.
        writer: turns examples into token rows.
        memory: what the pretrained weights say of examples; shared by students of the same base,
            since for every supervisor it is the same.
    """

    def __init__(
        self, arch: Architecture, base: Weights, writer: Writer, memory: Memory | None = None
    ) -> None:
        self._arch, self._base, self._writer = arch, base, writer
        self._memory, self._pretrained = {} if memory is None else memory, True
        self._network = Network(arch)
        self._load_base(self._network)

    @property
    def layers(self) -> int:
        """See `Learner.layers`."""
        return self._arch.layers

    @property
    def templates(self) -> int:
        """See `Learner.templates`."""
        return self._writer.templates

    def _load_base(self, network: Network) -> None:
        width = self._arch.width
        head = {"head.weight": np.zeros((1, width), "f4"), "head.bias": np.zeros(1, "f4")}
        network.load_state_dict(checked(self._arch, {**head, **self._base}))

    def fit(
        self,
        inputs: Inputs,
        targets: FloatArray,
        rng: np.random.Generator,
        weights: FloatArray | None = None,
        plan: Plan = Plan(),  # noqa: B008  frozen
    ) -> FloatArray:
        """See `Learner.fit`; goes on from the present weights."""
        self._pretrained = False
        goal = check_probabilities(targets, len(inputs)).astype(np.float32)
        weight = _check_weights(weights, len(inputs)).astype(np.float32)
        tokens, lengths = self._padded(self._writer.task(inputs))
        optimiser, step = FlatAdamW(self._network, plan), Step(self._network)
        steps = plan.epochs * -(-len(inputs) // plan.batch)
        margins = np.zeros((plan.epochs, len(inputs)))
        for epoch in range(plan.epochs):
            for picked in shuffled_batches(lengths, plan.batch, rng):
                done = optimiser.steps / steps
                found = step.margin(*_batch(tokens, lengths, picked))
                margin = found.clone().requires_grad_()
                goals, shares = torch.from_numpy(goal[picked]), torch.from_numpy(weight[picked])
                # A copy, so that a loss may change what it is given.
                loss = plan.loss(margin.clone(), goals, shares, done)
                step.backward(*torch.autograd.grad(loss, margin))
                optimiser.step(_rate(done, plan.warmup))
                margins[epoch, picked] = found.numpy()
            if not (np.isfinite(margins[epoch]).all() and optimiser.finite()):
                raise BadWeights(
                    f"epoch {epoch + 1}", "training diverged: not finite", "Lower the rate."
                )
        return np.logaddexp(0, margins) - np.asarray(targets) * margins

    def _padded(self, rows: list[list[int]]) -> tuple[IntArray, IntArray]:
        tokens, lengths = pad(rows)
        if tokens.shape[1] > self._arch.context:
            raise BadInput(
                f"an example of {tokens.shape[1]} tokens",
                f"longer than the context of {self._arch.context}",
                "Shorten it.",
            )
        return tokens, lengths

    def _infer(
        self, rows: list[list[int]], read: Callable[[Tensor, Tensor], Tensor]
    ) -> npt.NDArray[np.float64]:
        # An alternative is read once, however many pairs it is in.
        at: dict[tuple[int, ...], int] = {}
        places = [at.setdefault(tuple(row), len(at)) for row in rows]
        tokens, lengths = self._padded([list(row) for row in at])
        found: dict[int, npt.NDArray[np.float64]] = {}
        with torch.inference_mode():
            for picked in sorted_batches(lengths, INFERENCE_ROWS):
                part = read(*_batch(tokens, lengths, picked))
                found |= dict(zip(picked.tolist(), part.double().numpy(), strict=True))
        return np.stack([found[place] for place in places])

    def predict(self, inputs: Inputs, view: str = "plain") -> FloatArray:
        """See `Learner.predict`."""
        if view == "elicit":
            first, second = self._writer.elicit(inputs)
            return 1 / (1 + np.exp(-self._approval(self._network, first + second)))
        margins = self._infer(self._writer.task(inputs, view), Step(self._network).margin)
        sign = -1.0 if view == "swap" else 1.0
        return 1 / (1 + np.exp(-sign * margins))

    def embed(self, inputs: Inputs, layer: int = -1, view: str = "plain") -> FloatArray:
        """See `Learner.embed`; `BadInput` if there is no such layer or view."""
        if not -1 <= layer <= self._arch.layers:
            raise BadInput(
                f"layer {layer}", "there is no such layer", f"Use -1…{self._arch.layers}."
            )
        if view in ALONE:
            rows = self._writer.elicit(inputs)[ALONE.index(view)]
        else:
            rows = self._writer.task(inputs, view)

        def read(tokens: Tensor, lengths: Tensor) -> Tensor:
            return self._network.last_hidden(tokens, lengths, layer)

        if self._pretrained:
            return self._recalled(f"layer {layer}", rows, lambda: self._infer(rows, read))
        return self._infer(rows, read)

    def zero_shot(self, inputs: Inputs, template: int = 0) -> FloatArray:
        """Margin of approval for the first alternative minus that for the second."""

        def asked() -> FloatArray:
            pretrained = Network(self._arch)
            self._load_base(pretrained)
            return self._approval(pretrained, rows)

        first, second = self._writer.elicit(inputs, template)
        rows = first + second
        return self._recalled("approval", rows, asked)

    def _recalled(
        self, question: str, rows: list[list[int]], answer: Callable[[], FloatArray]
    ) -> FloatArray:
        """What the pretrained weights answer of rows, worked out once."""
        key = digest_json([question, rows])
        if key not in self._memory:
            if len(self._memory) >= REMEMBERED:
                self._memory.clear()
            self._memory[key] = answer()
        return self._memory[key].copy()

    def _approval(self, network: Network, rows: list[list[int]]) -> FloatArray:
        """Of rows that hold each first alternative and then each second, in the same order."""
        words = torch.tensor(self._writer.likes + self._writer.dislikes)
        split = len(self._writer.likes)

        def approval(tokens: Tensor, lengths: Tensor) -> Tensor:
            logits = network.next_logits(tokens, lengths, words)
            return logits[:, :split].logsumexp(1) - logits[:, split:].logsumexp(1)

        first, second = np.split(self._infer(rows, approval), 2)
        return np.asarray(first - second)

    def save(self) -> Weights:
        """See `Learner.save`."""
        return {k: v.numpy().copy() for k, v in self._network.state_dict().items()}

    def load(self, weights: Weights) -> None:
        """See `Learner.load`."""
        self._pretrained = False
        self._network.load_state_dict(checked(self._arch, weights))


def _batch(
    tokens: IntArray, lengths: IntArray, picked: npt.NDArray[np.intp]
) -> tuple[Tensor, Tensor]:
    """The picked rows, (b, longest of them), and their lengths, (b,)."""
    longest = int(lengths[picked].max())
    return torch.from_numpy(tokens[picked, :longest]), torch.from_numpy(lengths[picked])


def _check_weights(weights: FloatArray | None, size: int) -> FloatArray:
    array = np.ones(size) if weights is None else np.asarray(weights, dtype=np.float64)
    if array.shape != (size,):
        raise BadIds(
            f"weights of shape {array.shape}", f"there are {size} examples", "Give one each."
        )
    if not (np.isfinite(array) & (array >= 0)).all():
        raise BadProbabilities(
            "weights", "one is negative or not finite", "Use finite weights ≥ 0."
        )
    if not array.any():
        raise EmptySelection(
            "weights", "all of them are zero", "Give some example a weight above 0."
        )
    return array


def _rate(done: float, warmup: float) -> float:
    return min(1.0, (done + 1e-3) / max(warmup, 1e-3)) * (1 - done) / (1 - min(done, warmup))


def checked(arch: Architecture, weights: Weights) -> dict[str, Tensor]:
    """The weights as tensors; `BadWeights` unless names, shapes, types and values fit `arch`."""
    with torch.device("meta"):
        expected = {k: tuple(v.shape) for k, v in Network(arch).state_dict().items()}
    if set(weights) != set(expected):
        odd = sorted(set(weights) ^ set(expected))[:3]
        raise BadWeights(f"tensors {odd}", "missing or unknown", "Save what `save()` returns.")
    tensors: dict[str, Tensor] = {}
    for name, value in weights.items():
        if tuple(value.shape) != expected[name] or value.dtype.kind != "f":
            raise BadWeights(
                f"{name} of shape {tuple(value.shape)}, {value.dtype}",
                f"expected {expected[name]}, floating point",
                "Keep the architecture.",
            )
        with np.errstate(over="ignore"):
            tensors[name] = torch.from_numpy(np.array(value, dtype=np.float32))
        if not tensors[name].isfinite().all():
            raise BadWeights(name, "not finite as float32", "Lower the learning rate.")
    return tensors


def read_weights(path: Path) -> Weights:
    """Tensors of a safetensors file; `BadWeights` if it is none."""
    try:
        loaded: Weights = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise BadWeights(path.name, f"not a safetensors file ({error})", "Write one.") from error
    return loaded


def write_weights(path: Path, weights: Weights) -> None:
    """Write tensors as a safetensors file."""
    save_file({k: np.ascontiguousarray(v, dtype=np.float32) for k, v in weights.items()}, path)
