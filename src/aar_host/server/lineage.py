"""The graph of a campaign as JSON: what builds on what, and which findings cite it."""

from __future__ import annotations

from typing import Any

from aar_host.feedback import Policy
from aar_host.server.telling import answers_of
from aar_host.store import Store
from aar_host.store.lineage import newest_citations, newest_nodes

MAX_NODES = 1000


def lineage(store: Store, campaign: str, policy: Policy, limit: int = MAX_NODES) -> dict[str, Any]:
    """The newest `limit` submissions and what the newest `limit` findings cite, oldest first.

    Returns:
        {"nodes": [{submission, author, title, status, score, created}],
        "edges": [{kind, from, to}]}: `builds_on` from a submission to an earlier one, which may be
        too old to be a node, and `cites` from a finding to a submission.
    """
    found = newest_nodes(store, campaign, limit)
    answers = answers_of(store, policy, [node.id for node in found])
    nodes = [
        {
            "submission": node.id,
            "author": node.author,
            "title": node.card["title"],
            "status": node.status,
            "score": answers.get(node.id),
            "created": node.created,
        }
        for node in found
    ]
    ancestors = {node.id: node.builds_on for node in found}
    citations = newest_citations(store, campaign, limit)
    edges = [
        {"kind": kind, "from": one, "to": to}
        for kind, links in (("builds_on", ancestors), ("cites", citations))
        for one, targets in links.items()
        for to in targets
    ]
    return {"nodes": nodes, "edges": edges}
