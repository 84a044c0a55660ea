"""The protocols in which models are asked, one file each."""

from collections.abc import Mapping

from aar_host.models.wires.base import Events, Reader, Reading, ToolCall, WireProtocol, is_overflow
from aar_host.models.wires.chat import Chat
from aar_host.models.wires.messages import Messages
from aar_host.models.wires.responses import Responses
from aar_host.researchers.base import Wire

PROTOCOLS: Mapping[Wire, WireProtocol] = {
    Wire.MESSAGES: Messages(),
    Wire.RESPONSES: Responses(),
    Wire.CHAT: Chat(),
}

__all__ = [
    "PROTOCOLS",
    "Events",
    "Reader",
    "Reading",
    "ToolCall",
    "WireProtocol",
    "is_overflow",
]
