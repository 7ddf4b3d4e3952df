import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from monitor.scoring import DEFAULT, STOCK, Label, Profile, Scorable, Text, score_batch
from monitor.scoring.builtin import VaderScorer
from monitor.scoring.pipeline import versions
from monitor.scoring.registry import ScorerFaulty, ScorerNotThere, ask, names, open_scorer

GERMAN = "Die Lieferung kam zu spät und niemand hat auf meine Nachricht geantwortet."
ITALIAN = "Il pacco è arrivato in ritardo e nessuno ha risposto al mio messaggio."


def one(item: Scorable, profile: Profile = DEFAULT):  # type: ignore[no-untyped-def]
    return score_batch([item], profile)[0]


# --- Stars, text, language


def test_stars_beat_the_text_whose_label_stays_beside_them() -> None:
    scored = one(Scorable(body="A wonderful, lovely app", rating_label=Label.NEGATIVE))
    assert (scored.label, scored.by, scored.text_label) == ("negative", "stars", "positive")
    assert scored.compound is not None
    assert scored.compound > 0.5


def test_stars_alone_make_a_label() -> None:
    scored = one(Scorable(rating_label=Label.POSITIVE))
    assert (scored.label, scored.by, scored.compound, scored.unscored) == ("positive", "stars", None, None)


def test_a_foreign_review_with_stars_is_labelled_by_them_and_its_text_unread() -> None:
    scored = one(Scorable(body=GERMAN, rating_label=Label.NEUTRAL))
    assert (scored.label, scored.by, scored.compound, scored.language) == ("neutral", "stars", None, "de")


def test_stars_can_be_switched_off() -> None:
    scored = one(Scorable(body="wonderful", rating_label=Label.NEGATIVE), replace(DEFAULT, stars=False))
    assert (scored.label, scored.by) == ("positive", "text")


@pytest.mark.parametrize("profile", [STOCK, DEFAULT], ids=lambda profile: profile.name)
def test_a_foreign_text_is_unscored_never_neutral(profile: Profile) -> None:
    scored = one(Scorable(body=GERMAN), profile)
    assert (scored.label, scored.text_label, scored.compound) == (None, None, None)
    assert (scored.unscored, scored.language) == ("language", "de")


def test_the_gate_can_be_switched_off() -> None:
    scored = one(Scorable(body=GERMAN, platform_language="de"), replace(DEFAULT, language_gate=False))
    assert (scored.label is None, scored.language) == (False, "de")


def test_the_gate_reads_the_cleaned_text() -> None:
    handles = "@CustomerServiceTeam @TheNewsAndWeatherChannel @SomebodyWithAnEnglishName "
    assert one(Scorable(body=handles + "wo bleibt denn bitte meine Lieferung")).language == "de"


@pytest.mark.parametrize("body", [None, "", "  \n", "@somebody", "https://x.example/y", "...", "?!"])
def test_where_nothing_speaks_nothing_is_scored(body: str | None) -> None:
    scored = one(Scorable(body=body))
    assert (scored.label, scored.unscored) == (None, "no_text")


@pytest.mark.parametrize("body", [":)", "👍", "🚗", "ok", "5"])
def test_a_sign_of_feeling_is_enough(body: str) -> None:
    assert one(Scorable(body=body)).label is not None


def test_answers_come_in_order_and_name_the_version() -> None:
    bodies = ["good", GERMAN, None, "awful", "a table"] * 3
    scored = score_batch([Scorable(body=body) for body in bodies], DEFAULT)
    assert [one.label for one in scored] == ["positive", None, None, "negative", "neutral"] * 3
    assert {one.scorer for one in scored} == {DEFAULT.version}


def test_a_batch_crosses_to_another_process() -> None:
    items = [Scorable(body="good", brand_words=frozenset({"acme"})), Scorable(body=GERMAN)]
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as workers:
        assert workers.submit(score_batch, items, DEFAULT).result() == score_batch(items, DEFAULT)


def test_items_and_answers_survive_pickling() -> None:
    item = Scorable(title="a", body="good", rating_label=Label.NEGATIVE)
    assert pickle.loads(pickle.dumps(item)) == item
    assert pickle.loads(pickle.dumps(one(item))) == one(item)


def test_the_built_in_scorer_is_a_scorer_like_any_other() -> None:
    answers = ask(VaderScorer(DEFAULT), [Text("good"), Text(None), Text(None, title="awful"), Text("best", None)])
    assert [answer and answer.label for answer in answers] == ["positive", None, "negative", "positive"]


# --- Scorers of other packages

PLUGIN = """
from monitor.scoring import Label, Sentiment

class Loud:
    name = "loud"
    version = "loud-1"
    languages = frozenset({"de"})
    def score(self, texts):
        return [Sentiment(Label.NEGATIVE, -1.0) if text.body else None for text in texts]

class Short(Loud):
    def score(self, texts):
        return []

class Wild(Loud):
    def score(self, texts):
        return [Sentiment(Label.POSITIVE, 7.0) for text in texts]

class Broken(Loud):
    def score(self, texts):
        raise RuntimeError("out of order")

class LongA(Loud):
    version = "model@" + "x" * 200 + "a"

class LongB(Loud):
    version = "model@" + "x" * 200 + "b"

def long_a(profile): return LongA()
def long_b(profile): return LongB()
def loud(profile): return Loud()
def short(profile): return Short()
def wild(profile): return Wild()
def broken(profile): return Broken()
def unmade(profile): raise RuntimeError("no model")
"""
OFFERS = ("long_a", "long_b", "loud", "short", "wild", "broken", "unmade", "missing")


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed package that offers scorers, as pip leaves it."""
    (tmp_path / "loud_scorer.py").write_text(PLUGIN)
    metadata = tmp_path / "loud_scorer-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: loud-scorer\nVersion: 1.0\n")
    lines = [f"{name} = loud_scorer:{name}" for name in OFFERS]
    (metadata / "entry_points.txt").write_text("[sentiment_monitor.scorers]\n" + "\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    open_scorer.cache_clear()
    yield
    open_scorer.cache_clear()


@pytest.mark.usefixtures("plugins")
def test_installed_scorers_can_be_named() -> None:
    assert names() == ("vader", *sorted(OFFERS))


@pytest.mark.usefixtures("plugins")
def test_a_language_goes_to_its_own_scorer_and_the_rest_to_vader() -> None:
    profile = replace(DEFAULT, languages=(("de", "loud"),))
    german, english, italian = score_batch(
        [Scorable(body=GERMAN), Scorable(body="A good parcel, and it came early"), Scorable(body=ITALIAN)], profile
    )
    assert (german.label, german.compound, german.language) == ("negative", -1.0, "de")
    assert german.scorer == f"loud-1/{profile.version.split('/')[1]}"
    assert (english.label, english.scorer) == ("positive", profile.version)
    assert (italian.label, italian.unscored) == (None, "language")


@pytest.mark.usefixtures("plugins")
def test_another_scorer_may_take_all_texts_but_what_it_says_it_cannot_read() -> None:
    profile = replace(DEFAULT, scorer="loud")
    german, english = score_batch(
        [Scorable(body=GERMAN), Scorable(body="A good parcel", platform_language="en")], profile
    )
    assert german.label == "negative"
    assert (english.label, english.unscored, english.scorer) == (None, "language", german.scorer)


@pytest.mark.usefixtures("plugins")
def test_every_version_that_a_profile_can_write_is_known() -> None:
    profile = replace(DEFAULT, languages=(("de", "loud"),))
    found = score_batch([Scorable(body=GERMAN), Scorable(body="good"), Scorable(body=None)], profile)
    assert {scored.scorer for scored in found} == versions(profile)
    assert not versions(profile) & versions(replace(profile, stars=False))


@pytest.mark.usefixtures("plugins")
def test_versions_fit_the_store_and_stay_apart() -> None:
    found = [versions(replace(DEFAULT, scorer=name)) for name in ("long_a", "long_b")]
    assert not found[0] & found[1]
    assert all(len(version) <= 100 for each in found for version in each)


@pytest.mark.usefixtures("plugins")
def test_stars_beat_any_scorer() -> None:
    scored = one(Scorable(body=GERMAN, rating_label=Label.POSITIVE), replace(DEFAULT, scorer="loud"))
    assert (scored.label, scored.by, scored.text_label, scored.compound) == ("positive", "stars", "negative", -1.0)


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("nowhere", ScorerNotThere, "'nowhere': not installed; known are vader, broken"),
        ("missing", ScorerNotThere, "'missing' .*does not load"),
        ("unmade", ScorerNotThere, "'unmade' .*no model"),
        ("short", ScorerFaulty, "0 answers to 1 texts"),
        ("wild", ScorerFaulty, "compound=7.0"),
        ("broken", ScorerFaulty, "out of order"),
    ],
)
def test_a_scorer_that_fails_is_named(name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        score_batch([Scorable(body=GERMAN)], replace(DEFAULT, scorer=name))
