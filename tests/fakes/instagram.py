"""A fake of an Instagram business account in the Graph API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.testing import Reply, Request, Seed
from tests.fakes.graph import SECRET, TOKEN, FakeGraph

ACCOUNT = "17841400"
OWN = f"/{ACCOUNT}/media"
TAGS = {"acme": "1784", "acmephone": "1785"}


class FakeInstagram(FakeGraph):
    """What is published bears the hashtag #acme; ``put(..., OWN)`` makes own posts, ``put(..., comments_on(seed))`` comments."""

    page_size: ClassVar[int] = 50
    main: ClassVar[str] = f"/{TAGS['acme']}/recent_media"

    def __init__(self) -> None:
        super().__init__()
        self.objects[f"/{ACCOUNT}"] = {"id": ACCOUNT, "username": "AcmeHQ", "followers_count": 4321}

    def options(self) -> Mapping[str, Any]:
        return {"account": ACCOUNT, "access_token": TOKEN, "app_secret": SECRET, "hashtags": ["#Acme"]}

    def external_id(self, seed: Seed) -> str:
        return str(17_000_000 + seed.number)

    def comments_on(self, seed: Seed) -> str:
        return f"/{self.external_id(seed)}/comments"

    def respond(self, request: Request) -> Reply:
        if request.path == "/ig_hashtag_search" and request.path not in self.answers:
            number = TAGS.get(request.query["q"])
            return Reply.of_json({"data": [{"id": number}] if number else []})
        return super().respond(request)

    def entry(self, seed: Seed) -> dict[str, Any]:
        path = self.path_of(seed)
        at = "yesterday" if seed.damaged else seed.at.strftime("%Y-%m-%dT%H:%M:%S+0000")
        common: dict[str, Any] = {"id": self.external_id(seed), "timestamp": at, "like_count": 3}
        if path.endswith("/comments"):
            return common | {"text": seed.text, "username": "ada"}
        comments = sum(place == self.comments_on(seed) for place in self.elsewhere.values())
        media = common | {"caption": seed.text, "comments_count": comments, "media_type": "IMAGE"}
        link = {"permalink": f"https://www.instagram.com/p/{seed.number}/"}
        return media | link | ({"username": "AcmeHQ"} if path == OWN else {})
