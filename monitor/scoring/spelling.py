"""Tokens met before, and emoji spelt out in words."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import Final, TypeVar

# Bounds of one memory: at most about 10 MB, whatever the texts.
REMEMBERED_TOKENS: Final = 32_768
REMEMBERED_LENGTH: Final = 40

_T = TypeVar("_T")


class Remembered(dict[str, _T]):
    """What ``read`` says of each token met: ``remembered[token]``.

    Threads may share it: a token is always read alike, and forgetting only costs time.
    """

    def read(self, token: str) -> _T:
        raise NotImplementedError

    def __missing__(self, token: str) -> _T:
        known = self.read(token)
        if len(token) <= REMEMBERED_LENGTH:
            if len(self) >= REMEMBERED_TOKENS:
                self.clear()
            self[token] = known
        return known


class Emojis(Remembered[str]):
    """Spells emoji out as their descriptions, as vaderSentiment does: parted from what is before, not from what follows."""

    def __init__(self, descriptions: Mapping[str, str]) -> None:
        super().__init__()
        # vaderSentiment looks up single characters, so longer keys never apply.
        self._descriptions = {sign: text for sign, text in descriptions.items() if len(sign) == 1}
        self._leaves_ascii = not any(sign.isascii() for sign in self._descriptions)
        self._leaves_space = not any(sign.isspace() for sign in self._descriptions)

    def spelt_out(self, text: str) -> str:
        """The text in words; white space may come out as other or more white space."""
        if self._leaves_ascii and text.isascii():
            return text
        return " ".join(map(self.__getitem__, text.split() if self._leaves_space else [text]))

    def read(self, token: str) -> str:
        if self._descriptions.keys().isdisjoint(token):
            return token
        spelt_out = StringIO(newline="")
        for sign in token:
            description = self._descriptions.get(sign)
            spelt_out.write(sign if description is None else f" {description}")
        return spelt_out.getvalue()
