"""The model of a session: the provider of Inspect for its protocol, at the seat's forwarder."""

from __future__ import annotations

from typing import Any

import httpx2
from inspect_ai.model import ChatMessage, GenerateConfig, Model, get_model

from aar_host.researchers.base import Wire
from aar_host.researchers.inspect.config import Config

KEY = "box"  # the forwarder knows the seat by its socket, and puts the key in its place
URL = "http://model"
RETRIES = 3  # of a failed call; then the session ends, and the host decides what follows
SECONDS = 900.0  # of one call
BYTES_PER_TOKEN = 3


def open_model(config: Config) -> Model:
    """The model that a session asks."""
    client = httpx2.AsyncClient(
        transport=httpx2.AsyncHTTPTransport(uds=str(config.socket)),
        timeout=httpx2.Timeout(SECONDS, connect=30.0),
        trust_env=False,
    )
    options: dict[str, Any] = {
        "api_key": KEY,
        "config": GenerateConfig(
            max_retries=RETRIES,
            attempt_timeout=int(SECONDS),
            reasoning_summary="none",  # else a paid call asks whether there may be any
        ),
        "max_retries": 0,  # of the provider's library: Inspect retries
        "memoize": False,
        "http_client": client,
    }
    name = config.model
    if config.wire is Wire.MESSAGES:
        # Of a name with a slash, the provider takes what stands before it for a cloud.
        name = f"seat/{name}" if "/" in name else name
        model = get_model(f"anthropic/{name}", base_url=URL, **options)
    elif config.wire is Wire.RESPONSES:
        options |= {"responses_api": True, "responses_store": False}
        model = get_model(f"openai/{name}", base_url=f"{URL}/v1", **options)
    else:
        options |= {"strict_tools": False}  # some verbs have parameters that may be left out
        model = get_model(f"openai-api/seat/{name}", base_url=f"{URL}/v1", **options)
    return estimated(model)


def estimated(model: Model) -> Model:
    """The same model, whose tokens are estimated where they are counted before a call.

    The providers would ask routes that a forwarder does not have, or download a tokeniser. What a
    call has really used comes with its answer.
    """
    model.api.count_tokens = _estimate  # type: ignore[method-assign]
    return model


async def _estimate(input: str | list[ChatMessage], config: GenerateConfig | None = None) -> int:
    if isinstance(input, str):
        return 1 + len(input.encode("utf-8", "replace")) // BYTES_PER_TOKEN
    exclude = {"id", "metadata", "model", "source"}
    sizes = (len(message.model_dump_json(exclude=exclude)) for message in input)
    return 1 + sum(sizes) // BYTES_PER_TOKEN
