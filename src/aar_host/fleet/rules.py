"""What researchers are told of the rules, by what the campaign's policy is."""

from __future__ import annotations

from aar_host.feedback import Policy
from aar_host.store.schema import SubmissionKind

METHODS = (
    "Submit methods: source text with train(task, rng) -> Student. The host trains them on seeds "
    "of its own and scores the students on items that nobody has seen.",
    "The docstring of a source is its card: a title line, the idea, then sections that begin with "
    "`Objective:`, `Data:`, `Procedure:` and `Hyper-parameters:` (name = value, as in the code); "
    "FAMILY names its family. `lab check FILE` tells what is missing or disagrees.",
)
PREDICTIONS = (
    "Hand in predictions: P(y = 1) for every test input (`lab predict`, `lab answer`), with the "
    "card of the method that made them. What cannot be read is charged all the same.",
)
FORUM = ("Post what you find, good or bad; cite submissions instead of typing numbers.",)


def rules_of(policy: Policy) -> list[str]:
    """The rules of a campaign under a policy, one sentence or two each."""
    kinds = {SubmissionKind.METHOD: METHODS, SubmissionKind.PREDICTIONS: PREDICTIONS}
    found = [rule for kind in policy.kinds for rule in kinds[kind]]
    if policy.mark:
        found.append(f"You are told PGR and accuracy in full. {policy.mark}")
    else:
        interval = ", with its interval" if policy.interval else ""
        found.append(f"You are told one number: PGR on the public part, rounded{interval}.")
    if policy.max_each is not None:
        caps = f"{policy.max_each} submissions each, {policy.max_daily} a day"
        found.append(f"Caps: {caps}, {policy.max_submissions} in all.")
    if policy.opening is not None:
        found.append("Finalists are opened on the sealed part once, after the search.")
    return [*found, *FORUM]
