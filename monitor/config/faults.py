"""What is wrong with a configuration, in words that say what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monitor.query import QueryError

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Fault:
    """``place`` (such as ``sources.news.url``), what is wrong there, and what mends it.

    ``where``: the included file it stands in, with the line of its entry (``brands/acme.toml:12``).
    """

    place: str
    fact: str
    remedy: str
    where: str | None = None

    def __str__(self) -> str:
        at = f"{self.where}: " if self.where else ""
        return f"{at}{self.place}: {self.fact}; {self.remedy}"


class ConfigError(Exception):
    """The configuration cannot be used; ``faults`` lists all that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


def faults_of(error: ValidationError, place: str, names: Sequence[str] = ()) -> list[Fault]:
    """The faults that pydantic found below ``place``; ``names`` are the keys that are known there."""
    return [_fault(details, place, names) for details in error.errors(include_url=False, include_input=False)]


def salvaged(model: type[M], value: Any, error: ValidationError, place: str, context: Mapping[str, object]) -> M | None:
    """The table without its faulty keys, so that one fault does not hide those of the same table; ``None`` if it needs them.

    Without a sound name it is called what it is called, else by its number, as in ``[2]``.
    """
    if not isinstance(value, Mapping):
        return None
    faulty = {details["loc"][0] for details in error.errors() if details["loc"]}
    sound = {key: entry for key, entry in value.items() if key not in faulty}
    try:
        if "name" not in faulty:
            return model.model_validate(sound, context=context)
        found = model.model_validate({**sound, "name": "unnamed"}, context=context)
    except ValidationError:
        return None
    named = value.get("name")
    return found.model_copy(update={"name": named if isinstance(named, str) and named else place[place.find("[") :]})


def unreadable(place: str, error: OSError | UnicodeDecodeError) -> Fault:
    """A file that is there and cannot be read as text."""
    if isinstance(error, UnicodeDecodeError):
        return Fault(place, f"is not text in UTF-8 (byte {error.start + 1})", "save it as UTF-8")
    if isinstance(error, IsADirectoryError):
        return Fault(place, "is a folder", "name the file in it")
    return Fault(place, f"cannot be read ({error.strerror})", "give the right to read it")


def _fault(details: ErrorDetails, place: str, names: Sequence[str]) -> Fault:
    where = ".".join([place, *(_step(step) for step in details["loc"])]) if details["loc"] else place
    key = str(details["loc"][-1]) if details["loc"] else place
    kind = details["type"]
    if kind == "missing":
        return Fault(where, "missing", f"add {key} = ...")
    if kind == "extra_forbidden":
        return Fault(where, "not a known key", _instead(key, names))
    if kind == "too_short" and details["ctx"].get("field_type") == "Value":  # a secret; of a list pydantic says it well
        return Fault(where, "is too short", f"give {details['ctx']['min_length']} characters or more")
    message = details["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    fact, _, remedy = message.partition("; ")
    return Fault(where, fact[:1].lower() + fact[1:], remedy or "see config.example.toml")


def _step(step: int | str) -> str:
    return f"[{step + 1}]" if isinstance(step, int) else step


def _instead(key: str, names: Sequence[str]) -> str:
    return f'did you mean "{near}"?' if (near := nearest(key, names)) else f"remove it; known are: {', '.join(names)}"


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The known name that was probably meant."""
    return next(iter(difflib.get_close_matches(name, list(names), 1, 0.6)), None)


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys that a table of this model may have."""
    return [field.alias or name for name, field in model.model_fields.items()]


def names_in(entries: Any) -> list[str]:
    """The names in a list, those of faulty entries too, so that what refers to one is not called wrong besides."""
    found = (entry.get("name") for entry in entries if isinstance(entry, Mapping)) if isinstance(entries, list) else ()
    return [name for name in found if isinstance(name, str)]


def unknown(place: str, what: str, name: str, names: Iterable[str]) -> Fault:
    """A name that refers to nothing."""
    known = sorted(set(names))
    near = nearest(name, known)
    hint = f'did you mean "{near}"?' if near else f"there are: {', '.join(known) or 'none'}"
    return Fault(place, f'no {what} "{name}"', hint)


def as_fault(place: str, error: Any) -> Fault:
    """An error whose message is of the form ``fact; remedy``; of a query also the place, with a caret under it."""
    if isinstance(error, QueryError):
        fact, _, remedy = error.message.partition("; ")
        return Fault(place, fact, f"{remedy or 'mend it here'}{str(error).removeprefix(error.message)}")
    fact, _, remedy = str(error).partition("; ")
    return Fault(place, fact, remedy or "see config.example.toml")
