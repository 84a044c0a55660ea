"""What is left of a finalist's score when the others are given the help that it gave itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from aar_host.anchors.references import matched_ceilings, train_matched_ceilings
from aar_host.anchors.students import PLAIN, Match
from aar_host.fleet.campaign import Campaign
from aar_host.jobs.grounds import NAIVE_BOTH
from aar_host.problems.prepare import test_inputs
from aar_host.scoring import SeedResult, score_part
from aar_host.settings import number
from aar_host.store.predictions import Predicted, predictions_of
from aar_host.store.scores import Entry
from aar_lab.errors import Undefined
from aar_lab.types import Estimate, Recipe


class Stricter:
    """Stricter comparisons of one finalist on the sealed part.

    Its passes over the data are not known to the host, so the matched ceilings make the usual ones.
    """

    def __init__(self, campaign: Campaign, entry: Entry) -> None:
        self._campaign, self._entry = campaign, entry
        self._tier = campaign.final_tier
        self._inputs = test_inputs(campaign.grounds.tests, self._tier)
        self._anchors = campaign.grounds.anchor_predictions(self._tier)

    @cached_property
    def _predicted(self) -> Sequence[Predicted]:
        store, submission = self._campaign.store, self._entry.submission
        return list(predictions_of(store, submission, self._tier, self._inputs.ids).values())

    @property
    def _results(self) -> list[SeedResult]:
        found = [SeedResult(p.predictions, p.recipe.threshold) for p in self._predicted]
        # Predictions that were handed in are one set for all weak seeds.
        return found * len(self._anchors.weak) if len(found) == 1 else found

    def gain(self) -> Estimate | None:
        """The gain over naive read in both orders of a pair, paired as the usual one; None where
        an example has no alternatives, or the gap is not measurably above zero."""
        if not self._campaign.grounds.bundle.problem.formats.swap:
            return None
        naive = self._campaign.grounds.baseline_predictions(self._tier, NAIVE_BOTH)
        anchors = replace(self._anchors, naive=naive)
        tests, name = self._campaign.grounds.tests, self._entry.submission
        try:
            return score_part(name, self._results, anchors, tests, self._tier).gain_over_naive
        except Undefined:
            return None

    def pgr(self) -> Estimate | None:
        """PGR against ceilings with the same members and views; None where it is the usual PGR,
        and where those ceilings lie not measurably above the weak supervisors."""
        recipe = self._predicted[0].recipe
        return pgr_matched(self._campaign, self._entry.submission, self._results, recipe)


def pgr_matched(
    campaign: Campaign, name: str, results: Sequence[SeedResult], recipe: Recipe
) -> Estimate | None:
    """PGR against ceilings that are read by a recipe; None as in `Stricter.pgr`."""
    match = Match.of(recipe, PLAIN.effort)
    if match == PLAIN:
        return None
    tests, tier = campaign.grounds.tests, campaign.final_tier
    inputs = test_inputs(tests, tier)
    train_matched_ceilings(
        campaign.anchors, [match], number("workers"), lambda name, done, of: None
    )
    ceiling = matched_ceilings(campaign.anchors, match, inputs)
    anchors = replace(campaign.grounds.anchor_predictions(tier), ceiling=ceiling)
    try:
        return score_part(name, results, anchors, tests, tier).pgr
    except Undefined:
        return None
