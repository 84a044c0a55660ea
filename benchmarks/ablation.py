"""`python benchmarks/ablation.py PROBLEM`: what the students know if nobody ever reacted.

Pretrains the strong student on the problem's corpus without any reaction, and fits it, the shipped
one and one that was not pretrained to the truth of the same examples. Takes minutes; one document.
"""

from __future__ import annotations

import json
import sys

import numpy as np

from aar_host.problems.base import Draw
from aar_host.problems.pairs import PairProblem
from aar_host.problems.registry import get_problem
from aar_lab.learners.gpt import Gpt, read_weights
from aar_lab.learners.machine import use_one_thread
from aar_lab.learners.model import Architecture
from aar_lab.learners.pretraining import Pretraining, pretrain
from aar_lab.problems.rows import RowWriter
from aar_lab.problems.tokens import Tokeniser
from aar_lab.types import Weights

SEEDS = 3
TEST_PROBLEMS = 400


def without_reactions(source: PairProblem, settings: Pretraining) -> Weights:
    """Weights of the strong student after the same number of tokens without reactions."""
    tokens = Tokeniser(source.vocabulary)
    arch = Architecture(**source.public().students[source.strong])
    return pretrain(
        arch,
        lambda chunk: [tokens.encode(text) for text in source.documents(chunk, reacts=False)],
        settings,
        source.pretraining_seed,
    ).weights


def measure(source: PairProblem, base: Weights) -> dict[str, float]:
    """Accuracy after a fit to the truth, mean and s.e. over seeds, and of the elicited prior."""
    problem, sizes = source.public(), source.sizes
    train, labels = source.draw(Draw(1, "train_unlabeled", sizes.train_unlabeled, sizes.pairs))
    test, truth = source.draw(Draw(2, "test", TEST_PROBLEMS, sizes.pairs))
    arch, found = Architecture(**problem.students[source.strong]), []
    for seed in range(SEEDS):
        student = Gpt(arch, base, RowWriter(problem))
        student.fit(train, labels.truth.astype(np.float64), np.random.default_rng(seed))
        found.append(np.mean((student.predict(test) > 0.5) == truth.truth))
    prior = Gpt(arch, base, RowWriter(problem)).zero_shot(test)
    return {
        "ceiling": float(np.mean(found)),
        "se": float(np.std(found, ddof=1) / SEEDS**0.5),
        "elicited": float(np.mean((prior > 0) == truth.truth)),
    }


def main() -> None:
    """Print one JSON document."""
    use_one_thread()
    source = get_problem(sys.argv[1])
    if not isinstance(source, PairProblem):
        sys.exit(f"{sys.argv[1]}: not a problem of pairs. Give chat-mini, math-mini or code-mini.")
    shipped = source.base_weights(source.strong)
    assert shipped is not None
    settings = source.pretraining[source.strong]
    models = {
        "shipped": read_weights(shipped),
        "without reactions": without_reactions(source, settings),
        "not pretrained": without_reactions(source, Pretraining(tokens=1)),
    }
    print(json.dumps({name: measure(source, base) for name, base in models.items()}, indent=1))


if __name__ == "__main__":
    main()
