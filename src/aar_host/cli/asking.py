"""What `aar run` and `aar estimate` are asked for: a campaign file, or a few options for one
driver with one model."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from aar_host.budgets import Budget, Budgets
from aar_host.cli.campaigns import asked_options, default_directory, given
from aar_host.fleet.options import NAMES, Options
from aar_host.fleet.plan import read_campaign_file
from aar_host.fleet.seating import DRIVERS, ModelPlan, SeatPlan
from aar_host.researchers.base import Wire
from aar_host.settings import number, setting
from aar_lab.errors import BadSettings

MODEL = "model"
KEYS: Mapping[Wire, str] = {
    Wire.MESSAGES: "ANTHROPIC_API_KEY",
    Wire.RESPONSES: "OPENAI_API_KEY",
    Wire.CHAT: "OPENAI_API_KEY",
}
# Options that a campaign file does not take the place of.
BESIDE_FILE = ("campaign", "out", "sandbox", "resume", "as_json")
OPTIONS = (
    click.option("--driver", type=click.Choice(list(DRIVERS)), default="search", show_default=True),
    click.option("--model", help="As its provider and the price table call it."),
    click.option(
        "--wire",
        type=click.Choice([wire.value for wire in Wire]),
        help="Protocol; default: the driver's.",
    ),
    click.option("--base-url", help="Of the endpoint; default: the provider's own."),
    click.option("--key", help="Variable that holds the key; default: the provider's."),
    click.option("--price", help="Dollars per million tokens, as INPUT,OUTPUT."),
    click.option(
        "--prices", type=click.Path(path_type=Path), help="File of prices beside the table."
    ),
    click.option("--command", help="The program of the driver `command`, with its arguments."),
    click.option("--dollars", type=float, help="For models, all researchers together."),
    click.option(
        "--directions", type=click.Choice(["nine", "none"]), default="nine", show_default=True
    ),
    click.option(
        "--sharing/--alone", default=True, help="Whether researchers see what others found."
    ),
)


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of one driver with one model; a campaign file can name several of both."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def file_options(path: Path, out: Path | None, sandbox: str | None) -> Options:
    """The campaign of a file.

    Raises:
        BadSettings: an option was given that the file decides, or the file is at fault.
    """
    for name in given():
        if name not in BESIDE_FILE:
            raise BadSettings(
                f"--{name.replace('_', '-')} with {path}", "the file decides it", "Write it there."
            )
    plan = read_campaign_file(path)
    directory = default_directory(out)
    return plan.options(directory, sandbox or setting("sandbox"), number("workers"), path.parent)


def driver_options(researchers: int, driver: str, **asked: Any) -> Options:
    """The campaign of researchers who are all driven alike."""
    words = tuple(shlex.split(asked.pop("command") or ""))
    model = _model(driver, asked)
    name = model.name if model else None
    # Made for the search too: it has no model and no command, and says so.
    seats = tuple(SeatPlan(one, driver, name, None, words) for one in NAMES[:researchers])
    dollars, prices = asked.pop("dollars"), asked.pop("prices")
    return asked_options(
        researchers=researchers,
        seats=seats if driver != "search" else (),
        models=(model,) if model else (),
        budgets=Budgets(pool=Budget(dollars=dollars)),
        directed=asked.pop("directions") == "nine",
        prices=str(prices.absolute()) if prices else None,
        **asked,
    )


def _model(driver: str, asked: dict[str, Any]) -> ModelPlan | None:
    """The one model that was asked for; its options are taken out of `asked`."""
    model, wire, url, key, price = (
        asked.pop(name) for name in ("model", "wire", "base_url", "key", "price")
    )
    if model is None:
        return None
    spoken = Wire(wire) if wire else _wire(driver, model, url)
    variable = key if key is not None else ("" if url else KEYS[spoken])
    return ModelPlan(MODEL, spoken, model, url or "", variable, _price(price))


def _wire(driver: str, model: str, url: str | None) -> Wire:
    spoken = DRIVERS[driver]
    if len(spoken) == 1:
        return spoken[0]
    if url:
        return Wire.CHAT
    return Wire.MESSAGES if model.startswith("claude") else Wire.RESPONSES


def _price(text: str | None) -> Mapping[str, float] | None:
    if text is None:
        return None
    try:
        into, out = map(float, text.split(","))
    except ValueError as error:
        raise BadSettings(f"--price {text}", "not two numbers", "Write e.g. 3,15.") from error
    if not all(0 <= rate < math.inf for rate in (into, out)):
        raise BadSettings(f"--price {text}", "a price is a number from 0 up", "Write e.g. 3,15.")
    return {"input": into, "output": out}
