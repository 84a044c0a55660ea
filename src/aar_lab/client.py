"""The only road out of a sandbox: HTTP over the host's unix socket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from aar_lab.box import SOCKET, TOKEN
from aar_lab.cards import MethodCard
from aar_lab.errors import BadInput, LabError, NotAuthorised, Unavailable, from_dict

CONNECT_RETRIES = 3
MAX_WAIT = 30.0  # seconds that the host lets one question wait
ANSWER_SECONDS = 30.0

Content = Mapping[str, Any] | None


class Client:
    """The campaign as its researcher sees it. Every answer is the host's JSON, unchanged.

    All methods raise `Unavailable` if the host does not answer, `NotAuthorised` for a bad token,
    and whatever typed error the host answers with.
    """

    def __init__(self, token: str, transport: httpx.BaseTransport) -> None:
        self._http = httpx.Client(
            transport=transport,
            base_url="http://host/v1/",
            headers={"Authorization": f"Bearer {token}"},
        )

    @classmethod
    def from_environment(cls) -> Client:
        """The client of this box; connects at the first question, not before."""
        if not TOKEN.value:
            raise NotAuthorised(
                TOKEN.name, "it is not set, so nobody knows you", "Run this inside a box."
            )
        transport = httpx.HTTPTransport(uds=SOCKET.value, retries=CONNECT_RETRIES)
        return cls(TOKEN.value, transport)

    def brief(self) -> dict[str, Any]:
        """The problem, its objective and rules, and what is left of the budget."""
        return self._ask("GET", "brief")

    def submit(
        self, source: str, card: MethodCard, builds_on: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Hand in a method: {"submission", "status"}."""
        body = {"source": source, "card": card.as_dict(), "builds_on": list(builds_on)}
        return self._ask("POST", "submissions", json=body)

    def inputs(self) -> dict[str, Any]:
        """All test inputs, where the campaign takes predictions: {"inputs": [{"id", "data"}]}."""
        return self._ask("GET", "inputs")

    def predict(
        self, predictions: Mapping[str, float], card: MethodCard, builds_on: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Hand in P(y = 1) for every test input: {"submission", "status"}."""
        body = {"predictions": dict(predictions), "card": card.as_dict()}
        return self._ask("POST", "predictions", json=body | {"builds_on": list(builds_on)})

    def submissions(self) -> dict[str, Any]:
        """One's own submissions: {"submissions": [...]}."""
        return self._ask("GET", "submissions")

    def submission(self, submission: str, wait: float = 0.0) -> dict[str, Any]:
        """One submission; the host answers when it has ended, or after `wait` ≤ 30 seconds."""
        params = {"wait": min(wait, MAX_WAIT)}
        return self._ask("GET", f"submissions/{submission}", params=params)

    def source(self, submission: str) -> dict[str, Any]:
        """The source of anybody's submission: {"submission", "source"}."""
        return self._ask("GET", f"submissions/{submission}/source")

    def leaderboard(self, limit: int | None = None) -> dict[str, Any]:
        """The best scored submissions, at most `limit` of 1…1,000: {"leaderboard": [...]}."""
        return self._ask("GET", "leaderboard", params={} if limit is None else {"limit": limit})

    def snapshot(self, submission: str) -> dict[str, Any]:
        """Method, card and ancestors as files: {"submission", "digest", "files": {name: text}}."""
        return self._ask("GET", f"submissions/{submission}/snapshot")

    def lineage(self) -> dict[str, Any]:
        """What builds on what: {"nodes": [...], "edges": [...]}."""
        return self._ask("GET", "lineage")

    def post(
        self, kind: str, body: str, cites: Sequence[str] = (), parent: str | None = None
    ) -> dict[str, Any]:
        """Post a finding, as a reply where `parent` is given: {"finding"}."""
        content = {"kind": kind, "body": body, "cites": list(cites)}
        reply = {} if parent is None else {"parent": parent}
        return self._ask("POST", "findings", json=content | reply)

    def vote(self, finding: str, value: int) -> dict[str, Any]:
        """Vote +1 or −1 on another's finding: {"finding", "votes"}."""
        return self._ask("POST", f"findings/{finding}/vote", json={"value": value})

    def findings(self, since: int = 0, limit: int | None = None) -> dict[str, Any]:
        """Findings and changed votes after `since`: {"findings": [...], "votes": [...], "last"}."""
        bound = {} if limit is None else {"limit": limit}
        return self._ask("GET", "findings", params={"since": since} | bound)

    def _ask(
        self, verb: str, path: str, json: Content = None, params: Content = None
    ) -> dict[str, Any]:
        timeout = httpx.Timeout(ANSWER_SECONDS, read=ANSWER_SECONDS + MAX_WAIT)
        try:
            response = self._http.request(verb, path, json=json, params=params, timeout=timeout)
            body = response.json()
        except httpx.HTTPError as error:
            raise Unavailable(
                "host", f"it does not answer ({error})", "Wait a little and try again."
            ) from error
        except UnicodeEncodeError as error:
            raise BadInput(
                repr(error.object[error.start]), "it is no character of UTF-8", "Remove it."
            ) from error
        except ValueError as error:
            raise Unavailable("host", "its answer is not JSON", "Tell the operator.") from error
        if response.is_error or not isinstance(body, dict):
            raise _error_of(body)
        return body


def _error_of(body: Any) -> LabError:
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return from_dict(error)
    return Unavailable("host", "its answer is not understood", "Tell the operator.")
