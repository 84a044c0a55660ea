"""From a design to a method file that a person would accept, and back."""

from __future__ import annotations

import ast
import textwrap
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from aar_host.researchers.grammar import Design
from aar_host.researchers.phrases import family_of, ideas_of, title_of
from aar_lab.errors import BadInput

WIDTH = 99


def write_method(design: Design) -> str:
    """The source text of a method: docstring, FAMILY, DESIGN, and only the code that it needs."""
    ranks = design.select in ("confident", "neighbours") or design.curriculum != "none"
    uses_logit = design.signal == "mixture" or design.labels in ("sharpened", "tempered")
    asked = design.uses_prior and design.prior == "regressed"
    uses_sigmoid = uses_logit or design.signal == "prior" or asked
    arrays = uses_sigmoid or ranks or design.uses_prior
    return _template().render(
        d=design,
        design=design.as_dict(),
        title=title_of(design),
        idea=textwrap.fill(" ".join(ideas_of(design)), WIDTH),
        equations=_equations(design),
        family=family_of(design),
        summary=_summary(design),
        losses={"logconf": "LogConf", "cross_entropy": ""}.get(design.loss, design.loss),
        types=_types(design, arrays),
        ranks=ranks,
        uses_logit=uses_logit,
        uses_sigmoid=uses_sigmoid,
        fit=_fit(design),
        recipe=_recipe(design),
    )
