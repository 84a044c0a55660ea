"""The curriculum: who comes first, and that one student sees both parts."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aar_lab.methods.recorder import INPUTS, WEAK, recorded

from aar_lab.methods import mdl_curriculum
from aar_lab.methods.base import Effort


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_the_surest_share_comes_first_and_then_all_at_a_lower_rate(share: float) -> None:
    task, made = recorded()
    mdl_curriculum.train(task, np.random.default_rng(0), mdl_curriculum.Args(share=share))
    (learner,) = made
    (first, targets, start), (second, _, then) = learner.fits
    confidence = dict(zip(INPUTS.ids, np.abs(WEAK.probs - 0.5), strict=True))
    inside = [confidence[name] for name in first.ids]
    outside = [confidence[name] for name in INPUTS.ids if name not in set(first.ids)]
    assert len(inside) == share * len(INPUTS)
    assert min(inside) >= max(outside, default=0.0)
    assert (
        dict(zip(first.ids, targets, strict=True)).items()
        <= dict(zip(WEAK.ids, WEAK.probs, strict=True)).items()
    )
    assert second is INPUTS
    assert (start.epochs, then.epochs) == (2, 3)
    assert then.rate == 0.5 * start.rate


def test_its_effort_counts_both_fits() -> None:
    args = mdl_curriculum.Args(first_epochs=4, epochs=5)
    assert mdl_curriculum.effort(args) == Effort(9)
