"""`aar token`: issued once, bound to role and hours, void when revoked."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result
from tests.aar_host.store.conftest import PLAN

from aar_host.auth import authenticate
from aar_host.cli import group
from aar_host.jobs.manifest import write_manifest
from aar_host.store import open_store
from aar_host.store.campaigns import create_campaign
from aar_lab.errors import NotAuthorised
from aar_lab.types import Role


@pytest.fixture
def place(tmp_path):
    """A campaign's directory, as far as tokens need it."""
    campaign = create_campaign(open_store(tmp_path / "store.db"), PLAN).id
    write_manifest(tmp_path, {"campaign": campaign})
    return tmp_path


def aar(*words: object) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words])


@pytest.mark.parametrize("role", Role)
def test_a_token_is_of_its_role_and_stored_nowhere(place, role):
    shown = aar("token", place, "grace", "--role", role.value, "--hours", 8, "--json").stdout
    document = json.loads(shown)
    actor = authenticate(open_store(place / "store.db"), document["token"])
    assert (actor.name, actor.role) == ("grace", role)
    assert (document["role"], document["hours"]) == (role.value, 8.0)
    assert document["token"].encode() not in (place / "store.db").read_bytes()


def test_without_json_the_token_alone_is_printed(place):
    shown = aar("token", place, "grace").stdout.strip()
    assert authenticate(open_store(place / "store.db"), shown).role is Role.RESEARCHER


def test_a_revoked_token_opens_nothing(place):
    token = aar("token", place, "grace").stdout.strip()
    document = json.loads(aar("token", place, "grace", "--revoke", "--json").stdout)
    assert document["revoked"] is True
    with pytest.raises(NotAuthorised):
        authenticate(open_store(place / "store.db"), token)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("grace", "--revoke"), "unknown_name"),
        (("grace", "--hours", "0"), "bad_input"),
        (("a\nb",), "bad_input"),
    ],
)
def test_what_cannot_be_is_a_typed_error(place, words, code):
    result = aar("token", place, *words, "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (1, code)


def test_a_directory_without_a_campaign_is_told(tmp_path):
    error = json.loads(aar("token", tmp_path, "grace", "--json").stdout)["error"]
    assert "holds no campaign" in error["fault"]
