"""A fake of Apple's customer reviews feed and of its lookup."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from connectors.testing import FakePlatform, Fault, Reply, Request, Seed

APP_ID = "310633997"
APP_NAME = "Acme for phones"
FIRST_ID = 14_500_000_000
PACIFIC = timezone(timedelta(hours=-7))
PATH = re.compile(r"/([a-z]{2})/rss/customerreviews/page=(\d+)/id=(\d+)/sortby=mostrecent/(json|xml)")


class FakeAppStore(FakePlatform):
    """Answers the feed in both forms, 10 pages of 50 reviews a country, and ``/lookup``.

    ``countries``: what the connector is told to read; ``undated``: the JSON tells no times; ``blank``: pages (country, number) that are empty although reviews stand there;
    ``abroad``: which seeds, by number, stand in another country's store than us; ``sold_in``: where the app is;
    ``refused``: countries answered with an error status; ``old_shape``: the app itself is the first entry; ``links``: does
    the feed tell its number of pages; ``standing``: mean and count of the stars.
    """

    page_size: ClassVar[int] = 50
    ceiling: ClassVar[int | None] = 500
    # There are no credentials here: a refusal passes, and a source paused for it would wait for nothing.
    faults: ClassVar[Mapping[Fault, str]] = FakePlatform.faults | {
        Fault.UNAUTHORISED: "Unavailable",
        Fault.FORBIDDEN: "Unavailable",
    }

    def __init__(self) -> None:
        super().__init__()
        self.countries = ["us"]
        self.undated = False
        self.blank: set[tuple[str, int]] = set()
        self.abroad: dict[int, str] = {}
        self.sold_in = {"us", "de", "jp"}
        self.refused: dict[str, int] = {}
        self.old_shape = False
        self.links = True
        self.standing: tuple[float, int] | None = (4.25, 1200)

    def options(self) -> Mapping[str, Any]:
        return {"app_id": APP_ID, "countries": self.countries}

    def external_id(self, seed: Seed) -> str:
        return str(FIRST_ID + seed.number)

    def respond(self, request: Request) -> Reply:
        if request.path == "/lookup":
            return self._lookup(request)
        found = PATH.fullmatch(request.path)
        if found is None:
            return Reply(b"not found", 404)
        country, page, form = found[1], int(found[2]), found[4]
        if country in self.refused:
            return Reply(b"<HTML><TITLE>Error</TITLE></HTML>", self.refused[country], {"Content-Type": "text/html"})
        if page > 10:
            return Reply(b"CustomerReviews RSS page depth is limited to 10", 400)
        return self._feed(country, page, form)

    def _feed(self, country: str, page: int, form: str) -> Reply:
        sold = country in self.sold_in
        there = [seed for seed in self.newest_first() if sold and self.abroad.get(seed.number, "us") == country][:500]
        start = 0 if self.repeat_last_page else (page - 1) * self.page_size
        shown = [] if (country, page) in self.blank else there[start : start + self.page_size]
        last = -(-len(there) // self.page_size) if sold and self.links else None
        return self._json(country, page, shown, last) if form == "json" else self._xml(country, shown, last)

    def _json(self, country: str, page: int, seeds: list[Seed], last: int | None) -> Reply:
        entries = [self._entry(country, seed) for seed in seeds]
        if self.old_shape and page == 1:
            entries.insert(0, {"im:name": {"label": APP_NAME}, "id": {"label": "x"}, "title": {"label": APP_NAME}})
        feed: dict[str, Any] = {"author": {"name": {"label": "iTunes Store"}}, "id": {"label": "x"}}
        if entries:
            feed["entry"] = entries[0] if len(entries) == 1 else entries
        href = "" if last is None else _address(country, max(last, 1))
        feed["link"] = [{"attributes": {"rel": rel, "href": href}} for rel in ("first", "last")]
        return Reply.of_json({"feed": feed})

    def _entry(self, country: str, seed: Seed) -> dict[str, Any]:
        told = {
            "id": self.external_id(seed),
            "title": f"Review {seed.number}",
            "im:rating": "eleven" if seed.damaged else str(seed.number % 5 + 1),
            "im:version": "8.0.9",
            "im:voteSum": "3",
            "im:voteCount": "4",
        }
        author = {"name": {"label": "someone"}, "uri": {"label": f"https://itunes.apple.com/{country}/reviews/id77"}}
        return {
            **{name: {"label": value} for name, value in told.items()},
            **({} if self.undated else {"updated": {"label": _pacific(seed)}}),
            "content": {"label": seed.text, "attributes": {"type": "text"}},
            "author": {**author, "label": ""},
            "link": {
                "attributes": {"rel": "related", "href": f"https://itunes.apple.com/{country}/review?id={APP_ID}"}
            },
        }

    def _xml(self, country: str, seeds: list[Seed], last: int | None) -> Reply:
        link = "" if last is None else f'<link rel="last" href="{escape(_address(country, max(last, 1)))}"/>'
        entries = "".join(self._xml_entry(country, seed) for seed in seeds)
        body = (
            '<?xml version="1.0" encoding="utf-8"?><feed xmlns:im="http://itunes.apple.com/rss" '
            f'xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><id>x</id>{link}{entries}</feed>'
        )
        return Reply(body.encode(), 200, {"Content-Type": "text/xml"})

    def _xml_entry(self, country: str, seed: Seed) -> str:
        return (
            f"<entry><updated>{_pacific(seed)}</updated><id>{self.external_id(seed)}</id>"
            f"<title>Review {seed.number}</title><content type='text'>{escape(seed.text)}</content>"
            f"<im:voteSum>3</im:voteSum><im:voteCount>4</im:voteCount>"
            f"<im:rating>{'eleven' if seed.damaged else seed.number % 5 + 1}</im:rating><im:version>8.0.9</im:version>"
            f"<author><name>someone</name><uri>https://itunes.apple.com/{country}/reviews/id77</uri></author>"
            f"<link rel='related' href='https://itunes.apple.com/{country}/review?id={APP_ID}'/>"
            "<content type='html'>&lt;p&gt;as a table&lt;/p&gt;</content></entry>"
        )

    def _lookup(self, request: Request) -> Reply:
        if request.query.get("id") != APP_ID or request.query.get("country") not in self.sold_in:
            return Reply.of_json({"resultCount": 0, "results": []})
        result: dict[str, Any] = {"trackId": int(APP_ID), "trackName": APP_NAME}
        if self.standing is not None:
            result |= {"averageUserRating": self.standing[0], "userRatingCount": self.standing[1]}
        return Reply.of_json({"resultCount": 1, "results": [result]})


def _address(country: str, page: int) -> str:
    tail = f"id={APP_ID}/sortby=mostrecent"
    return f"https://itunes.apple.com/{country}/rss/customerreviews/page={page}/{tail}/xml?urlDesc=/page=1/{tail}/json"


def _pacific(seed: Seed) -> str:
    return seed.at.astimezone(PACIFIC).isoformat(timespec="seconds")
