"""Pretraining the base models that the package ships, each with its model card."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

from aar_host.problems.base import ProblemSource
from aar_lab.digest import digest_bytes
from aar_lab.errors import UnknownName
from aar_lab.learners.gpt import write_weights
from aar_lab.learners.model import Architecture
from aar_lab.learners.pretraining import Pretrained, pretrain

CARD = """# {problem} base model {student}

A causal language model for one synthetic world. It was pretrained from nothing on the unlabelled
procedural corpus of {problem} ({version}), and on nothing else. It is the {role} of the problem.

| | |
|---|---|
| command | `aar pretrain {problem} --student {student}` |
| seed | {seed} |
| parameters | {parameters:,} ({shape}) |
| tokens seen | {tokens:,} |
| loss, mean over the last 5 % | {loss:.4f} nats per token |
| file | {student}.safetensors, {size:,} bytes, SHA-256 {digest} |
| trained on | {machine}, one thread |

The same command gives the same weights on the same machine with the same torch; elsewhere they
differ in rounding. The corpus holds facts, users' reactions to single replies (noisy, and biased
towards one source and against another) and pairs of replies without a verdict. It never says which
of two replies is better. No use outside this problem is intended.
"""


def build_base_model(
    source: ProblemSource, student: str, directory: Path, progress: Callable[[int, float], None]
) -> Pretrained:
    """Pretrain one base model and write DIRECTORY/STUDENT.safetensors and STUDENT.md.

    `UnknownName` if the problem has no such base model.
    """
    problem = source.public()
    if student not in source.pretraining:
        known = ", ".join(source.pretraining)
        raise UnknownName(student, f"{source.name} has no such base model", f"Known are: {known}.")
    arch = Architecture(**problem.students[student])
    settings = source.pretraining[student]
    found = pretrain(
        arch,
        lambda chunk: source.corpus(student, chunk),
        settings,
        source.pretraining_seed,
        progress,
    )
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{student}.safetensors"
    write_weights(path, found.weights)
    (directory / f"{student}.md").write_text(_card(source, student, found, path))
    return found


def _card(source: ProblemSource, student: str, found: Pretrained, path: Path) -> str:
    problem, content = source.public(), path.read_bytes()
    return CARD.format(
        problem=source.name,
        version=problem.version,
        student=student,
        role=problem.roles[0] if student == source.weak else problem.roles[1],
        seed=source.pretraining_seed,
        parameters=sum(value.size for value in found.weights.values()),
        shape=", ".join(f"{k} {v}" for k, v in problem.students[student].items()),
        tokens=found.tokens,
        loss=found.loss,
        size=len(content),
        digest=digest_bytes(content),
        machine=platform.machine(),
    )
