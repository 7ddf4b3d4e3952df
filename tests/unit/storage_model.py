"""A plain model of the store: what it should hold, told without a database, by rules that are written down a second time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from monitor.app import App, Watched, watched
from monitor.config import parse
from monitor.config.models import Settings
from monitor.matching import Verdict, decide
from monitor.metrics.likeness import Sketch, alike, sketches
from monitor.normalise import bare_text
from monitor.scoring import DEFAULT, STOCK, Label, Scorable, Scored, score_batch
from storage.records import Claim, ItemValues
from storage.rollups import Key, bucket_of
from storage.tables import SCALE
from tests.fakes.storing import Shop, item

BRANDS = ("Acme", "Rival")
ONCE = "Rival"
"""The brand of which copies count once."""
WORDS: list[dict[str, list[str]]] = [
    {"keywords": ["acme", "phone"], "exclude": []},
    {"keywords": ["acme"], "exclude": ["garden"]},
    {"keywords": ["phone"], "exclude": ["refund"]},
]
"""What the configuration may say of either brand."""
PROFILES = (STOCK, DEFAULT)
TEXTS = (
    "Acme is great, I love it",
    "Please help, the refund from Acme never came",  # which the profiles label otherwise
    "The acme of my garden: a table",
    "An awful phone, I hate it",
    "Nothing about anybody",
    "RT @ann: please help, the refund from Acme never came https://talk.example/1",  # says the same as the second
)
HOSTS = (None, "talk.example", "spam.example", "a.spam.example")
LABELS = ("positive", "neutral", "negative")
ALL_OF_IT = "south"
"""The source of which everything counts."""


@dataclass
class Told:
    """An item as its platform shows it now."""

    external_id: str
    brand: int
    kind: str
    published_at: datetime
    text: str
    author: int | None
    host: str | None
    likes: int | None
    stars: Label | None


@dataclass
class Model:
    """An item as the store should have it."""

    said: Told
    source: int
    scored: str | None
    reason: str | None
    person: str | None = None
    copy: bool = False
    erased: bool = False
    number: int = 0
    growth: Counter[int] = field(default_factory=Counter)

    @property
    def uncounted(self) -> str | None:
        return self.reason or ("duplicate" if self.copy else None)

    @property
    def place(self) -> tuple[datetime, str]:
        return self.said.published_at, self.said.external_id

    @property
    def label(self) -> str | None:
        return self.person or self.scored

    def key(self, bucket: int) -> Key:
        return Key(self.said.brand, self.source, self.said.kind, bucket)


@dataclass(frozen=True)
class Act:
    """Something that is done to the store, and what it means."""

    does: Callable[[App, Shop], object]
    means: Callable[[], object]


class Plain:
    """The model and its rules, for whoever lets things happen."""

    now: datetime
    words: int
    profile: int
    claims: dict[str, Claim]
    stored: dict[str, Model]
    muted: set[tuple[int | None, int | None, str | None]]

    def _expected(self) -> dict[Key, dict[str, int]]:
        sums: dict[Key, Counter[str]] = {}
        for known in self.stored.values():
            cell = sums.setdefault(known.key(bucket_of(known.said.published_at)), Counter())
            cell[known.uncounted or known.label or "unscored"] += 1
            if known.uncounted is None:
                cell["likes_sum"] += known.said.likes or 0
                cell["likes_known"] += known.said.likes is not None
                for bucket, growth in known.growth.items():
                    sums.setdefault(known.key(bucket), Counter())["likes_gained"] += growth
        told = {key: {name: n for name, n in cell.items() if n} for key, cell in sums.items()}
        return {key: cell for key, cell in told.items() if cell}

    def _find_copies(self) -> None:
        """Of what counts else the first counts, of a brand that counts copies once."""
        leading = [known for known in self._alive() if known.reason is None]
        for known in self._alive():
            known.copy = any(self._copies(known, other) for other in leading)

    def _copies(self, known: Model, other: Model) -> bool:
        """May the one be a copy of the other?"""
        one, first = known.said, other.said
        if known.place <= other.place or (one.brand, one.kind) != (first.brand, first.kind) or one.kind == "post":
            return False
        if BRANDS[one.brand - 1] != ONCE or one.published_at - first.published_at > timedelta(days=30):
            return False
        by_the_same = one.author is not None and one.author == first.author
        return alike(sketched(one.text), sketched(first.text)) and (by_the_same or not sketched(one.text).is_short)

    def _alive(self) -> Iterator[Model]:
        return (known for known in self.stored.values() if not known.erased)

    def _item(self, which: int) -> Model:
        return list(self.stored.values())[which % len(self.stored)]

    def _number(self, which: int) -> int:
        return self._item(which).number

    def _reason(self, known: Model, told: Told) -> str | None:
        """The first of the reasons that hold."""
        if known.reason == "not_about_us":
            return "not_about_us"
        if self._is_muted(known):
            return "muted"
        if known.source == self.claims[ALL_OF_IT].source_id or told.kind == "post":
            return None
        return None if self._verdict(told) is Verdict.COUNTED else "excluded"

    def _is_muted(self, known: Model) -> bool:
        said = known.said
        hosts = {"a.spam.example": {"spam.example", "a.spam.example"}}.get(said.host or "", {said.host})
        return any(
            brand in (None, said.brand) and (who == said.author if who else site in hosts)
            for brand, who, site in self.muted
        )

    def _verdict(self, told: Told) -> Verdict:
        return decide((None, told.text), configured(self.words, self.profile)[1][told.brand].keywords).verdict

    def _brings(self, name: str, told: Told) -> bool:
        return name == ALL_OF_IT or told.kind == "post" or self._verdict(told) is not Verdict.NOT_NAMED

    def _label(self, told: Told) -> str | None:
        return scored(told.text, told.stars, self.profile).label

    def _values(self, told: Told, name: str) -> ItemValues:
        found = scored(told.text, told.stars, self.profile)
        by_nature = name == ALL_OF_IT or told.kind == "post"
        return item(
            told.external_id,
            brand_id=told.brand,
            kind=told.kind,
            published_at=told.published_at,
            text=told.text,
            url=told.host and f"https://{told.host}/x",
            author_id=told.author,
            likes=told.likes,
            counted_at=self.now,
            rating_label=told.stars,
            label=found.label,
            label_by=found.by,
            text_label=found.text_label,
            compound=None if found.compound is None else round(found.compound * SCALE),
            scorer=found.scorer,
            unscored=found.unscored,
            language=found.language,
            uncounted=None if by_nature or self._verdict(told) is Verdict.COUNTED else "excluded",
        )

    def _app(self, shop: Shop) -> App:
        settings_, brands = configured(self.words, self.profile)
        known = {brand.name: brand for brand in brands.values()}
        now = self.now
        return App(settings_, shop.database, lambda: now, "me", known, now)


SUMS = (
    *LABELS,
    "unscored",
    "excluded",
    "muted",
    "duplicate",
    "not_about_us",
    "likes_sum",
    "likes_known",
    "likes_gained",
)


@cache
def configured(words: int, profile: int) -> tuple[Settings, dict[int, Watched]]:
    """The settings, and the brands by id."""
    brands = [{"name": name, "duplicates": "once" if name == ONCE else "count", **WORDS[words]} for name in BRANDS]
    sources = [
        {"name": name, "type": "sample", "brands": list(BRANDS), "match": match, "options": {"stream": "forum"}}
        for name, match in (("north", "keywords"), ("south", "all"))
    ]
    found = parse({"brands": brands, "sources": sources}).model_copy(update={"scoring": PROFILES[profile]})
    return found, {number: watched(brand, number) for number, brand in enumerate(found.brands, start=1)}


@cache
def sketched(words: str) -> Sketch:
    return sketches([bare_text(words)])[0]


@cache
def scored(words: str, stars: Label | None, profile: int) -> Scored:
    (found,) = score_batch([Scorable(None, words, stars, None, frozenset({"acme", "phone"}))], PROFILES[profile])
    return found
