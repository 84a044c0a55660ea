"""The graph of what builds on what, and snapshots of methods."""

from __future__ import annotations

import json

from tests.cards import card_body

from aar_host.server.lineage import lineage
from aar_host.snapshots import Snapshots, pack
from aar_lab.digest import digest_bytes

OTHER = "def train(task, rng): pass"


def child_of(site, draft, parent: str) -> str:
    response = site.call("POST", "/submissions", json=draft(OTHER, builds_on=[parent]))
    return str(response.json()["submission"])


def test_nodes_are_submissions_and_edges_what_they_rest_on(site, draft):
    first = site.submit()
    site.now += 1
    second = child_of(site, draft, first)
    site.score(first, 0.123456)
    body = {"kind": "result", "body": "b", "cites": [first, second]}
    finding = site.call("POST", "/findings", json=body).json()["finding"]
    graph = site.call("GET", "/lineage", site.token("bob")).json()
    told = {"pgr": 0.12, "interval": [0.02, 0.22]}
    node = {"author": "ada", "title": "A title"}
    assert graph["nodes"] == [
        node | {"submission": first, "status": "done", "score": told, "created": 1000.0},
        node | {"submission": second, "status": "queued", "score": None, "created": 1001.0},
    ]
    assert graph["edges"] == [
        {"kind": "builds_on", "from": second, "to": first},
        {"kind": "cites", "from": finding, "to": first},
        {"kind": "cites", "from": finding, "to": second},
    ]
    assert "1234" not in json.dumps(graph)


def test_only_the_newest_are_told_where_there_are_many(site):
    names = []
    for i in range(3):
        site.now += 1
        names.append(site.submit(f"def train(task, rng): {i}"))
    nodes = lineage(site.store, site.campaign, site.app.state.hall.policy, limit=2)["nodes"]
    assert [node["submission"] for node in nodes] == names[1:]
    assert site.call("GET", "/lineage?limit=1").json()["nodes"][0]["submission"] == names[2]


def test_a_snapshot_holds_method_card_and_ancestors(site, draft, refused):
    first = site.submit()
    second = child_of(site, draft, first)
    told = site.call("GET", f"/submissions/{second}/snapshot", site.token("bob")).json()
    assert told["files"] | {"card.json": json.loads(told["files"]["card.json"])} == {
        "method.py": OTHER,
        "card.json": card_body(),
        "builds_on.json": json.dumps([first]),
    }
    content = pack({name: text.encode() for name, text in told["files"].items()})
    assert told["digest"] == digest_bytes(content)
    refused(site.call("GET", f"/submissions/{'0' * 12}/snapshot"), 404, "unknown_name")


def test_an_accepted_method_is_kept_as_a_snapshot(site, draft, tmp_path):
    place = Snapshots(str(tmp_path / "snapshots"))
    kept = type(site)(tmp_path / "kept.db", snapshots=place)
    told = kept.call("GET", f"/submissions/{kept.submit()}/snapshot").json()
    assert place.digests() == {told["digest"]}
    found = place.get(told["digest"])
    assert {name: text.decode() for name, text in found.items()} == told["files"]


def test_a_submission_is_accepted_though_its_snapshot_cannot_be_written(site, tmp_path):
    (tmp_path / "file").touch()
    place = Snapshots(str(tmp_path / "file" / "snapshots"))
    kept = type(site)(tmp_path / "kept.db", snapshots=place)
    assert kept.submit()
