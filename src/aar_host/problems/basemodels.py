"""Base models: those that are shipped, and pretraining others, each with its model card.

Where a world or a problem of one's own ships none, they are pretrained at first use and kept.
"""

from __future__ import annotations

import inspect
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from aar_host.folders import put
from aar_host.problems.base import ProblemSource
from aar_lab.digest import digest_bytes, digest_json
from aar_lab.errors import UnknownName
from aar_lab.learners import batching, model, pretraining
from aar_lab.learners.gpt import write_weights
from aar_lab.learners.machine import library_versions
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
differ in rounding. No use outside this problem is intended; what its corpus holds is said where the
problem is described.
"""


Progress = Callable[[str, int, int], None]


def code_of_problems(source: ProblemSource) -> str:
    """Digest of the code that data and corpora come from: what other code makes is other data."""
    own = Path(inspect.getfile(type(source)))
    files = sorted({*Path(__file__).parent.glob("*.py"), own})
    return digest_json([digest_bytes(path.read_bytes()) for path in files])


def _code_of_pretraining() -> str:
    """Digest of the code that turns a corpus into weights."""
    files = [Path(inspect.getfile(module)) for module in (pretraining, model, batching)]
    return digest_json([digest_bytes(path.read_bytes()) for path in files])


def base_model(source: ProblemSource, student: str, root: Path, progress: Progress) -> Path:
    """Where the pretrained weights of a base model lie: as shipped, or below `root`, made if they
    are not there yet. `UnknownName` if the problem has no such base model."""
    shipped = source.base_weights(student)
    if shipped is not None and shipped.exists():
        return shipped
    problem, settings = source.public(), source.pretraining.get(student)
    content = [problem.as_dict(), student, settings and asdict(settings), source.pretraining_seed]
    key = digest_json(
        [*content, code_of_problems(source), _code_of_pretraining(), library_versions()]
    )
    folder = root / "base-models" / f"{problem.name}-{problem.version}-{key[:16]}"
    if not folder.exists():
        of = settings.tokens if settings else 0
        name = f"pretraining {problem.name} {problem.version} {student}, tokens"

        def seen(tokens: int, loss: float) -> None:
            progress(name, tokens, of)

        put(folder, lambda draft: build_base_model(source, student, draft, seen))
    return folder / f"{student}.safetensors"


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
