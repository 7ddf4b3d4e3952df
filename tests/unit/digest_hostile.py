"""Words that try to be more than words, put into every field of a report; and what a document is made of."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any, Final

from markdown_it import MarkdownIt

from monitor.digest import DigestView, Form
from monitor.figures import Report
from tests.unit import digest_reports as made

ATTACKS: Final = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></td></tr></table></div><h1>big",
    "--><b>out</b><!--",
    "<![endif]--><b>",
    "&lt;b&gt; &amp; &#60;script&#62;",
    "{{ 7 * 7 }} {% include 'x' %}",
    "[click](javascript:alert(1))",
    "![pixel](http://evil.example/x.png)",
    "<javascript:alert(1)>",
    "[ref]: http://evil.example",
    "# heading",
    "heading\n===",
    "a\n\n---\n\n# b",
    "***",
    "> quote",
    "- item\n- item",
    "+ item",
    "1) item",
    "    indented code",
    "```\nfence",
    "`code` **bold** __bold__ *i* ~~gone~~",
    "| a | b |\n|---|---|\n| c | d |",
    "ends with \\",
    "C #",
    "<!channel> <@U024BE7LH> @everyone",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "invoice\u202efdp.exe",
    "one\r\nBcc: all@example.org",
    "𝒵" * 5000,
    "w" * 5000,
    '"', "'", "\\", "*", "_", "`", "~", "|", "#", "-", "=", "$",
]  # fmt: skip

DASHBOARD: Final = "https://own.example/watch/"
FREE: Final = {
    "brand",
    "source",
    "account",
    "place",
    "author",
    "title",
    "text",
    "reason",
    "term",
    "name",
    "words",
    "subject",
}
LISTS: Final = {"compared", "left_out", "competitor_of", "shared_sources"}


class Outline(HTMLParser):
    """The tags with their attributes and values, but for where links lead, and all text; ``figures``: links to figures."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.links: list[str] = []
        self.figures: list[str] = []
        self.text = ""
        self.oddities: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = [value or "" for name, value in attrs if name in ("href", "src", "action")]
        self.links += [link for link in found if not link.startswith(f"{DASHBOARD}items?")]
        self.figures += [link for link in found if link.startswith(f"{DASHBOARD}items?")]
        own = tuple((name, value if name in ("class", "style") else None) for name, value in attrs)
        self.tags.append((tag, own))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}", ()))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.oddities.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.oddities.append(f"declaration {decl}")

    def handle_pi(self, data: str) -> None:
        self.oddities.append(f"instruction {data}")


def filled(report: Report, words: str) -> Report:
    """``report`` with ``words`` wherever a platform, an author or a configuration has a say."""

    def fill(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: fill(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner, name) for inner in value]
        if isinstance(value, str) and name in FREE | LISTS:
            return words
        return value

    document = fill(report.model_dump(by_alias=True))
    for brand in document["brands"]:
        brand["social"]["uncounted"] = {words: 3}
        brand["coverage"]["unscored_languages"] = {words: 2}
    return Report.model_validate(document)


def view(words: str, *, linked: bool = True) -> DigestView:
    """A digest's look with ``words`` wherever its owner has a say."""
    address = DASHBOARD if linked else None
    return DigestView(name=words, zone=made.BERLIN, period=words, sent_note=words, logo_line=words, public_url=address)


def as_html(form: Form, document: str) -> str:
    if form == "html":
        return document
    return str(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(document))
