"""Text as people type it -> text and sentences that VADER reads well.

Pure, and linear in the length of the text: no expression here looks twice at a long run of one character.
"""

from __future__ import annotations

import re
import string
from typing import Final

from monitor.scoring import phrases

LONG_CHARS: Final = 280
"""Up to a tweet's length a text says one thing and is scored whole; a longer one sentence by sentence."""


def joined(title: str | None, body: str | None) -> str:
    """Title and body as one text, the title a line of its own; a title that the body begins with is not repeated."""
    title, body = (title or "").strip(), (body or "").strip()
    if not title or body.startswith(title):
        return body
    return f"{title}\n{body}" if body else title


# --- Handles and links

_LINK: Final = re.compile(r"(?:https?://|www\.)\S*", re.IGNORECASE)
# "@name", "@name@server.social" (Mastodon), "@name.bsky.social" (Bluesky); not the middle of a mail address.
_HANDLE: Final = re.compile(r"(?<![\w.])@\w+(?:@[\w.-]+|(?:\.[a-z0-9-]+){2,})?")


def without_handles_and_links(text: str) -> str:
    """The text without @names and URLs: a handle names somebody ("@united"), it says nothing about feeling."""
    if "@" in text:
        text = _HANDLE.sub(" ", text)
    if "://" in text or "www." in text or "WWW." in text:
        text = _LINK.sub(" ", text)
    return text


# --- Quotes, emoji, glued punctuation

_TYPOGRAPHIC: Final = (
    ("\N{RIGHT SINGLE QUOTATION MARK}", "'"),
    ("\N{LEFT SINGLE QUOTATION MARK}", "'"),
    ("\N{ACUTE ACCENT}", "'"),
    ("\N{LEFT DOUBLE QUOTATION MARK}", '"'),
    ("\N{RIGHT DOUBLE QUOTATION MARK}", '"'),
    ("\N{HORIZONTAL ELLIPSIS}", "... "),
    ("\N{EM DASH}", " - "),
    ("\N{EN DASH}", " - "),
    ("\N{ZERO WIDTH SPACE}", ""),
    ("\N{VARIATION SELECTOR-16}", ""),
)
_SIGNS: Final = "\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001f3fa\U0001f400-\U0001faff"
_FIRST_SIGN: Final = "\u2190"
_EMOJI: Final = re.compile(f"[{_SIGNS}]")
_EMOJI_TAIL: Final = re.compile(f"[\U0001f3fb-\U0001f3ff]|\u200d[{_SIGNS}]")  # skin tones, the rest of joined signs

# "good.The", "slow,but": VADER takes words apart at white space only. Names such as "booking.com" stay whole.
_GLUED: Final = re.compile(r"[.,!?;](?=[A-Za-z]{2})(?!(?:com|net|org|co|io)\b)")
# "No!", "ok.": where two letters are left VADER keeps the punctuation, since it may be an emoticon.
_SHORT: Final = re.compile(r"[.,!?;:](?<=\b(?:[nN][oO]|[oO][kK]|[tT][yY]|[nN][pP]|[hH][aA]).)(?=[.,!?;:]*(?:\s|$))")
_STARS: Final = re.compile(r"\b([0-5]|zero|one|two|three|four|five)[ -]stars?\b", re.IGNORECASE)
_STAR_COUNTS: Final = {"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}


def mended(text: str) -> str:
    """Straight quotes, a space on either side of each emoji, glued words and short words freed of punctuation."""
    if not text.isascii():
        text = _mended_beyond_ascii(text)
    text = _SHORT.sub(_space_before, _GLUED.sub(_space_after, text))
    if "star" in text or "Star" in text or "STAR" in text:
        text = _STARS.sub(_mark, text)
    return text.strip()


def _mended_beyond_ascii(text: str) -> str:
    for typed, plain in _TYPOGRAPHIC:
        text = text.replace(typed, plain)
    if max(text, default="") < _FIRST_SIGN:
        return text
    return _EMOJI.sub(_space_around, _EMOJI_TAIL.sub("", text))


# Functions, since a template such as " \g<0>" is prepared anew for each text, also where there is nothing to replace.


def _space_before(match: re.Match[str]) -> str:
    return f" {match[0]}"


def _space_after(match: re.Match[str]) -> str:
    return f"{match[0]} "


def _space_around(match: re.Match[str]) -> str:
    return f" {match[0]} "


def _mark(match: re.Match[str]) -> str:
    count = match[1].lower()
    return f"{_STAR_COUNTS.get(count, count)}-star"


# --- Words and sentences

_SPEAKING: Final = re.compile(rf"[^\W_]|[{_SIGNS}]")
_ENDS: Final = (". ", "! ", "? ")


def speaks(text: str) -> bool:
    """Whether there is a letter, a digit or an emoji in the text."""
    return _SPEAKING.search(text) is not None


def sentences(text: str) -> list[str]:
    """The text's sentences in order, blank ones left out. A rule of thumb: "Mr. Smith" is two."""
    for end in _ENDS:
        text = text.replace(end, f"{end[0]}\n")
    return [sentence for sentence in text.split("\n") if sentence and not sentence.isspace()]


def parts(text: str) -> list[str]:
    """What is scored one by one: a short text whole, a long one sentence by sentence."""
    if len(text) <= LONG_CHARS:
        return [text] if text else []
    return sentences(text)


# --- Words made silent

_WORD_JOINER: Final = "\N{WORD JOINER}"


def silencing(words: frozenset[str]) -> re.Pattern[str] | None:
    """An expression that finds these lower-case words and phrases as whole words, in any case."""
    if not words:
        return None
    alternatives = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)


def silenced(text: str, words: re.Pattern[str]) -> str:
    """The text with an invisible sign in those words, so that they are no longer VADER's words."""
    return words.sub(_silence, text)


def is_silenced(token: str) -> bool:
    return _WORD_JOINER in token


def shown(text: str) -> str:
    """A text with silenced words and joined phrases, or a word of it, as the reader knows it."""
    return phrases.shown(text.replace(_WORD_JOINER, ""))


def bare(token: str) -> str:
    """A word without the punctuation round it."""
    return shown(token).strip(string.punctuation)


def _silence(match: re.Match[str]) -> str:
    return " ".join(word + _WORD_JOINER for word in match[0].split(" "))
