"""Words that mean harm, wherever others' words are kept, shown on every page: they run nothing, break nothing, reach nowhere."""

from __future__ import annotations

from typing import Any, Final

import pytest
from playwright.sync_api import Page
from sqlalchemy import Connection, String, Text, column, update
from sqlalchemy import table as named

from monitor import marking
from monitor.app import App
from monitor.samples.demo import audit
from storage import annotations, listing
from storage.records import ItemFilter
from storage.tables import METADATA
from tests.web.everything import documents, settled
from tests.web.serving import Dashboard

pytestmark = pytest.mark.long

RUN: Final = "window.harmed=1"
WORDS: Final = (
    f"<script>{RUN}</script><img src=x onerror={RUN}><svg onload={RUN}><iframe srcdoc='<script>parent.harmed=1</script>'>",
    f"\"><a href=\"javascript:{RUN}\" autofocus onfocus={RUN}>x</a>' onmouseover='{RUN}' x='",
    "</p></bdi></main></script></style></title></textarea></template><style>*{display:none}</style><link rel=stylesheet href=//evil.example/a.css>",
    "\u202egnp.exe\u202c \u2066\u2067\u202d" + "שלום " * 30 + "\u200f\u202e",
    "{{ 7*7 }} {% raw %} ${7*7} <%= 7 %> %s %(x)s {0.__class__}",
    "Z" + "\u0301\u0334\u20dd" * 3_500,
    "W" * 5_000 + "\u00a0" * 50 + "\u3000" * 20 + "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 300,
    "=cmd|'/c calc'!A0\x1b]0;x\x07\x1b[2J\x7f\u0085\u2028\u2029\ufeff\ufffe",
)
LINKS: Final = (
    f"javascript:{RUN}", f"JaVaScRiPt:{RUN}//", f"data:text/html,<script>{RUN}</script>", "https://user:pw@evil.example/",
    "//evil.example/", "https://evil.example/\"onmouseover=\"" + RUN, f"vbscript:{RUN}", "https:\\\\evil.example",
)  # fmt: skip
KEPT: Final = (
    "title",
    "text",
    "reply_text",
    "author_name",
    "place",
    "parent_title",
    "error",
    "reason",
    "by",
    "shown",
    "acknowledged_by",
    "paused_by",
)
"""Columns, of whatever table, that hold what others wrote."""
MEGABYTE: Final = "B" * 1_000_000


@pytest.mark.timeout(300)  # every page
def test_harm_that_is_stored_is_shown_on_every_page_and_does_none(
    read_only: Dashboard, dashboard: Dashboard, page: Page
) -> None:
    opened = {*documents(read_only), "/audit/1"}  # of the same items, as they were before
    poison(dashboard.app)
    page.set_viewport_size({"width": 390, "height": 844})
    page.on("dialog", lambda dialog: dialog.dismiss())
    abroad: list[str] = []
    page.on("request", lambda asked: abroad.append(asked.url) if not asked.url.startswith(dashboard.url) else None)
    assert len(opened) > 15
    found = {}
    for path in sorted(opened):
        page.goto(dashboard.url + path)
        settled(page)
        if faults := page.evaluate(LOOK):
            found[path] = faults
    assert found == {}
    assert [url for url in abroad if not url.startswith(("data:", "blob:", "about:"))] == []


LOOK: Final = """() => {
  const faults = [], wide = document.documentElement.scrollWidth;
  if (window.harmed) faults.push("something ran");
  if (wide > innerWidth) {
    const over = [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1
      && !one.closest(".scroll, .visually-hidden, svg")).slice(-3);
    faults.push(`${wide} wide: ` + over.map((one) => one.outerHTML.slice(0, 160)).join(" | "));
  }
  for (const one of document.querySelectorAll("a[href], form[action], img[src], iframe[src], use, embed, object")) {
    const to = one.getAttribute("href") ?? one.getAttribute("action") ?? one.getAttribute("src") ?? "";
    if (/^\\s*(javascript|data|vbscript):/i.test(to) && one.tagName !== "IMG") faults.push(to.slice(0, 80));
    if (to.includes("evil.example") && new URL(one.href ?? to, location).host.endsWith("evil.example")) {
      if (to.includes("@") || to.includes("\\\\") || !to.startsWith("http")) faults.push(to.slice(0, 80));
    }
  }
  for (const one of document.querySelectorAll("*")) for (const name of one.getAttributeNames())
    if (/^on/i.test(name) || (name === "style" && one.closest("main") && !one.closest("figure.chart"))) faults.push(`${one.tagName} ${name}`);
  if (document.querySelectorAll("main").length !== 1 && document.querySelector("header.top")) faults.push("the frame is broken");
  if (/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.body.innerText)) faults.push("text is turned round");
  return faults;
}"""


def poison(app: App) -> None:
    """Put harm wherever others' words are kept, and make it prominent; our own tags, audits and events say it, too."""
    audit(app)
    some = [item.id for item in listing.items(app.database, ItemFilter(brand=app.settings.brands[0].name), limit=6)]
    for number, item in enumerate(some):
        marking.tag(app, [item], WORDS[number][:60], WORDS[number][:100])
        marking.correct(app, item, "negative", WORDS[number][:100])
    annotations.add(app.database, brand=None, at=app.now(), until=None, text=WORDS[0], by=WORDS[1][:100], now=app.now())
    app.database.write(lambda connection: _poison(connection, some))


def _poison(connection: Connection, some: list[int]) -> None:
    """One kind of harm to each row in turn. The errors of sources tell which rest; those stay."""
    for table in METADATA.sorted_tables:
        names = [one.name for one in table.columns if one.name in KEPT and isinstance(one.type, (String, Text))]
        if table.name == "author":
            names.append("name")
        if not names or table.name == "source":
            continue
        row = named(
            table.name,
            *(column(name, table.c[name].type) for name in (*names, *_FURTHER.get(table.name, ()))),
            column("rowid"),
        )
        for number, words in enumerate(WORDS):
            values: dict[str, Any] = dict.fromkeys(names, words[:20000])
            if table.name == "item":
                values |= {"url": LINKS[number], "attributes": {words[:50]: words[:400]}, "likes": 1_000_000 - number}
            connection.execute(update(row).where(row.c.rowid % len(WORDS) == number).values(**values))
    item = METADATA.tables["item"]
    connection.execute(update(item).where(item.c.id == some[0]).values(text=MEGABYTE, title=MEGABYTE[:5_000]))


_FURTHER: Final = {"item": ("url", "attributes", "likes")}
