"""PURE  Pages by number: a platform that does not heed the number shows the same page for ever."""

from __future__ import annotations

from dataclasses import replace

from connectors.leafing import Leaf


class SamePage:
    """Remembers the page before. One of these a listing and pull."""

    def __init__(self) -> None:
        self._shown: frozenset[str] = frozenset()

    def ended(self, leaf: Leaf) -> Leaf:
        """The page; ended too early (``cut``) if it shows nothing but what the one before showed."""
        shown = frozenset(item.external_id for item in leaf.items)
        same = bool(shown) and shown == self._shown
        self._shown = shown
        return replace(leaf, next=None, cut=True) if same and leaf.next is not None else leaf
