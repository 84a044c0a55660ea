"""The process of one session: `python -m aar_host.researchers.inspect.session`.

Reads its configuration as JSON from standard input, evaluates one task of Inspect with the agent
`react`, and tells what happens on standard output. Its log is a file of Inspect in the folder that
the configuration names.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from inspect_ai import Task, eval
from inspect_ai.agent import Agent, AgentPrompt, AgentState, agent, react
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog
from inspect_ai.model import (
    CompactionSummary,
    Model,
    ModelCost,
    ModelInfo,
    get_model_info,
    set_model_info,
)

from aar_host.researchers.inspect.boxes import Boxes
from aar_host.researchers.inspect.config import Config, Prices, read_config
from aar_host.researchers.inspect.endpoint import open_model
from aar_host.researchers.inspect.registry import Seats
from aar_host.researchers.inspect.telling import Teller, tell_events
from aar_host.researchers.inspect.tools import own_tools
from aar_host.researchers.inspect.verbs import Lab
from aar_host.sandbox import make_sandbox

PROMPT = """
You work in a laboratory, on your own, with tools alone: nobody reads what you write beside them.
Each command runs in a box of its own that ends with it, and whatever it started ends too; files
below /workspace stay. When nothing is left to do, answer without calling a tool.
"""
GO_ON = "Go on with your research, using your tools. If nothing is left to do, say so again."


@agent
def researcher(bounds: dict[str, int]) -> Agent:
    """The agent of a session: `react` with the verbs and the tools of a workspace.

    Args:
        bounds: `context_tokens`, `command_seconds`, `verb_seconds` and `idle_turns` of `Bounds`.
    """
    idle = 0

    async def go_on(state: AgentState) -> bool | str:
        nonlocal idle
        idle = 0 if state.output.message.tool_calls else idle + 1
        if idle >= bounds["idle_turns"]:
            return False
        return GO_ON if idle else True

    async def execute(state: AgentState) -> AgentState:
        lab = Lab(Seats.taken(), bounds["verb_seconds"])
        try:
            inner = react(
                prompt=AgentPrompt(assistant_prompt=PROMPT.strip()),
                tools=[*await lab.tools(), *own_tools(bounds["command_seconds"])],
                submit=False,  # the verb of that name hands in a method and ends nothing
                on_continue=go_on,
                compaction=CompactionSummary(threshold=bounds["context_tokens"], memory=False),
                truncation="auto",
            )
            return await inner(state)
        finally:
            lab.close()

    return execute


def evaluate(config: Config, model: Model) -> EvalLog:
    """Run the session to its end."""
    bounds = config.bounds
    if bounds.prices is not None:
        _price(model, bounds.prices)
    chosen = ("context_tokens", "command_seconds", "verb_seconds", "idle_turns")
    task = Task(
        name="research",
        dataset=[Sample(id=config.seat, input=config.brief)],
        solver=researcher({name: getattr(bounds, name) for name in chosen}),
        sandbox="aar",
    )
    return eval(
        task,
        model=model,
        log_dir=str(config.logs),
        display="none",
        ctl_server=False,
        metadata={"seat": config.seat, "seed": config.seed, "wire": config.wire.value},
        token_limit=bounds.tokens,
        time_limit=bounds.seconds,
        turn_limit=bounds.turns,
        cost_limit=None if bounds.prices is None else bounds.dollars,
    )[0]


def _price(model: Model, prices: Prices) -> None:
    """Have Inspect know what the model costs; most models it has never heard of."""
    cost = ModelCost(
        input=prices.input,
        output=prices.output,
        input_cache_read=prices.cache_read,
        input_cache_write=prices.cache_write,
    )
    known = get_model_info(model) or ModelInfo()
    set_model_info(str(model), known.model_copy(update={"cost": cost}))


def main(open_one: Callable[[Config], Model] = open_model) -> int:
    """The session; its exit code.

    Args:
        open_one: finds the model.
    """
    # The host reads events alone: whatever else is printed goes to the log.
    teller = Teller(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    config = read_config(json.load(sys.stdin))
    Seats.take(Boxes(make_sandbox(config.sandbox), config.box))
    tell_events(teller)
    teller.tell("started", seat=config.seat, model=config.model, logs=str(config.logs))
    log = evaluate(config, open_one(config))
    sample = log.samples[0] if log.samples else None
    limit = sample.limit.type if sample is not None and sample.limit is not None else None
    teller.tell("ended", status=log.status, limit=limit, log=os.path.basename(log.location))
    if log.error is not None:
        sys.stderr.write(f"{log.error.message}\n")
    return 0 if log.status == "success" else 1


if __name__ == "__main__":
    sys.exit(main())
