"""Prices, usage, endpoints: what a call costs and where it goes."""

from __future__ import annotations

import pytest

from aar_host.models.endpoint import Endpoint
from aar_host.models.prices import Price, load_prices, price_of
from aar_host.models.usage import Usage
from aar_host.researchers.base import Wire
from aar_lab.errors import BadSettings, UnknownName

FREE = Price(0, 0, 0, 0)


def test_a_bill_by_hand():
    price = price_of(load_prices(), "claude-opus-5-5")
    usage = Usage(input=1_000_000, cached_input=2_000_000, cache_write=100_000, output=50_000)
    assert usage.dollars(price) == pytest.approx(4 + 0.4 + 0.5 + 1.0)
    assert Usage(cache_write_hour=1_000_000).dollars(price) == pytest.approx(8)
    assert usage.tokens == 3_150_000


def test_long_prompts_cost_more_for_all_of_their_tokens():
    price = price_of(load_prices(), "claude-haiku-5-5")
    assert Usage(input=100_000, output=1000).dollars(price) == pytest.approx(0.0105)
    assert Usage(100_000, 1, output=1000).dollars(price) == pytest.approx(0.0525, rel=1e-3)


def test_the_table_is_whole():
    table = load_prices()
    for name, price in table.items():
        rates = (price.input, price.cached_input, price.cache_write, price.cache_write_hour)
        assert price.cached_input <= price.input <= price.cache_write <= rates[3], name
        assert price.output >= price.input, name
        assert price.long is None or price.long.input > price.input, name
    assert {"mockllm/model", "local"} <= table.keys()


def test_a_model_with_a_date_has_the_models_price_and_an_unknown_one_has_none():
    table = load_prices()
    assert price_of(table, "claude-haiku-4-5-20251001") == table["claude-haiku-4-5"]
    assert price_of(table, "gpt-5.4-2026-03-05") == table["gpt-5.4"]
    for name in ("claude-haiku-4-5-turbo", "", "gpt"):
        with pytest.raises(UnknownName, match="price"):
            price_of(table, name)


def test_ones_own_file_adds_and_replaces(tmp_path):
    file = tmp_path / "prices.yaml"
    file.write_text("models:\n  mine: {input: 1, output: 2}\n  gpt-5.4: {input: 9, output: 9}\n")
    table = load_prices(file)
    assert table["mine"] == Price(1, 1, 1, 2)
    assert table["gpt-5.4"].input == 9
    assert "claude-opus-5-5" in table


@pytest.mark.parametrize(
    "text",
    [
        "models: 3",
        "[",
        "models: {a: {input: 1}}",
        "models: {a: {input: -1, output: 1}}",
        "models: {a: {input: .inf, output: 1}}",
        "models: {a: {input: true, output: 1}}",
        "models: {a: {input: 1, output: 1, per_call: 1}}",
        "models: {a: {input: 1, output: 1, long: {input: 1, output: 1}}}",
        "models: {7: {input: 1, output: 1}}",
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, text):
    file = tmp_path / "prices.yaml"
    file.write_text(text)
    with pytest.raises(BadSettings):
        load_prices(file)
    with pytest.raises(BadSettings, match="cannot be read"):
        load_prices(tmp_path / "absent.yaml")


def test_the_most_that_tokens_can_cost_is_no_less_than_they_do():
    price = price_of(load_prices(), "claude-opus-5-5")
    most = Usage(input=1000, output=100).most_dollars(price)
    for usage in (Usage(1000, output=100), Usage(0, 1000, 0, 100), Usage(output=100)):
        assert usage.dollars(price) <= most
    assert Usage(0, 0, 0, 100, 1000).dollars(price) == pytest.approx(most)


def test_a_key_is_never_shown():
    endpoint = Endpoint("m", Wire.CHAT, "model", FREE, key="sk-secret-value")
    assert "sk-secret" not in repr(endpoint)
    for key in ("", "two\nlines", "ключ"):
        with pytest.raises(BadSettings) as caught:
            Endpoint("m", Wire.CHAT, "model", FREE, key=key)
        assert not key or key not in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1/chat/completions"),
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1/chat/completions"),
        ("https://host.test/openai", "https://host.test/openai/v1/chat/completions"),
    ],
)
def test_the_address_may_have_its_version_or_not(base_url, url):
    assert Endpoint("m", Wire.CHAT, "x", FREE, base_url).url("/v1/chat/completions") == url


@pytest.mark.parametrize(
    "base_url", ["ftp://x", "host.test", "https://user:pass@x", "http://x?a=b", "http://", "/v1"]
)
def test_an_address_that_is_none_is_refused(base_url):
    with pytest.raises(BadSettings):
        Endpoint("m", Wire.CHAT, "x", FREE, base_url)
