"""A configuration in several files, and its entries for many brands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.app import build
from monitor.cli.sheets import as_toml, lines_of
from monitor.config import ConfigError, Settings, load
from monitor.config.shown import shown
from monitor.config.writing import keep
from storage import sources

Write = Callable[..., Path]
FIRST = '[monitor]\ninclude = ["brands/*.toml"]\n[[brands]]\nname = "Acme"\n'
RIVAL = '# theirs\n[[brands]]\nname = "Rival"\n'
FEED = '[[sources]]\nname = "{0}"\ntype = "feeds"\nbrand = "{1}"\noptions = {{ url = "https://x.example/{0}" }}\n'
APPS = """
[[sources]]
name = "apps"
type = "appstore"
brands = ["*"]
options = { app_id = "{brand.app_id}", countries = "{brand.countries}" }
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the first file and further ones (``brands__rival`` is brands/rival.toml); the first file."""

    def write(first: str, **further: str) -> Path:
        for name, text in {"config": first, **further}.items():
            file = tmp_path / f"{name.replace('__', '/')}.toml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return tmp_path / "config.toml"

    return write


def faults(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file)
    return [str(fault) for fault in caught.value.faults]


def brand(name: str, more: str = "") -> str:
    return f'[[brands]]\nname = "{name}"\n{more}\n'


def names(settings: Settings) -> list[str]:
    return [source.name for source in settings.sources]


def test_included_files_add_to_the_lists_of_the_first_in_the_order_of_their_names(write: Write) -> None:
    file = write(FIRST + FEED.format("own", "Zed"), brands__b=brand("Zed"), brands__a=brand("Bee"), brands__c="")
    settings = load(file)
    assert [one.name for one in settings.brands] == ["Acme", "Bee", "Zed"]
    assert [one.name for one in settings.sheets.included] == ["a.toml", "b.toml", "c.toml"]


def test_files_that_editors_hide_and_the_first_file_itself_are_passed_by(write: Write, tmp_path: Path) -> None:
    file = write('[monitor]\ninclude = ["*.toml", "rival.toml"]\n[[brands]]\nname = "Acme"\n', rival=RIVAL)
    (tmp_path / ".#rival.toml").write_text("no TOML")
    assert [one.name for one in load(file).brands] == ["Acme", "Rival"]


def test_a_pattern_may_match_nothing_but_a_named_file_must_be_there(write: Write, tmp_path: Path) -> None:
    assert [one.name for one in load(write(FIRST)).brands] == ["Acme"]
    (fault,) = faults(write('[monitor]\ninclude = "rival.toml"\n[[brands]]\nname = "Acme"\n'))
    remedy = f"mend the name, or make it (it is looked for in {tmp_path})"
    assert fault == f"monitor.include: rival.toml: there is no such file; {remedy}"


def test_a_fault_names_the_file_and_the_line_of_its_entry(write: Write) -> None:
    feed = '[[sources]]\ntype = "feeds"\nbrand = "Rival"\noptions = { url = "https://x.example/f" }\n'
    found = faults(write(FIRST + feed, brands__rival=RIVAL + FEED.format("news", "Rivale") + feed))
    assert found == [
        "sources[1].name: missing; add name = ...",
        "brands/rival.toml:9: sources[2].name: missing; add name = ...",
        'brands/rival.toml:4: sources.news.brand: no brand "Rivale"; did you mean "Rival"?',
    ]


def test_one_name_in_two_files_is_a_fault_that_names_both(write: Write) -> None:
    file = write(FIRST + FEED.format("news", "Acme"), brands__rival=RIVAL + FEED.format("news", "Rival"))
    (fault,) = faults(file)
    assert 'the name "news" is used more than once in sources (config.toml and brands/rival.toml:4)' in fault


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('[monitor]\ninclude = ["x.toml"]', "brands/a.toml: monitor: an included file cannot include further ones"),
        ("[web]\nenabled = true", "brands/a.toml: web: may not stand here; move it to "),
        ("[sources]\nname = 1", "brands/a.toml: sources: is one table, and needs to be a list; write [[sources]]"),
        ("brands =", "brands/a.toml: is not TOML: Invalid value (at end of document); mend that line"),
    ],
)
def test_what_may_not_stand_in_an_included_file_is_said(write: Write, text: str, fact: str) -> None:
    (fault,) = faults(write(FIRST, brands__a=text))
    assert fact in fault


def test_check_and_config_say_which_file_it_is(write: Write) -> None:
    settings = load(write(FIRST, brands__rival=RIVAL + FEED.format("news", "Rival")))
    assert [line.removeprefix(f"{settings.path.parent}/") for line in lines_of(settings) if settings.path] == [
        "brands/rival.toml: 1 brand, 1 source"
    ]
    text = as_toml(settings, shown(settings))
    assert text.count("[[sources]] # brands/rival.toml:4") == 1
    assert '[[brands]]\nname = "Acme"' in text


def test_a_part_that_would_break_the_whole_is_not_written(write: Write) -> None:
    file = write(FIRST, brands__rival=RIVAL)
    part = load(file).sheets.file_of("brands", "Rival", file)
    keep(file, RIVAL + FEED.format("news", "Rival"), {}, part)
    assert names(load(file)) == ["news"]
    with pytest.raises(ConfigError):
        keep(file, RIVAL + FEED.format("news", "Nobody"), {}, part)
    assert part.read_text() == RIVAL + FEED.format("news", "Rival")
    assert file.read_text() == FIRST


# ---------------------------------------------------------------------------------------------------- many brands

VALUES = 'values = {{ app_id = "{}", countries = ["us"] }}'


def test_a_search_for_all_brands_is_one_source(write: Write) -> None:
    hn = '[[sources]]\nname = "hn"\ntype = "hackernews"\nbrands = ["*"]\n'
    settings = load(write(FIRST + hn, brands__rival=RIVAL))
    assert [source.served for source in settings.sources] == [["Acme", "Rival"]]


def test_where_a_value_of_the_brand_is_asked_for_there_is_one_source_a_brand(write: Write) -> None:
    first = '[[brands]]\nname = "Acme"\n' + VALUES.format(1) + "\n" + brand("Rival", VALUES.format(2)) + APPS
    settings = load(write(first))
    assert [(one.name, one.brand, one.parsed.app_id) for one in settings.sources] == [
        ("apps Acme", "Acme", "1"),
        ("apps Rival", "Rival", "2"),
    ]
    assert [list(one.parsed.countries) for one in settings.sources] == [["us"], ["us"]]
    assert 'source "apps": 2 sources, "apps Acme" to "apps Rival"' in lines_of(settings)


def test_a_name_may_say_itself_where_the_brand_goes(write: Write) -> None:
    template = FEED.format("{brand.slug}-news", "x").replace('brand = "x"', 'brands = ["A*", "Rival"]')
    settings = load(write(brand("Acme Ltd") + brand("Rival") + brand("Other") + template))
    assert names(settings) == ["acme-ltd-news", "rival-news"]
    assert str(settings.sources[0].parsed.url) == "https://x.example/acme-ltd-news"


def test_brands_without_a_value_are_one_fault_or_are_passed_over(write: Write) -> None:
    some = brand("Acme", VALUES.format(1)) + "".join(brand(f"B{number}") for number in range(8))
    (fault,) = faults(write(some + APPS))
    assert fault.startswith(
        'sources.apps: the brands "B0", "B1", "B2", "B3", "B4" and 3 more have no value app_id; write'
    )
    settings = load(write(some + APPS.replace("options", 'when_missing = "skip"\noptions')))
    assert names(settings) == ["apps Acme"]
    assert settings.sheets.made[0].passed_over == tuple(f"B{number}" for number in range(8))


def test_what_is_wrong_with_a_template_is_said_once(write: Write) -> None:
    both = brand("Acme", VALUES.format(1)) + brand("Rival", VALUES.format("x"))
    found = faults(write(both + APPS.replace("countries =", "country =")))
    assert 'sources.apps.options.country: not a known key; did you mean "countries"?' in found
    assert [fault.partition(":")[0] for fault in found if "country" not in fault] == [
        "sources.apps Rival.options.app_id"
    ]


def test_digests_and_alerts_of_each_brand_and_of_its_sources(write: Write) -> None:
    more = """
[[channels]]
name = "mail-acme"
type = "file"
folder = "x"
[[channels]]
name = "mail-rival"
type = "file"
folder = "y"
[[digests]]
name = "daily"
schedule = "daily at 08:00"
brands = ["*"]
channels = ["mail-{brand.slug}"]
[[alerts]]
name = "silent"
kind = "source_silent"
sources = ["apps"]
channels = ["mail-{brand.slug}"]
"""
    settings = load(write(brand("Acme", VALUES.format(1)) + brand("Rival", VALUES.format(2)) + APPS + more))
    assert [(one.name, one.brands, one.channels) for one in settings.digests] == [
        ("daily-acme", ["Acme"], ["mail-acme"]),
        ("daily-rival", ["Rival"], ["mail-rival"]),
    ]
    assert [(one.name, one.sources) for one in settings.alerts] == [
        ("silent-acme", ["apps Acme", "apps Rival"]),
        ("silent-rival", ["apps Acme", "apps Rival"]),
    ]


def test_a_pattern_that_means_no_brand_is_a_fault(write: Write) -> None:
    (fault, *_) = faults(write(brand("Acme") + APPS.replace('"*"', '"Zed*"')))
    assert fault == 'sources.apps.brands: no brand is called like "Zed*"; there are: Acme'


def test_a_value_that_is_a_list_cannot_stand_inside_a_text(write: Write) -> None:
    template = FEED.format("news", "x").replace('brand = "x"', 'brands = ["*"]').replace("/news", "/{brand.countries}")
    found = faults(write(brand("Acme", VALUES.format(1)) + template))
    assert found[0] == 'sources.news: the value "countries" is no text or number; let {brand.countries} stand alone'


def test_secrets_among_the_values_of_a_brand_are_not_shown(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secrets.env").write_text("ACME_TOKEN=s3cret-by-reference\n")
    template = '[[sources]]\nname = "code"\ntype = "github"\nbrands = ["*"]\noptions = { token = "{brand.token}" }\n'
    inline, by_name = brand("Acme", 'values.token = "env:ACME_TOKEN"'), brand("Rival", 'values.token = "s3cret-inline"')
    settings = load(write(inline + by_name + template))
    assert settings.sources[0].parsed.token.get_secret_value() == "s3cret-by-reference"
    assert "s3cret" not in json.dumps(shown(settings)) + repr(settings)


def test_a_renamed_brand_keeps_what_is_known_of_it_and_its_own_sources(write: Write, tmp_path: Path) -> None:
    head = f'[monitor]\ndatabase = "sqlite:///{tmp_path}/store.db"\n'
    app = build(load(write(head + brand("Acme", VALUES.format(1)) + APPS)))
    number, before = app.brands["Acme"].id, {one.name: one.id for one in sources.states(app.database)}
    app.close()
    app = build(load(write(head + brand("Acme Ltd", VALUES.format(1) + '\nwas = "Acme"') + APPS)))
    assert app.brands["Acme Ltd"].id == number
    assert {one.name: one.id for one in sources.states(app.database)} == {"apps Acme Ltd": before["apps Acme"]}
    app.close()
    renamed = APPS.replace('name = "apps"', 'name = "store"\nwas = "apps"')
    app = build(load(write(head + brand("Acme Ltd", VALUES.format(1) + '\nwas = "Acme"') + renamed)))
    assert {one.name: one.id for one in sources.states(app.database)} == {"store Acme Ltd": before["apps Acme"]}
    app.close()


# ---------------------------------------------------------------------------------------- fifty brands, eight sources each

KINDS = (
    ("apple", "appstore", 'app_id = "{brand.app_id}"'),
    ("steam", "steam", 'app_id = "{brand.app_id}"'),
    ("blog", "feeds", 'url = "https://{brand.slug}.example/atom.xml", kind = "post"'),
    ("press", "feeds", 'url = "https://press.example/{brand.slug}"'),
    ("forum", "discourse", 'forum = "https://forum.{brand.slug}.example"'),
    ("code", "github", 'repositories = ["{brand.slug}/app"]'),
    ("hn", "hackernews", 'query = "{brand.name}"'),
    ("reddit", "reddit", 'subreddits = ["{brand.slug}"]'),
)


def fifty() -> str:
    account = '[[accounts]]\nname = "main"\ntype = "reddit"\nrequests = "100/1m"\noptions = { client_id = "a", client_secret = "b" }\n'
    brands = [
        f'  {{ name = "Brand {n}", keywords = ["brand {n}"], values = {{ app_id = "{n}" }} }},' for n in range(1, 51)
    ]
    templates = [
        f'[[sources]]\nname = "{name}"\ntype = "{kind}"\nbrands = ["*"]\noptions = {{ {options} }}\n'
        + ('account = "main"\n' if kind == "reddit" else "")
        for name, kind, options in KINDS
    ]
    return "\n".join(["brands = [", *brands, "]", account, *templates])


def test_fifty_brands_with_eight_sources_each_fit_one_short_file(write: Write, tmp_path: Path) -> None:
    text = fifty()
    assert len(text.splitlines()) < 150
    settings = load(write(text))
    assert len(settings.sources) == 400
    assert len(list(lines_of(settings))) == 8
    store = settings.monitor.model_copy(update={"database": f"sqlite:///{tmp_path}/store.db"})
    settings = settings.model_copy(update={"monitor": store})
    build(settings).close()
    app = build(settings)
    try:
        with app.database.engine.connect() as connection:
            before = connection.exec_driver_sql("PRAGMA data_version").scalar()
            build(settings).close()
            connection.rollback()
            assert connection.exec_driver_sql("PRAGMA data_version").scalar() == before, "nothing new, nothing written"
    finally:
        app.close()
