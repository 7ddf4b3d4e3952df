"""Expressions: what they mean, what they refuse, and that they can do nothing else."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.expression_parts import version_key
from monitor.expressions import MAX_DEPTH, MAX_LENGTH, MAX_LIST
from monitor.query import QueryError
from monitor.rules import FIELDS, OTHER_WORDS, Seen, condition
from storage.arrivals import RuleItem

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KNOWN: dict[str, Any] = {
    "id": 1, "brand": "Acme", "source": "store", "platform": "appstore", "kind": "review",
    "published_at": NOW - timedelta(hours=2), "first_seen_at": NOW, "title": "Bad", "text": "I want a REFUND now, 50% off",
    "url": "https://x.example/1", "language": "en", "author": "Bob", "followers": 10, "rating_value": 1, "rating_best": 5,
    "stars": 1.0, "label": "negative", "compound": -0.5, "likes": 3, "shares": None, "comments": 2, "views": 0,
    "replied": False, "place": "Acme App", "attributes": {"country": "DE", "app_version": "2.10", "n": "7", "odd": "x7"},
    "uncounted": None, "erased": False, "tags": ("Urgent", "VIP"),
}  # fmt: skip
BLANK: dict[str, Any] = KNOWN | dict.fromkeys(
    ("title", "text", "url", "language", "author", "followers", "stars", "label", "compound", "likes", "comments", "views",
     "place", "rating_value", "rating_best")
) | {"attributes": {}, "tags": ()}  # fmt: skip
"""An item of which nothing is known that need not be."""


def holds(when: str, **values: Any) -> bool:
    return condition(when).holds(Seen(RuleItem(**(KNOWN | values)), NOW))


def is_blank(when: str) -> bool:
    return condition(when).holds(Seen(RuleItem(**BLANK), NOW))


@pytest.mark.parametrize(
    "when",
    [
        "rating <= 2 and country in ['DE']",
        "rating = 1", "rating == 1.0", "1 <= rating <= 2", "2 > rating", "rating in [1, 2]", "rating not in [3]",
        "score < -0.2", "score >= -.5", "likes > 2 or shares > 100", "engagement == 5", "views == 0", "followers < 11",
        "label == 'negative'", "label != 'positive'", "label in ['negative', 'unscored']", "KIND = 'Review'",
        "brand == 'acme'", "source = 'store' and platform = 'appstore'", "language == \"EN\"", "country = 'de'",
        "text has 'refund'", "text has ['no', 'refund now']", "'refund' in text", "'FUND' in text", "'50%' in text",
        "words has 'bad'", "words has ['nothing', 'want']", "title == 'bad'", "contains(text, 'off')",
        "contains(words, ['no', 'want a'])", "lower(author) == 'bob'", "'example' in url", "place has 'acme'",
        "text has 'refun*'", "text not has 'thanks'", "'thanks' not in text", "age_hours < 3", "age_hours >= 2",
        "not replied", "replied == false", "replied != true", "tags has 'urgent'", "'vip' in tags",
        "tags has ['other', 'vip']", "tags not has 'other'", "app_version >= '2.9'", "app_version < '2.10.1'",
        "app_version == '2.10'", "attributes['n'] > 5", "attributes['n'] == '7'", "attributes[\"odd\"] == 'X7'",
        "attributes['n'] in [7]", "known(text) and not known(shares)", "NOT (rating > 2) AND (likes > 2 OR views > 2)",
        "rating > 4 or rating < 2 and likes == 3",
    ],
)  # fmt: skip
def test_holds(when: str) -> None:
    assert holds(when)


@pytest.mark.parametrize(
    "when",
    [
        "rating > 2", "country in ['AT', 'CH']", "text has 'fund'", "words has 'bad i'", "'bad' in text", "text has 'refunds'",
        "(rating > 4 or rating < 2) and likes == 4", "replied", "known(shares)", "shares >= 0", "shares < 5", "shares != 5",
        "attributes['odd'] > 1", "attributes['missing'] == 'x'", "app_version > '2.10'", "not not replied",
        "not rating <= 2", "'\\'' in text",
    ],
)  # fmt: skip
def test_does_not_hold(when: str) -> None:
    assert not holds(when)


COMPARISONS = [
    "rating {} 2", "score {} 0", "likes {} 0", "engagement {} 0", "followers {} 0", "views {} 0", "language {} 'de'",
    "country {} 'DE'", "app_version {} '2.0'", "author {} 'x'", "place {} 'x'", "title {} 'x'", "text {} 'x'", "words {} 'x'",
    "url {} 'x'", "attributes['x'] {} 'x'", "attributes['x'] {} 3",
]  # fmt: skip


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_what_is_not_known_makes_every_comparison_false(comparison: str) -> None:
    left, _, value = comparison.partition(" {} ")
    signs = ["==", "!="] + (["<", "<=", ">", ">="] if value[0].isdigit() or "version" in left else [])
    assert [sign for sign in signs if is_blank(comparison.format(sign))] == []
    assert not is_blank(f"{left} in [{value}]")
    assert not is_blank(f"{left} not in [{value}]")
    assert not is_blank(f"known({left})")
    if value.startswith("'"):
        assert not is_blank(f"{left} has {value}")
        assert not is_blank(f"{left} not has {value}")
        assert not is_blank(f"'a' in {left}")
        assert not is_blank(f"'a' not in {left}")


def test_an_item_without_a_label_is_unscored() -> None:
    assert is_blank("label == 'unscored'")


@pytest.mark.parametrize(
    ("when", "message", "at"),
    [
        ("", "says nothing", 0),
        ("ratng <= 2", 'no field "ratng"; did you mean "rating"?', 0),
        ("likes > 1 and stars < 3", 'no field "stars"; did you mean "rating"?', 14),
        ("country == DE", 'no field "DE"; put a text in quotes', 11),
        ("rating <=", "ends too early", 9),
        ("rating <= 'x'", "rating is a number, 'x' is a text; compare like with like", 10),
        ("country > 3", "country is a text, 3 is a number; compare like with like", 10),
        ("country > 'a'", "country has no order", 0),
        ("rating", "rating stands alone; compare it with something: rating <= 2", 0),
        ("label", "label stands alone; compare it with something: label == 'positive'", 0),
        ("label == 'negativ'", "label is never 'negativ'; did you mean \"negative\"?", 9),
        ("kind in ['tweet']", "kind is never 'tweet'; there are: mention, review, post", 9),
        ("brand = 'Acmee'", "brand is never 'Acmee'; did you mean \"Acme\"?", 8),
        ("text has 3", "needs words in quotes behind it", 9),
        ("text has [1]", "1 is no word; put it in quotes", 10),
        ("text has '!!'", "'!!' cannot be looked for", 9),
        ("rating has 'x'", "looks for words in a field", 7),
        ("country in 'DE'", "needs a list behind it; write country in ['DE']", 8),
        ("country in []", "an empty list holds nothing", 11),
        ("country in ['DE'", "the list is not closed", 16),
        ("rating in ['a']", "rating is a number, 'a' is a text; compare like with like", 11),
        ("tags == 'x'", "tags is a list, 'x' is a text", 8),
        ("'a' == 'b'", "is the same for every item", 4),
        ("(rating <= 2", "the bracket is not closed", 12),
        ("rating <= 2)", "')' is one too many here", 11),
        ("rating <= 2 country == 'DE'", "'country' is one too many here", 12),
        ("text has 'x", "close it with another '", 9),
        ("text has “x”", "write plain quotes", 9),
        ("country == none", "nothing equals none; write known(country)", 11),
        ("known(2)", "is the same for every item", 0),
        ("contains(text)", "contains needs two things", 13),
        ("attributes.x == 'y'", "means nothing here", 10),
        ("attributes[x] == 'y'", "attributes are named in quotes", 11),
        ("rating > -", "a number belongs behind -", 9),
        ("rating & 1", "'&' means nothing here; write and", 7),
        ("1 + 1 > rating", "'+' means nothing here", 2),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(when: str, message: str, at: int) -> None:
    with pytest.raises(QueryError) as caught:
        condition(when, ("Acme",))
    assert message in caught.value.message
    assert caught.value.position == at


@pytest.mark.parametrize(
    "when",
    [
        "__import__('os').system('x') == 1", "().__class__ == 'x'", "text.__class__ == 'x'", "exec('x')", "eval('1')",
        "open('/etc/passwd') has 'x'", "[x for x in text] == 1", "lambda: 1", "rating := 3", "f'{text}' == 'x'",
        "2 ** 99999 > rating", "'a' * 99999 == text", "globals()['x'] == 1", "text; rating", "`id`", "${HOME}",
    ],
)  # fmt: skip
def test_nothing_can_be_called_reached_or_calculated(when: str) -> None:
    with pytest.raises(QueryError):
        condition(when)


def test_sizes_are_bounded() -> None:
    deep = "(" * MAX_DEPTH + "replied" + ")" * MAX_DEPTH
    condition(deep)
    too_long = "rating < 1" + " or rating < 1" * 200
    too_many = f"likes in [{', '.join(map(str, range(MAX_LIST + 1)))}]"
    for when in (f"({deep})", "not " * (MAX_DEPTH + 1) + "replied", too_long, too_many):
        with pytest.raises(QueryError):
            condition(when)
    assert len(too_long) > MAX_LENGTH
    assert len(too_many) < MAX_LENGTH


def test_it_takes_time_in_proportion_to_the_text() -> None:
    worst = condition(" or ".join(f"text has 'a{'b' * number}'" for number in range(40)))

    def seconds(size: int) -> float:
        seen = Seen(RuleItem(**(KNOWN | {"text": "ab" * size})), NOW)
        runs = []
        for _ in range(5):
            begun = time.process_time()
            assert not worst.holds(seen)
            runs.append(time.process_time() - begun)
        return min(runs)

    seconds(10)
    assert seconds(10_000) < 40 * seconds(1_000)


def test_whatever_is_typed_is_read_or_refused_and_never_fails_on_an_item() -> None:
    made = random.Random(11)
    names = [*FIELDS, *OTHER_WORDS, "attributes['n']", "lower(text)", "known(text)"]
    words = [*names, "and", "or", "not", "in", "has", "<", "<=", "==", "!=", ">", ">=", "(", ")", "[", "]", ",", "-", "2", "0.5",
             "'refund'", "\"de\"", "['a', 'refund']", "[1, 2]", "true", "'", "§", "contains(", "'2.0'"]  # fmt: skip
    signs, values = words[len(names) + 5 : len(names) + 11], ["2", "'de'", "'2.0'", "true", "['a', 'b']", "[1, 2]"]
    items = [Seen(RuleItem(**values_), NOW) for values_ in (KNOWN, BLANK)]
    read, refused = 0, []
    for number in range(6_000):
        if number % 2:
            when = " ".join(made.choices(words, k=made.randint(1, 8)))
        else:
            sign = made.choice([*signs, "in", "not in", "has", "not has"])
            when = f"{made.choice(names)} {sign} {made.choice(values + names)}"
        try:
            found = condition(when)
        except QueryError as error:
            refused.append((error.position, len(when)))
            continue
        read += 1
        assert {type(found.holds(item)) for item in items} == {bool}
    assert read > 200
    assert all(0 <= at <= length for at, length in refused)


def test_versions_stand_in_their_order() -> None:
    versions = ["2.0-beta", "2.0", "2.0.1", "2.9", "2.10", "v3"]
    keys = [version_key(version) for version in ("2.0", "2.0.1", "2.9", "2.10", "10.0")]
    assert keys == sorted(keys, key=lambda key: key or ())
    assert all(version_key(version) is not None for version in versions)
    assert (version_key(""), version_key("…"), version_key(None)) == (None, None, None)
