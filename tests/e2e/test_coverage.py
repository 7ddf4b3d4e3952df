"""What was not asked for is a gap, and what fails beside the items does not cost the items."""

from __future__ import annotations

from connectors.testing.loopback import Loopback, Reply, Request
from tests.e2e.conftest import Home
from tests.fakes.appstore import FakeAppStore

FEED = b"""<rss version="2.0"><channel><title>News</title>
<item><guid>1</guid><title>Acme at last</title></item></channel></rss>"""
CONFIG = """
[[brands]]
name = "Acme"

[[sources]]
name = "it"
brand = "Acme"
{source}
"""


def test_before_a_feed_was_first_read_is_no_gap_and_no_quiet_time(home: Home) -> None:
    feed = Loopback(lambda _: Reply(FEED, headers={"Content-Type": "application/rss+xml"}))
    try:
        home.write(CONFIG.format(source=f'type = "feeds"\noptions = {{ url = "{feed.url}/feed" }}'))
        home.run("run", "--once")
        brand = home.json("scores", "--since", "7d")["brands"][0]
        coverage = brand["coverage"]
        assert (coverage["complete"], coverage["gaps"], coverage["unread"]) == (True, [], [])
        assert [(one["source"], one["in_window"]) for one in coverage["begun"]] == [("it", True)]
        assert coverage["watched_since"] == coverage["begun"][0]["since"]
        assert [day["unwatched"] for day in brand["series"]][:7] == [True] * 7
        assert (brand["volume"]["expected"], brand["volume"]["watched_days"]) == (None, 0)
        told = home.run("scores", "--since", "7d").stdout
        assert "not comparable with the 7 days before: not watched long enough" in told
        assert "watched:      since" in told
        assert "gap:" not in told
    finally:
        feed.close()


class WithoutStanding(FakeAppStore):
    """The reviews are there; whoever asks for the overall rating is refused."""

    def respond(self, request: Request) -> Reply:
        return Reply(status=403) if request.path == "/lookup" else super().respond(request)


def test_a_refused_overall_rating_does_not_stop_the_reviews(home: Home) -> None:
    store = WithoutStanding()
    try:
        store.publish(5)
        options = f'base_url = "{store.base_url}", app_id = "{store.options()["app_id"]}"'
        home.write(CONFIG.format(source=f'type = "appstore"\noptions = {{ {options} }}'))
        done = home.json("pull")
        assert [(pull["fate"], pull["new"]) for pull in done["pulls"]] == [(None, 5)]
        assert home.json("sources")["sources"][0]["state"] == "fine"
    finally:
        store.close()
