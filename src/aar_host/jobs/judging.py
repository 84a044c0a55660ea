"""Predictions that are handed in: read against the ids of the test items, and scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import Any

from aar_host.feedback import honeylabels, noise_of
from aar_host.jobs.grounds import Grounds
from aar_host.problems.prepare import test_inputs
from aar_host.scoring import ClaimScorer, Honey, no_honey
from aar_host.store import Store, Tier
from aar_host.store.claims import unjudged
from aar_host.store.predictions import predictions_of
from aar_host.store.scores import record_score, scores_of
from aar_host.store.submissions import Submission, get_submission
from aar_lab.errors import BadIds, Conflict, Undefined
from aar_lab.types import Inputs, JobStatus, Predictions, check_probabilities


class Judge:
    """Scores the predictions of one campaign, in the process that takes them.

    Everything about a submission is validated before the first label is read, and what is done
    with labels takes the same steps whatever they are.
    """

    def __init__(self, store: Store, grounds: Grounds) -> None:
        self._store, self._grounds = store, grounds
        self._policy = grounds.policy
        self._scorers: dict[Tier, ClaimScorer] = {}

    @cached_property
    def inputs(self) -> Inputs:
        """All test inputs in an order that tells nothing of the parts."""
        parts = [test_inputs(self._grounds.tests, tier) for tier in self._grounds.tiers]
        rows = {name: row for part in parts for name, row in zip(part.ids, part.data, strict=True)}
        ids = tuple(sorted(rows))
        return Inputs(ids, tuple(rows[name] for name in ids))

    @cached_property
    def _ids(self) -> Mapping[Tier, tuple[str, ...]]:
        tests, tiers = self._grounds.tests, self._grounds.tiers
        return {tier: tuple(sorted(test_inputs(tests, tier).ids)) for tier in tiers}

    def read(self, rows: Mapping[str, float]) -> Mapping[Tier, Predictions]:
        """The predictions of every part, each with its ids sorted.

        Raises:
            BadIds: an id is missing, or belongs to no test item.
            BadProbabilities: a value is not in [0, 1].
        """
        check_complete(rows, self.inputs.ids)
        check_probabilities(list(rows.values()), len(rows))
        return {
            tier: Predictions(ids, check_probabilities([rows[name] for name in ids], len(ids)))
            for tier, ids in self._ids.items()
        }

    def judge(self, submission: str) -> None:
        """Score a submission on the answering part, or give it the answer of an earlier one.

        Asking again changes nothing.
        """
        found = get_submission(self._store, submission)
        if found.status is not JobStatus.QUEUED:
            return
        if found.answers_as is None:
            body = self.score(found, Tier.PUBLIC)
        else:
            self.judge(found.answers_as)
            body = dict(scores_of(self._store, [found.answers_as])[found.answers_as])
        with suppress(Conflict):
            record_score(self._store, submission, Tier.PUBLIC, body)

    def open(self, submission: str) -> None:
        """Score a finalist on the sealed part; its predictions there were handed in with it."""
        body = self.score(get_submission(self._store, submission), Tier.SEALED)
        with suppress(Conflict):
            record_score(self._store, submission, Tier.SEALED, body)

    def recompute(self, submission: str, tier: Tier) -> dict[str, Any]:
        """The score that a submission must have: its own, or that of the one it answers as."""
        found = get_submission(self._store, submission)
        while tier is Tier.PUBLIC and found.answers_as is not None:
            found = get_submission(self._store, found.answers_as)
        return self.score(found, tier)

    @property
    def honeylabels(self) -> list[str]:
        """Ids of the honeylabels; for the operator alone."""
        return sorted(self._scorer(Tier.PUBLIC).honey)

    def on_honey(self, submission: str) -> Honey:
        """How a submission of predictions fares on the honeylabels; for the operator alone."""
        stored = predictions_of(self._store, submission, Tier.PUBLIC, self._ids[Tier.PUBLIC])
        return self._scorer(Tier.PUBLIC).on_honey(stored[0].predictions)

    def settle(self, campaign: str) -> None:
        """Judge what was accepted and not judged, because the server died in between."""
        for submission in unjudged(self._store, campaign):
            self.judge(submission)

    def score(self, claim: Submission, tier: Tier) -> dict[str, Any]:
        """The score of stored predictions as JSON; with noise, if the policy adds some."""
        found = predictions_of(self._store, claim.id, tier, self._ids[tier])[0].predictions
        scorer = self._scorer(tier)
        try:
            body = scorer.score(claim.id, found).as_dict()
        except Undefined as error:
            told = error.as_dict()
            return {"submission": claim.id, "part": tier.value, "pgr": None, "error": told}
        if self._policy.noise and tier is Tier.PUBLIC:
            noise = noise_of(self._policy, self._grounds.secret, claim.content)
            body["noise"] = noise / scorer.gap
        return body

    def _scorer(self, tier: Tier) -> ClaimScorer:
        if tier not in self._scorers:
            honey = partial(honeylabels, self._policy, self._grounds.secret)
            anchors = self._grounds.anchor_predictions(tier)
            choose = honey if tier is Tier.PUBLIC else no_honey
            self._scorers[tier] = ClaimScorer(self._grounds.tests, tier, anchors, choose)
        return self._scorers[tier]


def check_complete(rows: Mapping[str, float], ids: Sequence[str]) -> None:
    """`BadIds` unless exactly the given ids are there."""
    known = set(ids)
    unknown = next((name for name in rows if name not in known), None)
    if unknown is not None:
        raise BadIds(f"{unknown!r:.80}", "no test item has this id", "Take ids from the inputs.")
    missing = next((name for name in ids if name not in rows), None)
    if missing is not None:
        raise BadIds(
            f"{len(ids) - len(rows)} ids",
            f"no prediction for them; the first is {missing}",
            "Predict every test item once.",
        )
