"""What a box can do to its forwarder: anything but reach further than its model and its budget."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time

import httpx
import pytest
from tests.aar_host.models.conftest import PATHS, TOKEN, body_of, seated, served
from tests.scripted.script import Reply, in_order
from tests.scripted.server import KEY, Scripted

from aar_host.models.desk import Bounds
from aar_host.models.orders import MAX_MARKS
from aar_host.researchers.base import CallOutcome, Wire

REPLY = Reply("hello")


def scripted_seat(tmp_path, **more):
    server = Scripted(in_order(REPLY))
    return server, seated(tmp_path, server, **more)


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/messages"),
        ("DELETE", "/v1/models"),
        ("POST", "/v1/files"),
        ("POST", "/v1/messages/batches"),
        ("POST", "/v1/messages/../files"),
        ("POST", "/v1/messages/"),
        ("POST", "//v1/messages"),
        ("POST", "/v1/responses/resp_1/cancel"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("POST", "/v1/%6dessages%2Fx"),
    ],
)
def test_only_the_paths_of_the_protocols_are_there(tmp_path, verb, path):
    server, seat = scripted_seat(tmp_path)
    with seat as box:
        assert box.call(verb, path, json=body_of(Wire.MESSAGES)).status_code == 404
    assert server.asked == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'"text"',
        b'{"model": NaN}',
        b"[" * 100_000,
        b'{"model": "messages", "a": ' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"model": ' + b"1" * 10_000 + b"}",
        b'{"a": [' + b"[]," * MAX_MARKS + b"0]}",
        b'{"model": "messages", "a": [' + b"0," * MAX_MARKS + b"0]}",
    ],
    ids="empty cut bytes list text nan deep nested number many numbers".split(),
)
def test_what_is_no_request_is_refused_in_the_clients_own_words(tmp_path, content):
    server, seat = scripted_seat(tmp_path)
    with seat as box:
        answer = box.call("POST", "/v1/messages", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert server.asked == []


def test_a_body_that_is_too_long_is_not_read_to_its_end(tmp_path, wire):
    server, seat = scripted_seat(tmp_path, bounds=Bounds(bytes=10_000))
    with seat as box:
        answer = box.ask(wire, "x" * 20_000)
    assert answer.status_code == 413
    assert server.asked == []


def test_a_model_is_asked_in_its_own_protocol_alone(tmp_path):
    server, seat = scripted_seat(tmp_path)
    with seat as box:
        for wire in (Wire.RESPONSES, Wire.CHAT):
            answer = box.ask(wire, model="messages")
            assert answer.status_code == 400
    assert server.asked == []


def test_the_boxs_headers_go_no_further(tmp_path, wire):
    server, seat = scripted_seat(tmp_path)
    headers = {
        "authorization": f"Bearer {TOKEN}",
        "x-api-key": TOKEN,
        "host": "internal.test",
        "cookie": "a=b",
        "x-forwarded-for": "1.2.3.4",
        "openai-organization": "another",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "x" * 5000,
        "openai-beta": "responses=v1",
        "transfer-encoding": "chunked",
    }
    with seat as box:
        box.call("POST", PATHS[wire], content=json.dumps(body_of(wire)).encode(), headers=headers)
    (asked,) = server.asked
    sent = asked.headers
    assert TOKEN not in str(sent)
    assert KEY in sent.get("x-api-key", "") + sent.get("authorization", "")
    assert sent["host"] == "provider.test"
    assert sent["anthropic-version"] == "2023-06-01"
    assert sent["openai-beta"] == "responses=v1"
    assert "transfer-encoding" not in sent
    for name in ("cookie", "x-forwarded-for", "openai-organization", "anthropic-beta"):
        assert name not in sent


def test_a_doubled_field_means_the_same_to_both_sides(tmp_path):
    server, seat = scripted_seat(tmp_path)
    body = b'{"model": "gpt-dear", "max_tokens": 9, "model": "messages", "messages": []}'
    with seat as box:
        assert box.call("POST", "/v1/messages", content=body).status_code == 200
    assert server.asked[0].body["model"] == "real-messages"


def test_smuggled_requests_are_one_request_or_none(tmp_path):
    server = Scripted(in_order(REPLY))
    inner = b"POST /v1/files HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
    body = json.dumps(body_of(Wire.MESSAGES)).encode()
    heads = [
        b"content-length: %d\r\ncontent-length: 5\r\n" % len(body),
        b"content-length: %d\r\ntransfer-encoding: chunked, identity\r\n" % len(body),
        b"content-length: +%d\r\n" % len(body),
        b"content-length : %d\r\n" % len(body),
        b"x: y\rcontent-length: 3\r\n",
    ]
    with served(tmp_path, server) as box:
        for head in heads:
            request = b"POST /v1/messages HTTP/1.1\r\nhost: x\r\n" + head + b"\r\n" + body + inner
            answer = _raw(box.socket, request)
            assert answer.split(b"\r\n")[0].split()[1] in (b"400", b"404"), answer
        assert _raw(box.socket, b"\x16\x03\x01 nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
        assert box.ask(Wire.CHAT).status_code == 200
    assert len(server.asked) == 1


def _raw(path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while chunk := connection.recv(1 << 16):
            found += chunk
    return found


def test_who_sends_slowly_is_cut_off_and_holds_up_nobody(tmp_path):
    server = Scripted(in_order(REPLY))
    head = b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"
    with served(tmp_path, server, bounds=Bounds(body_seconds=1.0, calls=4)) as box:
        with socket.socket(socket.AF_UNIX) as slow:
            slow.connect(str(box.socket))
            slow.sendall(head)
            assert box.ask(Wire.MESSAGES).status_code == 200
            slow.settimeout(10)
            assert slow.recv(1 << 16).startswith(b"HTTP/1.1 408")
        with socket.socket(socket.AF_UNIX) as gone:
            gone.connect(str(box.socket))
            gone.sendall(head)
        assert box.ask(Wire.MESSAGES).status_code == 200


class Endless(httpx.AsyncByteStream):
    """A stream of a provider that begins an answer and then waits; knows whether it was closed."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.closed = pieces, threading.Event()

    async def __aiter__(self):
        for piece in self.pieces:
            yield piece
        await asyncio.sleep(600)

    async def aclose(self):
        self.closed.set()


START = (
    b'event: message_start\ndata: {"type": "message_start", "message": '
    b'{"usage": {"input_tokens": 70, "output_tokens": 1}}}\n\n'
)
DELTA = (
    b'event: content_block_delta\ndata: {"type": "content_block_delta", "index": 0, '
    b'"delta": {"type": "text_delta", "text": "twenty bytes of text"}}\n\n'
)


def _eventually(condition) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until and not condition():
        time.sleep(0.02)
    return bool(condition())


def test_who_hangs_up_ends_the_providers_work_and_pays_for_what_was_seen(tmp_path):
    stream = Endless(START, DELTA)
    headers = {"content-type": "text/event-stream"}
    with served(tmp_path, lambda _: httpx.Response(200, headers=headers, stream=stream)) as box:
        with box.client() as http:
            body = body_of(Wire.MESSAGES, stream=True)
            with http.stream("POST", "/v1/messages", json=body) as answer:
                assert next(answer.iter_raw())
        assert stream.closed.wait(20)
        assert _eventually(lambda: box.seat.notes)
    (call,) = box.seat.calls()
    assert (call["status"], call["usage"]) == ("dropped", {"input": 70, "output": 20})
    assert box.seat.outcomes == [CallOutcome.DROPPED]


HIDDEN = (
    b'event: content_block_start\ndata: {"type": "content_block_start", "index": 0, '
    b'"content_block": {"type": "redacted_thinking", "data": "x"}}\n\n'
)


@pytest.mark.parametrize(
    ("pieces", "asked"),
    [
        ((START,), {}),
        ((START, HIDDEN, DELTA), {}),
        ((START, DELTA), {"thinking": {"type": "enabled", "budget_tokens": 900}}),
        ((START, DELTA), {"thinking": {"type": "adaptive"}}),
    ],
)
def test_who_hangs_up_before_thoughts_are_counted_pays_for_all_there_may_be(
    tmp_path, pieces, asked
):
    stream = Endless(*pieces)
    headers = {"content-type": "text/event-stream"}
    with served(tmp_path, lambda _: httpx.Response(200, headers=headers, stream=stream)) as box:
        with box.client() as http:
            body = body_of(Wire.MESSAGES, stream=True, **asked)
            with http.stream("POST", "/v1/messages", json=body) as answer:
                assert next(answer.iter_raw())
        assert _eventually(lambda: box.seat.notes)
    (call,) = box.seat.calls()
    assert (call["status"], call["usage"]) == ("dropped", {"input": 70, "output": 1000})


def test_a_host_that_ends_charges_the_calls_under_way(tmp_path):
    stream = Endless(START)
    headers = {"content-type": "text/event-stream"}
    body = json.dumps(body_of(Wire.MESSAGES, stream=True)).encode()
    head = b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
    with socket.socket(socket.AF_UNIX) as connection:
        with served(tmp_path, lambda _: httpx.Response(200, headers=headers, stream=stream)) as box:
            connection.connect(str(box.socket))
            connection.sendall(head + body)
            assert connection.recv(1 << 16)
    assert stream.closed.is_set()
    (call,) = box.seat.calls()
    assert (call["status"], call["usage"]) == ("dropped", {"input": 70, "output": 1000})


def test_a_redirect_is_not_followed(tmp_path, wire):
    seen = []

    def provider(request):
        seen.append(request.url)
        return httpx.Response(307, headers={"location": "http://169.254.169.254/"})

    with seated(tmp_path, provider) as box:
        assert box.ask(wire).status_code == 502
    assert len(seen) == 1
    assert box.seat.spent.dollars == 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_talks_nonsense_harms_nobody(tmp_path, wire, stream):
    kind = "text/event-stream" if stream else "application/json"
    nonsense = [
        b"",
        b"data: [1, 2]\n\ndata: nonsense\n\ndata: {}\n\n",
        b'data: {"type": 7, "choices": 3, "usage": [], "delta": null}\n\n',
        b'{"content": 5, "output": {"a": 1}, "choices": [null, 3, {"message": []}], "usage": 1}',
        b"\xff" * 100,
    ]
    answers = iter(nonsense)
    with seated(
        tmp_path,
        lambda _: httpx.Response(200, headers={"content-type": kind}, content=next(answers)),
    ) as box:
        for _ in nonsense:
            assert box.ask(wire, stream=stream).status_code == 200
    assert len(box.seat.notes) == len(nonsense)
    assert all(call["dollars"] >= 0 for call in box.seat.calls())


def test_an_answer_without_an_end_is_cut(tmp_path):
    class Flood(httpx.AsyncByteStream):
        async def __aiter__(self):
            while True:
                yield b"x" * 65536

    headers = {"content-type": "text/event-stream"}
    with seated(
        tmp_path,
        lambda _: httpx.Response(200, headers=headers, stream=Flood()),
        bounds=Bounds(answer_bytes=1 << 20),
    ) as box:
        answer = box.ask(Wire.MESSAGES, stream=True)
    assert len(answer.content) < 2 << 20
    assert box.seat.outcomes == [CallOutcome.DROPPED]


def test_an_error_of_the_provider_is_passed_on_without_the_key(tmp_path, wire):
    text = json.dumps({"error": {"message": f"key {KEY} is over its limit", "type": "x"}})
    with seated(tmp_path, lambda _: httpx.Response(429, text=text)) as box:
        answer = box.ask(wire)
    assert answer.status_code == 429
    assert KEY not in answer.text
    assert "over its limit" in answer.text
