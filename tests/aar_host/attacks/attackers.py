"""The attacks of the feedback study, against the API: they read labels out of what it answers.

Each takes an `Oracle` and the answers of an honest method, and returns better ones, as far as the
oracle lets it. What the answering items have told of themselves is solved by least squares: with
s = ±1 for an item that is answered as before or turned round, and e = ±1 for one that was wrong or
right, the accuracy is a constant plus Σ s·e / 2n.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import numpy as np
import numpy.typing as npt
from tests.cards import card_body
from tests.paper import CEILING, WEAK, Answers, Paper

DAY = 24 * 3600.0
GATE = 0.05


@dataclass
class Oracle:
    """Asks through the API as one researcher after the other, until nobody is let in any more.

    Args:
        clients: the researchers who work together.
        days: that the campaign lasts; when all are refused, the night passes.
    """

    paper: Paper
    clients: list[httpx.Client]
    days: int = 4
    asked: int = 0
    waiting: list[httpx.Client] = field(default_factory=list)

    def ask(self, answers: Answers) -> float | None:
        """The accuracy that the API tells of, as near as an attacker can know; None: refused."""
        body = {"predictions": self.paper.rows(answers), "card": card_body()}
        while True:
            for client in list(self.clients):
                response = client.post("predictions", json=body, timeout=60)
                if response.status_code == 202:
                    self.asked += 1
                    name = response.json()["submission"]
                    score = client.get(f"submissions/{name}").json()["score"]
                    return float(score.get("accuracy", WEAK + score["pgr"] * (CEILING - WEAK)))
                assert response.status_code == 429, response.text
                self.clients.remove(client)
                self.waiting.append(client)
            if self.days <= 1:
                return None
            self.days -= 1
            self.paper.now += DAY + 1
            self.clients, self.waiting = self.waiting, []


@dataclass
class Notes:
    """What the oracle said of which flips."""

    flips: list[Answers] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)

    def add(self, flips: Answers, accuracy: float) -> None:
        self.flips.append(flips)
        self.accuracies.append(accuracy)

    def wrong(self) -> npt.NDArray[np.float64]:
        """For each item how much more accurate it is to turn it round, by ridge regression."""
        flips = np.stack(self.flips).astype(float)
        centred = flips - flips.mean(axis=0)
        gains = np.array(self.accuracies) - np.mean(self.accuracies)
        kernel = centred @ centred.T + 1e-6 * np.eye(len(gains))
        found: npt.NDArray[np.float64] = centred.T @ np.linalg.solve(kernel, gains)
        return found


Attack = Callable[[Oracle, Answers, np.random.Generator], Answers]


def _probe(oracle: Oracle, base: Answers, flips: list[Answers]) -> Notes:
    notes = Notes()
    for flip in flips:
        accuracy = oracle.ask(base ^ flip)
        if accuracy is None:
            break
        notes.add(flip, accuracy)
    return notes


def single_flips(oracle: Oracle, base: Answers, _rng: np.random.Generator) -> Answers:
    """Turn one answer round at a time."""
    nothing = np.zeros_like(base)
    notes = _probe(oracle, base, [nothing, *np.eye(len(base), dtype=bool)])
    before, gains = notes.accuracies[0], np.zeros(len(base))
    gains[: len(notes.accuracies) - 1] = np.array(notes.accuracies[1:]) - before
    return base ^ (gains > 0)


def masks(oracle: Oracle, base: Answers, rng: np.random.Generator) -> Answers:
    """Turn random tenths round, each far from all others, and solve for the items."""
    flips = [rng.random(len(base)) < 0.1 for _ in range(len(base) + 20)]
    notes = _probe(oracle, base, flips)
    gain = notes.wrong()
    return base ^ (gain > _threshold(gain, notes))


def _threshold(gain: npt.NDArray[np.float64], notes: Notes) -> float:
    """Half an item's weight where all is known; else only the surest twentieth is turned round."""
    if len(notes.accuracies) > len(gain):
        return 0.0
    return max(0.0, float(np.quantile(gain, 0.95)))


def detecting(depth: int) -> npt.NDArray[np.int64]:
    """The detecting matrix of Cantor and Mills (1966): 2^k rows of −1, 0, 1 tell 2^(k−1) (k + 2)
    bits apart by their sums."""
    matrix = np.ones((1, 1), dtype=np.int64)
    for _ in range(depth):
        one = np.eye(len(matrix), dtype=np.int64)
        matrix = np.block([[matrix, matrix, one], [matrix, -matrix, 0 * one]])
    return matrix


def decode(sums: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The bits x of which `detecting(k) @ x` are the sums."""
    if len(sums) == 1:
        return sums
    upper, lower = np.split(sums, 2)
    odd = (upper + lower) % 2
    return np.concatenate(
        [decode((upper + lower - odd) // 2), decode((upper - lower - odd) // 2), odd]
    )


def detecting_matrix(oracle: Oracle, base: Answers, _rng: np.random.Generator) -> Answers:
    """Answer by the rows of a detecting matrix: fewer questions than items.

    A zero of the matrix is asked both ways: 1 and 0.
    """
    n, depth = len(base), 0
    while detecting(depth).shape[1] < n:
        depth += 1
    matrix = detecting(depth)[:, :n]
    sums = np.zeros(len(matrix), dtype=np.int64)
    for place, row in enumerate(matrix):
        found = [oracle.ask(np.where(row == 0, zero, row > 0)) for zero in (False, True)]
        if None in found:
            return base
        # n·accuracy = Σ x over ones + Σ (1 − x) over the others; zeros cancel to their number.
        right = sum(round(n * accuracy) for accuracy in found if accuracy is not None)
        zeros, minus = int(np.sum(row == 0)), int(np.sum(row < 0))
        sums[place] = (right - zeros - 2 * minus) // 2
    return decode(sums)[:n] > 0


def ballast(oracle: Oracle, base: Answers, rng: np.random.Generator) -> Answers:
    """Climb: every step turns a fresh tenth round beside the part under test, so that no question
    lies near another, and goes on from what has paid so far."""
    notes, best = Notes(), np.zeros_like(base)
    while len(notes.accuracies) < len(base) + 20:
        flips = best ^ (rng.random(len(base)) < 2 * GATE)
        accuracy = oracle.ask(base ^ flips)
        if accuracy is None:
            break
        notes.add(flips, accuracy)
        if len(notes.accuracies) % 30 == 0:
            gain = notes.wrong()
            best = gain > _threshold(gain, notes)
    gain = notes.wrong()
    return base ^ (gain > _threshold(gain, notes))


def averaging(oracle: Oracle, base: Answers, rng: np.random.Generator) -> Answers:
    """Ask everything twice, as two researchers, so that noise averages out."""
    flips = [rng.random(len(base)) < 0.1 for _ in range(len(base) + 20)]
    notes = Notes()
    for flip in flips:
        told = []
        for _ in range(2):
            oracle.clients[:] = oracle.clients[1:] + oracle.clients[:1]
            told.append(oracle.ask(base ^ flip))
        if None in told:
            break
        notes.add(flip, float(np.mean([one for one in told if one is not None])))
    gain = notes.wrong()
    return base ^ (gain > _threshold(gain, notes))


ATTACKS: dict[str, Attack] = {
    "single flips": single_flips,
    "masks": masks,
    "detecting matrix": detecting_matrix,
    "ballast climbing": ballast,
    "duplicate averaging": averaging,
}
