"""The scripted servers against the providers' own libraries, which read them strictly."""

from __future__ import annotations

import anthropic
import httpx
import openai
import pytest
from tests.scripted.script import Call, Fault, Reply, Usage, in_order, turns
from tests.scripted.server import KEY, scripted

CALL = Call("submit", {"file": "text"})
SAID = Reply("I submit.", [CALL], Usage(7, 5, 3, 11))


@pytest.fixture
def serve():
    """Serves a script; returns the server."""
    opened = []

    def begin(script, **options):
        opened.append(scripted(script, **options))
        return opened[-1].__enter__()

    yield begin
    for one in opened:
        one.__exit__(None, None, None)


def claude(server, key=KEY):
    return anthropic.Anthropic(api_key=key, base_url=server.url, max_retries=0)


def gpt(server, key=KEY):
    return openai.OpenAI(api_key=key, base_url=f"{server.url}/v1", max_retries=0)


MESSAGE = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Go."}]}
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Go."}]}


def test_messages(serve):
    server = serve(lambda asked: SAID)
    plain = claude(server).messages.create(**MESSAGE)
    with claude(server).messages.stream(**MESSAGE) as stream:
        streamed = stream.get_final_message()
    for message in (plain, streamed):
        assert message.content[0].text == "I submit."
        assert message.content[1].input == {"file": "text"}
        assert message.stop_reason == "tool_use"
        usage = message.usage
        assert (usage.input_tokens, usage.output_tokens) == (7, 11)
        assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (5, 3)


def test_responses(serve):
    server = serve(lambda asked: SAID)
    plain = gpt(server).responses.create(model="m", input="Go.")
    with gpt(server).responses.stream(model="m", input="Go.") as stream:
        streamed = stream.get_final_response()
    for response in (plain, streamed):
        assert response.output_text == "I submit."
        assert response.output[1].arguments == '{"file": "text"}'
        assert (response.usage.input_tokens, response.usage.output_tokens) == (12, 11)


def test_chat(serve):
    server = serve(lambda asked: SAID)
    plain = gpt(server).chat.completions.create(**CHAT)
    options = {"include_usage": True}
    with gpt(server).chat.completions.stream(**CHAT, stream_options=options) as stream:
        streamed = stream.get_final_completion()
    for completion in (plain, streamed):
        message = completion.choices[0].message
        assert message.content == "I submit."
        assert message.tool_calls[0].function.arguments == '{"file": "text"}'
        assert completion.usage.prompt_tokens == 12


def test_a_script_by_turns(serve):
    server = serve(turns(Reply(calls=[CALL]), Reply("Seen.")))
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "accepted"}
    later = [*MESSAGE["messages"], {"role": "user", "content": [result]}]
    assert claude(server).messages.create(**MESSAGE).stop_reason == "tool_use"
    said = claude(server).messages.create(**{**MESSAGE, "messages": later})
    assert said.content[0].text == "Seen."
    assert server.asked[1].results == ["accepted"]


def test_faults_have_the_protocol_s_shape(serve):
    server = serve(in_order(*[Reply(fault=f) for f in (Fault.RATE_LIMITED, Fault.OVERFLOW)] * 3))
    for call in (
        lambda: claude(server).messages.create(**MESSAGE),
        lambda: gpt(server).responses.create(model="m", input="Go."),
        lambda: gpt(server).chat.completions.create(**CHAT),
    ):
        with pytest.raises((anthropic.RateLimitError, openai.RateLimitError)) as limited:
            call()
        assert limited.value.response.headers["retry-after"] == "1"
        with pytest.raises((anthropic.BadRequestError, openai.BadRequestError)):
            call()


def test_a_refusal(serve):
    server = serve(lambda asked: Reply("I will not.", fault=Fault.REFUSED))
    assert claude(server).messages.create(**MESSAGE).stop_reason == "refusal"
    response = gpt(server).responses.create(model="m", input="Go.")
    assert response.output[0].content[0].type == "refusal"
    assert gpt(server).chat.completions.create(**CHAT).choices[0].message.refusal == "I will not."


def test_a_dropped_answer(serve):
    server = serve(lambda asked: Reply("Half of it.", fault=Fault.DROPPED))
    with pytest.raises(httpx.RemoteProtocolError):
        with httpx.stream(
            "POST",
            f"{server.url}/v1/messages",
            json=MESSAGE | {"stream": True},
            headers={"x-api-key": KEY},
        ) as stream:
            stream.read()


def test_the_key_is_checked(serve):
    server = serve(lambda asked: SAID)
    with pytest.raises(anthropic.AuthenticationError):
        claude(server, key="another").messages.create(**MESSAGE)
    assert (len(server.asked), len(server.strangers)) == (0, 1)


def test_it_listens_at_a_unix_socket(serve, tmp_path):
    serve(lambda asked: SAID, path=tmp_path / "m.sock")
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(tmp_path / "m.sock"))) as client:
        assert client.get("http://model/v1/models").status_code == 200
