"""Word-level tokeniser over a closed vocabulary."""

from __future__ import annotations

from collections.abc import Sequence

from aar_lab.errors import BadInput

PAD = "<pad>"
END = "<end>"


class Tokeniser:
    """Words separated by single spaces ↔ integers; id 0 is padding."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        if list(vocabulary[:2]) != [PAD, END] or len(set(vocabulary)) != len(vocabulary):
            raise BadInput(
                f"vocabulary {list(vocabulary[:2])}…",
                f"it must begin with {PAD}, {END} and hold each word once",
                "Build it with `vocabulary_of`.",
            )
        self.vocabulary = tuple(vocabulary)
        self._number = {word: i for i, word in enumerate(vocabulary)}

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str) -> list[int]:
        """Token ids of the text; `BadInput` names the first word outside the vocabulary."""
        try:
            return [self._number[word] for word in text.split()]
        except KeyError as error:
            raise BadInput(
                repr(error.args[0])[:80], "not in the vocabulary", "Use the problem's own words."
            ) from error


def vocabulary_of(words: Sequence[str]) -> tuple[str, ...]:
    """A vocabulary of the given words (each once, order kept) behind the two special ones."""
    return (PAD, END, *dict.fromkeys(words))
