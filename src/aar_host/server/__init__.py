"""The HTTP door of a campaign: every route names its role, every failure has one shape."""

from aar_host.server.app import create_app
from aar_host.server.serving import listening, serve

__all__ = ["create_app", "listening", "serve"]
