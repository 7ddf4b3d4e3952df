"""PURE  What a rule asks of an item: ``rating <= 2 and country in ['DE', 'AT']`` -> a condition.

A small language of its own, so that an expression can do nothing but compare: no attribute, no call but three, no loop, and
time that is linear in the item's text. Everything that can be wrong is found when it is read, with its place. What is not
known of an item makes a comparison false, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from monitor.expression_parts import (
    EQUALS,
    ORDERS,
    Field,
    Operand,
    Test,
    Token,
    as_numbers,
    example,
    folded,
    folded_all,
    noun,
    parts_of,
    then,
    tokens,
    version_key,
)
from monitor.expression_parts import test as test_of
from monitor.finding import fold
from monitor.matching import Keywords, Verdict, decide
from monitor.query import QueryError

MAX_LENGTH: Final = 2_000
"""Characters in an expression at most."""
MAX_DEPTH: Final = 50
"""How deep brackets and ``not`` may nest."""
MAX_LIST: Final = 200
"""Values in a list at most."""

_ATTRIBUTES: Final = "attributes"
_RESERVED: Final = frozenset({"and", "or", "not", "in", "has"})
_CALLS: Final = ("lower", "contains", "known")
_NOTHING: Final = frozenset({"none", "null", "nil"})


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression made ready. ``fields``: the names it looks at. ``holds`` raises nothing."""

    text: str
    fields: frozenset[str]
    holds: Test


def compiled(text: str, fields: Mapping[str, Field], words: Mapping[str, str] | None = None) -> Condition:
    """``text`` made ready; ``QueryError`` where it cannot be read, or compares what cannot be compared.

    ``words``: what people may call a field, and its name.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(f"longer than {MAX_LENGTH:,} characters; make two rules of it", text, MAX_LENGTH)
    parser = _Parser(text, fields, words or {})
    test = parser.whole()
    return Condition(text, frozenset(parser.named), test)


# ------------------------------------------------------------------------------------------------- reading


class _Parser:
    """Recursive descent: or, and, not, comparison, operand. What it returns are tests of an item."""

    def __init__(self, text: str, fields: Mapping[str, Field], words: Mapping[str, str]) -> None:
        self._text = text
        self._fields = fields
        self._words = words
        self._tokens = tokens(text)
        self._next = 0
        self._depth = 0
        self.named: set[str] = set()

    def whole(self) -> Test:
        if self._token.kind == "end":
            raise self._fault("says nothing; write for example rating <= 2", 0)
        test = self._either()
        if self._token.kind != "end":
            raise self._fault(f"{self._token.text!r} is one too many here; join conditions with and, or")
        return test

    # --- joining

    def _either(self) -> Test:
        tests = [self._both()]
        while self._took("or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda item: any(test(item) for test in tests)

    def _both(self) -> Test:
        tests = [self._negated()]
        while self._took("and"):
            tests.append(self._negated())
        return tests[0] if len(tests) == 1 else lambda item: all(test(item) for test in tests)

    def _negated(self) -> Test:
        at = self._token.at
        if self._took("not"):
            test = self._deeper(self._negated, at)
            return lambda item: not test(item)
        if self._took("("):
            test = self._deeper(self._either, at)
            self._need(")", "the bracket is not closed; add )")
            return test
        return self._compared()

    def _deeper(self, read: Callable[[], Test], at: int) -> Test:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._fault(f"nests deeper than {MAX_DEPTH}; make two rules of it", at)
        test = read()
        self._depth -= 1
        return test

    # --- comparing

    def _compared(self) -> Test:
        if self._token.word in ("contains", "known") and self._tokens[self._next + 1].word == "(":
            return self._called()
        left = self._operand()
        token, negated = self._token, self._is_negated_membership()
        if token.word in ORDERS or token.word in EQUALS:
            return self._chain(left)
        if token.word in ("in", "has") or negated:
            self._next += 2 if negated else 1
            word = self._tokens[self._next - 1].word
            right = self._operand()
            test = self._among(left, right, token.at) if word == "in" else self._having(left, right, token.at)
            return self._or_not(test, left, right) if negated else test
        if left.type == "flag" and not left.is_literal:
            return lambda item: left.get(item) is True
        raise self._fault(f"{left.shown} stands alone; compare it with something: {example(left)}", left.at)

    def _is_negated_membership(self) -> bool:
        return self._token.word == "not" and self._tokens[self._next + 1].word in ("in", "has")

    def _chain(self, left: Operand) -> Test:
        """``1 <= rating <= 2`` is both."""
        tests = []
        while (sign := self._token).word in ORDERS or sign.word in EQUALS:
            self._next += 1
            right = self._operand()
            tests.append(self._pair(left, sign, right))
            left = right
        return tests[0] if len(tests) == 1 else lambda item: all(test(item) for test in tests)

    def _pair(self, left: Operand, sign: Token, right: Operand) -> Test:
        self._need_field(left, right, sign.at)
        left, right = as_numbers(left, right)
        for one, other in ((left, right), (right, left)):
            self._need_choice(one, other)
        if sign.word in EQUALS:
            self._need_alike(left, right, sign.at)
            return test_of(left.get, right.get, EQUALS[sign.word])
        if "version" in (left.type, right.type) and left.is_text and right.is_text:
            return test_of(then(left.get, version_key), then(right.get, version_key), ORDERS[sign.word])
        self._need_alike(left, right, sign.at)
        for side in (left, right):
            if side.type != "number":
                raise self._fault(f"{side.shown} has no order; compare {noun(side)} with ==, !=, in or has", side.at)
        return test_of(left.get, right.get, ORDERS[sign.word])

    def _among(self, left: Operand, right: Operand, at: int) -> Test:
        self._need_field(left, right, at)
        if right.is_literal and right.type == "list":
            values = [as_numbers(left, value)[1] for value in right.value]
            left = left if not values else as_numbers(left, values[0])[0]
            for value in values:
                self._need_choice(left, value)
                self._need_alike(left, value, value.at)
            wanted = frozenset(value.value for value in values)
            return lambda item: (found := left.get(item)) is not None and found in wanted
        if not left.is_literal and right.is_literal and right.is_text:
            raise self._fault(f"needs a list behind it; write {left.shown} in [{right.shown}]", at)
        if not left.is_text or not (right.is_text or right.type == "list"):
            raise self._fault("needs a list or a text behind it; write for example country in ['DE', 'AT']", at)
        return test_of(left.get, right.get, lambda part, whole: part in whole)

    def _having(self, left: Operand, right: Operand, at: int) -> Test:
        if left.is_literal or not (left.is_text or left.type == "list"):
            raise self._fault(
                "looks for words in a field such as text, title, words or tags; write text has 'refund'", at
            )
        if not right.is_literal or right.type not in ("text", "list"):
            raise self._fault("needs words in quotes behind it; write text has ['refund', 'money back']", right.at)
        wanted = [right] if right.type == "text" else list(right.value)
        for one in wanted:
            if one.type != "text":
                raise self._fault(f"{one.shown} is no word; put it in quotes", one.at)
        if left.type == "list":
            names = frozenset(one.value for one in wanted)
            return lambda item: (found := left.get(item)) is not None and not names.isdisjoint(found)
        keywords, said = self._keywords(wanted), left.field
        assert said is not None
        return lambda item: decide(parts_of(said.of(item)), keywords).verdict is Verdict.COUNTED

    def _keywords(self, wanted: Sequence[Operand]) -> Keywords:
        for one in wanted:
            try:
                Keywords.compile([one.shown[1:-1]])
            except ValueError as error:
                raise self._fault(
                    f"{one.shown} cannot be looked for: {str(error).partition('; ')[0].removeprefix('keywords: ')}; mend it",
                    one.at,
                ) from error
        return Keywords.compile([one.shown[1:-1] for one in wanted])

    def _or_not(self, test: Test, left: Operand, right: Operand) -> Test:
        """Not so, of something that is known."""
        sides = [side.get for side in (left, right) if not side.is_literal]
        return lambda item: all(get(item) is not None for get in sides) and not test(item)

    def _called(self) -> Test:
        name = self._token
        self._next += 2
        left = self._operand()
        if name.word == "known":
            self._need(")", "known asks about one field; write known(country)")
            self._need_field(left, left, name.at)
            return lambda item: left.get(item) is not None
        self._need(",", "contains needs two things; write contains(text, 'refund')")
        right = self._operand()
        self._need(")", "the bracket is not closed; add )")
        values = right.value if right.is_literal and right.type == "list" else [right]
        tests = [self._among(value, left, value.at) for value in values]
        return lambda item: any(test(item) for test in tests)

    # --- operands

    def _operand(self) -> Operand:
        token = self._token
        self._next += 1
        if token.kind == "text":
            return self._text_literal(token)
        if token.kind == "number" or token.word == "-":
            return self._number_literal(token)
        if token.word == "[":
            return self._list(token)
        if token.kind == "name" and token.word not in _RESERVED:
            return self._named_thing(token)
        if token.kind == "end":
            raise self._fault("ends too early; something to compare is missing", token.at)
        if token.word == "(":
            raise self._fault("brackets hold whole conditions; leave them out here", token.at)
        raise self._fault(f"{token.text!r} cannot stand here; a field or a value is missing before it", token.at)

    def _text_literal(self, token: Token) -> Operand:
        plain = re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)
        value = fold(plain)
        return Operand("text", lambda _: value, token.at, f"{token.text[0]}{plain}{token.text[0]}", value=value)

    def _number_literal(self, token: Token) -> Operand:
        sign, digits = 1.0, token
        if token.word == "-":
            sign, digits = -1.0, self._token
            self._next += 1
            if digits.kind != "number":
                raise self._fault("nothing is calculated here; a number belongs behind -", token.at)
        value = sign * float(digits.text)
        return Operand("number", lambda _: value, token.at, f"{value:g}", value=value)

    def _list(self, token: Token) -> Operand:
        values: list[Operand] = []
        while not self._took("]"):
            if values:
                self._need(",", "the list is not closed; add ], or a comma between values")
                if self._took("]"):
                    break
            one = self._operand()
            if not one.is_literal or one.type == "list":
                raise self._fault(f"{one.shown} is no value; lists hold texts in quotes, or numbers", one.at)
            values.append(one)
            if len(values) > MAX_LIST:
                raise self._fault(f"holds more than {MAX_LIST} values; make two rules of it", one.at)
        if not values:
            raise self._fault("an empty list holds nothing; put values into it", token.at)
        return Operand("list", lambda _: [one.value for one in values], token.at, "the list", value=tuple(values))

    def _named_thing(self, token: Token) -> Operand:
        word = token.word
        if word in ("true", "false"):
            value = word == "true"
            return Operand("flag", lambda _: value, token.at, word, value=value)
        if word == "lower" and self._took("("):
            inside = self._operand()
            self._need(")", "the bracket is not closed; add )")
            return inside  # capitals make no difference anyway
        if word == _ATTRIBUTES:
            return self._attribute(token)
        if word in self._fields:
            self.named.add(word)
            field = self._fields[word]
            change = {"text": folded, "version": folded, "list": folded_all}.get(field.type)
            return Operand(field.type, then(field.of, change) if change else field.of, token.at, word, field)
        raise self._fault(self._unknown(token), token.at)

    def _unknown(self, token: Token) -> str:
        if self._token.word == "(":
            return f"{token.text} cannot be called; there are {', '.join(_CALLS)}"
        if token.word in _NOTHING:
            return f"nothing equals {token.text}; write known(country) or not known(country)"
        named = self._words.get(token.word) or next(
            iter(get_close_matches(token.word, [*self._fields, _ATTRIBUTES], 1, 0.6)), None
        )
        if named is not None:
            return f'no field "{token.text}"; did you mean "{named}"?'
        return f'no field "{token.text}"; put a text in quotes, or take one of: {", ".join(self._fields)}'

    def _attribute(self, token: Token) -> Operand:
        how = "attributes are named in quotes; write attributes['device']"
        self._need("[", how)
        name = self._token
        if name.kind != "text":
            raise self._fault(how)
        self._next += 1
        self._need("]", how)
        self.named.add(_ATTRIBUTES)
        key = self._text_literal(name).shown[1:-1]
        found = self._fields[_ATTRIBUTES].of
        field = Field("text", lambda item: (found(item) or {}).get(key))
        shown = f"attributes['{key}']"
        return Operand("text", then(field.of, folded), token.at, shown, field, is_attribute=True)

    # --- what must be so

    def _need(self, word: str, fact: str) -> None:
        if not self._took(word):
            raise self._fault(fact)

    def _need_field(self, left: Operand, right: Operand, at: int) -> None:
        if left.is_literal and right.is_literal:
            raise self._fault("is the same for every item; compare a field with something", at)

    def _need_alike(self, left: Operand, right: Operand, at: int) -> None:
        if left.type == right.type or (left.is_text and right.is_text):
            if left.type != "list":
                return
            raise self._fault(f"{left.shown} holds several; write {left.shown} has 'urgent'", at)
        raise self._fault(
            f"{left.shown} is {noun(left)}, {right.shown} is {noun(right)}; compare like with like", right.at
        )

    def _need_choice(self, one: Operand, other: Operand) -> None:
        choices = one.field.choices if one.field else ()
        if not choices or not other.is_literal or other.type != "text":
            return
        if other.value not in {fold(choice) for choice in choices}:
            near = get_close_matches(other.value, [fold(choice) for choice in choices], 1, 0.6)
            named = next((choice for choice in choices if near and fold(choice) == near[0]), None)
            hint = f'did you mean "{named}"?' if named else f"there are: {', '.join(choices)}"
            raise self._fault(f"{one.shown} is never {other.shown}; {hint}", other.at)

    @property
    def _token(self) -> Token:
        return self._tokens[min(self._next, len(self._tokens) - 1)]

    def _took(self, word: str) -> bool:
        if self._token.word != word:
            return False
        self._next += 1
        return True

    def _fault(self, message: str, at: int | None = None) -> QueryError:
        return QueryError(message, self._text, self._token.at if at is None else at)
