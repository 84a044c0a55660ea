"""The chain of the ledger, and what breaks it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tampering import tamper

from aar_host.store.findings import Note, add_finding
from aar_host.store.ledger import Event, append, events, verify_ledger
from aar_host.store.submissions import get_submission
from aar_lab.digest import digest_json
from aar_lab.errors import Corrupt
from aar_lab.types import FindingKind

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("k"), inner),
    max_leaves=5,
)


def test_what_happens_is_recorded_in_order_with_its_actor(world):
    submission = world.submit("x = 1")
    recorded = events(world.store, world.campaign)
    assert [event.kind for event in recorded] == [
        "campaign_created",
        "token_issued",
        "submission_accepted",
    ]
    assert [event.seq for event in recorded] == [1, 2, 3]
    assert (recorded[2].actor, recorded[2].payload["submission"]) == (world.actor, submission)
    assert recorded[2].time == world.clock.now


def test_the_entry_of_a_submission_binds_its_card_to_its_method(world):
    stored = get_submission(world.store, world.submit("x = 1"))
    entry = events(world.store, world.campaign)[-1].payload
    assert entry["method"] == stored.method_digest
    assert entry["card"] == digest_json(stored.card)
    assert entry["card"] != digest_json({**stored.card, "idea": "Written afterwards."})


def test_events_since_a_number_are_only_the_later_ones(world):
    world.submit("x = 1")
    assert [event.seq for event in events(world.store, world.campaign, since=2)] == [3]
    assert events(world.store, "another") == []


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, max_size=3))
def test_any_json_payload_survives_and_verifies(world, payload):
    with world.store.writing() as connection:
        seq = append(connection, world.clock(), Event(world.campaign, "note", payload))
    assert events(world.store, world.campaign, since=seq - 1)[0].payload == payload
    verify_ledger(world.store)


@pytest.mark.parametrize(
    ("statement", "entry"),
    [
        ("UPDATE ledger SET payload = '{}' WHERE seq = 2", 2),
        ("UPDATE ledger SET time = time + 1 WHERE seq = 1", 1),
        ("UPDATE ledger SET actor = NULL WHERE seq = 3", 3),
        ("UPDATE ledger SET kind = 'other' WHERE seq = 2", 2),
        ("DELETE FROM ledger WHERE seq = 1", 1),
        ("DELETE FROM ledger WHERE seq = 2", 2),
        ("UPDATE ledger SET seq = seq + 1 WHERE seq = 4", 4),
    ],
)
def test_tampering_is_found_where_it_was_done(world, statement, entry):
    world.submit("x = 1")
    add_finding(world.store, world.campaign, world.actor, Note(FindingKind.INSIGHT, "body"))
    verify_ledger(world.store)
    tamper(world.where, statement)
    with pytest.raises(Corrupt, match=f"ledger entry {entry}:"):
        verify_ledger(world.store)
