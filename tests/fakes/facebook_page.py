"""A fake of a Facebook page in the Graph API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.testing import Seed
from tests.fakes.graph import SECRET, TOKEN, FakeGraph

PAGE = "4711"
OWN = f"/{PAGE}/published_posts"
RATINGS = f"/{PAGE}/ratings"


class FakeFacebookPage(FakeGraph):
    """What is published tags the page; ``put(..., OWN)`` makes own posts, ``put(..., comments_on(seed))`` comments."""

    main: ClassVar[str] = f"/{PAGE}/tagged"

    def __init__(self) -> None:
        super().__init__()
        about = {"id": PAGE, "name": "Acme", "followers_count": 4321, "overall_star_rating": 4.2, "rating_count": 17}
        self.objects[f"/{PAGE}"] = about

    def options(self) -> Mapping[str, Any]:
        return {"page": PAGE, "access_token": TOKEN, "app_secret": SECRET}

    def external_id(self, seed: Seed) -> str:
        if self.path_of(seed) == RATINGS:
            return f"rating/{900 + seed.number}"
        owner = PAGE if self.path_of(seed) == OWN else "99"
        return f"{owner}_{seed.number}"

    def comments_on(self, seed: Seed) -> str:
        return f"/{self.external_id(seed)}/comments"

    def entry(self, seed: Seed) -> dict[str, Any]:
        path = self.path_of(seed)
        at = "yesterday" if seed.damaged else seed.at.strftime("%Y-%m-%dT%H:%M:%S+0000")
        if path == RATINGS:
            story = {"id": str(900 + seed.number)}
            return {
                "created_time": at,
                "recommendation_type": "positive",
                "review_text": seed.text,
                "open_graph_story": story,
            }
        who = {"id": PAGE if path == OWN else "99", "name": "Acme" if path == OWN else "Ada"}
        common = {"id": self.external_id(seed), "created_time": at, "message": seed.text, "from": who}
        if path.endswith("/comments"):
            return common | {"like_count": 3, "comment_count": 1}
        comments = sum(place == self.comments_on(seed) for place in self.elsewhere.values())
        return common | {
            "permalink_url": f"https://www.facebook.com/{seed.number}",
            "reactions": {"data": [], "summary": {"total_count": 5}},
            "comments": {"data": [], "summary": {"total_count": comments}},
            "shares": {"count": 2},
        }
