"""Items as a platform would give them, made up from a number: the same number always makes the same items.

Texts have 200 characters at most and nearly that many: what people write of a kettle, in a few hundred words of this
file's own, with names, numbers and slips of the keyboard that come only once. A third are reviews with stars; a few have
links, handles, emoji, curly quotes or are German.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

BRAND = "Tavrell"
SPAN = timedelta(days=60)
TEXT_CHARS = 200

Record = dict[str, Any]


def pages(count: int, size: int, newest: datetime) -> Iterator[list[Record]]:
    """``count`` records in pages of ``size``, newest first, evenly over ``SPAN``."""
    step = SPAN / count
    for start in range(0, count, size):
        yield [record(number, newest - step * number) for number in range(start, min(start + size, count))]


def record(number: int, at: datetime) -> Record:
    """One item, as an answer in JSON would hold it."""
    chance = random.Random(number)
    is_review = number % 3 == 0
    writer = int(chance.paretovariate(0.7)) * 7919 % 50_000
    return {
        "id": f"t-{number:08}",
        "kind": "review" if is_review else "mention",
        "at": at.isoformat(timespec="seconds"),
        "title": sentence(chance, OPENINGS).rstrip(".!?") if is_review else None,
        "text": text(chance),
        "url": f"https://talk.example/{BRAND.lower()}/{number}",
        "language": "en" if number % 2 else None,
        "author": {"id": f"u{writer}", "name": f"{NAMES[writer % len(NAMES)]}{writer}", "followers": writer % 3000},
        "stars": chance.choices((1, 2, 3, 4, 5), (18, 7, 9, 22, 44))[0] if is_review else None,
        "counts": [min(int(chance.paretovariate(0.8)) - 1, 10_000) for _ in range(3)],
        "place": PLACES[number % len(PLACES)],
        "attributes": {"country": chance.choice(COUNTRIES), "app_version": f"4.{number % 30}"} if is_review else {},
    }


def text(chance: random.Random) -> str:
    """One sentence that names the brand, and others up to ``TEXT_CHARS``."""
    if chance.random() < 0.03:
        return f"{BRAND}: {' '.join(chance.choices(GERMAN, k=6))}"[:TEXT_CHARS]
    said = sentence(chance, OPENINGS)
    while len(said) < TEXT_CHARS:
        said += " " + sentence(chance, chance.choice((PRAISE, COMPLAINTS, PLAIN, PLAIN)))
    said = with_slips(chance, said[:TEXT_CHARS].rsplit(" ", 1)[0])
    return odd(chance, said) if chance.random() < 0.2 else said


def with_slips(chance: random.Random, said: str) -> str:
    """With two or three words mistyped, so that there are always words never met before."""
    words = said.split(" ")
    for at in chance.choices(range(4, len(words)), k=chance.randint(2, 3)):
        word, slip = words[at], chance.randint(1, 6)
        if word.lower().startswith(BRAND.lower()):
            continue
        words[at] = word[:slip] + chance.choice("aeinorst") + word[slip + 1 :]
    return " ".join(words)


def sentence(chance: random.Random, kind: tuple[str, ...]) -> str:
    return chance.choice(kind).format(
        brand=BRAND if chance.random() < 0.8 else BRAND.lower(),
        part=chance.choice(PARTS),
        person=chance.choice(PEOPLE),
        when=chance.choice(TIMES),
        how=chance.choice(DEGREES),
        number=chance.randint(2, 9999),
        code="".join(chance.choices("abcdefghiklmnoprstuvw", k=chance.randint(4, 8))),
    )


def odd(chance: random.Random, said: str) -> str:
    """With one of the things that cost a reader time."""
    turn: str = chance.choice(
        (" 😡", " 👍🏽", " ❤️", " https://short.example/{0}", " @friend_{0}", " #kettle{0}", "’", "!!")
    )
    if turn == "’":
        return said.replace("'", turn).replace(" - ", " — ")
    return said[: TEXT_CHARS - 30].rsplit(" ", 1)[0] + turn.format(chance.randint(10, 99_999))


OPENINGS = (
    "Bought the {brand} kettle {when} and it is {how} good.",
    "My {brand} stopped working {when}.",
    "Has anybody else had trouble with the {part} on a {brand} {number}?",
    "Honestly, {brand} is {how} better than the one my {person} has!",
    "Day {number} with the {brand}: the {part} still holds.",
    "{brand} just announced a new {part}.",
    "So my {person} gave me a {brand} {when}, model {code}.",
    "I don't get why people love {brand} so much.",
    "Just unboxed the {brand} - {how} impressed.",
    "Never buying {brand} again.",
)
PRAISE = (
    "The {part} works {how} well and looks lovely.",
    "Great value, and the {part} is {how} easy to clean.",
    "Support was friendly and sent a new {part} {when}, thank you!",
    "I love how quiet it is, even my {person} likes it.",
    "Best purchase {when}, would recommend it to any {person}.",
    "It isn't cheap but the quality is excellent.",
)
COMPLAINTS = (
    "The {part} broke {when} and nobody answers my mails.",
    "It's {how} slow and the {part} leaks.",
    "Waited {number} days for a refund, what a joke.",
    "The app keeps crashing and the {part} was not even in the box.",
    "Terrible service: ticket {code} was closed without an answer.",
    "My {person} is not happy with the {part}, and neither am I.",
)
PLAIN = (
    "The {part} came with a {number} watt plug.",
    "I use it {when}, mostly for tea with my {person}.",
    "There is a setting for {number} degrees under the {part}.",
    "They call that colour {code}, whatever that means.",
    "You can find the {part} in the second drawer of the box.",
    "Mine was made in {number} and has the older {part}.",
    "Does the {part} fit the {code} as well, or only the small one?",
    "We had one at work {when}.",
)
GERMAN = (
    "Der Wasserkocher ist nach drei Wochen kaputt gegangen.",
    "Ich habe ihn im Laden um die Ecke gekauft.",
    "Meine Schwester ist damit sehr zufrieden.",
    "Leider antwortet der Kundendienst überhaupt nicht.",
    "Für den Preis hätte ich mehr erwartet.",
)
PARTS = ("lid", "handle", "filter", "base", "switch", "spout", "display", "cable", "heating plate", "manual", "box")
PEOPLE = ("sister", "boss", "neighbour", "dad", "flatmate", "colleague", "wife", "husband", "friend", "landlord")
TIMES = (
    *("last week", "yesterday", "two months ago", "in March", "this morning", "for my birthday", "on sale"),
    *("every day", "once again", "after the update", "at the weekend", "over Christmas"),
)
DEGREES = (
    "really",
    "very",
    "so",
    "extremely",
    "quite",
    "kind of",
    "not that",
    "surprisingly",
    "a little",
    "absolutely",
)
NAMES = ("ada", "Bert", "chloe_", "Deniz", "Эмма", "finn.", "Gül", "hana-", "Ines ", "jo")
PLACES = ("r/kettles", "r/tea", "kitchen talk", "Corner Shop Weekly")
COUNTRIES = ("GB", "US", "IN", "AU", "DE")
