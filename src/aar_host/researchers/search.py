"""The search: a researcher that needs no language model.

One step: read what others found → propose a design → write it as a method file → try it in the
box → submit it → wait for the score → post the outcome, whether good or bad. Everything that it
decides follows from its seed and the host's answers. Before its first step it asks the host what it
did in an earlier run, and goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aar_host.researchers.base import Station
from aar_host.researchers.notebook import Entry, Known, Notebook
from aar_host.researchers.phrases import title_of
from aar_host.researchers.proposing import Proposal, Proposer
from aar_host.researchers.reading import Reader
from aar_host.researchers.recovery import past_work
from aar_host.researchers.writing import write_method
from aar_lab.errors import (
    Conflict,
    JobFailed,
    LabError,
    NotAuthorised,
    OverBudget,
    Refused,
    Unavailable,
)
from aar_lab.rng import stream
from aar_lab.types import FindingKind, JobStatus

MAX_TRY_SECONDS = 10.0
MIN_SWAP_CONSISTENCY = 0.05
MIN_SHARE = 0.02  # of either answer
MIN_CONFIDENCE = 0.501
AT_CHANCE = 1.02  # agreement with weak labels plus agreement with the prior, both .5 at chance
WAIT_SECONDS = "5"
PATIENCE = 3
MAX_EMPTY = 20
MAX_QUOTE = 300
ANSWERS = "predictions.json"
UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True)
class Search:
    """See `base.Researcher`.

    Args:
        max_try_seconds: a method whose trial takes longer is not submitted.
        pause: waits so many seconds, between a failure and the next attempt.
    """

    max_try_seconds: float = MAX_TRY_SECONDS
    pause: Callable[[float], None] = time.sleep

    def run(self, station: Station, stop: Callable[[], bool]) -> None:
        """Work until `stop()`, or until the host refuses more or fails `PATIENCE` times on end."""
        work = _Work(station, stop, self.max_try_seconds)
        failures = 0
        while failures < PATIENCE and not (stop() and work.recovered):
            try:
                if not work.recovered:
                    work.recover()
                elif work.step():
                    failures = 0
                else:
                    return
            except (OverBudget, NotAuthorised) as refusal:
                station.report("finished", reason=str(refusal))
                return
            except LabError as error:
                failures += 1
                work.recovered = False
                station.report("hindered", error=error.as_dict())
                self.pause(float(failures))
        station.report("finished", reason="stopped" if stop() else "the host failed too often")


class _Work:
    """The state of one run."""

    def __init__(self, station: Station, stop: Callable[[], bool], patience: float) -> None:
        self._station, self._stop, self._patience = station, stop, patience
        self._notebook = Notebook(station)
        self._reader = Reader(station, self._notebook)
        self._proposer: Proposer | None = None
        self._number = 0
        self._kinds: Sequence[str] = ()
        self.recovered = False

    def recover(self) -> None:
        """Learn from the host what was done before, and post what has ended since.

        In an earlier run, or in a step of this one that was broken off.
        """
        past = past_work(self._station)
        self._number = max(self._number, self._notebook.reopen(), len(past))
        self._proposer = self._proposer or self._new_proposer(len(past))
        for one in past:
            self._reader.own(one.submission)
            self._notebook.seen.add(one.design)
            if one.told and one.pgr is not None:
                self._notebook.learn(Known(one.design, one.pgr, one.submission))
        for one in past:
            if not one.told:
                proposal = Proposal(one.design, one.builds_on, "resumed")
                self._conclude(proposal, one.submission, self._await(one.submission), {})
        self.recovered = True

    def _new_proposer(self, submitted: int) -> Proposer:
        """Its draws depend on what was handed in before, or they would be the same once more."""
        rng = stream(self._station.seed, "search", self._station.name)
        if submitted:
            rng = stream(self._station.seed, "search", self._station.name, submitted)
        return Proposer(self._station.direction, rng)

    def step(self) -> bool:
        """From reading to posting; False if there is nothing more to do."""
        if not self._read():
            return False
        proposal = self._propose()
        if proposal is None:
            self._station.report("finished", reason="no new design was found")
            return False
        self._number += 1
        title, path = title_of(proposal.design), f"methods/{self._number:03d}.py"
        self._station.report("writing", title=title, why=proposal.why)
        self._station.write(path, write_method(proposal.design))
        self._notebook.seen.add(proposal.design)
        facts = self._try(proposal, title, path)
        if facts is not None and not self._stop():
            self._submit(proposal, path, facts)
        return True

    def _read(self) -> bool:
        self._station.report("reading")
        brief = self._station.lab("brief")
        state, self._kinds = brief.get("state", "open"), brief.get("kinds", ["method"])
        if state != "open":
            self._station.report("finished", reason=f"the campaign is {state}")
            return False
        learnt = self._reader.read()
        if learnt:
            self._station.report("learnt", designs=learnt)
        return True

    def _propose(self) -> Proposal | None:
        assert self._proposer is not None, "recover() comes first"
        propose = self._proposer.propose
        drawn = (propose(self._notebook) for _ in range(MAX_EMPTY))
        return next((proposal for proposal in drawn if proposal is not None), None)

    def _try(self, proposal: Proposal, title: str, path: str) -> dict[str, Any] | None:
        """The facts of the trial; None if the method is dropped."""
        self._station.report("trying", title=title)
        try:
            trial = self._station.lab("try", path)
        except (Unavailable, NotAuthorised):
            raise
        except LabError as error:
            self._keep(proposal, f"It failed when tried: {error.fault}.", {"try": error.as_dict()})
            self._post(FindingKind.ERROR, f"{_described(proposal)} fails: {_quote(error)}")
            return None
        fault = fault_of(trial, self._patience)
        if fault is None:
            return {"try": trial}
        self._keep(proposal, f"Dropped after the trial: {fault}.", {"try": trial})
        return None

    def _submit(self, proposal: Proposal, path: str, facts: dict[str, Any]) -> None:
        """Hand in, wait, write down, post."""
        parents = [word for name in proposal.builds_on for word in ("--builds-on", name)]
        try:
            submission = self._hand_in(path, *parents)
        except Refused as refusal:
            self._keep(proposal, f"Refused: {refusal.fault}.", facts)
            # A conflict is either a method known already, or a closed campaign, as the next brief
            # tells.
            if isinstance(refusal, Conflict):
                return
            raise
        self._reader.own(submission)
        self._station.report("submitted", submission=submission, title=title_of(proposal.design))
        self._conclude(proposal, submission, self._await(submission), facts)

    def _hand_in(self, path: str, *parents: str) -> str:
        """The id of the submission; who loses the answer asks again, which is not charged again."""
        words = ("submit", path, *parents)
        if "method" not in self._kinds:
            self._station.lab("predict", path, ANSWERS)
            words = ("answer", ANSWERS, path, *parents)
        for _ in range(PATIENCE - 1):
            try:
                return str(self._station.lab(*words)["submission"])
            except (JobFailed, Unavailable) as error:
                self._station.report("hindered", error=error.as_dict())
        return str(self._station.lab(*words)["submission"])

    def _await(self, submission: str) -> dict[str, Any]:
        """The outcome, also after `stop()`: who ends the work early closes the seat."""
        while True:
            answer = self._station.lab("scores", submission, "--wait", WAIT_SECONDS)
            if answer["status"] not in UNFINISHED:
                return answer

    def _conclude(
        self,
        proposal: Proposal,
        submission: str,
        answer: Mapping[str, Any],
        facts: dict[str, Any],
    ) -> None:
        facts = {**facts, "submission": submission, "score": answer["score"]}
        pgr = (answer["score"] or {}).get("pgr")
        before = self._notebook.best()
        if pgr is None:
            kind, verdict = FindingKind.ERROR, _reason(answer)
        elif pgr > (before.pgr if before else 0.0):
            kind, verdict = FindingKind.RESULT, "It is the best that I know of."
        else:
            kind, verdict = FindingKind.NEGATIVE, self._compared(pgr, proposal)
        if pgr is not None:
            self._notebook.learn(Known(proposal.design, pgr, submission))
        self._keep(proposal, verdict, facts)
        self._station.report("scored", submission=submission, pgr=pgr)
        self._post(kind, f"{_described(proposal)}. {verdict}", submission)

    def _compared(self, pgr: float, proposal: Proposal) -> str:
        scores = {known.submission: known.pgr for known in self._notebook.scored}
        parents = [scores[name] for name in proposal.builds_on if name in scores]
        if pgr <= 0:
            return "It does not beat the weak supervisor."
        if parents and pgr > max(parents):
            return "It improves on what it builds on, but something else is better."
        return "It does not improve on what is known."

    def _keep(self, proposal: Proposal, outcome: str, facts: dict[str, Any]) -> None:
        title = title_of(proposal.design)
        where = (self._number, title, proposal.design, proposal.why, proposal.builds_on)
        self._notebook.keep(Entry(*where, outcome, facts))

    def _post(self, kind: FindingKind, body: str, *cited: str) -> None:
        """Post on one line; numbers are left to the host, which renders those of what is cited."""
        cites = [word for name in cited for word in ("--cites", name)]
        self._station.lab("post", kind.value, " ".join(body.split()), *cites)
        self._station.report("posted", kind=kind.value)


def fault_of(trial: Mapping[str, Any], max_seconds: float) -> str | None:
    """Why a method that runs is not worth a submission; None if it may be.

    Args:
        trial: what `lab try` answers; "seconds", and shares in [0, 1] that may be absent or None.
        max_seconds: that a trial may take.
    """
    trial = {name: value for name, value in trial.items() if value is not None}
    if trial["seconds"] > max_seconds:
        return "too slow"
    positive = trial.get("share_positive", 0.5)
    if (
        min(positive, 1 - positive) < MIN_SHARE
        or trial.get("mean_confidence", 1.0) < MIN_CONFIDENCE
    ):
        return "it answers the same for all"
    if trial.get("swap_consistency", 1.0) < MIN_SWAP_CONSISTENCY:
        return "it answers by position, whatever the alternatives"
    if trial.get("agreement", 1.0) + trial.get("prior_agreement", 1.0) < AT_CHANCE:
        return "it agrees with neither source beyond chance"
    return None


def _described(proposal: Proposal) -> str:
    return f"{title_of(proposal.design)} ({proposal.why})"


def _reason(answer: Mapping[str, Any]) -> str:
    error = answer.get("error") or {}
    return f"It got no score ({answer['status']}): {error.get('fault', 'no reason was given')}."


def _quote(error: LabError) -> str:
    kind = error.status if isinstance(error, JobFailed) else error.code
    return f"{kind}, {error.fault}"[:MAX_QUOTE]
