"""Base models: what is shipped is what its card says, and a command makes it again."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from tests import tiny
from tests.tiny_source import TinySource

from aar_host.problems import basemodels
from aar_host.problems.base import Draw
from aar_host.problems.basemodels import build_base_model
from aar_host.problems.registry import PROBLEMS, get_problem
from aar_lab.digest import digest_bytes
from aar_lab.errors import UnknownName
from aar_lab.learners.gpt import Gpt, read_weights
from aar_lab.learners.model import Architecture
from aar_lab.problems.rows import RowWriter

WEIGHTS = Path(basemodels.__file__).parent / "weights"
SHIPPED = sorted((path.parent.name, path.stem) for path in WEIGHTS.glob("*/*.safetensors"))


def card_rows(card: Path) -> dict[str, str]:
    found = re.findall(r"^\| (.+?) \| (.+) \|$", card.read_text(), re.MULTILINE)
    return {name: value for name, value in found if name != " "}


def test_the_students_of_every_problem_are_shipped() -> None:
    assert sorted(product(PROBLEMS, "SML")) == SHIPPED


@pytest.mark.parametrize(("problem", "student"), SHIPPED)
def test_a_shipped_model_is_what_its_card_says(problem: str, student: str) -> None:
    source = get_problem(problem)
    path = source.base_weights(student)
    assert path == WEIGHTS / problem / f"{student}.safetensors"
    card, content, weights = path.with_suffix(".md"), path.read_bytes(), read_weights(path)
    rows = card_rows(card)
    assert f"{problem} ({source.public().version})" in card.read_text()
    assert rows["command"] == f"`aar pretrain {problem} --student {student}`"
    assert rows["seed"] == str(source.pretraining_seed)
    assert f"{len(content):,} bytes" in rows["file"]
    assert digest_bytes(content) in rows["file"]
    shape = source.public().students[student]
    parameters = sum(value.size for value in weights.values())
    described = ", ".join(f"{name} {value}" for name, value in shape.items())
    assert rows["parameters"] == f"{parameters:,} ({described})"
    wanted = source.pretraining[student].tokens
    assert wanted <= int(rows["tokens seen"].replace(",", "")) < 1.01 * wanted
    assert len(content) < 2 * 2**20


@pytest.mark.parametrize(("problem", "student"), [pair for pair in SHIPPED if pair[1] in "ML"])
def test_a_shipped_student_knows_more_than_chance_but_was_never_told(
    problem: str, student: str
) -> None:
    source = get_problem(problem)
    public = source.public()
    arch = Architecture(**public.students[student])
    weights = read_weights(WEIGHTS / problem / f"{student}.safetensors")
    learner = Gpt(arch, weights, RowWriter(public))
    inputs, labels = source.draw(Draw(seed=8, purpose="knowledge", problems=80, pairs=5))
    assert np.mean((learner.zero_shot(inputs) > 0) == labels.truth) > 0.6
    assert learner.predict(inputs).tolist() == [0.5] * len(inputs)


# --- pretraining ------------------------------------------------------------------------------


def test_pretraining_is_reproducible_and_lowers_the_loss(tmp_path: Path) -> None:
    source, losses = TinySource(tmp_path), []

    def note(tokens: int, loss: float) -> None:
        losses.append((tokens, loss))

    found = build_base_model(source, "S", tmp_path / "a", note)
    build_base_model(source, "S", tmp_path / "b", lambda tokens, loss: None)
    first, second = (tmp_path / name / "S.safetensors" for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert losses[-1][0] == found.tokens >= source.pretraining["S"].tokens
    assert found.loss < 0.8 * losses[0][1]


def test_a_new_model_fits_its_learner_and_comes_with_its_card(tmp_path: Path) -> None:
    found = build_base_model(TinySource(tmp_path), "S", tmp_path / "out", lambda t, loss: None)
    path = tmp_path / "out" / "S.safetensors"
    assert not any(name.startswith("head") for name in found.weights)
    learner = Gpt(tiny.ARCH, read_weights(path), RowWriter(tiny.PROBLEM))
    assert np.isfinite(learner.zero_shot(tiny.examples(5)[0])).all()
    rows = card_rows(path.with_suffix(".md"))
    assert digest_bytes(path.read_bytes()) in rows["file"]
    assert rows["tokens seen"] == f"{found.tokens:,}"
    assert rows["loss, mean over the last 5 %"].startswith(f"{found.loss:.4f} ")
    assert "It is the strong student" in path.with_suffix(".md").read_text()


def test_a_model_that_the_problem_has_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="X: tiny has no such base model"):
        build_base_model(TinySource(tmp_path), "X", tmp_path, lambda tokens, loss: None)
