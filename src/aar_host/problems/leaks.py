"""Ways in which a public item gives its label or a private fact away."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from aar_host.vault import Labels
from aar_lab.types import Inputs

Drawn = tuple[Inputs, Labels]
# From a draw and the position of an item in it to what can be read there, as words.
Reader = Callable[[Inputs, int], Sequence[str]]
# What can be read of each item, and its label.
Known = list[tuple[tuple[str, ...], int]]

FORBIDDEN = frozenset({"id", "y", "label", "labels", "truth", "target", "answer", "problem"})
TELLS = 0.98
COVERS = 0.2
ENOUGH = 20
TOGETHER = 0.3


def fields(drawn: Iterable[Drawn]) -> list[str]:
    """Names that no public field may have."""
    names = {name for inputs, _ in drawn for row in inputs.data for name in row}
    return [f"a field named {name!r}" for name in sorted(names & FORBIDDEN)]


def readers(example: Inputs, pairs: int) -> dict[str, Reader]:
    """What is tried: each field's text, its words and its length; words of the id, and how it
    starts and ends; the place among a problem's `pairs` items."""
    found: dict[str, Reader] = {
        "words of id": lambda inputs, at: re.findall(r"[a-zA-Z0-9]+", inputs.ids[at]),
        "start of id": lambda inputs, at: (inputs.ids[at][:1],),
        "end of id": lambda inputs, at: (inputs.ids[at][-1:],),
        "place": lambda inputs, at: (str(at % pairs),),
    }
    for field in example.data[0]:
        found |= _of_field(field)
    return found


def _of_field(field: str) -> dict[str, Reader]:
    return {
        f"text of {field}": lambda inputs, at: (inputs.data[at][field],),
        f"words of {field}": lambda inputs, at: sorted(set(inputs.data[at][field].split())),
        f"length of {field}": lambda inputs, at: (str(len(inputs.data[at][field].split())),),
    }


def read(drawn: Iterable[Drawn], reader: Reader) -> Known:
    """What a reader sees of every item, with the label."""
    return [
        (tuple(reader(inputs, at)), int(labels.truth[at]))
        for inputs, labels in drawn
        for at in range(len(inputs))
    ]


def telling_word(known: Known) -> str | None:
    """A word whose presence, or absence, is the label of nearly every item."""
    with_word: Mapping[int, Counter[str]] = {0: Counter(), 1: Counter()}
    for words, truth in known:
        with_word[truth].update(set(words))
    zeros = sum(truth == 0 for _, truth in known)
    for word in with_word[0] | with_word[1]:
        agree = (with_word[1][word] + zeros - with_word[0][word]) / len(known)
        if max(agree, 1 - agree) >= TELLS:
            return word
    return None


def telling_lookup(known: Known, tested: Known) -> bool:
    """Whether a table from what is read to its usual label is right on nearly all of the tested
    items that are in it, and these are not few."""
    table: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for key, truth in known:
        table[key].append(truth)
    right = [(np.mean(table[key]) > 0.5) == truth for key, truth in tested if key in table]
    return len(right) >= COVERS * len(tested) and float(np.mean(right)) >= TELLS


def order(drawn: Iterable[Drawn], pairs: int) -> list[str]:
    """Whether the labels of neighbouring problems go together: items sorted, or in turn."""
    faults = []
    for inputs, labels in drawn:
        first = labels.truth[::pairs]
        if first.size < ENOUGH:
            continue
        ones, same = float(first.mean()), float(np.mean(first[1:] == first[:-1]))
        if abs(same - ones**2 - (1 - ones) ** 2) > TOGETHER:
            faults.append(f"neighbours among {len(inputs)} items share their label: {same:.0%}")
    return faults


def shown(inputs: Inputs, labels: Labels) -> set[str]:
    """Private facts that a public field shows, by its name or, on most items, by its value."""
    names = set(labels.metadata[0]) & set(inputs.data[0])
    for field in inputs.data[0]:
        texts = [row[field] for row in inputs.data]
        for fact in labels.metadata[0]:
            values = [str(facts[fact]) for facts in labels.metadata]
            same = sum(map(str.__eq__, texts, values)) / len(texts)
            if same >= TELLS and len(set(values)) > 1:
                names.add(f"{fact} in {field}")
    return names
