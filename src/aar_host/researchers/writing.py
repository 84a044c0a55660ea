"""From a design to a method file that a person would accept, and back."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from aar_host.researchers.grammar import CURRICULUM_SHARE, Design, Value
from aar_host.researchers.phrases import data_of, family_of, ideas_of, steps_of, title_of
from aar_lab.errors import BadInput

WIDTH = 99

_LOSSES = {
    "cross_entropy": ("", "", "CE(f(x), t(x))"),
    "logconf": ("LogConf", ', loss=LogConf(DESIGN["alpha"])', "LogConf(f(x), t(x); α)"),
    "reverse_cross_entropy": (
        "reverse_cross_entropy",
        ", loss=reverse_cross_entropy",
        "CE(t(x), f(x))",
    ),
}
_EVIDENCE = {
    "weak": "q(x) = p_w(x)",
    "prior": "q(x) = σ(m(x))",
    "mixture": "q(x) = σ(log p_w(x) / (1 − p_w(x)) + {strength}·m(x))",
}
_PRIOR = {
    "standardised": "m(x) = (z(x) − median z) / (1.4826·median |z − median z|), z: zero-shot",
    "regressed": "m(x) = a·z(x) + b,  (a, b) = argmin CE(σ(a·z + b), p_w), z: zero-shot",
}
_LABELS = {
    "soft": "t(x) = q(x)",
    "hard": "t(x) = 1[q(x) > ½]",
    "sharpened": "t(x) = q² / (q² + (1 − q)²)",
    "tempered": "t(x) = √q / (√q + √(1 − q))",
}
_WEIGHTS = {
    "none": "",
    "confidence": "|2q(x) − 1|·",
    "agreement": "w(x)·",
}


@dataclass(frozen=True)
class Constant:
    """A number that methods of some designs have beside that of the design."""

    name: str
    value: Value
    used: Callable[[Design], bool]
    note: str = ""


_CONSTANTS = (
    Constant("folds", 2, lambda design: design.generations > 0),
    Constant("neighbours", 20, lambda design: design.select == "neighbours"),
    Constant(
        "least",
        0.05,
        lambda design: design.weighting == "confidence",
        "weight of an example without evidence, so that a batch of them still counts",
    ),
    Constant(
        "doubted",
        0.2,
        lambda design: design.weighting == "agreement",
        "weight of an example on which the two sources disagree",
    ),
    Constant("easy", CURRICULUM_SHARE, lambda design: design.curriculum != "none"),
    Constant(
        "slower",
        0.5,
        lambda design: design.curriculum != "none",
        "factor on the rate after the surest part",
    ),
)


def numbers_of(design: Design) -> dict[str, Value]:
    """The hyper-parameters: every number that the method of this design uses, by name."""
    off = {("generations", 0), ("members", 1)}
    chosen = {
        name: value
        for name, value in design.as_dict().items()
        if not isinstance(value, str) and (name, value) not in off
    }
    return chosen | {one.name: one.value for one in _CONSTANTS if one.used(design)}


def write_method(design: Design) -> str:
    """The source text of a method: docstring, FAMILY, DESIGN, and only the code that it needs."""
    ranks = design.select in ("confident", "neighbours") or design.curriculum != "none"
    uses_logit = design.signal == "mixture" or design.labels in ("sharpened", "tempered")
    regressed = design.uses_prior and design.prior == "regressed"
    uses_sigmoid = uses_logit or design.signal == "prior" or regressed
    uses_arrays = uses_sigmoid or ranks or design.uses_prior
    return _template().render(
        d=design,
        design=design.as_dict(),
        title=title_of(design),
        idea=textwrap.fill(" ".join(ideas_of(design)), WIDTH),
        equations="\n".join(f"    {line}" for line in _equations(design)),
        data=textwrap.fill(f"Data: {data_of(design)}", WIDTH, subsequent_indent="    "),
        steps="\n".join(_numbered(steps_of(design))),
        numbers=numbers_of(design),
        constants=[one for one in _CONSTANTS if one.used(design)],
        family=family_of(design),
        losses=_LOSSES[design.loss][0],
        types=", ".join(_types(design, uses_arrays)),
        ranks=ranks,
        uses_logit=uses_logit,
        uses_sigmoid=uses_sigmoid,
        uses_numpy=uses_arrays or design.weighting != "none",
        fit="\n".join(_fit(design)),
        recipe=_recipe(design),
    )


def read_design(source: str) -> Design | None:
    """The design of a method's source text, which is parsed and never run; None if it has none."""
    try:
        for node in ast.parse(source).body:
            match node:
                case ast.Assign(targets=[ast.Name(id="DESIGN")], value=value):
                    return Design.from_dict(ast.literal_eval(value))
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError, BadInput):
        return None
    return None


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("aar_host.researchers", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template("method.py.jinja")


def _equations(design: Design) -> list[str]:
    lines = [_EVIDENCE[design.signal].format(strength=design.strength)]
    if design.uses_prior:
        lines.append(_PRIOR[design.prior])
    if design.generations:
        lines.append(f"q ← out-of-fold predictions of students fitted on q, {design.generations}×")
    lines.append(_LABELS[design.labels])
    over = "" if design.select == "all" else ", x selected"
    loss = _LOSSES[design.loss][2]
    return [*lines, f"min over f of  Σ {_WEIGHTS[design.weighting]}{loss}{over}"]


def _numbered(steps: list[str]) -> list[str]:
    return [
        textwrap.fill(f"    {i}. {step}", WIDTH, subsequent_indent=" " * 7)
        for i, step in enumerate(steps, 1)
    ]


def _types(design: Design, uses_arrays: bool) -> list[str]:
    needed: dict[str, Any] = {
        "Aggregate": design.aggregate == "logit_mean",
        "FloatArray": uses_arrays,
        "Recipe": _recipe(design),
        "Student": True,
    }
    return [name for name, wanted in needed.items() if wanted]


def _recipe(design: Design) -> str:
    """The call that makes the recipe; empty if the default one serves."""
    parts = []
    if design.views != "plain":
        parts.append('views=("plain", "swap")')
    if design.members > 1:
        parts.append('members=DESIGN["members"]')
    if design.aggregate == "logit_mean":
        parts.append("aggregate=Aggregate.LOGIT_MEAN")
    if len(parts) > 2:
        return f"Recipe(\n        {', '.join(parts)}\n    )"
    return f"Recipe({', '.join(parts)})" if parts else ""


def _fit(design: Design) -> list[str]:
    """The lines that make one student and fit it."""
    lines = ["student = task.student()"]
    if design.curriculum != "none":
        lines += _lesson(design, "easy")
        lines.append('slowed = DESIGN["rate"] * SLOWER')
        return lines + _lesson(design, "" if design.select == "all" else "rows", "slowed")
    return lines + _lesson(design, "" if design.select == "all" else "rows")


def _lesson(design: Design, rows: str, rate: str = 'DESIGN["rate"]') -> list[str]:
    inputs = f"task.inputs.take({rows})" if rows else "task.inputs"
    part = f"[{rows}]" if rows else ""
    weights = "" if design.weighting == "none" else f", weights{part}"
    loss = _LOSSES[design.loss][1]
    return [
        f'plan = Plan(epochs=DESIGN["epochs"], rate={rate}{loss})',
        f"student.fit({inputs}, targets{part}, rng{weights}, plan=plan)",
    ]
