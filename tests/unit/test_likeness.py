"""Texts that say nearly the same are found, others are not, and alike on every machine."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from monitor.metrics.likeness import Families, Sketch, alike, keys, packed, sketches, unpacked
from monitor.normalise import bare_text

_SOME = (
    "battery charger screen update store price support week delivery colour keyboard hinge noise morning train office sister "
    "winter coffee window garden letter button market doctor river kitchen ticket camera holiday music pocket ladder mirror "
    "works broke lasts shines arrived vanished returned waited called promised repaired ordered cancelled praised blamed "
    "quickly slowly never always twice again today yesterday finally hardly really almost nearly"
)
WORDS = _SOME.split()


def sketch(text: str) -> Sketch:
    return sketches([bare_text(text)])[0]


def are_alike(one: str, other: str) -> bool:
    first, second = sketch(one), sketch(other)
    assert alike(first, second) == alike(second, first)
    return alike(first, second)


TEXT = "The Acme phone lost its charge within a day, and support told me twice that this is how it should be"


@pytest.mark.parametrize(
    "copy",
    [
        TEXT.upper(),
        f"RT @somebody: {TEXT}",
        f"{TEXT} https://t.example/abc",
        f"{TEXT} - sent from my phone",
        f"“{TEXT}” so true",
        TEXT.replace("twice", "two times"),
        f"{TEXT[:60]}…",
        f"{TEXT[:75]}... https://t.example/abc",
    ],
)
def test_an_edited_copy_is_alike(copy: str) -> None:
    assert are_alike(TEXT, copy)


@pytest.mark.parametrize("text", [TEXT, f"{TEXT[:60]}…", "Great app", "", " ".join(WORDS * 12)])
def test_a_sketch_that_was_stored_is_compared_as_before(text: str) -> None:
    one = sketch(text)
    assert unpacked(packed(one)) == one._replace(bands=())
    assert len(packed(one)) <= 180


@pytest.mark.parametrize(
    "other",
    [
        "The Acme phone kept its charge for a week, and support never had to tell me how it should be done",
        "My Acme phone lost its screen within a month, and nobody at the shop told me that it might",
        "The Acme phone lost its charge within a minute of taking it out of the box, so back it went…",
        "",
    ],
)
def test_another_text_about_the_same_is_not(other: str) -> None:
    assert not are_alike(TEXT, other)


def test_short_texts_are_alike_where_they_are_equal_alone() -> None:
    assert are_alike("Great app!", "great  app! https://t.example/x")
    assert not are_alike("Great app!", "Great app")
    assert not are_alike("I love this app so very much", "I love this app so much")


def test_scripts_without_spaces_count_by_characters() -> None:
    text = "この携帯電話は一日で電池が切れますサポートは何もしてくれません"
    assert are_alike(text, f"{text}本当に")
    assert not are_alike(text, "新しい工場が北の町にできて三百人を雇うと会社が発表しました")


def test_families_hold_together_over_steps_and_equal_texts_have_one_number() -> None:
    families = Families(bare_text)
    steps = [TEXT, TEXT.replace("twice", "again"), TEXT.replace("twice", "again").replace("within", "in under")]
    numbers = [families.add(bare_text(text), text) for text in (*steps, "Great app!", TEXT)]
    assert numbers == [0, 1, 2, 3, 0]
    assert families.joined() == [0, 0, 0, 3]
    assert [families.is_short(number) for number in (0, 3)] == [False, True]


def _swap(chance: Random, words: list[str]) -> list[str]:
    found = list(words)
    found[chance.randrange(len(found))] = chance.choice(WORDS)
    return found


EDITS: dict[str, Callable[[Random, list[str]], list[str]]] = {
    "one word changed": _swap,
    "two words changed": lambda chance, words: _swap(chance, _swap(chance, words)),
    "three words added": lambda chance, words: [*words, *chance.choices(WORDS, k=3)],
    "two words left out": lambda chance, words: [word for n, word in enumerate(words) if n not in (4, 9)],
    "cut off": lambda chance, words: f"{' '.join(words)[: chance.randrange(75, 95)]}…".split(),
}


@pytest.mark.parametrize("edit", EDITS)
def test_nearly_all_of_two_hundred_families_are_found(edit: str) -> None:
    """Through keys, as in the store, and as families, as in a window; 16 to 30 words each."""
    chance = Random(edit)
    origins = [chance.choices(WORDS, k=chance.randrange(16, 31)) for _ in range(200)]
    copies = [EDITS[edit](chance, words) for words in origins]
    seen = [sketch(" ".join(words)) for words in (*origins, *copies)]
    known = [set(keys(one, "mention")) for one in seen]
    by_key = sum(alike(seen[n], seen[200 + n]) and bool(known[n] & known[200 + n]) for n in range(200))
    families = Families(str)
    for number, words in enumerate((*origins, *copies)):
        families.add(number, bare_text(" ".join(words)))
    roots = families.joined()
    assert by_key >= 190
    assert sum(roots[n] == roots[200 + n] for n in range(200)) >= 190
    assert len(set(roots[:200])) == 200, "texts of different families were joined"


GOLDEN = [-9157479140994471936, -9124249791927739825, -7975868190438113304]


def test_keys_that_are_stored_mean_the_same_on_every_machine_and_in_every_process() -> None:
    """Where this fails after an update of what makes sketches, SCHEME is to be raised."""
    assert keys(sketch(TEXT), "mention")[:3] == GOLDEN
    assert set(keys(sketch(TEXT), "mention")).isdisjoint(keys(sketch(TEXT), "review"))


def test_what_makes_sketches_is_not_loaded_before_it_is_needed() -> None:
    """Half a megabyte that most daemons never need."""
    code = "import sys, monitor.likeness; sys.exit('rensa' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.recorded
def test_strangers_who_say_similar_things_are_not_joined() -> None:
    """Of some 29,000 texts by different people about six airlines, instruments and an app, few are joined; see docs."""
    folder = os.environ.get("RECORDED_DATA")
    if folder is None:
        pytest.skip("recorded data not present")
    for name, column, most in (
        ("airline_tweets/Tweets.csv", "text", 0.008),
        ("musical_instruments/reviews.csv", "reviewText", 0.005),
        ("play_moniepoint/reviews.csv", "content", 0.001),
    ):
        with (Path(folder) / "data" / name).open(encoding="utf-8", newline="") as file:
            texts = [row[column] for row in csv.DictReader(file)][:4_000]
        families = Families(str)
        for text in texts:
            families.add(bare_text(text), bare_text(text))
        roots = families.joined()
        assert 1 - len(set(roots)) / len(roots) <= most, name
