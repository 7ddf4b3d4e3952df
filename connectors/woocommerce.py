"""WooCommerce: the product reviews of one's own shop, by its REST API. Needs a key of the shop that may read."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr

from connectors.contract import (
    Author,
    Capabilities,
    Context,
    Cursor,
    Item,
    Kind,
    Options,
    Page,
    Plugin,
    Rating,
    Scope,
)
from connectors.entries import stars, told, truth, word
from connectors.text import plain_text
from connectors.tidy import storable
from connectors.wordpress_wire import Site, link_or_none, name_of, number_of, site_of, utc

PATH = "wc/v3/products/reviews"


def _shop(value: object) -> str:
    site = site_of(value)
    if not site.startswith("https://"):
        raise ValueError("key and secret go over TLS only; write the shop's https address")
    return site


class WooCommerceOptions(Options):
    site: Annotated[str, BeforeValidator(_shop)] = Field(
        description='The shop\'s address, such as "https://shop.example"; https, since the key goes along.'
    )
    consumer_key: SecretStr = Field(description="The key (ck_...): WooCommerce, Settings, Advanced, REST API; Read.")
    consumer_secret: SecretStr = Field(description="The secret (cs_...) shown once beside the key.")


class WooCommerce:
    """Leafs through the approved reviews down to what is known."""

    def __init__(self, options: WooCommerceOptions, context: Context) -> None:
        self._shop = options.site
        self._context = context
        address = (options.base_url or options.site).rstrip("/")
        self._site = Site(address, context, {"Authorization": _basic(options)})

    def check(self) -> None:
        self._site.check(PATH)

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        yield from self._site.pages(
            PATH, {"status": "approved"}, cursor, since, lambda review: review_of(review, self._shop)
        )

    def close(self) -> None:
        self._context.http.close()


def review_of(review: Mapping[str, Any], shop: str) -> Item | None:
    """A review as an item, ``None`` if it is not approved.

    ``KeyError``, ``TypeError``, ``AttributeError`` or ``ValueError`` where it is damaged.
    """
    number, product = number_of(review["id"]), number_of(review["product_id"])
    at = utc(review["date_created_gmt"])
    if review.get("status", "approved") != "approved":
        return None
    name = word(plain_text(word(review.get("reviewer"))))
    return Item(
        external_id=f"{name_of(shop)}/{number}",
        kind=Kind.REVIEW,
        published_at=at,
        text=_plain(review["review"]),
        url=_link(review, shop, product, number),
        author=Author(id=f"{name_of(shop)}/{name}", name=name) if name else None,
        rating=_rating(review.get("rating")),
        place=_plain(review.get("product_name")) or f"{name_of(shop)} product {product}",
        attributes=told({"product_id": str(product), "verified": truth(review.get("verified"))}),
    )


def _rating(value: object) -> Rating | None:
    """Shops may allow reviews without stars, which are written as 0."""
    return None if value is None or (value == 0 and not isinstance(value, bool)) else stars(value)


def _plain(markup: object) -> str | None:
    return plain_text(storable(markup)) if isinstance(markup, str) else None


def _link(review: Mapping[str, Any], shop: str, product: int, number: int) -> str:
    """Older shops do not tell the product's address; its number leads there too."""
    page = link_or_none(review.get("product_permalink")) or f"{shop}/?p={product}"
    return f"{page.partition('#')[0]}#comment-{number}"


def _basic(options: WooCommerceOptions) -> str:
    pair = f"{options.consumer_key.get_secret_value()}:{options.consumer_secret.get_secret_value()}"
    return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"


PLUGIN = Plugin(
    name="woocommerce",
    title="WooCommerce (your own shop's product reviews)",
    platform="woocommerce",
    options=WooCommerceOptions,
    open=WooCommerce,
    capabilities=Capabilities(
        scope=Scope.SUBJECT, ratings=True, needs_credentials=True, minimum_interval=timedelta(minutes=5)
    ),
    tried="recorded",
    notes="The shop's own REST API; limits are the shop's server's. Reviewers' mail addresses are not kept.",
)
