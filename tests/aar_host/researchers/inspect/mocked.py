"""A session whose model is Inspect's own mock: from the brief to a finding."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from inspect_ai.model import ChatMessage, ChatMessageTool, Model, ModelOutput, ModelUsage, get_model

from aar_host.researchers.inspect.config import Config
from aar_host.researchers.inspect.endpoint import estimated
from aar_host.researchers.inspect.session import main

UNSURE, SURE = "Unsure labels", "Sure labels"


def first(results: list[str]) -> Sequence[tuple[str, dict[str, Any]]]:
    """What it does up to the submission; the method is a file that it finds."""
    method = results[2].rstrip() + "\n" if len(results) > 2 else ""
    return (
        ("brief", {}),
        ("bash", {"command": "head -1 brief.md"}),
        ("python", {"code": "print(open('/workspace/given.py').read())"}),
        ("edit", {"path": "methods/one.py", "new": method.replace(SURE, UNSURE)}),
        ("edit", {"path": "methods/one.py", "old": UNSURE, "new": SURE}),
        ("try", {"file": "methods/one.py"}),
        ("submit", {"file": method}),
    )


def output(name: str, arguments: dict[str, Any]) -> ModelOutput:
    """A call of one tool."""
    return ModelOutput.for_tool_call("mockllm/model", name, arguments)


def say(text: str) -> ModelOutput:
    """Words alone."""
    return ModelOutput.from_content("mockllm/model", text)


def answer(messages: list[ChatMessage], *_: object) -> ModelOutput:
    """What the mock says next, with its usage."""
    results = [message.text for message in messages if isinstance(message, ChatMessageTool)]
    said = _next(results)
    said.usage = ModelUsage(input_tokens=100, output_tokens=20, total_tokens=120)
    return said


def _next(results: list[str]) -> ModelOutput:
    steps = first(results)
    if len(results) < len(steps):
        return output(*steps[len(results)])
    submission = re.search(r"submission\W+(\w{12})\b", results[len(steps) - 1])
    if submission is None or '"finding"' in results[-1]:
        return say(f"I am done. My process knows {sorted(os.environ)}.")
    if re.search(r"status\W+(queued|running)", results[-1]):
        return output("scores", {"submission": submission[1], "wait": 30})
    return output("post", {"kind": "result", "body": "Sure.", "cites": [submission[1]]})


def open_mock(_config: Config) -> Model:
    """The mock."""
    return estimated(get_model("mockllm/model", custom_outputs=answer, memoize=False))


if __name__ == "__main__":
    sys.exit(main(open_mock))
