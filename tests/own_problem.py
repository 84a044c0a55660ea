"""The problem of docs/write-a-problem.md as a file, whole or with one rule broken."""

from __future__ import annotations

import re
from pathlib import Path

GUIDE = Path(__file__).parents[1] / "docs" / "write-a-problem.md"


def listing() -> str:
    """The first listing of the guide."""
    found = re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def small() -> str:
    """The same with fewer items, for speed."""
    return changed(
        listing(),
        "train_labeled=330, weak_problems=30, train_unlabeled=400, test=300",
        "train_labeled=60, weak_problems=10, train_unlabeled=60, test=60",
    )


def changed(text: str, old: str, new: str) -> str:
    """The text with one passage replaced, which must be there."""
    assert old in text, old
    return text.replace(old, new)


def derived(methods: str) -> str:
    """The small problem with other methods, given as the body of a class."""
    body = "\n".join(f"    {line}" for line in methods.strip("\n").splitlines())
    return f"{small()}\n\nclass Broken(Brackets):\n{body}\n\n\nPROBLEM = Broken\n"
