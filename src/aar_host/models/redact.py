"""Taking secrets out of what is kept or passed on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "[redacted]"
MIN_LENGTH = 8  # what is shorter is no secret, and would tear up ordinary text
_PATTERNS = re.compile(
    r"(?i)\bbearer\s+[a-z0-9._~+/=-]{8,}|\b(?:sk|pk|rk)-[a-zA-Z0-9_-]{12,}|\bAKIA[A-Z0-9]{12,}"
    r"|\b(?:ghp|gho|ghs|github_pat|hf|xox[abp])[_-][a-zA-Z0-9_-]{12,}"
)


class Redactor:
    """Replaces the secrets that it is given, and whatever looks like a key or a bearer token."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({s for s in secrets if len(s) >= MIN_LENGTH}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __repr__(self) -> str:
        return "Redactor(…)"

    def text(self, text: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        return _PATTERNS.sub(HIDDEN, text)

    def json(self, value: Any, longest: int) -> Any:
        """JSON whose texts, keys too, are without secrets and, after that, of a bounded length."""
        if isinstance(value, str):
            clean = self.text(value)
            cut = len(clean) - longest
            return clean if cut <= 0 else f"{clean[:longest]}… [{cut} characters more]"
        if isinstance(value, dict):
            return {self.text(str(k))[:longest]: self.json(v, longest) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.json(entry, longest) for entry in value]
        return value
