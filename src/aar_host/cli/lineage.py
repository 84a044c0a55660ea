"""`aar lineage`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from aar_host.cli.common import json_option
from aar_host.feedback import get_policy
from aar_host.jobs.places import view_campaign_store
from aar_host.report.figures import SERIES
from aar_host.report.lineage import lineage as draw
from aar_host.report.lineage import standalone
from aar_host.report.results import HistoryRow
from aar_host.server.lineage import lineage as graph_of
from aar_host.store.campaigns import get_campaign
from aar_lab.errors import BadInput
from aar_lab.forum import lineage_tree


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Draw it there.")
@json_option
def lineage(directory: Path, svg: Path | None, as_json: bool) -> dict[str, Any]:
    """Tell which submission of a campaign builds on which, as a tree, or draw it.

    Example: aar lineage runs/first --svg lineage.svg
    """
    graph = _read(directory)
    if svg is not None:
        svg.write_text(_drawn(graph), encoding="utf-8")
    if not as_json:
        for line in lineage_tree(graph["nodes"], graph["edges"]):
            click.echo(line)
    return graph


def _read(directory: Path) -> dict[str, Any]:
    store, campaign = view_campaign_store(directory)
    return graph_of(store, campaign, get_policy(get_campaign(store, campaign).policy))


def _drawn(graph: Mapping[str, Any]) -> str:
    history = _history(graph["nodes"], graph["edges"])
    names = dict.fromkeys(row.researcher for row in history)
    drawn = draw(history, {name: i % SERIES for i, name in enumerate(names)})
    if not drawn:
        raise BadInput("lineage", "no submission builds on another", "Leave --svg out.")
    return standalone(drawn)


def _history(
    nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]
) -> list[HistoryRow]:
    parents: dict[str, list[str]] = {}
    for edge in edges:
        if edge["kind"] == "builds_on":
            parents.setdefault(edge["from"], []).append(edge["to"])
    return [
        HistoryRow(
            seconds=node["created"] - nodes[0]["created"],
            researcher=node["author"],
            submission=node["submission"],
            title=node["title"],
            status=node["status"],
            pgr=node["score"] and node["score"]["pgr"],
            interval=None,
            builds_on=tuple(parents.get(node["submission"], ())),
        )
        for node in nodes
    ]
