"""How much quicker VADER is here than in vaderSentiment, and how its time grows with the length of a text.

    python benchmarks/scoring.py [--data DIR]

DIR (else the variable RECORDED_DATA) is a folder with labelled texts as published: ``airline_tweets/Tweets.csv``,
``vader/amazonReviewSnippets_GroundTruth.txt`` and ``musical_instruments/reviews.csv``, there or in its folder
``data``. Without one, made-up texts of like lengths are scored. One core. Both analysers take turns on the same
texts, and of several rounds the quickest counts: more is the machine's other work. "first pass" is a new analyser,
which has met no word yet.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE, SentimentIntensityAnalyzer

from monitor.scoring.vader import VERSION, Analyzer, stock_lexicon

LONG_WORDS = 130
TEXTS_OF_A_KIND = {"tweets": 2000, "snippets": 2000, "long reviews": 200}
ROUNDS = 7
LENGTHS = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
STOCK_STOPS_AT = 10_000

Score = Callable[[str], object]


def main() -> None:
    data = folder()
    texts = recorded(data) if data else made_up()
    print(f"{VERSION}; texts: {'recorded' if data else 'made up'}\n")
    print_ratios({kind: some[: TEXTS_OF_A_KIND[kind]] for kind, some in texts.items()})
    print_lengths(texts["long reviews"])


def folder() -> Path | None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, metavar="DIR", help="labelled texts (default: $RECORDED_DATA)")
    given = parser.parse_args().data or (Path(path) if (path := os.environ.get("RECORDED_DATA")) else None)
    if given is None:
        return None
    found = [data for data in (given, given / "data") if (data / "airline_tweets").is_dir()]
    if not found:
        parser.error(f"{given}: has no airline_tweets, neither itself nor in data; give the folder that has it")
    return found[0]


# --- Texts


def recorded(data: Path) -> dict[str, list[str]]:
    with (data / "airline_tweets/Tweets.csv").open(encoding="utf-8", newline="") as file:
        tweets = [row["text"] for row in csv.DictReader(file)]
    with (data / "musical_instruments/reviews.csv").open(encoding="utf-8", newline="") as file:
        reviews = [row["reviewText"] for row in csv.DictReader(file)]
    with (data / "vader/amazonReviewSnippets_GroundTruth.txt").open(encoding="utf-8", newline="") as file:
        snippets = [line.rstrip("\r\n").split("\t", 2)[2] for line in file]
    long_reviews = [text for text in reviews if len(text.split()) >= LONG_WORDS]
    return {"tweets": tweets, "snippets": snippets, "long reviews": long_reviews}


def made_up() -> dict[str, list[str]]:
    chance = random.Random(2014)
    lengths = {"tweets": (6, 28), "snippets": (5, 30), "long reviews": (LONG_WORDS, 400)}
    return {
        kind: [made_up_text(chance, chance.randint(*lengths[kind])) for _ in range(TEXTS_OF_A_KIND[kind])]
        for kind in lengths
    }


def made_up_text(chance: random.Random, length: int) -> str:
    """Of 100 words about 75 are plain, 12 of the lexicon and the others such as act on them."""
    plain = [
        f"{start}{end}" for start in ("re", "th", "ca", "pho", "ser", "li") for end in ("ne", "at", "ller", "m", "vice")
    ]
    kinds: list[Sequence[str]] = [plain, list(stock_lexicon()), list(BOOSTER_DICT), NEGATE, ["but", "of", "this", "no"]]
    words = [chance.choice(kind) for kind in chance.choices(kinds, (75, 12, 3, 3, 7), k=length)]
    marks = chance.choices(("", ",", ".", "!"), (85, 7, 6, 2), k=length)
    return " ".join(word + mark for word, mark in zip(words, marks, strict=True))


# --- Measuring


def seconds(score: Score, texts: Sequence[str]) -> float:
    start = time.perf_counter()
    for text in texts:
        score(text)
    return time.perf_counter() - start


def print_ratios(texts: dict[str, list[str]]) -> None:
    print(f"{'':14}{'texts':>7}{'stock us':>10}{'ours us':>9}{'ratio':>8}{'first pass':>12}{'compound only':>15}")
    for kind, some in texts.items():
        stock, ours, first, compound = measured(some)
        each = 1e6 / len(some)
        print(
            f"{kind:14}{len(some):7}{stock * each:10.1f}{ours * each:9.1f}"
            f"{stock / ours:7.1f}x{stock / first:11.1f}x{stock / compound:14.1f}x"
        )


def measured(texts: Sequence[str]) -> tuple[float, ...]:
    """Least seconds of stock, of ours, of ours on its first pass, and of ours for the compound alone."""
    stock = SentimentIntensityAnalyzer().polarity_scores
    rounds = []
    for _ in range(ROUNDS):
        ours = Analyzer()
        first = seconds(ours.polarity_scores, texts)
        times = (seconds(stock, texts), seconds(ours.polarity_scores, texts), first, seconds(ours.compound, texts))
        rounds.append(times)
    return tuple(min(column) for column in zip(*rounds, strict=True))


def print_lengths(texts: Sequence[str]) -> None:
    words = " ".join(texts).split()
    words *= max(LENGTHS) // len(words) + 1
    stock, ours = SentimentIntensityAnalyzer().polarity_scores, Analyzer().polarity_scores
    print(f"\n{'words':>8}{'ours s':>10}{'us/word':>10}{'stock s':>10}")
    for length in LENGTHS:
        text = " ".join(words[:length])
        mine = min(seconds(ours, [text]) for _ in range(3))
        theirs = f"{seconds(stock, [text]):10.4f}" if length <= STOCK_STOPS_AT else f"{'-':>10}"
        print(f"{length:8}{mine:10.4f}{mine / length * 1e6:10.3f}{theirs}")


if __name__ == "__main__":
    main()
