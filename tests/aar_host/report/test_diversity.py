"""The figure of diversity is inline SVG in the roles of the page, equal for equal numbers."""

from __future__ import annotations

from xml.etree import ElementTree

from aar_host.report.diversity import diversity
from aar_host.studies.diversity import Tried, diversity_of

ROWS = [Tried(10.0 * i, f"r{i % 2}", name) for i, name in enumerate(("ensemble", "other") * 3, 1)]


def test_families_and_entropy_are_drawn():
    drawn = diversity(diversity_of(ROWS, 60.0))
    text = "".join(ElementTree.fromstring(drawn).itertext())
    for words in ("ensemble", "other", "entropy, nats", "minutes"):
        assert words in text
    assert "var(--ink)" in drawn
    assert "#0102" not in drawn
    assert drawn == diversity(diversity_of(ROWS, 60.0))


def test_one_researcher_is_drawn_without_a_band_and_nothing_not_at_all():
    alone = [Tried(5.0, "ada", "other")]
    assert diversity(diversity_of(alone, 60.0)).startswith("<svg")
    assert diversity(diversity_of([], 60.0)) == ""
