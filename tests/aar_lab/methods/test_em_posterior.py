"""Noise rates by marginal likelihood, and the posterior on planted data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad
from tests.aar_lab.methods.recorder import INPUTS, WEAK, recorded

from aar_lab.errors import EmptySelection
from aar_lab.methods import em_posterior
from aar_lab.methods.base import Rng
from aar_lab.types import FloatArray, WeakLabels

ARGS = em_posterior.Args()
SIZE = 2000


def rng() -> Rng:
    return np.random.default_rng(0)


def planted(right: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Truth, weak labels of which a share is right, and three margins that mostly are: a mean of
    standard deviation 1 about ±1, each with noise of its own."""
    draw = np.random.default_rng(1)
    truth = (draw.random(SIZE) < 0.5).astype(float)
    correct = draw.random(SIZE) < right
    weak = np.where((truth == 1) == correct, 0.75, 0.25)
    margins = 2 * truth - 1 + draw.normal(size=SIZE) + 0.3 * draw.normal(size=(3, SIZE))
    return truth, weak, margins


def accuracy(probs: FloatArray, truth: FloatArray) -> float:
    return float(((probs > 0.5) == (truth == 1)).mean())


@given(st.integers(0, 10_000))
def test_the_gradient_is_that_of_the_likelihood(seed: int) -> None:
    draw = np.random.default_rng(seed)
    given_ = (draw.normal(size=(9, 3)), draw.random(9), draw.integers(0, 2, 9).astype(float), 0.5)
    error = check_grad(
        lambda found: em_posterior.surprise(found, *given_)[0],
        lambda found: em_posterior.surprise(found, *given_)[1],
        0.5 * draw.normal(size=6),
    )
    assert error < 1e-5


@given(st.integers(0, 10_000))
def test_a_label_is_always_likelier_where_it_is_true(seed: int) -> None:
    draw = np.random.default_rng(seed)
    tpr, fpr = em_posterior.rates(draw.normal(size=8), draw.normal(size=(20, 4)))
    assert (tpr > fpr).all()


def test_the_posterior_is_truer_than_prior_and_label() -> None:
    truth, weak, margins = planted(right=0.75)
    found = accuracy(em_posterior.posterior(weak, margins, ARGS), truth)
    assert found > accuracy(margins.mean(axis=0) + 0.5, truth)
    assert found > accuracy(weak, truth)


def test_labels_move_the_prior_by_what_they_mean() -> None:
    kept = []
    for right in (0.5, 0.6, 0.75, 0.9):
        _, weak, margins = planted(right)
        found, mean = em_posterior.posterior(weak, margins, ARGS), margins.mean(axis=0)
        kept.append(((found > 0.5) == (mean > np.median(mean))).mean())
    assert kept[0] > 0.9, "labels that mean nothing"
    assert kept == sorted(kept, reverse=True)


def test_learnt_rates_are_those_that_were_planted() -> None:
    _, weak, margins = planted(right=0.75)
    clear = replace(ARGS, slope=2.0)
    odds = np.log(em_posterior.posterior(weak, margins, clear))
    odds -= np.log1p(-np.exp(odds))
    mean = margins.mean(axis=0)
    shift = odds - 2.0 * (mean - np.median(mean)) / mean.std()
    assert shift[weak > 0.5].mean() == pytest.approx(np.log(3), abs=0.5), "0.75 against 0.25"
    assert shift[weak < 0.5].mean() == pytest.approx(-np.log(3), abs=0.5)


def test_a_temper_below_one_makes_it_less_sure_of_the_same() -> None:
    _, weak, margins = planted(right=0.75)
    found = em_posterior.posterior(weak, margins, ARGS)
    tempered = em_posterior.posterior(weak, margins, replace(ARGS, temper=0.5))
    assert np.array_equal(tempered > 0.5, found > 0.5)
    assert (np.abs(tempered - 0.5) <= np.abs(found - 0.5)).all()


def test_features_are_standardised_and_one_template_gives_no_spread() -> None:
    z = em_posterior.features(np.array([0.1, 0.2, 0.3]), np.array([[1.0, -1.0, 3.0]]))
    assert z[:, 0] == pytest.approx([-(1.5**0.5), 0, 1.5**0.5])
    assert z[:, 2].tolist() == z[:, 3].tolist() == [0, 0, 0]
    assert z[:, 4].tolist() == [1, 1, 1]


@pytest.mark.parametrize("rounds", [1, 3])
def test_each_round_fits_a_fresh_student_and_the_next_reads_it_in_both_orders(rounds: int) -> None:
    task, made = recorded()
    em_posterior.train(task, rng(), replace(ARGS, rounds=rounds))
    assert [len(learner.fits) for learner in made] == [1] * rounds
    assert [len(learner.shown) for learner in made] == [2] * (rounds - 1) + [0]


def test_labels_of_one_class_tell_no_rates() -> None:
    weak = WeakLabels(INPUTS.ids, np.maximum(WEAK.probs, 1 - WEAK.probs))
    with pytest.raises(EmptySelection, match="all of one class"):
        em_posterior.train(recorded(weak)[0], rng())
