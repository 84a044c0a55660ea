"""Numbers and words as they are shown, the same on the page and in the terminal.

Whatever a researcher wrote passes through `clean`: it may hold escape sequences that drive a
terminal, or characters that turn the reading direction or hide words.
"""

from __future__ import annotations

import math
import unicodedata

from aar_lab.types import Interval

NONE = "–"
ELLIPSIS = "…"
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def clean(text: str, most: int | None = None, keep: str = "") -> str:
    """The text with every invisible or steering character spelt out, as \\u202e.

    Args:
        most: cut to at most so many characters, the last one then being an ellipsis.
        keep: characters that stay as they are; for blocks of text, a new line and a tab.
    """
    shown = "".join(_shown(character, keep) for character in text)
    return shown if most is None or len(shown) <= most else shown[: most - 1] + ELLIPSIS


def block(text: str) -> str:
    """As `clean`, for text of several lines."""
    return clean(text.replace("\r\n", "\n"), keep="\n\t")


def _shown(character: str, keep: str) -> str:
    if character in keep or unicodedata.category(character) not in _HIDDEN:
        return character
    return ascii(character)[1:-1]


def number(value: float | None, digits: int = 2) -> str:
    """A rounded number with a true minus sign; "–" for None, "∞" for infinity."""
    if value is None:
        return NONE
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    # Adding 0.0 turns a rounded −0 into 0.
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def sides(interval: Interval | None) -> str:
    """An interval as [0.41, 0.66]; an unbounded side is open: (−∞, 0.66]."""
    if interval is None:
        return ""
    left = "(" if math.isinf(interval.low) else "["
    right = ")" if math.isinf(interval.high) else "]"
    return f"{left}{number(interval.low)}, {number(interval.high)}{right}"


def measured(value: float | None, interval: Interval | None) -> str:
    """A value with its interval, as 0.53 [0.41, 0.66]."""
    return f"{number(value)} {sides(interval)}".strip() if value is not None else NONE


def duration(seconds: float) -> str:
    """Seconds as 45 s, 3 min 5 s or 2 h 7 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def clock(seconds: float) -> str:
    """Seconds since the start as 3:05."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def count(amount: int, noun: str, plural: str = "") -> str:
    """A number of things, as 1 seed or 5 seeds."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"
