"""The beginning as a person has it: from nothing to a configuration that was tried."""

from __future__ import annotations

import contextlib
import json
import logging
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.testing import FakePlatform, Fault, Seed
from monitor.cli import app
from monitor.cli.common import Failure
from tests.e2e.conftest import NOWHERE, ROOT, Home, Round
from tests.e2e.terminal import Terminal
from tests.fakes.hackernews import FakeHackerNews
from tests.fakes.http_json import TOKEN, FakeByCursor, FakeList
from tests.fakes.reddit import CLIENT_ID, SECRET, FakeReddit
from tests.fakes.sql import FakeTable

HOSTILE = "acme is \x1b[2J\x1b]0;owned\x07 great\u202e\nand a new line"
MINIMAL = '# Mine.\n[[brands]]\nname = "Acme"   # the best\nkeywords = ["acme"]\n'


@dataclass(frozen=True, slots=True)
class Done:
    """What a command printed."""

    stdout: str
    stderr: str


def run(home: Home, *arguments: str, code: int = 0) -> Done:
    """Run a command in this process, where nobody can be asked; its exit code must be ``code``."""
    with contextlib.chdir(home.folder):
        result = CliRunner().invoke(app, arguments, env={"COLUMNS": "160"})
    failure = result.exception if isinstance(result.exception, Failure) else None
    ended = failure.code if failure else result.exit_code
    assert ended == code, f"{arguments}: {ended}\n{result.output}\n{result.exception!r}"
    return Done(result.stdout, result.stderr + (f"{failure}\n" if failure else ""))


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Commands set up logging for a process of their own."""
    logger = logging.getLogger("sentiment_monitor")
    before = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


def json_of(home: Home, *arguments: str, code: int = 0) -> Any:
    return json.loads(run(home, *arguments, "--json", code=code).stdout)


def terminal(home: Home, *arguments: str) -> Terminal:
    return home.at_terminal(*arguments)


def config(home: Home) -> dict[str, Any]:
    return tomllib.loads((home.folder / "config.toml").read_text(encoding="utf-8"))


def publish(fake: FakePlatform, *texts: str) -> None:
    """Publish these texts, a minute apart, the last one an hour ago."""
    last = datetime.now(UTC) - timedelta(hours=1)
    for text in texts:
        number = len(fake.seeds) + 1
        fake.seeds.append(Seed(number, last - timedelta(minutes=len(texts) - number), text))


@pytest.fixture
def news() -> Iterator[FakeHackerNews]:
    fake = FakeHackerNews()
    yield fake
    fake.close()


@pytest.fixture
def reddit() -> Iterator[FakeReddit]:
    fake = FakeReddit()
    yield fake
    fake.close()


def test_the_command_itself_is_light() -> None:
    heavy = ("pydantic", "httpx", "tomlkit", "sqlalchemy", "rich", "jinja2", "praw", "scipy")
    code = f"import sys, monitor.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


# ------------------------------------------------------------------------------------------------- init


def test_init_writes_a_configuration_that_is_sound(home: Home) -> None:
    (home.folder / ".git").mkdir()
    done = run(home, "init", "--brand", "Acme", "--competitor", "Rival", "--feed", "https://blog.example/feed.xml")
    assert "it watches Acme with 2 sources" in done.stderr
    assert [source["type"] for source in config(home)["sources"]] == ["hackernews", "feeds"]
    assert (home.folder / ".gitignore").read_text() == "secrets.env\nvar/\n"
    assert "config.toml: sound; 2 brands, 2 sources" in run(home, "check", "--offline").stdout


def test_init_replaces_a_file_only_when_told_to(home: Home) -> None:
    home.write("# mine")
    assert "is there already" in run(home, "init", "--brand", "Acme", code=1).stderr
    assert (home.folder / "config.toml").read_text() == "# mine"
    told = json_of(home, "init", "--brand", "Acme", "--no-hackernews", "--force")
    assert told == {"file": "config.toml", "brand": "Acme", "sources": []}
    assert config(home)["brands"][0]["name"] == "Acme"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--brand: missing"),
        (["--brand", "Acme", "--feed", "blog"], "sources.feed.options.url"),
        (["--brand", "Acme", "--app-store", "x"], "is no app id"),
        (["--brand", "Acme", "--timezone", "Europe/Berln"], "monitor.timezone"),
    ],
)
def test_init_writes_nothing_that_is_faulty(home: Home, arguments: list[str], words: str) -> None:
    assert words in run(home, "init", *arguments, code=2).stderr
    assert list(home.folder.iterdir()) == []


def test_init_asks_at_a_terminal_and_asks_again_where_an_answer_makes_no_sense(home: Home) -> None:
    person = terminal(home, "init", "--timezone", "Europe/Berlin")
    person.answer("What brand", "Acme")
    person.answer("Words that name it", "acme, acme phone")
    person.answer("Search Hacker News?", "n")
    person.answer("Address of a feed", "nonsense")
    person.answer("Address of a feed", "https://blog.example/feed.xml")
    person.answer("Address of another feed", "")
    person.answer("App Store", "https://apps.apple.com/de/app/acme/id77")
    person.answer("Folder for the digests", "")
    assert person.end() == 0, person.screen
    assert "next: sentiment-monitor check" in person.screen
    made = config(home)
    assert made["brands"][0]["keywords"] == ["acme", "acme phone"]
    assert [source["options"] for source in made["sources"]] == [
        {"url": "https://blog.example/feed.xml"},
        {"app_id": "77", "countries": ["de"]},
    ]
    assert made["channels"][0]["folder"] == "var/digests"


# -------------------------------------------------------------------------------------------------- try


def test_try_shows_what_would_come_and_stores_nothing(home: Home, news: FakeHackerNews) -> None:
    publish(news, "acme is great, I love it", "acme phone is terrible", "acme cartoon")
    done = run(
        home, "try", "hackernews", "-k", "acme", "-x", "acme cartoon", "-o", f"base_url={news.base_url}", "-n", "5"
    )
    assert "1 positive, 0 neutral, 1 negative of 2 · score 0.00" in done.stdout
    assert '[excluded by "acme cartoon"]' in done.stdout
    assert "1 of 3 would not count" in done.stdout
    assert "asked for: acme" in done.stdout
    assert list(home.folder.iterdir()) == []


def test_try_is_not_taken_in_by_what_others_write(home: Home, news: FakeHackerNews) -> None:
    publish(news, HOSTILE)
    option = f"base_url={news.base_url}"
    shown = run(home, "try", "hackernews", "-k", "acme", "-o", option).stdout
    (row,) = (line for line in shown.splitlines() if "acme is " in line)
    assert "great and a new line" in row
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_try_takes_a_link_and_a_file(home: Home, news: FakeHackerNews) -> None:
    publish(news, "acme works")
    link = "https://hn.algolia.com/?q=acme"
    assert len(json_of(home, "try", link, "-o", f"base_url={news.base_url}")["items"]) == 1
    (home.folder / "reviews.csv").write_text("date,text,rating\n2026-01-01,I love it,5\n2026-01-02,what,9\n")
    told = json_of(home, "try", "reviews.csv")
    assert [(item["label"], item["stars"]) for item in told["items"]] == [("positive", 5.0)]
    assert [entry["what"] for entry in told["skipped"]] == ["row 3"]
    assert told["sentiment"]["total"] == 1


DESCRIBED = """
[[accounts]]
name = "shop"
type = "http_json"
options = { token = "env:SHOP_TOKEN" }
[[sources]]
name = "comments"
type = "http_json"
account = "shop"
brand = "Acme"
match = "all"
[sources.options]
url = "https://api.shop.example/v2/comments?q={term}&after={cursor}"
items = "data.list"
paging = "cursor"
next = "data.next"
fields = { external_id = "id", published_at = "written.at", text = "body" }
base_url = "BASE"
"""


@pytest.fixture
def described(home: Home) -> Iterator[FakeByCursor]:
    api = FakeByCursor()
    (home.folder / "config.toml").write_text(MINIMAL + DESCRIBED.replace("BASE", api.base_url), encoding="utf-8")
    (home.folder / "secrets.env").write_text(f"SHOP_TOKEN={TOKEN}\n", encoding="utf-8")
    yield api
    api.close()


def test_try_shows_what_a_source_of_the_configuration_would_bring(home: Home, described: FakeByCursor) -> None:
    publish(described, "I love it", "acme is terrible")
    told = json_of(home, "try", "comments")
    assert [(item["label"], item["uncounted"]) for item in told["items"]] == [("negative", None), ("positive", None)]
    assert told["queries"] == ["acme"]
    other = json_of(home, "try", "comments", "--config", "config.toml", "-o", "fields.text=by", "-k", "rival")
    assert ([item["text"] for item in other["items"]], other["queries"]) == (["someone"] * 2, ["rival"])
    assert sorted(path.name for path in home.folder.iterdir()) == ["config.toml", "secrets.env"]


def test_try_says_what_is_wrong_with_a_source_that_is_described_wrongly(home: Home, described: FakeByCursor) -> None:
    file = home.folder / "config.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"data.list"', '"data[list"'), encoding="utf-8")
    assert "sources.comments.options.items: `data[list` is no JMESPath" in run(home, "try", "comments", code=2).stderr
    option = f"base_url={described.base_url}"
    assert "answered 401" in run(home, "try", "hackernews", "-k", "acme", "-o", option, code=1).stderr


def test_try_takes_an_api_and_a_database_by_their_options(home: Home) -> None:
    table, api = FakeTable(), FakeList()
    table.publish(2, at=datetime.now(UTC))
    api.publish(2, at=datetime.now(UTC))
    query = "query=SELECT * FROM tickets WHERE id > :after ORDER BY id LIMIT :limit"
    told = json_of(
        home, "try", "sql", "-o", f"url={table.url}", "-o", query, "-o", "key=id", "-o", "columns.rating=stars"
    )
    assert [item["stars"] for item in told["items"]] == [3.0, 2.0]
    fields = 'fields={"external_id": "id", "published_at": "written.at", "text": "body"}'
    login = ["-o", "username=shop", "-o", f"password={TOKEN}"]
    told = json_of(home, "try", "http_json", "-o", f"url={api.base_url}", "-o", fields, *login)
    assert len(told["items"]) == 2
    table.close()
    api.close()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["http_json", "-o", "url=https://a.example"], 2, "http_json.fields: missing; give --option fields=..."),
        (["sql", "-o", "url=shop.db", "-o", "key=id", "-o", "query=SELECT 1"], 2, "sql.query: :after is missing"),
        (["nonsense"], 2, "is no link, no file and no connector"),
        (["hackernews"], 2, "give --keyword"),
        (["hackernews", "-k", "acme", "-o", "storys=no"], 2, 'did you mean "stories"?'),
        (["hackernews", "-k", "acme", "-o", "stories"], 2, "write key=value"),
        (["hackernews", "-x", "acme"], 2, "--exclude: needs a --keyword"),
        (["reddit"], 2, "reddit.client_secret: missing; give --option client_secret="),
        (["reddit", "-o", "client_id=a", "-o", "client_secret=env:NOT_SET_AT_ALL"], 2, "NOT_SET_AT_ALL is not set"),
        (["hackernews", "-k", "acme", "-o", f"base_url={NOWHERE}"], 1, "cannot be reached"),
        (["missing.csv"], 2, "there is no such file"),
    ],
)
def test_try_says_what_is_wrong(home: Home, arguments: list[str], code: int, words: str) -> None:
    done = run(home, "try", *arguments, code=code)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_try_fails_where_nothing_of_what_would_be_sent_can_be_read(home: Home) -> None:
    for body, code in (("{", 1), ('[{"id": 1}, {"id": 2}]', 1), ('[{"id": 1}, {"text": "fine"}]', 0), ("[]", 0)):
        (home.folder / "body.json").write_text(body, encoding="utf-8")
        for form in ([], ["--json"]):
            told = run(home, "try", "webhook", "--file", "body.json", *form, code=code)
            assert ("--file body.json: nothing of it can be read" in told.stderr) == bool(code)
        assert bool(json.loads(told.stdout)["skipped"]) == (body != "[]")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "feedz"], 'did you mean "feeds"?'),
        (["explain", "abc"], 'explain: "abc" is no number of an item; for a text of your own: --text "..."'),
        (["correct", "7", "negtive"], 'correct: "negtive" is no label; did you mean "negative"?'),
        (["correct", "7", "x"], "there are: positive, neutral, negative, none"),
        (["sources", "types", "mastodn"], 'no type "mastodn"; did you mean "mastodon"?'),
        (["keywords", "try", "--exclude", '"acme phone'], "this quotation mark is never closed; write 'acme phone' in"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(home: Home, arguments: list[str], words: str) -> None:
    home.write(MINIMAL)
    assert words in run(home, *arguments, code=2).stderr


# -------------------------------------------------------------------------------------------------- add


def test_add_sets_the_source_in_and_leaves_every_other_line_alone(example: Home, news: FakeHackerNews) -> None:
    before = (example.folder / "config.toml").read_text(encoding="utf-8").splitlines()
    publish(news, "larkspur works")
    arguments = ["--brand", "Larkspur", "--every", "20m", "-o", f"base_url={news.base_url}", "-o", "comments=false"]
    done = run(example, "add", "hackernews", *arguments, "--yes")
    assert "source hackernews-larkspur added for Larkspur" in done.stderr
    assert config(example)["sources"][-1] == {
        "name": "hackernews-larkspur",
        "type": "hackernews",
        "brand": "Larkspur",
        "every": "20m",
        "options": {"base_url": news.base_url, "comments": False},
    }
    after = (example.folder / "config.toml").read_text(encoding="utf-8").splitlines()
    at = after.index('name = "hackernews-larkspur"') - 1
    assert after[: at - 1] + after[at + 6 :] == before


def test_add_names_who_reads_the_same_already(home: Home, news: FakeHackerNews) -> None:
    home.write(MINIMAL)
    same = ("add", "hackernews", "--yes", "-o", f"base_url={news.base_url}")
    assert json_of(home, *same)["read_by"] == []
    assert json_of(home, *same, "--anyway")["read_by"] == ["hackernews-acme"]
    told = run(home, *same, "-o", "stories=false").stderr
    assert "hackernews-acme reads the same for Acme already" in told


def test_add_asks_for_credentials_and_keeps_them_apart(home: Home, reddit: FakeReddit) -> None:
    (home.folder / ".git").mkdir()
    home.write(MINIMAL)
    publish(reddit, "acme is great")
    person = terminal(home, "add", "reddit", "-o", f"base_url={reddit.base_url}", "-o", "subreddits=all")
    person.answer("client_id", CLIENT_ID)
    person.answer("client_secret (not shown): ", SECRET)
    person.answer("Keep it as reddit-acme?", "y")
    assert person.end() == 0, person.screen
    assert "acme is great" in person.screen
    text = (home.folder / "config.toml").read_text()
    assert SECRET not in text + person.screen
    assert text.startswith(MINIMAL)
    assert config(home)["accounts"] == [
        {
            "name": "reddit-main",
            "type": "reddit",
            "options": {"client_id": CLIENT_ID, "client_secret": "env:REDDIT_CLIENT_SECRET"},
        }
    ]
    assert config(home)["sources"][0]["account"] == "reddit-main"
    secrets = home.folder / "secrets.env"
    assert secrets.read_text() == f"REDDIT_CLIENT_SECRET={SECRET}\n"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert "secrets.env" in (home.folder / ".gitignore").read_text()
    shown = run(home, "config", "show").stdout
    assert "***" in shown
    assert SECRET not in shown

    again = json_of(home, "add", "reddit", "-o", f"base_url={reddit.base_url}", "-o", "subreddits=acme", "--yes")
    assert (again["account"], again["source"]["account"], again["secrets"]) == (None, "reddit-main", [])


def test_add_writes_nothing_when_the_answer_is_no(home: Home, news: FakeHackerNews) -> None:
    home.write(MINIMAL)
    publish(news, "acme works")
    person = terminal(home, "add", "hackernews", "-o", f"base_url={news.base_url}")
    person.answer("Keep it as hackernews-acme?", "n")
    assert person.end() == 1
    assert "nothing was written" in person.screen
    assert (home.folder / "config.toml").read_text() == MINIMAL


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["hackernews"], 2, "give --yes"),
        (["hackernews", "--yes", "--brand", "Nobody"], 2, 'no brand "Nobody"; there are: Acme'),
        (["hackernews", "--yes", "--name", "taken"], 2, 'there is a source "taken" already'),
        (["hackernews", "--yes", "--every", "soon"], 2, "--every: duration 'soon'"),
        (["hackernews", "--yes", "--account", "main"], 2, 'no account "main" of type hackernews'),
        (["feeds", "--yes"], 2, "feeds.url: missing; give --option url="),
        (["hackernews", "--yes", "-o", f"base_url={NOWHERE}"], 1, "cannot be reached"),
        (["hackernews", "--yes"], 2, "taken: this source reads the very same for Acme; give --anyway"),
        (["sample", "--yes", "-o", "stream=reddit", "--every", "1s"], 2, "sources.sample-acme.every"),
    ],
)
def test_add_says_what_is_wrong_and_writes_nothing(home: Home, arguments: list[str], code: int, words: str) -> None:
    text = MINIMAL + '\n[[sources]]\nname = "taken"\ntype = "hackernews"\nbrand = "Acme"\n'
    home.write(text)
    done = run(home, "add", *arguments, code=code)
    assert words in done.stderr
    assert (home.folder / "config.toml").read_text() == text
    assert not (home.folder / "secrets.env").exists()


# ------------------------------------------------------------------------------------------------ check


def _checked(home: Home, news: FakeHackerNews) -> None:
    home.write(
        MINIMAL
        + f'[[sources]]\nname = "hn"\ntype = "hackernews"\nbrand = "Acme"\noptions = {{ base_url = "{news.base_url}" }}\n'
        + '[[digests]]\nname = "daily"\nschedule = "daily at 08:00"\nchannels = ["files"]\n'
        + '[[channels]]\nname = "files"\ntype = "file"\nfolder = "out"\n'
    )


def test_check_tries_everything_and_says_what_comes_next(home: Home, news: FakeHackerNews) -> None:
    _checked(home, news)
    done = run(home, "check")
    lines = done.stdout.splitlines()
    assert [line.split()[:3] for line in lines if line.startswith(("hn ", "files "))] == [
        ["hn", "hackernews", "works"],
        ["files", "file", "will"],
    ]
    (digest,) = (line for line in lines if line.startswith("digest daily: "))
    assert digest.count("08:00") == 3
    assert digest.endswith("(UTC), to files")
    assert [path.name for path in home.folder.iterdir()] == ["config.toml"]


def test_check_fails_when_something_does_not_answer(home: Home, news: FakeHackerNews) -> None:
    _checked(home, news)
    news.fail(Fault.FORBIDDEN)
    told = json_of(home, "check", code=1)
    assert told["ok"] is False
    assert [(one["name"], one["ok"], one["state"]) for one in told["tried"]] == [
        ("database", True, "will be made"),
        ("hn", False, "access denied"),
        ("files", True, "will be made"),
    ]
    assert told["tried"][1]["queries"] == ["acme"]
    assert len(told["digests"][0]["due"]) == 3
    assert told["language_checked"] in (True, False)


def test_check_says_what_the_store_holds_left_unscored_and_wants_scored_anew(first_round: Round) -> None:
    example = first_round.home
    told = json_of(example, "check", code=1)  # its real sources have no internet
    assert told["tried"][0]["name"] == "database"
    assert told["tried"][0]["state"].startswith("holds ")
    report = example.json("scores", "--since", "30d", "--brand", "Larkspur")["brands"][0]
    assert told["left_out_by_language"]["Larkspur"] == report["coverage"]["unscored_languages"]
    assert told["rescore_due"] == 0

    config = example.folder / "config.toml"
    config.write_text(config.read_text().replace('profile = "default"', 'profile = "stock"'))
    assert json_of(example, "check", code=1)["rescore_due"] > 900
    assert "items were labelled under other scoring settings" in run(example, "check", code=1).stdout


def test_check_offline_asks_nobody(home: Home, news: FakeHackerNews) -> None:
    _checked(home, news)
    assert json_of(home, "check", "--offline")["tried"] == []
    assert news.loopback.requests == []


def test_check_lists_every_fault(home: Home) -> None:
    home.write('[monitor]\nworkers = 0\n[[brands]]\nname = "Acme"\nkeywrods = ["a"]\n')
    done = run(home, "check", code=2)
    assert "monitor.workers" in done.stderr
    assert 'did you mean "keywords"?' in done.stderr
    assert len(json_of(home, "check", code=2)["faults"]) == 2


def test_config_schema_is_one_json_document(home: Home) -> None:
    schema = json.loads(run(home, "config", "schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert Path(home.folder, "config.toml").exists() is False
