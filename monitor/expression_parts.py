"""PURE  What expressions are made of: tokens, fields, and the two sides of a comparison."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Final, Literal, NamedTuple

from monitor.finding import BARRIER, fold
from monitor.query import QueryError

Type = Literal["number", "text", "version", "flag", "list"]
Getter = Callable[[Any], Any]
Test = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Field:
    """Something known of an item. ``of`` gives its value, ``None`` where it is not known.

    ``version``: a text that has an order ("2.10" is after "2.9"). ``choices``: all the values there are.
    """

    type: Type
    of: Getter
    choices: Sequence[str] = ()


# ------------------------------------------------------------------------------------------------- tokens

_TOKEN: Final = re.compile(
    r"""(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<name>[^\W\d]\w*)"""
    r"""|(?P<sign><=|>=|==|!=|<>|[<>=()\[\],-])""",
    re.DOTALL,
)
_BLANK: Final = re.compile(r"\s*")
_REMEDIES: Final = {
    "'": "close it with another '",
    '"': 'close it with another "',
    "&": "write and",
    "|": "write or",
    "!": "write not",
    ".": "an item has fields only, such as rating or country",
    "“": 'write plain quotes: "..."',
    "‘": "write plain quotes: '...'",
}


class Token(NamedTuple):
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """Of a name or sign: lower case, as operators are."""
        return self.text.lower() if self.kind in ("name", "sign") else ""


def tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = _end(_BLANK, text, 0)
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise QueryError(f"{text[at]!r} means nothing here; {_remedy(text[at])}", text, at)
        found.append(Token(match.lastgroup or "", match[0], at))
        at = _end(_BLANK, text, match.end())
    return [*found, Token("end", "", len(text))]


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _remedy(sign: str) -> str:
    return _REMEDIES.get(sign, "compare fields with <, <=, ==, !=, >=, >, in, has, and join with and, or, not")


# ------------------------------------------------------------------------------------------------- operands


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a comparison. ``value``: of a literal; texts are folded. ``raw``: texts as they stand in the item."""

    type: Type
    get: Getter
    at: int
    shown: str
    field: Field | None = None
    value: Any = None
    is_attribute: bool = False

    @property
    def is_literal(self) -> bool:
        return self.field is None

    @property
    def is_text(self) -> bool:
        return self.type in ("text", "version")


ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
EQUALS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": lambda a, b: a == b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<>": lambda a, b: a != b,
}


Readable = str | Sequence[str | None] | None
"""A text of an item, or several that are looked at together."""


def parts_of(value: Readable) -> Sequence[str | None]:
    """A text, or several, as several."""
    return (value,) if value is None or isinstance(value, str) else value


def folded(value: Readable) -> str | None:
    """Without differences of case; no needle is found across the end of one of several texts."""
    known = [part for part in parts_of(value) if part is not None]
    return fold(BARRIER.join(known)) if known else None


def folded_all(values: Sequence[str] | None) -> frozenset[str] | None:
    """The same of each."""
    return None if values is None else frozenset(map(fold, values))


def number(value: Any) -> float | None:
    """What an attribute says as a number."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if isfinite(found) else None


def version_key(text: str | None) -> tuple[tuple[int, int, str], ...] | None:
    """Versions in their order: "2.9" < "2.10" < "2.10.1"; letters are before numbers."""
    parts = _VERSION_PART.findall(text or "")
    return tuple((1, int(part), "") if part.isdecimal() else (0, 0, part.lower()) for part in parts) or None


_VERSION_PART: Final = re.compile(r"[0-9]{1,18}|[^\W\d_]+")


def then(get: Getter, change: Getter) -> Getter:
    """What ``change`` makes of what ``get`` finds."""
    return lambda item: change(get(item))


def test(left: Getter, right: Getter, compare: Callable[[Any, Any], bool]) -> Test:
    """Do both sides stand so to each other? Not where one is unknown."""

    def holds(item: Any) -> bool:
        one, other = left(item), right(item)
        return one is not None and other is not None and compare(one, other)

    return holds


def as_numbers(left: Operand, right: Operand) -> tuple[Operand, Operand]:
    """An attribute that is compared with a number is read as one."""
    if left.is_attribute and right.type == "number":
        left = replace(left, type="number", get=then(left.get, number))
    if right.is_attribute and left.type == "number":
        right = replace(right, type="number", get=then(right.get, number))
    return left, right


def noun(side: Operand) -> str:
    """What a side is, in words."""
    return {"number": "a number", "flag": "true or false", "list": "a list"}.get(side.type, "a text")


def example(side: Operand) -> str:
    """How a side might be compared."""
    if side.is_literal:
        return f"rating <= {side.shown}" if side.type == "number" else f"text has {side.shown}"
    if side.field is not None and side.field.choices:
        return f"{side.shown} == '{side.field.choices[0]}'"
    endings = {"number": "<= 2", "list": "has 'urgent'", "version": ">= '2.0'"}
    return f"{side.shown} {endings.get(side.type, f'has {chr(39)}refund{chr(39)}')}"
