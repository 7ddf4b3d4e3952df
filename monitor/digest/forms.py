"""A page as HTML, Markdown or plain text. The templates are read from the package at first use and kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from markupsafe import escape as escape_html

from monitor.digest import columns, escape
from monitor.digest.escape import Link
from monitor.digest.numbers import cells
from monitor.digest.page import Bar, Page, Piece

if TYPE_CHECKING:
    import css_inline

    from monitor.digest.notice import NoticePage

_NO_BREAK: Final = "\xa0"


class Own(str):
    """Markdown of our own making, which is not escaped again."""

    __slots__ = ()


def html(page: Page) -> str:
    """One self-contained document, its style on the elements (mail programs drop style sheets) and the rest in a sheet."""
    return finished(_html_templates().get_template("digest.html.j2").render(page=page), "html")


def markdown(page: Page) -> str:
    """CommonMark with GitHub's tables."""
    return finished(_markdown_templates().get_template("digest.md.j2").render(page=page), "md")


def text(page: Page) -> str:
    """Plain text of 80 columns; only links may be longer."""
    return finished(_text_templates().get_template("digest.txt.j2").render(page=page), "txt")


def finished(document: str, form: str) -> str:
    """What a template has made, ready to be sent."""
    return _inliner().inline(document) + "\n" if form == "html" else _tidy(document)


def environment(form: str) -> Environment:
    """The templates' environment of a form."""
    return {"html": _html_templates, "md": _markdown_templates, "txt": _text_templates}[form]()


def notice(page: NoticePage, form: str) -> str:
    """A notice as ``html``, ``md`` or ``txt``."""
    if form == "html":
        return _inliner().inline(_html_templates().get_template("notice.html.j2").render(page=page)) + "\n"
    templates = _markdown_templates() if form == "md" else _text_templates()
    return _tidy(templates.get_template(f"notice.{form}.j2").render(page=page))


@cache
def _html_templates() -> Environment:
    made = _environment(autoescape=True)
    made.finalize = _unbroken
    made.filters["cells"] = _percent_cells
    made.filters["to"] = _html_figure
    made.filters["pieces"] = _html_pieces
    return made


@cache
def _markdown_templates() -> Environment:
    """Everything that a template puts in is escaped, but for what a filter has made."""
    made = _environment(autoescape=False)
    made.finalize = _escaped
    made.filters["link"] = _markdown_link
    made.filters["to"] = _markdown_figure
    made.filters["pieces"] = _markdown_pieces
    return made


@cache
def _text_templates() -> Environment:
    made = _environment(autoescape=False)
    made.filters.update(wrap=columns.wrap, row=columns.row, bar=columns.bar, clip=columns.clip, width=columns.width)
    made.filters["pieces"] = _plain_pieces
    return made


@cache
def _inliner() -> css_inline.CSSInliner:
    import css_inline

    return css_inline.CSSInliner(
        keep_style_tags=False, keep_at_rules=True, minify_css=True, load_remote_stylesheets=False
    )


def _environment(*, autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader("monitor.digest"),
        autoescape=autoescape,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _unbroken(value: object) -> object:
    """No line ends between a number and its percent sign."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return value.replace(" %", f"{_NO_BREAK}%")
    return value


def _escaped(value: object) -> object:
    return value if isinstance(value, Own) else escape.markdown(str(value))


def _markdown_link(target: Link) -> Own:
    return Own(escape.markdown_link(target))


def _markdown_figure(text: str, target: Link | None) -> Own:
    return Own(escape.markdown(text) if target is None else escape.markdown_figure(text, target))


def _markdown_pieces(pieces: Sequence[Piece]) -> Own:
    return Own("".join(_markdown_figure(piece.text, piece.link) for piece in pieces))


def _html_figure(text: str, target: Link | None) -> Markup:
    """A figure that opens the items behind it: a link to the owner's own dashboard."""
    shown = str(_unbroken(text))
    if target is None:
        return escape_html(shown)
    return Markup('<a class="figure" href="{}">{}</a>').format(target.url, shown)


def _html_pieces(pieces: Sequence[Piece]) -> Markup:
    return Markup("").join(_html_figure(piece.text, piece.link) for piece in pieces)


def _plain_pieces(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _percent_cells(bar: Bar) -> list[tuple[str, int]]:
    """What a bar is made of, in percent, without its empty parts."""
    names = ("pos", "neu", "neg", "uns", "rest")
    return [(name, size) for name, size in zip(names, cells(bar.parts, 100), strict=True) if size]


def _tidy(document: str) -> str:
    """No blank at a line's end, no two empty lines, one line end at the end."""
    lines = [line.rstrip() for line in document.strip("\n").split("\n")]
    kept = [line for at, line in enumerate(lines) if line or at == 0 or lines[at - 1]]
    return "\n".join(kept) + "\n"
