"""PURE  JMESPath: expressions that lead into somebody else's JSON. Whatever it holds, they find something or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

LONGEST = 2000
"""Characters that an expression may have."""
_RUNAWAY = (JMESPathError, ArithmeticError, ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What functions raise for values that they are not made for: ``length(null)``, ``avg`` of numbers beyond all bounds."""


@dataclass(frozen=True, slots=True)
class Path:
    """A sound expression."""

    text: str
    _parsed: Any

    def find(self, value: object) -> Any:
        """What it leads to in this value; ``None`` where it leads to nothing."""
        try:
            return self._parsed.search(value)
        except _RUNAWAY:
            return None


def path_of(text: str) -> Path:
    """The expression, ready to use; ``ValueError`` says what is wrong with it."""
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters; write a shorter expression")
    try:
        parsed = jmespath.compile(text)
        calls = list(_calls(parsed.parsed))
    except (JMESPathError, ValueError) as error:
        raise ValueError(f"`{text}` is no JMESPath expression ({_where(error)}); {_REMEDY}") from error
    except RecursionError:
        raise ValueError("is nested too deeply; write a simpler expression") from None
    for call in calls:
        _check_call(call)
    return Path(text, parsed)


_REMEDY = "names with other signs than letters, digits and _ stand in double quotes, see https://jmespath.org"


def _where(error: Exception) -> str:
    at = getattr(error, "lex_position", None)
    return f"look at character {at + 1}" if isinstance(at, int) and at >= 0 else "it is empty or ends too early"


def _calls(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every call of a function in a parsed expression."""
    if node["type"] == "function_expression":
        yield node
    for child in node.get("children", ()):
        if isinstance(child, Mapping):
            yield from _calls(child)


def _check_call(call: Mapping[str, Any]) -> None:
    """The library finds out about these only when it searches."""
    known = Functions.FUNCTION_TABLE.get(call["value"])
    if known is None:
        raise ValueError(f"no function {call['value']}(); there are: {', '.join(sorted(Functions.FUNCTION_TABLE))}")
    wanted, given = known["signature"], len(call["children"])
    variadic = bool(wanted) and bool(wanted[-1].get("variadic"))
    if given < len(wanted) or (given > len(wanted) and not variadic):
        raise ValueError(f"{call['value']}() takes {len(wanted)} values, not {given}; see https://jmespath.org")
