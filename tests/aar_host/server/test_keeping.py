"""A crash between acceptance and snapshot loses nothing: the store makes good what is missing."""

from __future__ import annotations

from aar_host.server.keeping import files_of, keep, keep_missing
from aar_host.snapshots import Snapshots
from aar_host.store.submissions import get_submission

OTHER = "def train(task, rng): pass"


def test_what_is_missing_is_made_from_the_store(site, tmp_path):
    place = Snapshots(str(tmp_path / "snapshots"))
    first, second = site.submit(), site.submit(OTHER)
    keep(site.store, place, first)
    assert keep_missing(site.store, place, site.campaign) == 1
    assert keep_missing(site.store, place, site.campaign) == 0
    assert len(place.digests()) == 2
    digest = place.put(files_of(site.store, get_submission(site.store, second)))
    assert place.get(digest)["method.py"].decode() == OTHER
    assert len(place.digests()) == 2


def test_other_campaigns_are_left_alone(site, tmp_path):
    place = Snapshots(str(tmp_path / "snapshots"))
    site.submit()
    assert keep_missing(site.store, place, "another") == 0
