"""What tokens cost: a table with a date and a source, and the user's own entries."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from aar_lab.errors import BadSettings, UnknownName

MAX_BYTES = 1 << 20
MAX_NAME = 120
_DATE = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2})$")


@dataclass(frozen=True)
class Price:
    """Dollars for 10⁶ tokens of each kind; see `aar_host.models.usage.Usage`.

    Args:
        cache_write_hour: below 0: as `cache_write`.
        above: the length of prompts, in tokens, from which on `long` holds.
        long: the price of longer prompts, for all of their tokens.
    """

    input: float
    cached_input: float
    cache_write: float
    output: float
    cache_write_hour: float = -1.0
    above: float = math.inf
    long: Price | None = None

    def __post_init__(self) -> None:
        if self.cache_write_hour < 0:
            object.__setattr__(self, "cache_write_hour", self.cache_write)

    def for_prompt(self, tokens: float) -> Price:
        """The price of a call whose prompt has so many tokens."""
        return self.long if self.long is not None and tokens > self.above else self


RATES = tuple(entry.name for entry in fields(Price) if entry.name not in ("above", "long"))


def load_prices(override: Path | None = None) -> Mapping[str, Price]:
    """Name of a model → its price: the project's table, with the entries of a file over it.

    Raises:
        BadSettings: the file cannot be read, or an entry is no price.
    """
    own = files("aar_host.models").joinpath("prices.yaml").read_text(encoding="utf-8")
    table = _table(own, "prices.yaml")
    if override is None:
        return table
    try:
        with override.open("rb") as file:
            text = file.read(MAX_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(
            override, f"cannot be read ({error})", "Give a YAML file of prices."
        ) from error
    return {**table, **_table(text, str(override))}


def price_of(prices: Mapping[str, Price], model: str) -> Price:
    """The price of a model, also of one that is named with a date.

    Raises:
        UnknownName: no price is known; it is never taken for nothing.
    """
    found = prices.get(model) or prices.get(_DATE.sub("", model))
    if found is None:
        raise UnknownName(
            f"{model!r:.80}",
            "its price is not known",
            "Give it: --price, --prices FILE, or `price` in the campaign file (your own: 0).",
        )
    return found


def _table(text: str, name: str) -> dict[str, Price]:
    try:
        body: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise BadSettings(name, f"not YAML ({error})"[:200], "Correct the file.") from error
    models = body.get("models") if isinstance(body, dict) else None
    if not isinstance(models, dict) or not all(isinstance(model, str) for model in models):
        raise BadSettings(name, "has no mapping `models`", "Give name: {input: …, output: …}.")
    return {model: _price(f"{name}: {model}"[:MAX_NAME], entry) for model, entry in models.items()}


def _price(name: str, entry: Any) -> Price:
    known = {*RATES, "long"}
    if not isinstance(entry, dict) or not {"input", "output"} <= entry.keys() <= known:
        raise BadSettings(name, "not a price", f"Give input and output; known are {sorted(known)}.")
    rates = {kind: _rate(name, value) for kind, value in entry.items() if kind != "long"}
    dear = rates.get("cache_write", rates["input"])
    price = Price(
        input=rates["input"],
        cached_input=rates.get("cached_input", rates["input"]),
        cache_write=dear,
        output=rates["output"],
        cache_write_hour=rates.get("cache_write_hour", dear),
    )
    longer = entry.get("long")
    if longer is None:
        return price
    if not isinstance(longer, dict) or "above" not in longer or "long" in longer:
        raise BadSettings(name, "`long` is not a price", "Give it `above`, input and output.")
    rest = {kind: value for kind, value in longer.items() if kind != "above"}
    return replace(price, above=_rate(name, longer["above"]), long=_price(f"{name}, long", rest))


def _rate(name: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < math.inf:
        raise BadSettings(f"{name}: {value!r:.40}", "no number from 0 up", "Correct it.")
    return float(value)
