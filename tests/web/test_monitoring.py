"""What monitoring asks: does it answer, is it ready, and its numbers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import text

from monitor.app import App
from monitor.report import build_report
from monitor.web import access
from monitor.web.asked import window_named
from monitor.web.gauges import exposition
from storage import parties, tokens
from storage.engine import StorageError
from tests.web.serving import Dashboard, served

BRAND: Final = "Larkspur"
PASSWORD: Final = SecretStr("a long password")


def numbers(told: str, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a metric, by the values of their labels."""
    found = (one for family in text_string_to_metric_families(told) for one in family.samples)
    return {tuple(one.labels.values()): one.value for one in found if one.name == f"sentiment_monitor_{name}"}


@pytest.fixture
def told(read_only: Dashboard) -> str:
    answer = read_only.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.text


def test_scores_and_counts_are_the_report_s(read_only: Dashboard, told: str) -> None:
    window = window_named(read_only.app, {"window": "7d"})[0]
    social = build_report(read_only.app, [BRAND], window, items=False).brands[0].social
    assert numbers(told, "score")[BRAND, "mention"] == pytest.approx(social.score)
    assert numbers(told, "score_items")[BRAND, "mention"] == social.total
    everything = window_named(read_only.app, {"since": "520w"})[0]
    ever = build_report(read_only.app, [BRAND], everything, items=False).brands[0].social
    items = numbers(told, "items")
    assert [items[BRAND, "mention", label] for label in ("positive", "neutral", "negative", "unscored")] == [
        ever.positive, ever.neutral, ever.negative, ever.unscored,
    ]  # fmt: skip
    assert numbers(told, "uncounted_items")[BRAND, "mention", "excluded"] == ever.uncounted["excluded"]


def test_every_source_has_its_pulls_and_its_lag(read_only: Dashboard, told: str) -> None:
    names = {(source.name,) for source in read_only.app.settings.enabled_sources}
    for name in ("pulls_total", "source_lag_seconds", "source_failures", "pull_duration_seconds"):
        assert set(numbers(told, name)) == names
    assert sum(numbers(told, "sources").values()) == len(names)
    assert numbers(told, "pulls_last_day")["good", "reddit"] == numbers(told, "pulls_total")["reddit",] == 1
    assert set(numbers(told, "deliveries")) == {("queued",), ("claimed",), ("failed",)}


def test_no_metric_grows_with_what_is_stored(read_only: Dashboard, told: str) -> None:
    labels = {key for family in text_string_to_metric_families(told) for one in family.samples for key in one.labels}
    assert labels <= {"brand", "kind", "label", "reason", "source", "state", "result", "version", "schema"}
    assert len(told.splitlines()) < 300


def test_reading_them_is_quick_and_writes_nothing(read_only: Dashboard) -> None:
    exposition(read_only.app)
    begun = time.process_time()
    for _ in range(5):
        exposition(read_only.app)
    assert (time.process_time() - begun) / 5 < 0.1


def test_numbers_are_kept_for_some_seconds(dashboard: Dashboard) -> None:
    first = dashboard.get("/metrics").text
    dashboard.app.database.write(lambda c: c.execute(text("UPDATE source SET turn = turn + 100")))
    assert dashboard.get("/metrics").text == first


@pytest.fixture
def guarded(sample_app: App) -> Iterator[Dashboard]:
    with served(sample_app, password=PASSWORD) as made:
        yield made


def test_numbers_are_for_who_has_a_token_unless_they_are_open(guarded: Dashboard, sample_app: App) -> None:
    assert httpx.get(f"{guarded.url}/metrics").status_code == 401
    token = access.new_token()
    tokens.add_token(
        sample_app.database, "prometheus", access.digest_of(token), may_write=False, brands=None, now=sample_app.now()
    )
    assert httpx.get(f"{guarded.url}/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    with served(sample_app, password=PASSWORD, open_metrics=True) as opened:
        assert "sentiment_monitor_items" in httpx.get(f"{opened.url}/metrics").text
        assert httpx.get(f"{opened.url}/api/v1/report").status_code == 401


def test_it_is_ready_and_says_whether_a_daemon_runs(guarded: Dashboard, sample_app: App) -> None:
    fine = {"status": "ok", "schema": "ok", "store": "ok", "configuration": "ok"}
    assert httpx.get(f"{guarded.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{guarded.url}/readyz").json() == {**fine, "daemon": "none"}
    parties.announce(sample_app.database, "elsewhere:1:abc", sample_app.now(), {})
    assert httpx.get(f"{guarded.url}/readyz").json() == {**fine, "daemon": "running"}


def test_a_store_of_another_version_or_a_damaged_one_is_not_ready(guarded: Dashboard, sample_app: App) -> None:
    def answer() -> Any:
        told = httpx.get(f"{guarded.url}/readyz")
        return told.status_code, told.json()

    sample_app.database.found.append(StorageError("damaged"))
    assert (answer()[0], answer()[1]["store"]) == (503, "failed")
    sample_app.database.found.clear()
    sample_app.database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '0001'")))
    assert (answer()[0], answer()[1]["schema"]) == (503, "failed")


def test_a_store_that_cannot_be_read_is_neither_healthy_nor_ready(guarded: Dashboard, sample_app: App) -> None:
    file = sample_app.database.file
    assert file is not None
    sample_app.database.close()
    for part in (file, *file.parent.glob(f"{file.name}-*")):
        part.unlink()
    file.mkdir()
    for path in ("/healthz", "/readyz"):
        told = httpx.get(guarded.url + path)
        assert (told.status_code, told.json()["status"]) == (503, "failed")
        assert str(file) not in told.text
