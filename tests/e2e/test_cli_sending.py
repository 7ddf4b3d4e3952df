"""A delivery that failed for good is listed with its reason, and sent when asked for again."""

from __future__ import annotations

from connectors.testing.loopback import Loopback, Reply, Request
from tests.e2e.conftest import Home

CONFIG = """
[monitor]
timezone = "Europe/Berlin"

[[brands]]
name = "Larkspur"

[[sources]]
name = "news"
type = "sample"
brand = "Larkspur"
options = {{ stream = "news" }}

[[digests]]
name = "daily"
schedule = "daily at 08:00"
channels = ["hook"]

[[channels]]
name = "hook"
type = "webhook"
url = "{url}/hook?token=s3cret"
"""


def test_a_failed_delivery_is_listed_and_sent_again_on_request(home: Home) -> None:
    taken: list[Request] = []
    refuses = True

    def respond(request: Request) -> Reply:
        taken.append(request)
        return Reply(status=410 if refuses else 200)

    hook = Loopback(respond)
    try:
        home.write(CONFIG.format(url=hook.url))
        home.run("run", "--once")
        (row,) = home.json("deliveries")["deliveries"]
        assert (row["digest"], row["channel"], row["state"]) == ("daily", "hook", "failed")
        assert "410" in row["error"]
        assert "s3cret" not in home.run("deliveries").stdout
        refused = home.run("deliveries", "--retry", str(row["id"]), code=1)
        assert f"delivery {row['id']}: not sent" in refused.stderr

        refuses = False
        (row,) = home.json("deliveries", "--retry", str(row["id"]))["deliveries"]
        assert row["state"] == "sent"
        assert len({request.headers["idempotency-key"] for request in taken}) == 1
        assert "no failed delivery" in home.run("deliveries", "--retry", str(row["id"]), code=1).stderr
    finally:
        hook.close()
