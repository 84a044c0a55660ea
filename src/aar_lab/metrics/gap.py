"""Performance gap recovered (PGR), its interval and its bound."""

from __future__ import annotations

import math
import reprlib

import numpy as np
import numpy.typing as npt

from aar_lab.errors import BadInput, UndefinedPGR
from aar_lab.metrics.outcomes import Outcomes, check_seeds, unit_array
from aar_lab.metrics.ratio import Spread, measure, ratio_estimate
from aar_lab.types import Estimate, Reference

# Of transfer, weak and ceiling: the coefficients of transfer − weak and of ceiling − weak.
CONTRASTS = np.array([[1.0, -1.0, 0.0], [0.0, -1.0, 1.0]])

MAX_ITEMS = 10**12


def reference(accuracies: npt.ArrayLike, name: str = "accuracies") -> Reference:
    """Number, mean and standard error of the mean of accuracies over seeds, in [0, 1].

    Args:
        accuracies: shape (seeds,).
        name: what an error calls them.

    Raises:
        BadProbabilities: an accuracy is not a number in [0, 1].
        TooFewSeeds: fewer than two.
    """
    values = unit_array(accuracies, 1, name)
    check_seeds(values.size, name)
    error = float(values.std(ddof=1)) / math.sqrt(values.size)
    return Reference(n=values.size, mean=float(values.mean()), se=error)


def pgr(transfer: float, weak: float, ceiling: float) -> float:
    """Performance gap recovered, (transfer − weak) / (ceiling − weak) (Burns et al. 2023).

    0 is the weak supervisor, 1 the ceiling; neither bounds it.

    Raises:
        BadInput: an argument is not finite.
        UndefinedPGR: the ceiling does not exceed the weak accuracy.
    """
    if not all(map(math.isfinite, (transfer, weak, ceiling))):
        raise BadInput(
            f"transfer {transfer}, weak {weak}, ceiling {ceiling}",
            "an accuracy is not finite",
            "Correct it before asking for PGR.",
        )
    if ceiling <= weak:
        raise UndefinedPGR(
            f"ceiling {ceiling:.4f}, weak {weak:.4f}",
            "PGR is undefined because the ceiling does not exceed the weak accuracy",
            "Train the ceiling longer or choose a weaker supervisor, then measure the anchors.",
        )
    return (transfer - weak) / (ceiling - weak)


def pgr_estimate(outcomes: Outcomes) -> Estimate:
    """PGR of the mean accuracies with its 95 % interval over seeds and clustered items.

    With P = PGR and g = ceiling − weak, the delta method gives Var(P) = V / g², where V sums

    - var_s(t_s − (1−P) w_s) / S over paired seeds; where transfer and weak are not paired,
      var(t_s) / S_T + (1−P)² var(w_s) / S_W instead;
    - P² var(c_s) / S_C;
    - G/(G−1) Σ_clusters (Σ_items t − (1−P) w − P c)² / n², each averaged over seeds;

    and each term of seeds is less the noise peculiar to one seed on one problem, which the last
    term holds already, but never below 0. Where a role has fewer than five seeds, its noise is
    known too roughly for that and stays counted twice. In simulations (tests/aar_lab/metrics) the
    interval covers 94 to 98 % with five seeds or ten, the most where noise outweighs all else and
    problems are few; with three seeds 92 to 99 %.

    If g is less than ten standard errors, the interval is the Fieller set instead. It is unbounded
    on one side, or both, where the data exclude no slope there. Whether PGR is refused depends on
    the anchors alone, never on the transfer.

    Raises:
        UndefinedPGR: g ≤ 0 or t² var(g) ≥ g²: the gap is not measurably above zero.
    """
    rows = (outcomes.transfer, outcomes.weak, outcomes.ceiling)
    blocks = ((0, 1), (2,)) if outcomes.paired else ((0,), (1,), (2,))
    spread = measure(rows, blocks, outcomes.clusters, CONTRASTS)
    transfer, weak, ceiling = (float(row.mean()) for row in rows)
    return ratio_estimate(transfer - weak, weak, ceiling, spread)


def pgr_from_accuracies(
    weak: npt.ArrayLike, ceiling: npt.ArrayLike, transfer: npt.ArrayLike, n_items: int
) -> Estimate:
    """PGR with a conservative 95 % interval, where only accuracies are known.

    As `pgr_estimate` for unpaired seeds, with the variance over items as if the three roles were
    right independently of each other: (t(1−t) + (1−P)² w(1−w) + P² c(1−c)) / n. The coefficients
    of t, w and c sum to zero, so that the truth is less where the same items are hard for all three
    alike; and, for PGR below 1, where weak and transfer share their seeds. It would be more only if
    one role were right where the others are wrong. Each binomial is taken after two more right and
    two more wrong answers (Agresti and Coull 1998), so that an accuracy of 1 is not free of error.

    Args:
        weak, ceiling, transfer: accuracy of each seed, in [0, 1], at least two.
        n_items: independent test items that each accuracy rests on, from 2 to `MAX_ITEMS`.
            Where several items share a problem, the number of problems.

    Raises:
        BadProbabilities: an accuracy is not a number in [0, 1].
        TooFewSeeds: fewer than two seeds of a role.
        BadInput: n_items is not an integer in its range.
        UndefinedPGR: as in `pgr_estimate`.
    """
    if type(n_items) is not int or not 2 <= n_items <= MAX_ITEMS:
        raise BadInput(
            f"n_items {reprlib.repr(n_items)}",
            f"not an integer from 2 to {MAX_ITEMS}",
            "Count the test items.",
        )
    roles = {"transfer": transfer, "weak": weak, "ceiling": ceiling}
    found = [reference(values, name) for name, values in roles.items()]
    outer = np.einsum("ik,jk->kij", CONTRASTS, CONTRASTS)
    means = np.array([role.mean for role in found])
    share = (means * n_items + 2) / (n_items + 4)
    seeds = np.array([role.se**2 for role in found])[:, None, None] * outer
    items = np.einsum("k,kij->ij", share * (1 - share) / n_items, outer)
    freedom = np.array([*(role.n - 1.0 for role in found), n_items - 1.0])
    spread = Spread(seeds, np.zeros_like(seeds), items, freedom)
    mean_transfer, mean_weak, mean_ceiling = (role.mean for role in found)
    return ratio_estimate(mean_transfer - mean_weak, mean_weak, mean_ceiling, spread)


def disagreement_bound(outcomes: Outcomes) -> float:
    """The PGR that no method can exceed with these students: m / (ceiling − weak).

    m is the share of items on which student and weak supervisor of the same seed disagree, in
    [0, 1]. Each item won over the supervisor is a disagreement: transfer − weak ≤ m, always.

    Raises:
        BadInput: the outcomes are not paired.
        UndefinedPGR: the ceiling does not exceed the weak accuracy.
    """
    if not outcomes.paired:
        raise BadInput("unpaired outcomes", "no student has a supervisor", "Pair them by seed.")
    weak = float(outcomes.weak.mean())
    disagreement = float(np.abs(outcomes.transfer - outcomes.weak).mean())
    return pgr(weak + disagreement, weak, float(outcomes.ceiling.mean()))
