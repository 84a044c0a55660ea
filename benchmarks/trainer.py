"""The same student fitted by `transformers.Trainer`, as its users would write it.

Two models start from the same weights: our `Network` inside a `PreTrainedModel`, which differs
from our learner in the training loop alone, and the library's own GPT-2 for classification, whose
biases that our network lacks stay at zero. All else is Trainer's: its data loader, its fused AdamW,
its schedule, its clipping.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import (
    GPT2Config,
    GPT2ForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
    Trainer,
    TrainingArguments,
)
from transformers.trainer_callback import PrinterCallback

from aar_lab.learners.base import Plan
from aar_lab.learners.model import Architecture, Network
from aar_lab.types import Weights

LAYERS = (
    ("qkv", "attn.c_attn"),
    ("out", "attn.c_proj"),
    ("up", "mlp.c_fc"),
    ("down", "mlp.c_proj"),
)
HEAD = ("network.head.weight", "network.head.bias", "score.weight")
NORMS = (("norm1", "ln_1"), ("norm2", "ln_2"))

Example = Mapping[str, Any]
Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Student:
    """A model as `Trainer` takes it, with the way back to a learner's weights."""

    model: PreTrainedModel
    weights: Callable[[], Weights]


class _NetworkConfig(PreTrainedConfig):
    model_type = "network"

    def __init__(self, shape: dict[str, int] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shape = shape or {}


class NetworkForClassification(PreTrainedModel):
    """Our network behind the library's interface."""

    config_class = _NetworkConfig

    def __init__(self, config: _NetworkConfig) -> None:
        super().__init__(config)
        self.network = Network(Architecture(**config.shape))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> Batch:
        """Loss and logits (batch, 1)."""
        logits = self.network.margin(input_ids, attention_mask.sum(1))[:, None]
        loss = functional.binary_cross_entropy_with_logits(logits, labels)
        return {"loss": loss, "logits": logits}


def our_network(arch: Architecture, weights: Weights) -> Student:
    """`Network` with a learner's weights."""
    model = NetworkForClassification(_NetworkConfig(arch.as_dict()))
    model.network.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in weights.items()})
    return Student(model, lambda: _arrays(model.network.state_dict()))


def stock_gpt2(arch: Architecture, weights: Weights) -> Student:
    """GPT-2 that computes the same function of the same weights; its head has no bias."""
    config = GPT2Config(
        vocab_size=arch.vocabulary,
        n_positions=arch.context,
        n_embd=arch.width,
        n_layer=arch.layers,
        n_head=arch.heads,
        activation_function="relu",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        num_labels=1,
        problem_type="multi_label_classification",
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=None,
        use_cache=False,
    )
    model, names = GPT2ForSequenceClassification(config), _names(arch.layers)
    state = {name: torch.zeros_like(value) for name, value in model.state_dict().items()}
    for ours, theirs in names.items():
        state[theirs] = _turned(ours, torch.from_numpy(weights[ours]))
    model.load_state_dict(state)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in names.values())

    def back() -> Weights:
        now = model.state_dict()
        ours = {k: _turned(k, now[theirs]) for k, theirs in names.items()}
        return _arrays(ours | {"head.bias": torch.zeros(1)})

    return Student(model, back)


def _names(layers: int) -> dict[str, str]:
    """Our name of each parameter → GPT-2's."""
    names = {
        "tokens.weight": "transformer.wte.weight",
        "positions.weight": "transformer.wpe.weight",
        "norm.weight": "transformer.ln_f.weight",
        "norm.bias": "transformer.ln_f.bias",
        "head.weight": "score.weight",
    }
    for i in range(layers):
        ours, theirs = f"blocks.{i}.", f"transformer.h.{i}."
        names |= {f"{ours}{a}.weight": f"{theirs}{b}.weight" for a, b in LAYERS + NORMS}
        names |= {f"{ours}{a}.bias": f"{theirs}{b}.bias" for a, b in NORMS}
    return names


def _turned(name: str, value: Tensor) -> Tensor:
    """GPT-2 keeps the weights of its blocks' linear layers transposed."""
    linear = any(name.endswith(f".{ours}.weight") for ours, _ in LAYERS)
    return value.t().contiguous() if linear else value


def _arrays(state: Mapping[str, Tensor]) -> Weights:
    return {name: value.detach().numpy().copy() for name, value in state.items()}


def collate(examples: list[Example]) -> Batch:
    """Pad to the longest row of the batch."""
    rows = [example["input_ids"] for example in examples]
    longest = max(map(len, rows))
    return {
        "input_ids": torch.tensor([row + [0] * (longest - len(row)) for row in rows]),
        "attention_mask": torch.tensor([[1] * len(r) + [0] * (longest - len(r)) for r in rows]),
        "labels": torch.tensor([[example["labels"]] for example in examples]),
    }


def train(student: Student, examples: list[Example], plan: Plan, seed: int, sampling: str) -> None:
    """Fit as `plan` says; `sampling` is Trainer's `train_sampling_strategy`."""
    with tempfile.TemporaryDirectory(prefix="aar-bench-") as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            num_train_epochs=plan.epochs,
            per_device_train_batch_size=plan.batch,
            warmup_steps=plan.warmup,
            lr_scheduler_type="linear",
            max_grad_norm=1.0,
            train_sampling_strategy=sampling,
            dataloader_num_workers=0,
            dataloader_pin_memory=False,
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            seed=seed,
        )
        trainer = Trainer(
            model=student.model,
            args=arguments,
            data_collator=collate,
            train_dataset=examples,
            optimizers=(_optimiser(student.model, plan), None),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()


def _optimiser(model: PreTrainedModel, plan: Plan) -> torch.optim.AdamW:
    """Trainer's default, fused, with another rate for the head."""
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    heads = [p for n, p in named if n in HEAD]
    bodies = [p for n, p in named if n not in HEAD]
    return torch.optim.AdamW(
        [{"params": bodies}, {"params": heads, "lr": plan.rate * plan.head}],
        lr=plan.rate,
        betas=(0.9, 0.98),
        eps=1e-8,
        weight_decay=0.0,
        fused=True,
    )
