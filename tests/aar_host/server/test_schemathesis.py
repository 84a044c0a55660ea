"""Schemathesis against the live server: what fits the document and what does not, in every role."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from aar_host.server import listening
from aar_lab.types import Role

EXAMPLES = 10  # of each route, role and mode
FUZZ = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
# A text may fit the schema and be no Python, or cite what is not there: the answer is then 422.
EXCLUDED: list[Callable] = [positive_data_acceptance]
# JSON-RPC tells of wrong parameters in an answer of status 200.
EXCLUDED_OF_MCP = [*EXCLUDED, negative_data_rejection]
# Over the limit of a body, 413 is the right refusal; Schemathesis does not count it as one.
REFUSALS = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429]
CHECKS = {"negative_data_rejection": {"expected-statuses": [str(code) for code in REFUSALS]}}
OPERATIONS = (
    *("health", "brief", "leaderboard", "submit", "scores", "submission", "source"),
    *("post", "findings", "vote", "snapshot", "lineage", "inputs", "answer", "mcp"),
)


@pytest.fixture
def where(tmp_path) -> str:
    """One database will do: what is tested here lies before the store."""
    return str(tmp_path / "lab.db")


@pytest.fixture
def schema(site, tmp_path) -> Iterator[schemathesis.BaseSchema]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with listening(site.app, tmp_path / "host.sock", port):
        yield schemathesis.openapi.from_url(
            f"http://127.0.0.1:{port}/openapi.json",
            config=schemathesis.Config.from_dict({"checks": CHECKS}),
        )


def test_the_list_of_operations_is_complete(schema):
    found = {result.ok().definition.raw["operationId"] for result in schema.get_all_operations()}
    assert found == set(OPERATIONS)


def fuzz(operation: schemathesis.APIOperation, token: str) -> int:
    """Ask the operation what fits its schema, and what does not; return how often."""
    name, asked = operation.definition.raw["operationId"], 0
    excluded = EXCLUDED_OF_MCP if name == "mcp" else EXCLUDED
    headers = {"Authorization": f"Bearer {token}"}

    def ask(case: schemathesis.Case) -> None:
        nonlocal asked
        asked += 1
        case.call_and_validate(headers=headers, excluded_checks=excluded)

    takes_something = {"parameters", "requestBody"} & set(operation.definition.raw)
    FUZZ(given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))(ask))()
    if takes_something:
        FUZZ(given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))(ask))()
    return asked


@pytest.mark.parametrize("role", Role)
def test_no_answer_breaks_the_document(site, schema, role):
    token = site.ada if role is Role.RESEARCHER else site.token("eve", role)
    asked = [fuzz(result.ok(), token) for result in schema.get_all_operations()]
    assert sum(asked) >= 6 * EXAMPLES
    assert min(asked) > 0
