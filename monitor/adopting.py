"""Exclusions that were tried, made part of the configuration and applied to what is stored; and taken back.

The file is changed first and the history follows: cut off between the two, ``rematch`` goes on, since it goes by the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from monitor.app import App, watched
from monitor.config import ConfigError
from monitor.config.edit import NotEditable
from monitor.config.homes import FileChanged, edit, fingerprint
from monitor.config.lists import with_words, without_words, words_in
from monitor.config.models import Settings
from monitor.keyword_trials import Change, Trial, would_catch
from monitor.rematching import Progress, Rematched, rematch

__all__ = ["AdoptError", "Adopted", "Change", "Trial", "adopt", "fingerprint", "undo", "would_catch"]

TABLE: Final = "brands"
KEY: Final = "exclude"
_BESIDE: Final = ("required", "keywords", "query", "name")


class AdoptError(Exception):
    """The configuration was left as it was; ``lines`` say why and what to do."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Adopted:
    """``words``: those that are new in ``file``, or gone from it; ``app``: the program by the settings that are in effect now.

    ``history``: what became of the stored items.
    """

    brand: str
    file: Path
    words: tuple[str, ...]
    app: App
    history: Rematched


def adopt(
    app: App,
    brand: str,
    exclude: Sequence[str],
    *,
    expected: str | None = None,
    progress: Progress = lambda _: None,
) -> Adopted:
    """Write ``exclude`` into the configuration's exclusions of ``brand``, and let the stored items follow.

    The file keeps its comments, its layout and its rights, and is replaced whole. ``expected``: the :func:`fingerprint` that it
    had when the words were tried. ``AdoptError`` where it has changed since, would not be sound, or cannot be edited.
    """
    words = _plain(exclude)
    return _done(
        app, brand, words, lambda text: with_words(text, TABLE, brand, KEY, words, _BESIDE), expected, progress
    )


def undo(
    app: App,
    brand: str,
    exclude: Sequence[str],
    *,
    expected: str | None = None,
    progress: Progress = lambda _: None,
) -> Adopted:
    """Take words out of the configuration's exclusions of ``brand``, and let the stored items follow. Fails as :func:`adopt`."""
    words = _plain(exclude)
    return _done(app, brand, words, lambda text: without_words(text, TABLE, brand, KEY, words), expected, progress)


def _plain(words: Sequence[str]) -> list[str]:
    """Words as a configuration keeps them."""
    plain = list(dict.fromkeys(" ".join(word.split()) for word in words))
    if not plain or "" in plain:
        raise AdoptError("exclude: name a word or a phrase")
    return plain


def _done(
    app: App,
    brand: str,
    words: Sequence[str],
    change: Callable[[str], str],
    expected: str | None,
    progress: Progress,
) -> Adopted:
    path = app.settings.path
    if path is None:
        raise AdoptError("there is no configuration file to write into")
    news: list[str] = []

    def changed(text: str) -> str:
        after = change(text)
        had, has = (words_in(one, TABLE, brand, KEY) for one in (text, after))
        news[:] = [word for word in words if (word in had) != (word in has)]
        return after

    try:
        edited = edit(path, TABLE, brand, changed, expected)
    except ConfigError as error:
        raise AdoptError(*(str(fault) for fault in error.faults), f"{path}: left as it was") from error
    except OSError as error:
        raise AdoptError(f"{error.filename or path}: cannot be written ({error.strerror})") from error
    except (FileChanged, NotEditable, ValueError) as error:
        raise AdoptError(str(error)) from error
    now = _by(app, edited.settings, brand)
    return Adopted(brand, edited.file, tuple(news), now, rematch(now, [brand], progress=progress))


def _by(app: App, settings: Settings, brand: str) -> App:
    """The program with this brand's words as the file has them now; all else as it was when it began."""
    one = watched(settings.brand(brand), app.brands[brand].id)
    known = [one_ if one_.name != brand else settings.brand(brand) for one_ in app.settings.brands]
    kept = app.settings.model_copy(update={"brands": known})
    return replace(app, settings=kept, brands={**app.brands, brand: one})
