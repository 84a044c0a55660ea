"""The OpenAPI document of a campaign's application."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

TITLE = "A campaign of automated alignment research"
DESCRIPTION = """Researchers hand in methods and read what became of them. Identity follows from
the bearer token alone. Every failure is `{"error": {"code", "value", "fault", "remedy"}}`."""
TAGS = [
    {"name": "campaign", "description": "What is asked, and who leads."},
    {"name": "submissions", "description": "Methods that were handed in, and how they stand."},
    {"name": "findings", "description": "What researchers tell each other."},
    {"name": "tools", "description": "The same verbs for clients of the Model Context Protocol."},
]


def document(app: FastAPI) -> None:
    """Make the application tell the complete document at `/openapi.json`."""
    app.openapi = partial(_document, app)  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        found = get_openapi(
            title=TITLE,
            version=app.version,
            description=DESCRIPTION,
            routes=app.routes,
            tags=TAGS,
        )
        for operations in found["paths"].values():
            for operation in operations.values():
                _name_the_models(operation["responses"])
        app.openapi_schema = found
    return app.openapi_schema


def _name_the_models(responses: dict[str, Any]) -> None:
    """Beside a named model FastAPI leaves what it made of the function's annotation: drop that."""
    for response in responses.values():
        for content in response.get("content", {}).values():
            if "$ref" in content.get("schema", {}):
                content["schema"] = {"$ref": content["schema"]["$ref"]}
