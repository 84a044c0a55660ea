"""Canonical JSON and digests."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_lab.digest import canonical, digest_bytes, digest_json, digest_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


@given(JSON)
def test_canonical_json_is_json_of_the_same_value(value: Any) -> None:
    assert json.loads(canonical(value)) == value


@given(st.dictionaries(TEXT, JSON, min_size=2), st.data())
def test_the_order_of_keys_does_not_matter(value: dict[str, Any], data: st.DataObject) -> None:
    keys = data.draw(st.permutations(list(value)))
    assert digest_json({key: value[key] for key in keys}) == digest_json(value)


@given(JSON, JSON)
def test_unequal_json_has_unequal_digests(first: Any, second: Any) -> None:
    same = json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
    assert (digest_json(first) == digest_json(second)) == same


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf]])
def test_what_json_cannot_say_has_no_digest(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        digest_json(value)


def test_digests_are_sha_256_of_utf_8() -> None:
    expected = hashlib.sha256(b'{"a":"\xc3\xa4"}').hexdigest()
    assert digest_json({"a": "ä"}) == digest_text('{"a":"ä"}') == expected
    assert digest_bytes(b"") == hashlib.sha256(b"").hexdigest()
