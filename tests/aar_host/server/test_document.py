"""The OpenAPI document: complete, true, and the same verbs as the other doors have."""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema
import pytest
from tests.cards import docstring

from aar_host.server.answers import ALWAYS
from aar_host.store.jobs import Outcome, claim_job, finish_job
from aar_host.store.submissions import fail_submission
from aar_lab.client import Client
from aar_lab.errors import JobFailed, LabError
from aar_lab.tools import VERBS
from aar_lab.types import JobStatus, Role
from aar_lab.verbs import TextFile, Verb

NAME = "3f2a90b1c4de"
METHOD = docstring() + "\n\ndef train(task, rng): ...\n"
UNASKED = {
    "check": "reads a source where it lies",
    "try": "runs code, which no server does",
    "predict": "runs code, which no server does",
}
VERBLESS = {"health": "tells a supervisor that the server lives", "mcp": "is the third door"}
# Arguments of verbs for which the first words of `sample` do not do.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "findings": {"since": 3},
    "answer": {"predictions": '{"9f2c51d0a4b37e86": 0.83}', "card": METHOD},
}


@pytest.fixture
def where(tmp_path) -> str:
    """One database will do: what is tested here lies before the store."""
    return str(tmp_path / "lab.db")


@pytest.fixture
def document(site) -> dict[str, Any]:
    found: dict[str, Any] = site.app.openapi()
    return found


def operations(document):
    for path, verbs in document["paths"].items():
        for method, operation in verbs.items():
            yield method.upper(), path, operation


def check_against(document, schema, value) -> None:
    root = schema | {"components": document["components"]}
    jsonschema.Draft202012Validator(root).validate(value)


def schema_of(document, method, path, status):
    answer = document["paths"][path][method.lower()]["responses"][str(status)]
    return answer["content"]["application/json"]["schema"]


def test_every_route_is_in_the_document_and_described(site, document):
    described = {(method, path) for method, path, _ in operations(document)}
    served = {
        (method, route.path)
        for route in site.app.routes
        for method in getattr(route, "methods", ())
        if method != "HEAD"
    }
    assert served - described <= {("GET", "/openapi.json")}
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    tags = {tag["name"] for tag in document["tags"]}
    for _, _, operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        assert set(operation["tags"]) <= tags
        assert len(operation["tags"]) == 1


def test_every_answer_is_a_named_model_and_every_failure_has_the_one_shape(document):
    for method, path, operation in operations(document):
        statuses = set(operation["responses"])
        assert {str(status) for status in ALWAYS} <= statuses
        if operation["operationId"] != "health":
            assert "401" in statuses
            assert operation["security"]
        if "requestBody" in operation or operation.get("parameters"):
            assert {"400", "422"} & statuses
        for status, answer in operation["responses"].items():
            if operation["operationId"] == "mcp" and status not in ("200", "401"):
                continue  # what the protocol itself refuses
            schema = schema_of(document, method, path, status)
            failure = {"$ref": "#/components/schemas/Failure"}
            assert set(schema) == {"$ref"}
            assert (schema == failure) == (status >= "400")
            assert answer["description"]


def test_every_model_shows_examples_that_keep_its_own_schema(document):
    for name, model in document["components"]["schemas"].items():
        for example in model.get("examples", []):
            check_against(document, {"$ref": f"#/components/schemas/{name}"}, example)
        for field in model.get("properties", {}).values():
            for example in field.get("examples", []):
                check_against(document, field, example)
    for method, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            for content in answer.get("content", {}).values():
                if "example" in content:
                    check_against(
                        document, schema_of(document, method, path, status), content["example"]
                    )


def test_the_examples_of_requests_are_accepted(site, document):
    shown = 0
    bob = site.token("bob")
    posted = site.call("POST", "/findings", bob, json={"kind": "insight", "body": "b"}).json()
    for method, path, operation in operations(document):
        if operation["operationId"] in ("health", "mcp") or method != "POST":
            continue
        reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for example in document["components"]["schemas"][reference.rsplit("/", 1)[1]]["examples"]:
            place = path.removeprefix("/v1").replace("{finding}", posted["finding"])
            response = site.call(method, place, json=example)
            # This campaign takes methods, and says so before it reads predictions.
            refused = operation["operationId"] == "answer" and response.status_code == 409
            assert response.is_success or refused, response.text
            shown += 1
    assert shown >= 2


def a_day(site) -> tuple[str, str]:
    """A campaign in which everything has happened; returns a scored and a failed submission."""
    failed = site.submit("def train(task, rng): 1")
    job = claim_job(site.store, site.campaign, "w", 60)
    error = JobFailed(failed, "it crashed", "See the log.")
    finish_job(site.store, job, Outcome(JobStatus.CRASHED, log="Traceback", error=error))
    fail_submission(site.store, failed, JobStatus.CRASHED, error)
    scored, undefined = site.submit(), site.submit("def train(task, rng): 2")
    site.score(scored, 0.5)
    site.score(undefined, None)
    body = {"kind": "result", "body": "b", "cites": [scored, undefined, failed]}
    assert site.call("POST", "/findings", json=body).status_code == 201
    return scored, failed


@pytest.mark.parametrize("role", Role)
def test_what_the_routes_send_is_what_the_document_says(site, document, role):
    names = a_day(site)
    token = site.ada if role is Role.RESEARCHER else site.token("eve", role)
    asked = 0
    for method, path, operation in operations(document):
        if operation["operationId"] == "mcp":
            continue
        for name in names if "{submission}" in path else names[:1]:
            url = path.replace("{submission}", name).removeprefix("/v1")
            response = site.call(method, url, token, **({"json": {}} if method == "POST" else {}))
            schema = schema_of(document, method, path, response.status_code)
            check_against(document, schema, response.json())
            asked += 1
    assert asked >= 10


def sample(verb: Verb) -> dict[str, Any]:
    texts = {TextFile: METHOD, str: NAME, int: 1, float: 1.0}
    given = {
        p.name: p.choices[0] if p.choices else texts[p.kind]
        for p in verb.parameters
        if p.place == "argument" and not p.many
    }
    return given | ARGUMENTS.get(verb.name, {})


def asked_by(verb: Verb) -> set[tuple[str, str]]:
    """What a verb asks of the host, with its arguments and with none of the optional ones."""
    seen: set[tuple[str, str]] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        seen.add((request.method, request.url.path))
        return httpx.Response(503, json={"error": {"code": "unavailable"}})

    required = {p.name for p in verb.parameters if p.place == "argument" and not p.optional}
    for given in (sample(verb), {k: v for k, v in sample(verb).items() if k in required}):
        with pytest.raises(LabError):
            verb.load()(lambda: Client("token", httpx.MockTransport(answer)), **given)
    return seen


def filled(path: str) -> str:
    """The path as the verbs ask for it, with an id in place of a parameter."""
    return path.replace("{submission}", NAME).replace("{finding}", NAME)


def test_every_verb_has_its_routes_and_every_route_its_verb(document):
    routes = {
        (method, filled(path)): operation["operationId"]
        for method, path, operation in operations(document)
    }
    told = {verb.name: asked_by(verb) for verb in VERBS if verb.name not in UNASKED}
    assert all(asked and asked <= set(routes) for asked in told.values()), told
    used = {routes[one] for asked in told.values() for one in asked}
    assert set(routes.values()) - used == set(VERBLESS)
    for name, asked in told.items():
        if name in routes.values():
            assert name in {routes[one] for one in asked}
