"""The three protocols: what is taken out of requests, and what is read from answers."""

from __future__ import annotations

import functools
import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aar_host.models.conftest import PRICE, body_of
from tests.scripted import chat, messages, responses
from tests.scripted.script import Call, Fault, Reply, Usage

from aar_host.models.endpoint import Endpoint
from aar_host.models.orders import read_order
from aar_host.models.usage import Usage as Used
from aar_host.models.wires import PROTOCOLS, Events, Reading, is_overflow
from aar_host.models.wires.base import (
    DONE,
    MAX_EVENT,
    MAX_OUTPUT,
    MAX_PROMPT,
    MAX_TOOLS,
    PICTURE,
    beyond_bytes,
)
from aar_host.researchers.base import Wire
from aar_lab.errors import BadInput

MODULES = {Wire.MESSAGES: messages, Wire.RESPONSES: responses, Wire.CHAT: chat}
REPLY = Reply(
    "Some text\r\nwith lines and ü.",
    [Call("submit", {"source": "data: x\n\n"}), Call("bash", {})],
    Usage(300, 20, 0, 40),
)
URL = "https://elsewhere.test/a.png"
FAR = {"type": "image", "source": {"type": "url", "url": URL}}


def read_stream(wire: Wire, stream: bytes, cuts: list[int]) -> Reading:
    """What is read of a stream that comes in these pieces."""
    events, reader = Events(), PROTOCOLS[wire].reader()
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for start, end in pairwise(edges):
        for data in events.feed(stream[start:end]):
            if data != DONE:
                reader.event(json.loads(data))
    return reader.reading


def stream_of(wire: Wire, reply: Reply) -> bytes:
    body = body_of(wire, stream=True, stream_options={"include_usage": True})
    return b"".join(MODULES[wire].events(body, reply))


def facts(reading: Reading) -> tuple[object, ...]:
    tools = [(one.tool, one.arguments) for one in reading.tools]
    return reading.usage, reading.ended, reading.refused, reading.error, reading.text, tools


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 10_000), max_size=12), crlf=st.booleans())
@pytest.mark.parametrize("wire", list(Wire))
def test_a_stream_says_the_same_however_it_is_cut(wire, cuts, crlf):
    stream = stream_of(wire, REPLY)
    if crlf:
        stream = stream.replace(b"\n", b"\r\n")
    reading = read_stream(wire, stream, cuts)
    tools = [(call.name, json.dumps(call.arguments)) for call in REPLY.calls]
    assert facts(reading) == (Used(300, 20, 0, 40), True, False, "", REPLY.text, tools)


def test_a_document_says_what_a_stream_says(wire):
    reader = PROTOCOLS[wire].reader()
    reader.document(MODULES[wire].document(body_of(wire), REPLY))
    assert facts(reader.reading) == facts(read_stream(wire, stream_of(wire, REPLY), []))


def test_a_stream_that_stops_anywhere_before_its_end_has_not_ended(wire):
    stream = stream_of(wire, Reply("text"))
    reading = read_stream(wire, stream[: len(stream) // 3], [])
    assert not reading.ended
    assert reading.error == ""


def test_a_refusal_is_seen(wire):
    reading = read_stream(wire, stream_of(wire, Reply("No.", fault=Fault.REFUSED)), [])
    assert reading.refused


def test_failures_within_a_stream_are_told_apart():
    def read(wire, *bodies):
        stream = b"".join(b"data: " + json.dumps(body).encode() + b"\n\n" for body in bodies)
        return read_stream(wire, stream, []).error

    limited = {"type": "error", "error": {"type": "overloaded_error", "message": "later"}}
    assert read(Wire.MESSAGES, limited) == "rate_limited"
    long = {"code": "context_length_exceeded", "message": "too long"}
    failed = {"type": "response.failed", "response": {"status": "failed", "error": long}}
    assert read(Wire.RESPONSES, failed) == "overflow"
    assert read(Wire.CHAT, {"error": {"message": "it broke"}}) == "failed"
    window = {
        "type": "message_delta",
        "delta": {"stop_reason": "model_context_window_exceeded"},
    }
    assert read(Wire.MESSAGES, window) == "overflow"


def test_the_usage_of_a_message_counts_each_token_once():
    reader = PROTOCOLS[Wire.MESSAGES].reader()
    usage = {
        "input_tokens": 5,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 70,
        "cache_creation": {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 30},
        "output_tokens": 1,
        "service_tier": "standard",
    }
    reader.event({"type": "message_start", "message": {"usage": usage}})
    reader.event({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 9}})
    assert reader.reading.usage == Used(5, 100, 40, 9, 30)
    assert reader.reading.usage.tokens == 184


@settings(max_examples=60, deadline=None)
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    "type usage message delta choices output item response content index "
                    "content_block tool_calls function error status input_tokens".split()
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
@pytest.mark.parametrize("wire", list(Wire))
def test_no_answer_breaks_a_reader(wire, body):
    kinds = ("message_start", "content_block_start", "response.completed", "error", None)
    for kind in kinds:
        reader = PROTOCOLS[wire].reader()
        event = body if isinstance(body, dict) else {"content": body, "choices": body}
        reader.event(event if kind is None else event | {"type": kind})
        reader.document(event)
        assert reader.reading.usage is None or reader.reading.usage.tokens >= 0


def test_events_without_an_end_are_refused_and_tools_are_bounded():
    with pytest.raises(BadInput, match="no end"):
        Events().feed(b"data: " + b"x" * (MAX_EVENT + 1))
    reader = PROTOCOLS[Wire.CHAT].reader()
    calls = [{"function": {"name": "t", "arguments": "x" * 9999}}] * 1000
    reader.document({"choices": [{"message": {"tool_calls": calls}}]})
    assert len(reader.reading.tools) == MAX_TOOLS
    assert len(reader.reading.tools[0].arguments) < 9999


@pytest.mark.parametrize(
    ("wire", "kept", "dropped"),
    [
        (
            Wire.MESSAGES,
            [{"name": "f", "input_schema": {}}, {"type": "bash_20250124", "name": "bash"}],
            [{"type": "web_search_20250305"}, {"type": "web_fetch_20250910"}, {"type": 5}, "x"],
        ),
        (
            Wire.RESPONSES,
            [{"type": "function", "name": "f"}, {"type": "shell"}],
            [
                {"type": "web_search"},
                {"type": "mcp", "server_url": URL},
                {"type": "code_interpreter"},
                {"type": "shell", "environment": {"type": "container_auto"}},
            ],
        ),
        (Wire.CHAT, [{"type": "function", "function": {"name": "f"}}], [{"type": "web"}, None]),
    ],
)
def test_tools_that_the_provider_would_run_are_taken_out(wire, kept, dropped):
    clean = PROTOCOLS[wire].clean(body_of(wire, tools=[*dropped, *kept]))
    assert clean["tools"] == kept


def test_tools_in_namespaces_are_looked_through():
    tools = [{"type": "namespace", "name": "n", "tools": [{"type": "function"}, {"type": "mcp"}]}]
    clean = PROTOCOLS[Wire.RESPONSES].clean(body_of(Wire.RESPONSES, tools=tools))
    assert clean["tools"] == [{"type": "namespace", "name": "n", "tools": [{"type": "function"}]}]


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        (Wire.MESSAGES, "mcp_servers"),
        (Wire.MESSAGES, "container"),
        (Wire.RESPONSES, "previous_response_id"),
        (Wire.RESPONSES, "conversation"),
        (Wire.RESPONSES, "background"),
        (Wire.CHAT, "n"),
    ],
)
def test_what_reaches_further_than_the_model_is_refused(wire, field):
    with pytest.raises(BadInput, match=field):
        PROTOCOLS[wire].clean(body_of(wire, **{field: ["x"]}))


@pytest.mark.parametrize("field", ["service_tier", "speed", "web_search_options", "inference_geo"])
def test_what_costs_more_than_the_table_says_is_taken_out(wire, field):
    other = wire is Wire.MESSAGES and field == "web_search_options"
    dear = field in ("speed", "inference_geo") and wire is Wire.RESPONSES
    clean = PROTOCOLS[wire].clean(body_of(wire, **{field: "x"}))
    assert (field in clean) is (other or dear)


@pytest.mark.parametrize(
    ("wire", "part"),
    [
        (Wire.MESSAGES, {"type": "image", "source": {"type": "url", "url": URL}}),
        (Wire.MESSAGES, {"type": "document", "source": {"type": "file", "file_id": "f_1"}}),
        (
            Wire.MESSAGES,
            {
                "type": "tool_result",
                "content": [{"type": "image", "source": {"type": "url", "url": URL}}],
            },
        ),
        (Wire.RESPONSES, {"type": "input_image", "image_url": URL}),
        (Wire.RESPONSES, {"type": "input_file", "file_url": URL}),
        (Wire.RESPONSES, {"type": "input_file", "file_id": "file-1"}),
        (Wire.CHAT, {"type": "image_url", "image_url": {"url": URL}}),
        (Wire.CHAT, {"type": "file", "file": {"file_id": "file-1"}}),
        (Wire.CHAT, {"type": "video_url", "video_url": {"url": URL}}),
        (Wire.CHAT, {"audio_url": {"url": URL}}),
        (Wire.CHAT, {"video_url": URL}),
        (Wire.CHAT, {"content": functools.reduce(lambda x, _: {"content": [x]}, range(20), FAR)}),
        (Wire.RESPONSES, {"type": "mcp_approval", "server_url": URL}),
    ],
)
def test_nothing_is_fetched_for_a_box(wire, part):
    with pytest.raises(BadInput, match="nothing is fetched"):
        PROTOCOLS[wire].clean(body_of(wire, [part]))


def test_pictures_in_line_and_words_about_addresses_pass(wire):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    text = {"type": "text", "text": URL}
    use = {"type": "tool_use", "name": "f", "input": {"url": URL, "source": {"url": URL}}}
    body = body_of(wire, [picture, text, use])
    assert PROTOCOLS[wire].clean(body) == body


@pytest.mark.parametrize(
    "field", ["kv_transfer_params", "bootstrap_host", "models", "plugins", "chat_template", "audio"]
)
def test_a_chat_server_gets_no_field_that_is_not_known(field):
    body = body_of(Wire.CHAT, temperature=0.5, chat_template_kwargs={"enable_thinking": False})
    assert PROTOCOLS[Wire.CHAT].clean(body | {field: {"remote_host": URL}}) == body


@pytest.mark.parametrize(
    "item", [{"type": "item_reference", "id": "msg_1"}, {"id": "msg_1"}, {"type": None, "id": "m"}]
)
def test_nothing_that_the_provider_keeps_is_read(item):
    body = body_of(Wire.RESPONSES) | {"input": [item]}
    with pytest.raises(BadInput, match="item_reference"):
        PROTOCOLS[Wire.RESPONSES].clean(body)


def test_tools_within_a_conversation_are_looked_through():
    mcp = {"type": "mcp", "server_label": "m", "connector_id": "connector_mail"}
    found = {"type": "tool_search_output", "tools": [mcp, {"type": "function", "name": "f"}]}
    clean = PROTOCOLS[Wire.RESPONSES].clean(body_of(Wire.RESPONSES) | {"input": [found]})
    assert clean["input"] == [found | {"tools": [{"type": "function", "name": "f"}]}]


def test_the_provider_is_not_asked_for_summaries():
    edits = [{"type": "compact_20260112"}, {"type": "clear_thinking_20251015"}]
    clean = PROTOCOLS[Wire.MESSAGES].clean(
        body_of(Wire.MESSAGES, context_management={"edits": edits})
    )
    assert clean["context_management"] == {"edits": edits[1:]}


def test_summaries_that_the_provider_made_all_the_same_are_counted():
    reader = PROTOCOLS[Wire.MESSAGES].reader()
    made = {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3500}
    last = {"type": "message", "input_tokens": 23_000, "output_tokens": 1000}
    usage = {"input_tokens": 23_000, "output_tokens": 1000, "iterations": [made, last]}
    reader.document({"type": "message", "content": [], "usage": usage})
    assert reader.reading.usage == Used(203_000, output=4500)


PICTURE_OF_FEW_BYTES = [
    (Wire.MESSAGES, {"type": "image", "source": {"type": "base64", "data": "AAAA"}}),
    (Wire.RESPONSES, {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}),
    (Wire.CHAT, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}),
]
PAGES_OF_FEW_BYTES = [
    (Wire.MESSAGES, {"type": "document", "source": {"type": "base64", "data": "AAAA"}}),
    (Wire.RESPONSES, {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA"}),
    (Wire.CHAT, {"type": "file", "file": {"file_data": "AAAA"}}),
]


@pytest.mark.parametrize(
    ("wire", "part", "least"),
    [
        *((wire, part, PICTURE) for wire, part in PICTURE_OF_FEW_BYTES),
        *((wire, part, MAX_PROMPT) for wire, part in PAGES_OF_FEW_BYTES),
    ],
)
def test_what_is_many_tokens_in_few_bytes_is_reserved_for(wire, part, least):
    def most(text):
        content = json.dumps(body_of(wire, text)).encode()
        endpoint = Endpoint(wire.value, wire, "m", PRICE)
        path = PROTOCOLS[wire].path
        return read_order({wire.value: endpoint}, path, {}, content).most.input

    assert most([{"type": "text", "text": "image data: file"}]) < 1000
    assert least <= most([part]) <= MAX_PROMPT
    assert least <= most([{"type": "tool_result", "content": [part]}])


def test_a_document_of_plain_text_is_as_many_tokens_as_bytes():
    source = {"type": "text", "media_type": "text/plain", "data": "words"}
    assert beyond_bytes([{"type": "document", "source": source}]) == 0


def test_the_most_that_an_answer_has_is_what_the_request_allows(wire):
    protocol = PROTOCOLS[wire]
    assert protocol.most_output(body_of(wire)) == 1000
    for bad in (None, -5, 0, "many", 1e9, True):
        body = body_of(wire, max_tokens=bad, max_output_tokens=bad)
        assert protocol.most_output(body) == MAX_OUTPUT


def test_every_kind_of_failure_has_a_body_in_every_protocol(wire):
    kinds = "over_budget no_key rate_limited too_large bad_request not_found unavailable".split()
    for kind in kinds:
        assert PROTOCOLS[wire].error(kind, "words")["error"]["message"] == "words"


@pytest.mark.parametrize(
    "text",
    [
        "prompt is too long: 205000 tokens > 200000 maximum",
        "This model's maximum context length is 8192 tokens",
        "Your input exceeds the context window of this model",
        "context_length_exceeded",
    ],
)
def test_providers_words_for_a_conversation_that_is_too_long(text):
    assert is_overflow(text)
    assert not is_overflow("max_tokens is required")
