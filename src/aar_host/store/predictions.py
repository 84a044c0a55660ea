"""Predictions of a student, stored by example id: in the order of the sorted ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, insert, select

from aar_host.store.database import Store
from aar_host.store.schema import Tier, predictions
from aar_lab.digest import digest_bytes, digest_json
from aar_lab.errors import Corrupt
from aar_lab.types import Predictions, Recipe


@dataclass(frozen=True)
class Predicted:
    """What a student predicts, and the recipe by which it was read."""

    predictions: Predictions
    recipe: Recipe


def insert_predictions(
    connection: Connection, key: tuple[str, Tier, int], predicted: Predicted
) -> str:
    """Store within a transaction under (submission, tier, seed index); return their digest."""
    submission, tier, seed = key
    ids = sorted(predicted.predictions.ids)
    probs = _packed(predicted.predictions, ids)
    connection.execute(
        insert(predictions).values(
            submission=submission,
            tier=tier,
            seed_index=seed,
            ids_digest=digest_json(ids),
            probs=probs,
            recipe=predicted.recipe.as_dict(),
        )
    )
    return digest_bytes(probs)


def content_of(parts: Mapping[Tier, Predictions]) -> str:
    """Digest of predictions, whatever the order in which they were handed in."""
    found = {}
    for tier, part in parts.items():
        ids = sorted(part.ids)
        found[tier.value] = [digest_json(ids), digest_bytes(_packed(part, ids))]
    return digest_json(found)


def _packed(part: Predictions, ids: Sequence[str]) -> bytes:
    return part.aligned(ids).astype("<f8").tobytes()


def predictions_of(
    store: Store, submission: str, tier: Tier, ids: Sequence[str]
) -> dict[int, Predicted]:
    """The predictions of a submission by seed index.

    Args:
        ids: the example ids that were predicted, in any order; the store keeps only their digest.

    Raises:
        Corrupt: the stored predictions are of other ids.
    """
    names = sorted(ids)
    expected = digest_json(names)
    query = select(predictions).where(
        predictions.c.submission == submission, predictions.c.tier == tier
    )
    found = {}
    with store.reading() as connection:
        for row in connection.execute(query.order_by(predictions.c.seed_index)):
            probs = np.frombuffer(row.probs, dtype="<f8")
            if row.ids_digest != expected or len(probs) != len(names):
                raise Corrupt(
                    f"predictions of {submission}, seed {row.seed_index}",
                    "they belong to other examples than the given ones",
                    "Use the data that the campaign was started with.",
                )
            found[row.seed_index] = Predicted(
                Predictions(tuple(names), probs), Recipe.from_dict(row.recipe)
            )
    return found
