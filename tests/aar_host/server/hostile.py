"""What hostile clients send: bodies, values and bytes on the wire."""

from __future__ import annotations

import copy
import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

from tests.cards import docstring

from aar_host.server.errors import MAX_BODY_BYTES
from aar_lab.types import MAX_SOURCE_BYTES

HEAD = docstring() + "\n\ndef train(task, rng):\n    return task\n\n\n"
DEEP = 30_000

# Python that is nested in every way that its grammar knows, as deep as the limit allows.
SOURCES = (
    "(" * DEEP,
    "x = " + "[" * 90 + "]" * 90,
    "x" + ".a" * (DEEP - 1),
    "x" + "[0]" * 20_000,
    "x" + "()" * DEEP,
    "x = 1" + "+1" * DEEP,
    "x = 1" + "**1" * 20_000,
    "x = " + "-" * DEEP + "1",
    "x = " + "not " * 15_000 + "1",
    "x = " + "lambda:" * 9_000 + "1",
    "x = " + "1 if 1 else " * 5_000 + "1",
    "if x: pass\n" + "elif x: pass\n" * 4_000,
    "\n".join(" " * depth + "if x:" for depth in range(90)) + "\n" + " " * 90 + "pass",
    "@x\n" * 15_000 + "def f(): pass",
    "x = f'" + "{f'" * 200,
    "x = " + "'a' " * 12_000,
    "x = 1" + "0" * 60_000,
    "x = 1e" + "9" * 5_000,
    "def train(task, rng): return '" + "\\N{BELL}" * 6_000 + "'",
    "# coding: rot13\n",
    "# -*- coding: utf-7 -*-\n+AGE-",
    "\f\v\x1c\x85x = 1",
    "#" * (MAX_SOURCE_BYTES - len(HEAD)),
    "#" * (MAX_SOURCE_BYTES - len(HEAD) + 1),
)

TEXTS = (
    *("", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "\u202e12ab", "\ufeff", "\r\n\r\n"),
    *("../../etc/passwd", "/etc/passwd", "..\\..\\x", "file:///etc/passwd", "~root", "C:\\con"),
    *("０１２３４５６７８９ab", "٠١٢٣٤٥٦٧٨٩٠١", "3f2a90b1c4de\n", "3F2A90B1C4DE", "0" * 12),
    *("'; DROP TABLE ledger; --", "${jndi:ldap://x}", "{{7*7}}", "%00", "<script>", "x" * 100_000),
    *("👩‍👩‍👧‍👦" * 50, "Z̸̡̛" * 200, "NaN", "1e999", "-0", "null"),
)
VALUES = (
    *(None, True, False, 0, -1, 2**63, 10**400, 1.5, [], {}, [[]], ["x"] * 5_000),
    *(float("nan"), float("inf"), float("-inf"), {"": None}, {"__proto__": {}, "$ref": "#"}),
)

BODIES = (
    *(b"", b" ", b"{", b"}", b"[]", b"null", b"0", b'""', b"\xff\xfe", b"\xef\xbb\xbf{}", b"\0"),
    *(b"[" * 100_000, b'{"a":' * 40_000, b'{"a":[' * 30_000 + b"]}" * 30_000, b"1" * 200_000),
    *(b"NaN", b"-Infinity", b"1e999", b'{"source": NaN}', b'"\\ud800"', b'"\xed\xa0\x80"'),
    *("ﷺ".encode() * 1_000, b'{"a":1}' * 3, b"{}garbage", b"--x\r\n\r\n--x--", b"source=1&card=2"),
    b" " * MAX_BODY_BYTES,
    b" " * (MAX_BODY_BYTES + 1),
    b"x" * (4 * MAX_BODY_BYTES),
)
TYPES = (
    *("application/json; charset=utf-16", "application/json;charset=\xff", "text/plain", ""),
    *("multipart/form-data; boundary=x", "multipart/form-data", "application/xml", "*/*"),
    *("application/x-www-form-urlencoded", "application/octet-stream", "x" * 5_000),
)
ZEROS = b"\0" * 5_000_000
BOMBS = {
    "gzip": gzip.compress(b"[" + b"1," * 2_000_000 + b"1]"),
    "deflate": zlib.compress(ZEROS),
    "br": b"\xcf\xff\xff\x7f\xf8\x0f",
    "gzip, gzip": gzip.compress(gzip.compress(ZEROS)),
    "identity, x": b"{}",
}


def mutants(example: Any) -> Iterator[Any]:
    """The example with one value at a time replaced, left out, or added."""
    for place in _places(example):
        for value in (*TEXTS, *VALUES):
            yield _changed(example, place, value)
    if isinstance(example, dict):
        for name in example:
            yield {key: value for key, value in example.items() if key != name}
        yield example | {"author": "eve", "score": 1.0, "seed": 7}


def duplicates(example: dict[str, Any]) -> bytes:
    """The example as JSON in which every key comes twice, first with a bad value."""
    pairs = [f'"{key}": 0, "{key}": {json.dumps(value)}' for key, value in example.items()]
    return ("{" + ", ".join(pairs) + "}").encode()


def _places(value: Any) -> Iterator[tuple[Any, ...]]:
    yield ()
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from ((key, *place) for place in _places(inner))


def _changed(example: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    changed = copy.deepcopy(example)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


def framed(path: str, token: str, head: str, rest: bytes = b"") -> bytes:
    """A POST as bytes, with whatever headers and body it is given."""
    lines = f"POST {path} HTTP/1.1\r\nHost: host\r\nAuthorization: Bearer {token}\r\n{head}\r\n"
    return lines.encode("latin-1") + rest


def wires(path: str, token: str, body: bytes) -> Iterator[bytes]:
    """Requests whose framing lies, is ambiguous, or does not end; `body` would be acceptable.

    Behind each stands a whole request of its own, without a token: nobody may carry it out.
    """
    inner = b'{"kind": "insight", "body": "smuggled"}'
    hidden = (
        b"POST /v1/findings HTTP/1.1\r\nHost: host\r\nContent-Type: application/json\r\n"
        b"Content-Length: " + str(len(inner)).encode() + b"\r\n\r\n" + inner
    )
    json_type = "Content-Type: application/json\r\n"
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    size, more = f"Content-Length: {len(body)}\r\n", f"Content-Length: {len(body) + 9}\r\n"
    chunked = "Transfer-Encoding: chunked\r\n"
    for head, rest in (
        (size + more, body),
        (size + size, body),
        (size + chunked, chunk),
        (chunked + size, b"0\r\n\r\n"),
        (chunked + chunked, chunk),
        ("Transfer-Encoding: xchunked\r\n", chunk),
        ("Transfer-Encoding : chunked\r\n", chunk),
        ("Transfer-Encoding: identity, chunked\r\n", chunk),
        ("Transfer-Encoding:\x0bchunked\r\n", chunk),
        (" Content-Length: 3\r\n", body),
        ("Content-Length: +3\r\n", body),
        ("Content-Length: -1\r\n", body),
        ("Content-Length: 3, 3\r\n", body),
        ("Content-Length: 0x10\r\n", body),
        ("Content-Length: 99999999999999999999\r\n", body),
        ("Content-Length: 3\r\n", body),
        ("Content-Length: 0\r\n", body),
        (chunked, b"-1\r\n" + body),
        (chunked, b"ffffffffffffffff\r\n" + body),
        (chunked, b"3;ext=" + b"x" * 70_000 + b"\r\nabc\r\n0\r\n\r\n"),
        (chunked, b"0\r\nTrailer: x\r\nAuthorization: Bearer x\r\n\r\n"),
        (chunked, b"1\r\n{\r\n" * 100),
        (chunked, (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 12),
        ("".join(f"X-{i}: {i}\r\n" for i in range(8_000)), b""),
        ("X: " + "x" * 200_000 + "\r\n", b""),
        ("Upgrade: websocket\r\nConnection: Upgrade\r\n", b""),
        ("Expect: 100-continue\r\n" + size, body),
    ):
        yield framed(path, token, json_type + head, rest) + hidden
    yield b"\x16\x03\x01" + bytes(range(256)) + hidden
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden
    yield b"POST " + path.encode() + b" HTTP/0.9\r\n\r\n" + hidden
    yield b"POST " + path.encode() + b"\r\n\n\n" + hidden
    yield b"\0" * 100_000
