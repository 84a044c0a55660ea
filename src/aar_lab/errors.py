"""Every error this project raises on purpose, as one tree.

LabError                    value, fault, remedy; `code` is stable and travels over HTTP
├── BadInput                what was handed in cannot be used
│   ├── UnknownName         no problem, method, researcher … of that name
│   ├── BadIds              duplicate, missing or foreign example ids
│   ├── BadProbabilities    NaN, outside [0, 1], wrong length
│   ├── BadSource           a submission's source text
│   ├── BadWeights          a student's tensors
│   ├── BadRecipe           a student's inference recipe
│   └── BadSettings         a setting, an option or a file of settings
├── Undefined               the statistic does not exist for these numbers
│   ├── UndefinedPGR        ceiling not above weak, or not measurably
│   ├── TooFewSeeds         no variance can be estimated
│   └── EmptySelection      a method selected no example to train on
├── Refused                 the request was understood and denied
│   ├── NotAuthorised       no, wrong or expired token, or a role without the right
│   ├── OverBudget          a cap of the campaign is reached
│   └── Conflict            the state forbids it: a duplicate, a frozen campaign, used anchors
├── JobFailed               a job ended without a result; `status` says how
├── Unavailable             a component or a peer is missing
└── Corrupt                 stored data do not match their digest
"""

from __future__ import annotations

import re


class LabError(Exception):
    """An error with the offending value, what is wrong with it, and what to do about it."""

    code = "error"

    def __init_subclass__(cls) -> None:
        cls.code = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, value: object, fault: str, remedy: str) -> None:
        self.value, self.fault, self.remedy = str(value), fault, remedy
        super().__init__(f"{self.value}: {fault}. {remedy}")

    def __reduce__(self) -> tuple[type[LabError], tuple[str, str, str]]:
        """So that it comes back whole from another process."""
        return type(self), (self.value, self.fault, self.remedy)

    def as_dict(self) -> dict[str, str]:
        """The one JSON shape of an error: code, value, fault, remedy."""
        return {
            "code": self.code,
            "value": self.value,
            "fault": self.fault,
            "remedy": self.remedy,
        }


class BadInput(LabError):
    """What was handed in cannot be used."""


class UnknownName(BadInput):
    """Nothing of that name is registered."""


class BadIds(BadInput):
    """Example ids are duplicate, missing or foreign."""


class BadProbabilities(BadInput):
    """Probabilities are NaN, outside [0, 1], or of the wrong length."""


class BadSource(BadInput):
    """The source text of a submission cannot be accepted."""


class BadWeights(BadInput):
    """The tensors of a student do not fit the base model, or are not finite."""


class BadRecipe(BadInput):
    """An inference recipe has an unknown field or a value out of range."""


class BadSettings(BadInput):
    """A setting, an option or a file of settings is wrong."""


class Undefined(LabError):
    """The statistic does not exist for these numbers."""


class UndefinedPGR(Undefined):
    """The ceiling does not measurably exceed the weak supervisor."""


class TooFewSeeds(Undefined):
    """A variance over seeds needs at least two of them."""


class EmptySelection(Undefined):
    """A method selected no example to train on."""


class Refused(LabError):
    """The request was understood and denied."""


class NotAuthorised(Refused):
    """The token is absent, wrong, expired, or its role lacks the right."""


class OverBudget(Refused):
    """A cap of the campaign is reached."""


class Conflict(Refused):
    """The present state forbids it."""


class JobFailed(LabError):
    """A job ended without a result; `status` is an `aar_lab.types.JobStatus`, `log` its box's."""

    def __init__(
        self,
        value: object,
        fault: str,
        remedy: str,
        status: str = "crashed",
        log: str = "",
    ) -> None:
        super().__init__(value, fault, remedy)
        self.status, self.log = status, log


class Unavailable(LabError):
    """A component of this machine, or a peer, is missing."""


class Corrupt(LabError):
    """Stored data do not match their digest."""


def _tree(root: type[LabError]) -> dict[str, type[LabError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


def from_dict(body: dict[str, str]) -> LabError:
    """Rebuild an error that crossed the wire as `as_dict`; an unknown code becomes `LabError`."""
    kind = _tree(LabError).get(body.get("code", ""), LabError)
    return kind(body.get("value", ""), body.get("fault", "unknown fault"), body.get("remedy", ""))
