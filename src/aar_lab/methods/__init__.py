"""Published methods, one file each; `NAMES` is their registry.

A method's file is imported when it is asked for: some need libraries that take seconds to load.
"""

from __future__ import annotations

import importlib
from typing import Any

from aar_lab.errors import UnknownName
from aar_lab.methods.base import Effort, Method

NAMES = (
    "naive",
    "soft",
    "confident",
    "logconf",
    "self_distill",
    "reverse_ce",
    "adaptconf",
    "topofilter",
    "noise_aware",
    "overlap_density",
    "mdl_curriculum",
    "epiplexity",
    "zero_shot",
    "ue_zero_shot",
    "ccs",
    "ccs_es",
    "em_posterior",
    "swap_ensemble",
)


def get_method(name: str) -> Method:
    """The registered method of that name; `UnknownName` names those that exist."""
    if name not in NAMES:
        raise UnknownName(name, "no such method", f"Known are: {', '.join(NAMES)}.")
    module = importlib.import_module(f"{__name__}.{name}")
    summary = (module.__doc__ or "").split("\n", 1)[0]
    effort = getattr(module, "effort", _one_fit)
    return Method(name, module.train, module.Args, module.FAMILY, summary, effort)


def all_methods() -> dict[str, Method]:
    """Every registered method by name."""
    return {name: get_method(name) for name in NAMES}


def _one_fit(args: Any) -> Effort:
    return Effort(args.epochs)
