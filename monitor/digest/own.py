"""The owner's own templates: run in a sandbox, with the same page as the built-in ones, and the same escaping."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined, TemplateError
from jinja2.exceptions import TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from monitor.digest import escape, forms
from monitor.digest.page import Page
from monitor.figures import Report

FORMS: Final = ("html", "md", "txt")
LONGEST_TEXT: Final = escape.QUOTE
MOST: Final = 2_000_000
"""Characters that a template may make."""


class TemplateFault(Exception):
    """A template that does not work; says which file, which line, and what is wrong."""


def has(folder: Path, form: str) -> bool:
    """Whether the owner has a template for this form; the built-in one is used for the others."""
    return form in FORMS and (folder / f"digest.{form}.j2").is_file()


def render(folder: Path, form: str, page: Page, report: Report) -> str:
    """The page by the owner's template: ``page`` as the built-in templates have it, ``report`` as cleaned plain values.

    ``TemplateFault`` where the template does not work.
    """
    name = f"digest.{form}.j2"
    environment = _environment(folder, form)
    try:
        parts = []
        size = 0
        for part in environment.get_template(name).generate(page=page, report=_plain(report.model_dump(mode="json"))):
            parts.append(part)
            size += len(part)
            if size > MOST:
                raise TemplateFault(f"{name}: makes more than {MOST:,} characters; look for a loop without an end")
        return forms.finished("".join(parts), form)
    except TemplateFault:
        raise
    except TemplateSyntaxError as error:
        raise TemplateFault(f"{error.name or name}, line {error.lineno}: {_told(error)}") from error
    except TemplateError as error:
        raise TemplateFault(f"{_place(error, folder, name)}: {_told(error)}") from error
    except RecursionError as error:
        raise TemplateFault(f"{_place(error, folder, name)}: includes itself without an end") from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, OSError, MemoryError) as error:
        raise TemplateFault(f"{_place(error, folder, name)}: {_told(error)}") from error


def _environment(folder: Path, form: str) -> Environment:
    """As the built-in templates have it, but sandboxed; these can be included and imported by their names."""
    known = forms.environment(form)
    made = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(folder), PackageLoader("monitor.digest")]),
        autoescape=form == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(known.filters)
    made.finalize = known.finalize
    return made


def _plain(value: Any) -> Any:
    """A report's values with every text cleaned."""
    if isinstance(value, Mapping):
        return {escape.name(str(key)): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return escape.clean(value, LONGEST_TEXT) if isinstance(value, str) else value


def _place(error: BaseException, folder: Path, name: str) -> str:
    """``digest.html.j2, line 12``: the innermost line of a template that the error came through."""
    found = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
    if not found:
        return name
    path = Path(found[-1].filename)
    shown = path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)
    return f"{shown}, line {found[-1].lineno}"


def _told(error: BaseException) -> str:
    """What is wrong, on one line; of an error of the language only its kind, since its words may quote an item."""
    if isinstance(error, TemplateError):
        return escape.clean(str(error.message), escape.REASON) or type(error).__name__
    return type(error).__name__
