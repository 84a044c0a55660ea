"""Researchers: what one is, where it sits, and the search, which needs no language model."""

from __future__ import annotations

from aar_host.researchers.base import Researcher, Station
from aar_host.researchers.directions import UNDIRECTED, Direction, directions, get_direction
from aar_host.researchers.search import Search
from aar_host.researchers.station import BoxStation, Listen, Seat, Terms, seat_spec

__all__ = [
    "UNDIRECTED",
    "BoxStation",
    "Direction",
    "Listen",
    "Researcher",
    "Search",
    "Seat",
    "Station",
    "Terms",
    "directions",
    "get_direction",
    "seat_spec",
]
