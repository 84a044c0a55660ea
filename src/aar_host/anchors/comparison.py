"""Methods side by side on one problem: the table of `aar baselines` and `aar transfer`.

Every method is measured against two ceilings: the plain one, and the one that spends what the
method spends (`Match`), since an ensemble against a single run flatters the ensemble.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from aar_host.anchors.experiments import PART, Bench, ExperimentConfig, run_experiments
from aar_host.anchors.references import train_matched_ceilings
from aar_host.anchors.students import PLAIN, Match
from aar_host.scoring import (
    AnchorPredictions,
    Score,
    SeedResult,
    accuracies,
    estimate_as_dict,
    score_part,
)
from aar_lab.errors import Undefined
from aar_lab.methods import get_method
from aar_lab.metrics import (
    Outcomes,
    best_of_k_bias,
    bootstrap_interval,
    correct,
    holm,
    minimum_detectable,
    reference,
)
from aar_lab.metrics import compare as against
from aar_lab.types import FloatArray, JobStatus, Predictions, Recipe

NAIVE = "naive"
COLUMNS = (
    "accuracy accuracies recipe pgr bootstrap seed_sd shifted_pgr ceiling_matched pgr_matched "
    "gain gain_se p p_holm detectable"
).split()
Progress = Callable[[str, int, int], None]


def compare(
    bench: Bench, methods: Sequence[str], seeds: int, workers: int, progress: Progress
) -> dict[str, Any]:
    """Run methods on the first `seeds` weak seeds, and what they are measured against.

    Returns, as JSON: weak and ceiling with n, mean, se; `n_items`, `n_problems`;
    `best_of_methods`, by how much the best of so many methods would seem better than naive if none
    were; and for each method, in the order given, its row: accuracy, PGR with interval against
    either ceiling and the two-way bootstrap's, gain over naive with interval, standard error,
    p-value, Holm's p-value and the gain that would have been detected with power 0.8, PGR out of
    distribution, seconds a seed; or the error on which it failed.
    """
    names = list(dict.fromkeys((NAIVE, *methods)))
    planned = {name: bench.methods(name, range(seeds)) for name in names}
    weak, plain = bench.weak(range(seeds)), bench.ceilings(PLAIN)
    run_experiments(bench, [*weak, *plain, *chain(*planned.values())], workers, progress)
    matches = {name: _match(bench, name, configs[0]) for name, configs in planned.items()}
    others = {match for match in matches.values() if match is not None} - {PLAIN}
    train_matched_ceilings(bench.anchors, others, workers, progress)
    extra = {match: bench.ceilings(match) for match in others}
    run_experiments(bench, [*chain(*extra.values())], workers, progress)
    table = _Table(bench, weak, {PLAIN: plain, **extra}, planned[NAIVE])
    rows = [table.row(name, planned[name], matches[name]) for name in methods]
    _correct(rows)
    luck = _best_by_luck(rows)
    return {**table.references(), "seeds": seeds, "best_of_methods": luck, "methods": rows}


def _match(bench: Bench, name: str, config: ExperimentConfig) -> Match | None:
    record, method = bench.record(config), get_method(name)
    if record.recipe is None:
        return None
    return Match.of(Recipe.from_dict(record.recipe), method.effort(method.args()))


class _Table:
    def __init__(
        self,
        bench: Bench,
        weak: Sequence[ExperimentConfig],
        ceilings: Mapping[Match, Sequence[ExperimentConfig]],
        naive: Sequence[ExperimentConfig],
    ) -> None:
        self._bench, self._naive = bench, self._results(bench, naive)
        self._labels = bench.tests.vault.read(PART)
        self._clusters = self._labels.clusters[~self._labels.shifted]
        self._weak = _predictions(self._results(bench, weak))
        self._ceilings = {
            match: _predictions(self._results(bench, configs))
            for match, configs in ceilings.items()
        }
        self._plain = self._ceilings[PLAIN]

    @staticmethod
    def _results(bench: Bench, configs: Sequence[ExperimentConfig]) -> list[SeedResult]:
        return [bench.result(config) for config in configs]

    def _score(self, name: str, results: Sequence[SeedResult], match: Match) -> Score:
        return score_part(name, results, self._anchors(match), self._bench.tests, PART)

    def _anchors(self, match: Match) -> AnchorPredictions:
        version = self._bench.anchors.version
        return AnchorPredictions(version, self._weak, self._ceilings[match])

    def references(self) -> dict[str, Any]:
        """Accuracy of weak supervisors and plain ceilings, and what it rests on."""
        found = {}
        for name, rows in (("weak", self._weak), ("ceiling", self._plain)):
            found[name] = vars(reference(accuracies(rows, self._bench.tests, PART)))
        problems = np.unique(self._clusters).size
        return {**found, "n_items": self._clusters.size, "n_problems": int(problems)}

    def row(
        self, name: str, configs: Sequence[ExperimentConfig], match: Match | None
    ) -> dict[str, Any]:
        """One method, as JSON."""
        records = [self._bench.record(config) for config in configs]
        failed = [record for record in records if record.status is not JobStatus.DONE]
        row: dict[str, Any] = dict.fromkeys(COLUMNS) | {
            "method": name,
            "family": get_method(name).family,
            "seconds": float(np.mean([record.seconds for record in records])),
            "failed_seeds": len(failed),
            "error": failed[0].error if failed else None,
        }
        if failed or match is None:
            return row
        try:
            return row | self._measured(name, configs, match)
        except Undefined as error:
            return row | {"error": error.as_dict()}

    def _measured(
        self, name: str, configs: Sequence[ExperimentConfig], match: Match
    ) -> dict[str, Any]:
        results = self._results(self._bench, configs)
        plain, outcomes = self._score(name, results, PLAIN), self._outcomes(results)
        check = bootstrap_interval(outcomes)
        found: dict[str, Any] = {
            "recipe": self._bench.record(configs[0]).recipe,
            "accuracy": vars(reference(plain.accuracy)),
            "accuracies": list(plain.accuracy),
            "pgr": estimate_as_dict(plain.pgr),
            "bootstrap": estimate_as_dict(replace(plain.pgr, interval=check, method="bootstrap")),
            "seed_sd": float(np.std(plain.accuracy, ddof=1)) / self._gap(),
            "shifted_pgr": plain.shifted_pgr and estimate_as_dict(plain.shifted_pgr),
        }
        if match != PLAIN and match in self._ceilings:
            rows = accuracies(self._ceilings[match], self._bench.tests, PART)
            found["ceiling_matched"] = vars(reference(rows))
            found["pgr_matched"] = self._against(name, results, match)
        if name != NAIVE:
            found |= self._gain(outcomes)
        return found

    def _outcomes(self, results: Sequence[SeedResult]) -> Outcomes:
        weak, ceiling = ([SeedResult(p) for p in rows] for rows in (self._weak, self._plain))
        return Outcomes(
            self._marks(weak), self._marks(ceiling), self._marks(results), self._clusters
        )

    def _gain(self, outcomes: Outcomes) -> dict[str, Any]:
        found = against(outcomes, self._marks(self._naive))
        return {
            "gain": estimate_as_dict(found.gain),
            "p": found.p_value,
            "gain_se": found.error,
            "detectable": minimum_detectable(found.error, found.freedom),
        }

    def _marks(self, results: Sequence[SeedResult]) -> FloatArray:
        """Correctness on in-distribution items, shape (seeds, n)."""
        labels = self._labels
        return np.stack(
            [correct(r.predictions.aligned(labels.ids), labels.truth, r.threshold) for r in results]
        )[:, ~labels.shifted]

    def _gap(self) -> float:
        means = (
            np.mean(accuracies(rows, self._bench.tests, PART)) for rows in (self._plain, self._weak)
        )
        ceiling, weak = means
        return float(ceiling - weak)

    def _against(
        self, name: str, results: Sequence[SeedResult], match: Match
    ) -> dict[str, Any] | None:
        """PGR against a matched ceiling; None where that lies not measurably above the weak."""
        try:
            return estimate_as_dict(self._score(name, results, match).pgr)
        except Undefined:
            return None


def _predictions(results: Sequence[SeedResult]) -> tuple[Predictions, ...]:
    return tuple(result.predictions for result in results)


def _correct(rows: Sequence[dict[str, Any]]) -> None:
    """Add Holm's p-values over the rows that have one."""
    compared = [row for row in rows if row["p"] is not None]
    for row, p in zip(compared, holm([row["p"] for row in compared]), strict=True):
        row["p_holm"] = float(p)


def _best_by_luck(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """The gain that the best of the compared methods would show if none had any."""
    errors = [row["gain_se"] for row in rows if row["gain_se"] is not None]
    return best_of_k_bias(float(np.median(errors)), len(errors)) if errors else None
