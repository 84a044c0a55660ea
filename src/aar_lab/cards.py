"""The method card: what a method is, in words and numbers, written before any result.

A card travels with its method. It is read from the source's docstring without running anything:

    Title in one line

    The idea: why it should work, equations included.

    Objective: what is minimised, over what
    Data: which examples, which labels
    Procedure: the steps, in their order
    Hyper-parameters: margin = 0.1, epochs = 2, rate = 1e-3

A section begins a line and runs to the next one; hyper-parameters stand one a line or with commas.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from aar_lab.errors import BadInput, BadSource

Scalar = str | int | float | bool

FAMILIES = (
    *("self-training", "ensemble", "distillation", "data filtering", "confidence weighting"),
    *("loss function", "unsupervised elicitation", "curriculum", "model internals"),
    *("evolutionary", "other"),
)
LENGTHS = {"title": 120, "idea": 2000, "objective": 2000, "data": 2000, "procedure": 2000}
MAX_HYPERPARAMETERS, MAX_NAME, MAX_TEXT, MAX_NUMBER = 40, 60, 200, 1e300

# Each section of a docstring, with an example of it.
SECTIONS = {
    "Objective": "Objective: min over f of  CE(f(x), 1[p_w(x) > ½]), x sure",
    "Data": "Data: the unlabelled inputs of which the weak supervisor is sure",
    "Procedure": "Procedure: keep the sure inputs; harden their labels; fit once",
    "Hyper-parameters": "Hyper-parameters: epochs = 2, rate = 1e-3",
}
_SECTION = re.compile(rf"^({'|'.join(SECTIONS)}):", re.MULTILINE)
_NEXT = re.compile(r",\s*(?=[^\W\d]\w*\s*=(?!=))")


@dataclass(frozen=True)
class MethodCard:
    """What a method is; written before any result and containing none.

    Args:
        title: one line, at most 120 characters.
        idea: why it should work; this and the next three at most 2,000 characters, none blank.
        objective: what is minimised.
        data: which examples and labels are used.
        procedure: the steps.
        hyperparameters: at most 40, by identifiers of at most 60 characters: finite numbers of
            size 1e300 at most, truth values, or at most 200 characters of text.
        family: one of `FAMILIES`.
    """

    title: str
    idea: str
    objective: str
    data: str
    procedure: str
    hyperparameters: Mapping[str, Scalar]
    family: str = "other"

    def __post_init__(self) -> None:
        object.__setattr__(self, "hyperparameters", dict(self.hyperparameters))
        for name, most in LENGTHS.items():
            value = getattr(self, name)
            if not value.strip() or len(value) > most:
                raise BadInput(
                    f"{name} of {len(value)} characters",
                    f"a card's {name} has 1…{most}, not all blank",
                    "Rewrite it.",
                )
        _check_hyperparameters(self.hyperparameters)
        if self.family not in FAMILIES:
            raise BadInput(
                repr(self.family)[:80], "unknown family", f"One of: {', '.join(FAMILIES)}."
            )

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, body: object) -> MethodCard:
        """Read a card from untrusted JSON; `BadInput` on unknown, absent or wrong fields."""
        if not isinstance(body, dict):
            raise BadInput(type(body).__name__, "a card is a JSON object", "Write one.")
        known = [field.name for field in fields(cls)]
        for key in body:
            if key not in known:
                raise BadInput(
                    f"{key!r:.80}", "unknown field of a card", f"Known are: {', '.join(known)}."
                )
        for name in known[:-1]:
            if name not in body:
                raise BadInput(name, "the card lacks this field", "Fill in every one.")
        for name in (*LENGTHS, "family"):
            if not isinstance(body.get(name, ""), str):
                raise BadInput(f"{name} = {body[name]!r:.80}", "this is no text", "Write a text.")
        if not isinstance(body["hyperparameters"], dict):
            raise BadInput("hyperparameters", "this is no JSON object", "Write {name: value}.")
        return cls(**body)


def _check_hyperparameters(values: Mapping[str, Scalar]) -> None:
    if len(values) > MAX_HYPERPARAMETERS:
        raise BadInput(
            f"{len(values)} hyper-parameters",
            f"a card has at most {MAX_HYPERPARAMETERS}",
            "State those that matter.",
        )
    for name, value in values.items():
        if not isinstance(name, str) or not name.isidentifier() or len(name) > MAX_NAME:
            raise BadInput(
                f"hyper-parameter {name!r:.80}",
                f"its name is no identifier of at most {MAX_NAME} characters",
                "Name it as the code does.",
            )
        if isinstance(value, str):
            good = len(value) <= MAX_TEXT
        else:
            good = isinstance(value, int | float) and abs(value) <= MAX_NUMBER
        if not good:
            raise BadInput(
                f"{name} = {value!r:.80}",
                f"neither a finite number, nor a truth value, nor a text of at most {MAX_TEXT}",
                "State the value itself.",
            )


def parse(source: str) -> ast.Module:
    """The syntax tree of a source, which is not run; `BadSource` if it is not Python."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadSource("source", f"not Python: {error}", "Correct the syntax.") from error


def read_card(text: str) -> MethodCard:
    """The card in a method's source: docstring and FAMILY; nothing is executed.

    Raises:
        BadSource: the text is not Python, or its docstring lacks a part or gives it twice.
        BadInput: a part is out of its limits.
    """
    module = parse(text)
    words = (ast.get_docstring(module) or "").strip()
    if not words:
        raise BadSource(
            "source", "it has no docstring", "Begin the file with a title line and the idea."
        )
    head, sections = _split(words)
    title, _, idea = head.partition("\n")
    if not idea.strip():
        raise BadSource(
            "docstring", "it tells no idea", "After the title line, write why the method may work."
        )
    return MethodCard(
        title.strip(),
        idea.strip(),
        sections["Objective"],
        sections["Data"],
        sections["Procedure"],
        dict(_hyperparameters(sections["Hyper-parameters"])),
        _family(module),
    )


def _split(words: str) -> tuple[str, dict[str, str]]:
    """What stands before the first section, and the sections by name."""
    head, *parts = _SECTION.split(words)
    names, texts = parts[::2], map(inspect.cleandoc, parts[1::2])
    for name, example in SECTIONS.items():
        if names.count(name) != 1:
            fault = "lacks the section" if name not in names else "has more than one section"
            raise BadSource("docstring", f"it {fault} `{name}:`", f"Write one, as `{example}`.")
    return head, {name: text.strip() for name, text in zip(names, texts, strict=True)}


def _hyperparameters(text: str) -> Iterator[tuple[str, Scalar]]:
    seen: set[str] = set()
    lines = [] if text.rstrip(".").lower() == "none" else text.splitlines()
    for line in lines:
        for name, value in _pairs(line.strip().rstrip(",")):
            if name in seen:
                raise BadSource(name, "this hyper-parameter is stated twice", "State it once.")
            seen.add(name)
            yield name, value


def _pairs(line: str) -> Iterator[tuple[str, Scalar]]:
    """`name = value, …` is how Python writes keywords; what is not so is split at its commas."""
    written = f"f({line}\n)"
    try:
        call = ast.parse(written, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        call = None
    match call:
        case ast.Call(func=ast.Name(id="f"), args=[], keywords=words) if all(w.arg for w in words):
            for word in words:
                yield word.arg or "", _value(ast.get_source_segment(written, word.value) or "")
            return
    for piece in _NEXT.split(line):
        name, _, value = (part.strip() for part in piece.partition("="))
        if not name.isidentifier() or not value:
            raise BadSource(
                f"{piece:.80}", "it is no hyper-parameter", "Write one a line, as `epochs = 2`."
            )
        yield name, _value(value)


def _value(text: str) -> Scalar:
    """A number, a truth value or a quoted text; anything else is the text as it stands."""
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return text
    return value if isinstance(value, Scalar) else text


def _family(module: ast.Module) -> str:
    for node in module.body:
        match node:
            case ast.Assign(targets=names, value=value) if any(map(_is_family, names)):
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    return value.value
                raise BadSource(
                    f"line {node.lineno}", "FAMILY is no text", f"One of: {', '.join(FAMILIES)}."
                )
    return "other"


def _is_family(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "FAMILY"
