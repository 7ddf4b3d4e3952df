"""PURE  Which texts say nearly the same: sketches by MinHash, and families of the texts whose sketches are alike.

Two texts are alike if their normalised words are equal, if six tenths of their words and pairs of neighbouring words (more
where they are few) are the same, or if one is the beginning of the other and ends in an ellipsis. Texts under :data:`LEAST_WORDS` words are
alike only where they are equal. Source: Broder 1997, "On the resemblance and containment of documents".
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from struct import Struct
from sys import byteorder
from typing import Final, NamedTuple

from monitor.metrics.clusters import Joined

SCHEME: Final = 1
"""Of all that decides what a key is; keys of different schemes never meet. To be raised with any change of it."""
LEAST_WORDS: Final = 8
"""Shorter texts are too often equal or nearly so by chance."""
MOST_WORDS: Final = 400
"""What comes after them is not looked at."""
ALIKE: Final = 0.6
"""Share of the words and pairs of words of both texts that both have, from which on they are alike."""
ALIKE_BRIEF: Final = 0.75
"""The same where one of them has under :data:`BRIEF` words: people who do not know each other say short things alike."""
BRIEF: Final = 12
SLOTS: Final = 128
"""Of a sketch: the estimated share is off by 0.043 at most in two cases of three."""
BANDS: Final = 10
ROWS: Final = 4
"""Texts that share 0.6 meet in one of the bands in 75 of 100 cases, at 0.7 in 94, at 0.8 in 99.5; at 0.2 in 2."""
OPENINGS: Final = (8, 12, 16, 24)
"""Words by which the beginning of a text is known."""
_SEED: Final = 20_261
_KEPT: Final = 4
"""Texts of one key that a further one is compared with; the others are like one of these, or share the key by chance."""

_NO_SPACES: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD: Final = re.compile(rf"[{_NO_SPACES}]|[^\W{_NO_SPACES}]+(?:['’][^\W{_NO_SPACES}]+)*")
"""A word; where words stand without spaces between them, a character."""
_CUT: Final = re.compile(r"(?:…|\.\.\.)\W*\Z")


class Sketch(NamedTuple):
    """What is remembered of a text to tell its copies; ``None`` and nothing where it is too short for more than equality.

    ``slots``: the last eight bits of each of the minima; ``bands``: those on which near-copies agree somewhere;
    ``openings``: of its first 8, 12, 16 and 24 words, as far as there are so many. ``cut``: it ends in an ellipsis.
    """

    exact: int
    words: int
    slots: bytes | None = None
    bands: tuple[tuple[int, ...], ...] = ()
    openings: tuple[int, ...] = ()
    cut: bool = False

    @property
    def is_short(self) -> bool:
        """Is nothing but equality looked at?"""
        return self.slots is None


def sketches(texts: Sequence[str]) -> list[Sketch]:
    """The sketches of normalised texts (:func:`monitor.normalise.bare_text`): the same on every machine."""
    found = [_words(text) for text in texts]
    long = [number for number, (words, _) in enumerate(found) if len(words) >= LEAST_WORDS]
    minima = dict(zip(long, _minima([_shingles(found[number][0]) for number in long]), strict=True))
    return [_sketch(text, *found[number], minima.get(number)) for number, text in enumerate(texts)]


def words_of(text: str) -> list[str]:
    """The words of a normalised text that are looked at."""
    return _words(text)[0]


def alike(one: Sketch, other: Sketch) -> bool:
    """Do two texts say nearly the same? Whichever of them comes first."""
    if one.exact == other.exact:
        return True
    if one.slots is None or other.slots is None:
        return False
    enough = _ENOUGH if min(one.words, other.words) >= BRIEF else _ENOUGH_BRIEF
    return _equal(one.slots, other.slots) >= enough or _opens(one, other) or _opens(other, one)


def keys(sketch: Sketch, scope: str) -> list[int]:
    """Numbers of 64 bits with a sign, of which texts that are alike have one in common; with those of the same ``scope`` alone.

    Nearly all that are alike do (see :data:`ROWS`). Stable, to be stored.
    """
    parts: list[tuple[object, ...]] = [("exact", sketch.exact), *(("opening", one) for one in sketch.openings[:1])]
    parts += [("band", number, *band) for number, band in enumerate(sketch.bands)]
    return sorted({_number(repr((SCHEME, scope, *part))) for part in parts})


def packed(sketch: Sketch) -> bytes:
    """What :func:`alike` looks at, in at most 180 bytes. Stable, to be stored."""
    head = _HEAD.pack(sketch.exact, sketch.words, len(sketch.openings), sketch.cut)
    return head + b"".join(one.to_bytes(8, signed=True) for one in sketch.openings) + (sketch.slots or b"")


def unpacked(kept: bytes) -> Sketch:
    """The sketch again, without what only keys are made of."""
    exact, words, count, cut = _HEAD.unpack_from(kept)
    end = _HEAD.size + 8 * count
    openings = tuple(int.from_bytes(kept[at : at + 8], signed=True) for at in range(_HEAD.size, end, 8))
    return Sketch(exact, words, bytes(kept[end:]) or None, (), openings, cut)


_HEAD: Final = Struct(">qHB?")


@dataclass(slots=True)
class Families:
    """Texts joined to families as they come; memory and time grow with the distinct texts, not with their square."""

    normalised: Callable[[str], str]
    _numbers: dict[Hashable, int] = field(default_factory=dict)
    _waiting: list[str] = field(default_factory=list)
    _shapes: list[Sketch] = field(default_factory=list)
    _bands: list[array[int]] = field(default_factory=lambda: [array("q") for _ in range(BANDS + 1)])

    def add(self, exact: Hashable, text: str) -> int:
        """The number of a text among the distinct ones. ``exact``: what equal texts have in common."""
        number = self._numbers.setdefault(exact, len(self._numbers))
        if number == len(self._shapes) + len(self._waiting):
            self._waiting.append(self.normalised(text))
            if len(self._waiting) >= _AT_ONCE:
                self._work()
        return number

    def joined(self) -> list[int]:
        """By each text's number the number of its family: that of its first text."""
        self._work()
        joined = Joined.of(len(self._shapes))
        for keys_of_band in self._bands:
            self._join(joined, keys_of_band)
        return joined.roots()

    def is_short(self, number: int) -> bool:
        """Is a text too short for copies that are not equal? To be asked at the end."""
        return self._shapes[number].slots is None

    def _work(self) -> None:
        for sketch in sketches(self._waiting):
            self._shapes.append(sketch._replace(bands=()))
            local = [hash(band) for band in sketch.bands] or [0] * BANDS
            for column, key in zip(self._bands, (*local, *(sketch.openings[:1] or [0])), strict=True):
                column.append(key)
        self._waiting.clear()

    def _join(self, joined: Joined, keys_of_band: Sequence[int]) -> None:
        first: dict[int, list[int]] = {}
        for number, key in enumerate(keys_of_band):
            if not key:
                continue
            before = first.setdefault(key, [])
            for other in before:
                if joined.root(other) == joined.root(number):
                    break
                if alike(self._shapes[other], self._shapes[number]):
                    joined.join(other, number)
                    break
            else:
                if len(before) < _KEPT:
                    before.append(number)


_AT_ONCE: Final = 1_000


def _equal(one: bytes, other: bytes) -> int:
    """How many slots are the same, in a quarter of the time that looking at each takes."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(SLOTS).count(0)


def _equal_slots(share: float) -> int:
    """How many slots are equal where texts share so much; one of 256 different minima ends alike by chance."""
    return round((share + (1 - share) / 256) * SLOTS)


_ENOUGH: Final = _equal_slots(ALIKE)
_ENOUGH_BRIEF: Final = _equal_slots(ALIKE_BRIEF)


def _words(text: str) -> tuple[list[str], bool]:
    """The first words, and whether the text ends in an ellipsis; the word before it may be half a one, and is left out."""
    words = _WORD.findall(text[: 20 * MOST_WORDS])
    cut = len(words) < MOST_WORDS and _CUT.search(text) is not None
    return (words[:-1] if cut and len(words) > LEAST_WORDS else words)[:MOST_WORDS], cut


def _shingles(words: Sequence[str]) -> list[str]:
    return [*words, *(f"{one} {other}" for one, other in pairwise(words))]


def _minima(shingles: Sequence[list[str]]) -> list[list[int]]:
    """One by one: what does them all at once has threads of its own, which a process that forks cannot have."""
    if not shingles:
        return []
    from rensa import RMinHash  # not in a daemon that needs none

    found = []
    for one in shingles:
        made = RMinHash(num_perm=SLOTS, seed=_SEED)
        made.update(one)
        found.append(made.digest())
    return found


def _sketch(text: str, words: Sequence[str], cut: bool, minima: Sequence[int] | None) -> Sketch:
    exact = _number(text)
    if minima is None:
        return Sketch(exact, len(words))
    bands = tuple(tuple(minima[start : start + ROWS]) for start in range(0, BANDS * ROWS, ROWS))
    openings = tuple(_number(" ".join(words[:n])) for n in OPENINGS if len(words) >= n)
    return Sketch(exact, len(words), array("I", minima).tobytes()[_LAST_BYTES], bands, openings, cut)


_LAST_BYTES: Final = slice(0 if byteorder == "little" else 3, None, 4)
"""Of numbers of 32 bits."""


def _opens(one: Sketch, other: Sketch) -> bool:
    """Is the first, cut off, the beginning of the other?"""
    if not one.cut or one.words > other.words or not one.openings:
        return False
    return one.openings == other.openings[: len(one.openings)]


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), signed=True)
