"""The fake that other people's connectors are tested with: pages, bounds, keys, damage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from connectors.testing import Between, ByNumber, ByOffset, ByToken, FakeListing, Reply, Request, Seed
from connectors.testing.listing import Paging
from connectors.testing.platform import NOW


class Board(FakeListing):
    page_size = 4
    vital = "at"
    bounds = Between("from", "to")

    def external_id(self, seed: Seed) -> str:
        return str(seed.number)

    def item(self, seed: Seed) -> dict[str, Any]:
        return {"id": seed.number, "at": seed.at.isoformat(), "likes": self.likes_of(seed)}

    def routes(self) -> Any:
        return {**super().routes(), "/items/{id}/author": lambda _request, named: Reply.of_json(named)}


class Keyed(Board):
    bearer = "a-key"
    items_in = None


@pytest.fixture
def board() -> Iterator[Board]:
    made = Board()
    made.publish(10)
    yield made
    made.close()


def asked(board: Board, path: str = "/items", key: str | None = None, **query: Any) -> Any:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    reply = board.respond(Request("GET", path, query, headers, b"", list(query.items())))
    return json.loads(reply.body) if reply.status == 200 else reply.status


def numbers(answer: Any) -> list[int]:
    return [item["id"] for item in answer["items"]]


def walked(board: Board, paging: Paging, *queries: dict[str, str]) -> list[list[int]]:
    type(board).paging = paging
    try:
        return [numbers(asked(board, **query)) for query in queries]
    finally:
        type(board).paging = ByNumber()


PAGES = [[10, 9, 8, 7], [6, 5, 4, 3], [2, 1], []]


def test_pages_by_number_begin_where_the_platform_begins(board: Board) -> None:
    assert walked(board, ByNumber(), {}, {"page": "2"}, {"page": "3"}, {"page": "4"}) == PAGES
    assert walked(board, ByNumber("p", None, first=0), {"p": "0"}, {"p": "1"}, {"p": "2"}, {"p": "3"}) == PAGES


def test_pages_by_offset_have_the_size_asked_for_up_to_the_platform_s(board: Board) -> None:
    assert walked(board, ByOffset(), {}, {"offset": "4"}, {"offset": "8"}, {"offset": "12"}) == PAGES
    assert walked(board, ByOffset(), {"offset": "2", "limit": "3"}, {"limit": "99"}) == [[8, 7, 6], PAGES[0]]


class Tokens(Board):
    paging = ByToken()


def test_tokens_lead_from_page_to_page_and_end() -> None:
    board = Tokens()
    board.publish(10)
    seen: list[list[int]] = []
    token: str | None = ""
    while token is not None:
        answer = asked(board, **({"cursor": token} if token else {}))
        seen.append(numbers(answer))
        token = answer["next"]
    board.close()
    assert seen == PAGES[:3]


def test_a_stuck_platform_repeats_itself_for_ever(board: Board) -> None:
    board.repeat_last_page = True
    assert walked(board, ByNumber(), {"page": "1"}, {"page": "9"}) == [PAGES[0], PAGES[0]]
    tokens = Tokens()
    tokens.publish(10)
    tokens.repeat_last_page = True
    assert asked(tokens, cursor="token-8")["next"] == "token-8"
    tokens.close()


def test_bounds_are_taken_as_seconds_and_as_iso_times_ends_included(board: Board) -> None:
    at = NOW - timedelta(minutes=10 + 7 * 2)
    assert numbers(asked(board, to=at.isoformat()))[0] == 8
    assert numbers(asked(board, **{"from": str(int(at.timestamp()))})) == [10, 9, 8]


def test_a_damaged_item_loses_what_it_cannot_do_without(board: Board) -> None:
    board.damage(board.seeds[9])
    assert asked(board)["items"][0] == {"id": 10, "at": None, "likes": 10}


def test_what_is_liked_and_what_is_taken_down_shows(board: Board) -> None:
    board.like(board.seeds[9], 5)
    board.take_down(board.seeds[8])
    assert [(one["id"], one["likes"]) for one in asked(board)["items"][:2]] == [(10, 15), (8, 8)]


def test_other_addresses_are_routes_and_what_has_none_is_not_there(board: Board) -> None:
    assert asked(board, "/items/7/author") == {"id": "7"}
    assert asked(board, "/items/7/8/author") == 404
    assert asked(board, "/elsewhere") == 404


def test_a_platform_that_asks_for_a_key_gives_nothing_without_it() -> None:
    board = Keyed()
    board.publish(1)
    refused, given = asked(board), asked(board, key="a-key")
    board.close()
    assert refused == 401
    assert [item["id"] for item in given] == [1]
