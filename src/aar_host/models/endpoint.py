"""Where a model is asked: its provider's address, the key, and what it costs there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aar_host.models.prices import Price
from aar_host.researchers.base import Wire
from aar_lab.errors import BadSettings

BASE_URLS: Mapping[Wire, str] = {
    Wire.MESSAGES: "https://api.anthropic.com",
    Wire.RESPONSES: "https://api.openai.com",
    Wire.CHAT: "https://api.openai.com",
}


@dataclass(frozen=True)
class Endpoint:
    """A model as researchers may ask it.

    Args:
        name: what a box calls it.
        wire: the protocol in which it is asked.
        model: what its provider calls it.
        base_url: http or https, with or without /v1; empty: that of the wire's first provider.
        key: never shown; None for a server that wants none.
    """

    name: str
    wire: Wire
    model: str
    price: Price
    base_url: str = ""
    key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.key is not None and not (
            self.key and self.key.isascii() and self.key.isprintable()
        ):
            raise BadSettings(
                f"key of {self.name}", "empty, or not printable ASCII", "Look at where it is set."
            )
        parts = urlsplit(self.base_url)
        plain = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
        if self.base_url and (not plain or parts.query or parts.fragment):
            raise BadSettings(
                f"base_url of {self.name}", "not a plain http address", "Give https://HOST[/PATH]."
            )

    def url(self, path: str) -> str:
        """The address of one of the wire's paths, which begin with /v1."""
        base = (self.base_url or BASE_URLS[self.wire]).rstrip("/")
        return base.removesuffix("/v1") + path
