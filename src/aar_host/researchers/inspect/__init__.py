"""Inspect AI as a researcher: its agent on the host's side, all that it calls in boxes of the seat.

Only `driver` and `config` are imported by the rest of the host; they do without the package
`inspect_ai`, which comes with the extra `[inspect]`.
"""

from __future__ import annotations

from aar_host.researchers.inspect.config import Bounds, Prices
from aar_host.researchers.inspect.driver import Inspect, check_installed, mend_logs

__all__ = ["Bounds", "Inspect", "Prices", "check_installed", "mend_logs"]
