"""The same searches have the same answers on both back ends: those that the words themselves give."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, inspect, select, text

from monitor.searching import search_of
from storage import erasure, ingest, schema, search
from storage.engine import Database, open_database
from storage.listing import count_items, items
from storage.records import ItemFilter, PageValues
from storage.search import Change, Said
from storage.search_proof import SearchProof, verify_search
from storage.search_tree import And, Not, Or, SearchError, Term, Tree, holds, matching
from storage.tables import ITEM
from storage.words import words_of
from tests.conftest import BACKENDS, store_of_its_own
from tests.fakes.storing import NOW, OLD, Shop, crash_everywhere, item

RIGHT = SearchProof(0, 0, 0, 0)
LATER = NOW + timedelta(hours=1)

SAID = {
    "died": (None, "The battery died after two weeks"),
    "charger": (None, "Battery and charger are fine"),
    "title": ("Battery", "died on me, says the title"),
    "tag": (None, "so happy with my new #AcmePhone 🎉"),
    "handle": (None, "thanks @acme_support for nothing!"),
    "phone": (None, "acme phone: AcmePhone"),
    "naive": ("Naïve Café", "Größe ÜBER alles"),
    "tokyo": (None, "東京タワーが好きです"),
    "kyoto": (None, "京都と東の空"),
    "thai": (None, "กาแฟอร่อยมาก"),
    "korean": (None, "삼성은 Acme는 좋다"),
    "russian": (None, "Ёлка у мой дом"),
    "hindi": (None, "बैटरी खराब हो गई"),
    "arabic": (None, "البطّارية جيّدة"),
    "quotes": (None, 'it\'s "so" OR NOT near(a, b) & c | !d <-> e:*'),
    "numbers": (None, "Version 4.2 costs 1,299 at&t c++ 100%"),
    "mail": (None, "write to info@acme.example or https://acme.example/shop/kettle-9"),
    "the": ("the the", "the the the"),
    "long": (None, "start " + "x" * 50_000 + " end"),
    "empty": (None, None),
    "signs": (None, "!!! … ???"),
    "emoji": (None, "👍🏽 great 👨‍👩‍👧"),
}

QUERIES = {
    "battery": "charger died title",
    "BATTERY": "charger died title",
    "battery AND NOT charger": "died title",
    "battery NOT charger": "died title",
    "battery charger": "charger",
    "battery OR kettle": "charger died mail title",
    "(battery OR phone) AND NOT (charger OR died)": "phone tag",
    "battery (NOT charger OR fine)": "charger died title",
    "battery AND (died OR NOT charger)": "died title",
    "NOT NOT battery": "charger died title",
    "NOT (NOT battery OR charger)": "died title",
    '"battery died"': "died",
    '"died battery"': "",
    '"battery and charger"': "charger",
    '"the battery died after two weeks"': "died",
    '"battery died on"': "",
    "batt*": "charger died title",
    "b*": "charger died quotes title",
    "battery d*": "died title",
    '"battery di"*': "died",
    '"battery dx"*': "",
    "bat": "",
    "charger NOT charg*": "",
    "acme": "handle korean mail phone tag",
    "#acme": "",
    "#AcmePhone": "tag",
    "#acmephone": "tag",
    "#acme*": "tag",
    "acmephone": "phone tag",
    '"acme phone"': "phone tag",
    '"new acme phone"': "tag",
    "@acme_support": "handle",
    "acme_support": "handle",
    '"thanks acme support"': "handle",
    "@acme": "",
    "naive": "naive",
    "NAÏVE": "naive",
    "cafe\u0301": "naive",
    "groesse OR grosse": "naive",
    "größe": "naive",
    "uber": "naive",
    "東京": "tokyo",
    "東": "kyoto tokyo",
    "京 東": "kyoto tokyo",
    "タワー": "tokyo",
    "京都*": "kyoto",
    "กาแฟ": "thai",
    "แฟอร่อย": "thai",
    "삼성": "korean",
    "елка": "russian",
    "мои": "",
    "बैटरी": "hindi",
    "البطارية": "arabic",
    "it's": "quotes",
    '"so or not near a b c"': "quotes",
    "near, a": "quotes",
    "so OR happy": "quotes tag",
    '"OR"': "mail quotes",
    "4.2": "numbers",
    "1,299": "numbers",
    "at&t": "numbers",
    "c++": "numbers quotes",
    "info@acme.example": "mail",
    "https://acme.example/shop": "mail",
    "kettle-9": "mail",
    "the": "died the title",
    '"the the the"': "the",
    '"the the the the"': "",
    "xxx*": "long",
    "start AND end": "long",
    '"start end"': "",
    "🎉": "tag",
    "👍": "emoji",
    "👍🏿": "emoji",
    '"👍 great"': "emoji",
    "👨‍👩‍👧": "emoji",
    "nothing": "handle",
    "nowhere": "",
}


def find(shop: Shop, tree: Tree | str, **more: object) -> list[str]:
    wanted = ItemFilter(search=tree, **more)  # type: ignore[arg-type]
    found = sorted(entry.external_id for entry in items(shop.database, wanted, limit=1_000))
    assert len(found) == count_items(shop.database, wanted)
    return found


def proven(database: Database) -> SearchProof:
    proof = verify_search(database)
    return SearchProof(proof.missing, proof.surplus, proof.wrong, 0)


@pytest.fixture
def library(shop: Shop) -> Shop:
    shop.pull(*(item(name, title=title, text=said) for name, (title, said) in SAID.items()))
    return shop


def test_searches_have_the_answers_that_are_expected(library: Shop) -> None:
    assert {query: find(library, search_of(query)) for query in QUERIES} == {
        query: sorted(names.split()) for query, names in QUERIES.items()
    }
    assert len(QUERIES) >= 60


def test_searches_have_the_answers_that_the_words_give(library: Shop) -> None:
    words = {name: words_of(*said) for name, said in SAID.items()}
    for query in QUERIES:
        tree = search_of(query)
        assert find(library, tree) == sorted(name for name in SAID if holds(matching(tree), words[name])), query


def test_the_index_is_proven(library: Shop) -> None:
    proof = verify_search(library.database)
    assert (proof.is_right, proof.sampled) == (True, len(SAID) - 1)


# ------------------------------------------------------------------------------------------------ anything at all

ALPHABET = ("a", "B", "ab", "é", "東", "#Ab", "@b", "👍", "ß", " ", "\n", "'", '"', "\\", "*", "_", "1", "는")
TEXTS = st.lists(st.sampled_from(ALPHABET), max_size=12).map("".join)


def trees() -> st.SearchStrategy[Tree]:
    words = TEXTS.filter(lambda said: any(char.isalnum() for char in said))
    leaf = st.builds(Term, words, st.booleans())
    return st.recursive(
        leaf,
        lambda some: st.one_of(
            st.builds(Not, some),
            st.lists(some, min_size=1, max_size=3).map(lambda parts: And(tuple(parts))),
            st.lists(some, min_size=1, max_size=3).map(lambda parts: Or(tuple(parts))),
        ),
        max_leaves=6,
    )


@pytest.fixture(scope="module", params=BACKENDS)
def lasting(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A store that tests fill and empty again and again."""
    with store_of_its_own(request, request.param) as database:
        yield Shop(database)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=st.lists(st.tuples(st.none() | TEXTS, TEXTS), min_size=1, max_size=6), asked=st.lists(trees(), max_size=8))
def test_any_search_of_any_texts_has_the_answer_that_the_words_give(
    lasting: Shop, said: list[tuple[str | None, str]], asked: list[Tree]
) -> None:
    database = lasting.database
    rows = [Said(number, *fields) for number, fields in enumerate(said, 1)]
    database.write(lambda connection: search.index(connection, rows))
    try:
        for tree in asked:
            try:
                match = matching(tree)
            except SearchError:
                continue
            query = search.found_ids(database.engine.dialect.name, match)
            found = sorted(database.read(lambda connection, query=query: connection.scalars(query).all()))
            assert found == [row.id for row in rows if holds(match, words_of(row.title, row.text))], tree
    finally:
        database.write(lambda connection: search.forget(connection, rows))


# ------------------------------------------------------------------------------------------------ kept right


def test_an_edit_is_found_by_its_new_words_only(shop: Shop) -> None:
    shop.pull(item("a", text="the old words"), item("b", title="old", text=None))
    shop.pull(item("a", text="the new words"), item("b", title="old", text="new"), at=LATER)
    assert (find(shop, "old"), find(shop, "new"), find(shop, "the")) == (["b"], ["a", "b"], ["a"])
    shop.pull(item("a", text=None), item("b", title="old", text="new"), at=LATER)
    assert (find(shop, "new"), find(shop, "words")) == (["b"], [])
    shop.pull(item("a", text="back"), at=LATER)
    assert find(shop, "back") == ["a"]
    assert proven(shop.database) == RIGHT


def test_other_changes_leave_the_index_as_it_is(shop: Shop) -> None:
    shop.pull(item("a", text="words", likes=1))
    before = _raw(shop.database)
    shop.pull(item("a", text="words", likes=2, reply_text="thanks"), at=LATER)
    assert _raw(shop.database) == before


def _raw(database: Database) -> list[object]:
    table = "item_search_data" if database.is_sqlite else "item_search"
    with database.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1"))]


def test_a_crash_anywhere_in_a_page_leaves_the_index_as_it_was(shop: Shop) -> None:
    shop.pull(item("a", text="old words"), item("b", text="old"))
    claim = shop.claimed()
    page = PageValues(items=[item("a", text="new words"), item("c", text="new")], seen=2)

    def nothing_is_found() -> None:
        assert (find(shop, "old"), find(shop, "new")) == (["a", "b"], [])
        assert proven(shop.database) == RIGHT

    assert crash_everywhere(
        shop.database, lambda: ingest.save_page(shop.database, claim, page, LATER), nothing_is_found
    )
    assert (find(shop, "old"), find(shop, "new")) == (["b"], ["a", "c"])
    assert proven(shop.database) == RIGHT


def test_a_crash_anywhere_in_an_erasure_leaves_the_index_as_it_was(library: Shop) -> None:
    ids = [row["id"] for row in library.rows(ITEM) if row["external_id"] in ("died", "tokyo", "empty")]

    def everything_is_found() -> None:
        assert find(library, "died") == ["died", "title"]
        assert proven(library.database) == RIGHT

    def work() -> None:
        library.database.write(lambda connection: erasure.erase(connection, ids, LATER, reason="asked"))

    assert crash_everywhere(library.database, work, everything_is_found)
    assert (find(library, "died"), find(library, "東京")) == (["title"], [])
    assert proven(library.database) == RIGHT


def test_deleted_items_are_forgotten(library: Shop) -> None:
    def work(connection: Connection) -> None:
        rows = [Said(*row) for row in connection.execute(select(ITEM.c.id, ITEM.c.title, ITEM.c.text))]
        search.forget(connection, rows)
        connection.execute(delete(ITEM))

    library.database.write(work)
    assert find(library, "the") == []
    assert proven(library.database) == RIGHT
    library.pull(item("again", text="the battery"))
    assert find(library, "battery") == ["again"]


def test_forgotten_words_leave_the_file(migrated_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    file.write_bytes(migrated_file.read_bytes())
    shop = Shop(open_database(f"sqlite:///{file}"))
    for page in range(30):
        shop.pull(*(item(f"{page}-{n}", text=f"common words zzsecretzz{page}x{n}") for n in range(20)))
    gone = [Said(row["id"], row["title"], row["text"]) for row in shop.rows(ITEM) if row["id"] % 2]
    shop.database.write(lambda connection: search.forget(connection, gone))
    search.purge(shop.database)
    words = set(_stored_words(shop.database))
    assert not words & {row.text.split()[-1] for row in gone if row.text}
    assert sum(word.startswith("zzsecret") for word in words) == 300
    with shop.database.engine.connect() as connection:  # one segment: no older page holds what was forgotten
        assert connection.execute(text("SELECT count(DISTINCT segid) FROM item_search_idx")).scalar() == 1


def _stored_words(database: Database) -> list[str]:
    with database.engine.connect() as connection:
        connection.execute(text("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, item_search, row)"))
        return list(connection.execute(text("SELECT term FROM temp.words")).scalars())


def test_purging_ends_where_there_is_nothing_to_do(database: Database) -> None:
    search.purge(database)
    assert proven(database) == RIGHT


# ------------------------------------------------------------------------------------------------ proof and repair


def test_an_index_that_lost_an_item_is_found_out_and_mended(library: Shop) -> None:
    row = library.row(ITEM, external_id="died")
    library.database.write(lambda c: search.forget(c, [Said(row["id"], row["title"], row["text"])]))
    assert proven(library.database) == SearchProof(1, 0, 1, 0)
    assert verify_search(library.database, repair=True).missing == 1
    assert proven(library.database) == RIGHT
    assert find(library, '"battery died"') == ["died"]


def test_an_index_that_holds_too_much_is_found_out_and_mended(library: Shop) -> None:
    library.database.write(lambda c: search.index(c, [Said(999, None, "nobody said this")]))
    assert proven(library.database) == SearchProof(0, 1, 0, 0)
    verify_search(library.database, repair=True)
    assert proven(library.database) == RIGHT


@pytest.mark.parametrize("other", ["The battery died after two", "The battery lived after two weeks"])
def test_an_index_with_other_words_is_found_out_and_mended(library: Shop, other: str) -> None:
    row = library.row(ITEM, external_id="died")
    before = Said(row["id"], row["title"], row["text"])
    library.database.write(lambda c: search.reindex(c, [Change(before, Said(row["id"], None, other))]))
    assert proven(library.database) == SearchProof(0, 0, 1, 0)
    verify_search(library.database, repair=True)
    assert proven(library.database) == RIGHT


def test_an_index_that_is_gone_is_made_again(library: Shop) -> None:
    library.database.write(lambda connection: connection.execute(text("DROP TABLE item_search")))
    assert proven(library.database).missing == len(SAID) - 1
    verify_search(library.database, repair=True)
    assert find(library, "naive") == ["naive"]


# ------------------------------------------------------------------------------------------------ upgrading


def _to_first_revision(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


def test_a_store_of_the_first_version_is_indexed_by_its_upgrade(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/old.db")
    with database.engine.begin() as connection:
        _to_first_revision(connection)
        assert not inspect(connection).has_table("item_search")
        connection.execute(text("INSERT INTO brand VALUES (1, 'Acme', '2026-01-01')"))
        connection.execute(_OLD_SOURCE)
        connection.execute(_OLD_ITEM, [{"id": number, "text": f"battery {number}"} for number in range(1, 2_502)])
        connection.execute(_OLD_ITEM, {"id": 2_502, "text": None})
    assert schema.upgrade(database) == "0001"
    assert verify_search(database).is_right
    assert count_items(database, ItemFilter(search="battery")) == 2_501
    (found,) = items(database, ItemFilter(search="battery 2501"))
    assert found.id == 2_501
    database.close()


_OLD_SOURCE = text(
    "INSERT INTO source (id, name, type, platform, active, next_run_at, fence, turn, failures)"
    " VALUES (1, 'north', 'forum', 'forum', 1, '2026-01-01', 0, 0, 0)"
)
_OLD_ITEM = text(
    "INSERT INTO item (id, brand_id, source_id, platform, external_id, kind, bucket, published_at, first_seen_at,"
    " changed_at, text) VALUES (:id, 1, 1, 'forum', :id, 'mention', 0, '2026-01-01', '2026-01-01', '2026-01-01', :text)"
)


# ------------------------------------------------------------------------------------------------ hostile input

HOSTILE = [
    "\x00", "'", '"', "''", '""', "\\", "*", "^a", "a:b", "words:a", "-a", "+a", "NEAR(a b, 2)", "a NEAR b", "{words}:a", "(a", "a)",
    "'a' & 'b'", "a <-> b", "a:*", "!a", "a | b", "'a':1A", "%", "_", "a_b", ";DROP TABLE item;--", "\ud800", "a\ud800b",
    "a\x00b", "é" * 5_000, "x" * 100_000, "👍" * 90, "\u202e", "\ufeff", "#", "@", "#@#", "$1", ":x", "?", "{}", "%(x)s",
]  # fmt: skip


@pytest.fixture
def emptied(lasting: Shop) -> Iterator[Shop]:
    """The lasting store, without items again afterwards."""
    yield lasting
    rows = [Said(row["id"], row["title"], row["text"]) for row in lasting.rows(ITEM)]

    def work(connection: Connection) -> None:
        search.forget(connection, rows)
        connection.execute(delete(ITEM))

    lasting.database.write(work)


@pytest.mark.parametrize("said", HOSTILE, ids=ascii)
def test_hostile_words_are_words_or_nothing(emptied: Shop, said: str) -> None:
    """In a text (as far as the databases take it) and in a search."""
    shop = emptied
    stored = said.encode("utf-8", "ignore").decode().replace("\x00", "")
    shop.pull(item("it", text=f"here {stored} there"), item("other", text="something else"))
    if not words_of(None, said):
        with pytest.raises(SearchError, match="without letter"):
            find(shop, Term(said))
        return
    match = matching(Term(said))
    assert find(shop, Term(said)) == (["it"] if holds(match, words_of(None, f"here {stored} there")) else [])
    assert find(shop, And((Term("here"), Not(Term(said, prefix=True))))) in (["it"], [])
    assert proven(shop.database) == RIGHT


# ------------------------------------------------------------------------------------------------ many matches


@pytest.fixture(scope="module")
def crowded(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """More items with a common word than are sorted outright, of two brands, their ids against their times."""
    file = tmp_path_factory.mktemp("crowded") / "store.db"
    shutil.copyfile(migrated_file, file)
    shop = Shop(open_database(f"sqlite:///{file}"))
    for start in range(0, 24_000, 2_000):
        shop.pull(*(_crowd(number) for number in range(start, start + 2_000)))
    return shop


def _crowd(number: int) -> ingest.ItemValues:
    said = f"the number {number}{' rare' if number % 7_000 == 3 else ''}{' odd' if number % 2 else ''}"
    published = OLD - timedelta(seconds=(number * 7_919) % 24_000 // 3)
    return item(f"{number:05}", text=said, brand_id=1 + number % 3 % 2, published_at=published)


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize(
    "wanted",
    [
        ItemFilter(search="the"),
        ItemFilter(search="the", brand="Rival"),
        ItemFilter(search="the", labels=["negative"]),
        ItemFilter(search=And((Term("the"), Not(Term("odd")))), brands=["Acme", "Rival"]),
        ItemFilter(search=Or((Term("rare"), And((Term("the"), Term("odd")))))),
        ItemFilter(search=Or((Term("rare"), Term("nu", prefix=True)))),
        ItemFilter(search="the", brand="Nobody"),
    ],
    ids=str,
)
def test_a_common_word_is_found_in_order_and_page_by_page(crowded: Shop, wanted: ItemFilter, order: str) -> None:
    everything = items(crowded.database, wanted, order=order, limit=100_000)  # sorted outright
    assert len(everything) == count_items(crowded.database, wanted)
    pages, after = [], None
    for _ in range(5):
        page = items(crowded.database, wanted, order=order, limit=37, after=after)
        pages += page
        after = (page[-1].published_at, page[-1].id) if page else after
    assert [entry.id for entry in pages] == [entry.id for entry in everything[: 5 * 37]]


def test_counting_ends_where_it_is_told_to(crowded: Shop) -> None:
    assert count_items(crowded.database, ItemFilter(search="the"), at_most=100) == 100
    assert count_items(crowded.database, ItemFilter(search="rare"), at_most=100) == 4
    assert count_items(crowded.database, ItemFilter(), at_most=7) == 7


def test_an_index_is_not_rewritten_whole_for_nothing(shop: Shop) -> None:
    shop.pull(item("a", text="words"))
    before = _raw(shop.database)
    same = Said(1, None, "words")
    shop.database.write(partial(search.reindex, changes=[Change(same, same)]))
    assert _raw(shop.database) == before
