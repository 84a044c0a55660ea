"""campaign.json: one writer, one reader."""

from __future__ import annotations

import pytest

from aar_host.jobs.manifest import NAME, has_manifest, read_manifest, write_manifest
from aar_lab.errors import BadInput, Corrupt


def test_what_is_written_is_read_and_only_its_owner_may(tmp_path):
    assert not has_manifest(tmp_path)
    write_manifest(tmp_path, {"campaign": "a" * 12, "options": {"seed": 1}})
    assert read_manifest(tmp_path) == {"campaign": "a" * 12, "options": {"seed": 1}}
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("place", ["nowhere", "."])
def test_a_directory_without_one_is_no_campaign(tmp_path, place):
    with pytest.raises(BadInput, match="holds no campaign"):
        read_manifest(tmp_path / place)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"campaign": 3}', "\udcff"])
def test_a_broken_one_is_told(tmp_path, text):
    (tmp_path / NAME).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Corrupt):
        read_manifest(tmp_path)
