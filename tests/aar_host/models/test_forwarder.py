"""The forwarder before scripted providers that speak the real protocols."""

from __future__ import annotations

import json
import stat

import pytest
from tests.aar_host.models.conftest import PATHS, PRICE, TOKEN, dollars, seated
from tests.scripted.script import Call, Fault, Reply, Usage, in_order
from tests.scripted.server import KEY, Scripted, scripted

from aar_host.models.usage import Usage as Used
from aar_host.researchers.base import CallOutcome, Wire
from aar_host.store.ledger import verify_ledger

REPLY = Reply(
    "I try it.",
    [Call("submit", {"source": "x = 1"}), Call("bash", {"command": "ls"})],
    Usage(input=1000, cached_input=200, cache_write=0, output=50),
)
COST = Used(1000, 200, 0, 50).dollars(PRICE)


@pytest.fixture(params=[False, True], ids=["plain", "stream"])
def stream(request):
    return request.param


def test_a_call_is_passed_on_with_the_key_metered_and_told(tmp_path, wire, stream):
    server = Scripted(in_order(REPLY))
    with seated(tmp_path, server) as box:
        answer = box.ask(wire, stream=stream)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(
            "text/event-stream" if stream else "application/json"
        )
        (asked,) = server.asked
        assert asked.path == PATHS[wire]
        assert asked.body["model"] == f"real-{wire.value}"
    seat = box.seat
    assert seat.kept[0]["answer"]["text"] == "I try it."
    assert seat.spent.dollars == pytest.approx(COST)
    assert seat.spent.tokens == 1250
    (note,) = seat.notes
    assert (note.number, note.outcome, note.tools) == (1, CallOutcome.OK, ("submit", "bash"))
    assert seat.recorded == [
        ("tool_call", {"tool": "submit", "arguments": '{"source": "x = 1"}'}),
        ("tool_call", {"tool": "bash", "arguments": '{"command": "ls"}'}),
    ]
    (call,) = seat.calls()
    assert (call["outcome"], call["researcher"]) == ("ok", "ada")
    assert call["usage"] == {"input": 1000, "cached_input": 200, "output": 50}
    verify_ledger(seat.store)


def test_the_transcript_has_each_message_once_and_no_secret(tmp_path, wire):
    text = f"my token is {TOKEN}, and Bearer abcdefghijklmnop"
    server = Scripted(in_order(REPLY))
    with seated(tmp_path, server) as box:
        for _ in range(2):
            box.ask(wire, text)
    first, second = box.seat.kept
    assert len(first["request"]["new"]) == 1
    assert second["request"]["new"] == []
    assert first["answer"]["text"] == "I try it."
    assert [one["tool"] for one in first["answer"]["tools"]] == ["submit", "bash"]
    whole = box.seat.transcript.read_text()
    assert "[redacted]" in whole
    for secret in (TOKEN, KEY, "abcdefghijklmnop"):
        assert secret not in whole
    assert stat.S_IMODE(box.seat.transcript.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("fault", "status", "outcome", "charged"),
    [
        (Fault.RATE_LIMITED, 429, CallOutcome.RATE_LIMITED, False),
        (Fault.BROKEN, 500, CallOutcome.FAILED, False),
        (Fault.OVERFLOW, 400, CallOutcome.OVERFLOW, False),
        (Fault.REFUSED, 200, CallOutcome.REFUSED, True),
        (Fault.MALFORMED, 200, CallOutcome.OK, True),
    ],
)
def test_what_goes_wrong_is_told_apart_and_errors_cost_nothing(
    tmp_path, wire, stream, fault, status, outcome, charged
):
    reply = Reply("no", [Call("bash", {"command": "ls"})], fault=fault)
    with seated(tmp_path, Scripted(in_order(reply))) as box:
        answer = box.ask(wire, stream=stream)
    assert answer.status_code == status
    assert box.seat.outcomes == [outcome]
    assert (box.seat.spent.dollars > 0) is charged
    if fault is Fault.RATE_LIMITED:
        assert answer.headers["retry-after"] == "1"


def test_a_wrong_key_is_told_without_a_word_of_it(tmp_path, wire):
    server = Scripted(in_order(REPLY), key="another-key-123")
    with seated(tmp_path, server) as box:
        answer = box.ask(wire)
        assert len(server.strangers) == 1
    assert answer.status_code == 401
    assert KEY not in answer.text
    assert "host's key" in answer.json()["error"]["message"]
    assert box.seat.outcomes == [CallOutcome.NO_KEY]
    assert box.seat.spent.dollars == 0


def test_a_stream_that_breaks_off_ends_with_an_error_and_is_charged(tmp_path, wire):
    reply = Reply("half of an answer", REPLY.calls, fault=Fault.DROPPED)
    with scripted(in_order(reply)) as server, seated(tmp_path, base_url=server.url) as box:
        answer = box.ask(wire, stream=True)
    assert answer.status_code == 200
    assert "broke off" in answer.text
    assert box.seat.outcomes == [CallOutcome.DROPPED]
    (call,) = box.seat.calls()
    assert call["status"] == "dropped"
    # Nothing was seen yet of what the model wrote, so it may have thought as long as it might.
    assert call["dollars"] > 1000 * PRICE.output / 1e6


def test_a_document_that_breaks_off_is_an_error_and_costs_its_reservation(tmp_path, wire):
    reply = Reply("half of an answer", fault=Fault.DROPPED)
    with scripted(in_order(reply)) as server, seated(tmp_path, base_url=server.url) as box:
        answer = box.ask(wire)
    assert answer.status_code == 502
    assert box.seat.outcomes == [CallOutcome.DROPPED]
    assert box.seat.calls()[0]["dollars"] > 1000 * PRICE.output / 1e6


def test_a_provider_that_is_not_there_costs_nothing(tmp_path, wire):
    with seated(tmp_path, base_url="http://127.0.0.1:9") as box:
        answer = box.ask(wire)
    assert answer.status_code == 502
    assert "cannot be reached" in answer.text
    assert box.seat.outcomes == [CallOutcome.FAILED]
    assert box.seat.spent.dollars == 0


def test_a_giant_answer_is_metered_and_kept_short(tmp_path, wire):
    reply = Reply("word " * 400_000, usage=Usage(10, output=400_000))
    with seated(tmp_path, Scripted(in_order(reply))) as box:
        answer = box.ask(wire, stream=True)
    assert len(answer.content) > 2_000_000
    assert box.seat.spent.tokens == 400_010
    assert box.seat.transcript.stat().st_size < 300_000
    (line,) = box.seat.kept
    assert line["answer"]["text"].startswith("word word")


def test_without_budget_nothing_is_sent_and_the_client_is_told_not_to_try_again(tmp_path, wire):
    server = Scripted(in_order(REPLY))
    with seated(tmp_path, server, budgets=dollars(COST)) as box:
        assert box.ask(wire).status_code == 200
        refused = [box.ask(wire) for _ in range(3)]
        assert len(server.asked) == 1
    for answer in refused:
        assert answer.status_code == 403
        assert "dollars" in answer.json()["error"]["message"]
        assert "retry-after" not in answer.headers
    assert box.seat.outcomes == [CallOutcome.OK, CallOutcome.OVER_BUDGET]


def test_a_model_that_is_not_on_the_list_is_refused(tmp_path, wire):
    server = Scripted(in_order(REPLY))
    with seated(tmp_path, server) as box:
        for name in ("gpt-of-somebody", None, 7, ["chat"], "real-chat"):
            answer = box.ask(wire, model=name)
            assert answer.status_code == 400
            assert "no such model" in answer.json()["error"]["message"]
        assert server.asked == []
    assert box.seat.notes == []


def test_the_seats_own_models_are_listed_without_asking_anybody(tmp_path):
    with seated(tmp_path, base_url="http://127.0.0.1:9") as box:
        body = box.call("GET", "/v1/models").json()
    assert [entry["id"] for entry in body["data"]] == ["chat", "messages", "responses"]


def test_tokens_are_counted_for_nothing(tmp_path):
    server = Scripted(in_order(REPLY))
    with seated(tmp_path, server, budgets=dollars(1e-9)) as box:
        answer = box.call(
            "POST",
            "/v1/messages/count_tokens?beta=true",
            json={"model": "messages", "messages": [{"role": "user", "content": "hello"}]},
        )
    assert answer.status_code == 200
    assert answer.json()["input_tokens"] > 0
    assert (box.seat.notes, box.seat.calls()) == ([], [])


def test_a_chat_stream_is_asked_for_its_usage(tmp_path):
    server = Scripted(in_order(REPLY))
    with seated(tmp_path, server) as box:
        box.ask(Wire.CHAT, stream=True, stream_options={"include_usage": False})
        assert server.asked[0].body["stream_options"] == {"include_usage": True}


def test_the_same_words_have_the_same_digest_in_ledger_and_transcript(tmp_path, wire):
    server = Scripted(in_order(REPLY))
    with seated(tmp_path, server) as box:
        box.ask(wire, "söme wörds")
        sent = server.asked[0].body
    assert json.dumps(sent, ensure_ascii=False).count("söme wörds") == 1
    assert box.seat.calls()[0]["request"] == box.seat.kept[0]["request"]["digest"]
