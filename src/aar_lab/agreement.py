"""Card and code must say the same numbers; read, never run.

A card is what people compare methods by, and it is worth that only if its numbers are those of the
code. So every hyper-parameter of the card must stand in the code under its name, and every number
that the code trains or reads its student with (`Plan`, and `Recipe` but for texts) must stand on
the card, under the parameter's name or the name that the code gives it. docs/integrity.md says what
this cannot see.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping

from aar_lab.bindings import Bindings
from aar_lab.cards import MethodCard, Scalar, parse
from aar_lab.constants import Constants, Reading, is_number, normal
from aar_lab.integrity import Monitor, Violation, read_rules

# The parameters in their order, as `aar_lab.learners.base` and `aar_lab.types` have them.
CALLS: Mapping[str, tuple[str, ...]] = {
    "Plan": ("epochs", "rate", "batch", "warmup", "head", "loss"),
    "Recipe": ("views", "members", "aggregate", "threshold"),
    "replace": (),  # of dataclasses: changes either
}
NUMBERS = frozenset({"epochs", "rate", "batch", "warmup", "head", "members", "threshold"})
TRAINING = frozenset(CALLS["Plan"])
DISAGREE, UNSTATED = "card and code disagree", "a number that makes the student is not on the card"
CORRECT = "Correct one; a second value of one parameter needs a name of its own in card and code."
STATE = "State it among the hyper-parameters, under this name or the one it has in the code."
PLAIN = "Give a number or a name for one, or state what it is computed from by other names."


def read_agreement(source: str, card: MethodCard) -> list[Violation]:
    """Where the card and the code disagree, in the order of the code's lines.

    Raises:
        BadSource: it is not Python, or its constants take too long to follow.
    """
    bindings = Bindings(parse(source), CALLS)
    constants = Constants(bindings)
    found = dict.fromkeys([*_stated(constants, card), *_given(bindings, constants, card)])
    return sorted(found, key=lambda violation: (violation.line, violation.found))


# What a campaign reads sources and cards with.
MONITORS: tuple[Monitor, ...] = (read_rules, read_agreement)


def _stated(constants: Constants, card: MethodCard) -> Iterator[Violation]:
    """Hyper-parameters of the card that the code has not, or has with other values."""
    for name, value in card.hyperparameters.items():
        nodes = constants.bound(name)
        if any(_says(constants, node, value) for node in nodes):
            continue
        readable = [(node, found) for node in nodes for found in constants.read(node)]
        if readable:
            yield _clash(readable[0][0], name, value, _shown(readable[0][1].value))
        elif nodes:
            yield _clash(nodes[0], name, value, "no constant")
        else:
            yield _clash(None, name, value, "nothing of this name")


def _says(constants: Constants, node: ast.expr, value: Scalar) -> bool:
    """Whether an expression may have the value; a text may be the name of what is used."""
    if isinstance(value, str) and normal(_last_word(node)) == normal(value):
        return True
    return any(_same(value, found.value) for found in constants.read(node))


def _given(bindings: Bindings, constants: Constants, card: MethodCard) -> Iterator[Violation]:
    """Numbers that the code makes a student with and the card does not state."""
    stated = {normal(name): value for name, value in card.hyperparameters.items()}
    agreeing, nodes = set[str](), dict[str, ast.expr]()
    for _, arguments in bindings.given():
        for name, node in arguments.items():
            readings = constants.read(node) if name in NUMBERS else ()
            if readings:
                nodes.setdefault(name, node)
            elif name in stated and name in NUMBERS & TRAINING:
                found = f"{name} is {_shown(stated[name])} on the card, computed in the code"
                yield Violation(node.lineno, DISAGREE, found, PLAIN)
            for one in readings:
                if name in stated and _same(stated[name], one.value):
                    agreeing.add(name)
                elif is_number(one.value) and not _is_stated(one, stated):
                    yield _missing(node, name, one, stated)
    for name in sorted((set(nodes) & set(stated)) - agreeing):
        other = constants.read(nodes[name])[0]
        yield _clash(nodes[name], name, stated[name], _shown(other.value))


def _missing(
    node: ast.expr, name: str, reading: Reading, stated: Mapping[str, Scalar]
) -> Violation:
    if name in stated:
        return _clash(node, name, stated[name], _shown(reading.value))
    found = f"{name} = {_shown(reading.value)}"
    return Violation(node.lineno, UNSTATED, found, STATE)


def _clash(node: ast.expr | None, name: str, stated: Scalar, other: str) -> Violation:
    found = f"{name} is {_shown(stated)} on the card, {other} in the code"
    return Violation(node.lineno if node else 1, DISAGREE, found, CORRECT)


def _is_stated(reading: Reading, stated: Mapping[str, Scalar]) -> bool:
    """Whether the card has the number, or each of the numbers that it is computed from."""
    if any(name in stated and _same(stated[name], reading.value) for name in reading.names):
        return True
    return bool(reading.parts) and all(_is_stated(part, stated) for part in reading.parts)


def _same(stated: Scalar, found: object) -> bool:
    if isinstance(stated, str) and not isinstance(found, str):
        return _literal(stated) == found
    if is_number(stated) and is_number(found):
        return math.isclose(stated, found, rel_tol=1e-9)  # type: ignore[arg-type]
    return type(stated) is type(found) and stated == found


def _literal(text: str) -> object:
    """What a text such as ("plain", "swap") says as Python; None if it says nothing."""
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    return tuple(value) if isinstance(value, list) else value


def _last_word(node: ast.expr) -> str:
    """The last word of what is named or called."""
    if isinstance(node, ast.Call):
        return _last_word(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _shown(value: object) -> str:
    return f"{value!r:.60}"
