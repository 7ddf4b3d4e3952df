"""PURE  Entries for many brands: patterns of brand names, and one entry for each brand where ``{brand.app_id}`` stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from monitor.config.faults import Fault
from monitor.config.including import Gathered, Origin
from monitor.config.tables import slug

MADE_OF: Final = ("sources", "digests", "alerts")
"""The tables whose entries may be templates."""
NAMING: Final = (*MADE_OF, "topics", "annotations", "rules", "channels")
"""The tables whose entries name brands."""
OWN: Final = ("name", "slug")
"""What every brand has a value for."""
TOLD: Final = 5
"""So many brands are named in a fault."""
_PLACE: Final = re.compile(r"\{brand\.([A-Za-z_][\w-]*)\}", re.ASCII)
_WILD: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Made:
    """What a template came to: the names of its entries, and the brands that were passed over, lacking a value."""

    table: str
    template: str
    names: tuple[str, ...]
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expanded:
    """The configuration with every template replaced by its entries.

    ``formerly``: of a source made by a template, the names it had before its brand or its template was renamed.
    """

    gathered: Gathered
    made: Sequence[Made] = ()
    formerly: Mapping[str, Sequence[str]] = field(default_factory=dict)
    faults: Sequence[Fault] = ()


def expand(gathered: Gathered) -> Expanded:
    """Every pattern replaced by the brands that it means, every template by its entries."""
    entries = gathered.data.get("brands")
    brands = [one for one in entries if _is_named(one)] if isinstance(entries, list) else []
    return _Expanding(gathered, brands).expanded() if brands else Expanded(gathered)


def is_template(entry: Any) -> bool:
    """Does it stand for one entry of each brand?"""
    return any(_PLACE.search(text) for text in _texts(entry))


class _Expanding:
    """One pass over the tables, gathering faults."""

    def __init__(self, gathered: Gathered, brands: Sequence[Mapping[str, Any]]) -> None:
        self.gathered, self.brands = gathered, brands
        self.by_name = {brand["name"]: brand for brand in brands}
        self.faults: list[Fault] = []
        self.made: list[Made] = []
        self.formerly: dict[str, Sequence[str]] = {}

    def expanded(self) -> Expanded:
        data, origins = dict(self.gathered.data), dict(self.gathered.origins)
        for table in NAMING:
            entries = data.get(table)
            if isinstance(entries, list):
                pairs = [pair for number, entry in enumerate(entries, 1) for pair in self._entry(table, number, entry)]
                data[table] = [entry for entry, _ in pairs]
                origins = {key: origin for key, origin in origins.items() if key[0] != table}
                origins |= {(table, at): origin for at, (_, origin) in enumerate(pairs, 1) if origin is not None}
        if isinstance(alerts := data.get("alerts"), list):
            data["alerts"] = [self._with_sources(alert, data) for alert in alerts]
        gathered = replace(self.gathered, data=data, origins=origins)
        return Expanded(gathered, self.made, self.formerly, self.faults)

    def _entry(self, table: str, number: int, entry: Any) -> Iterator[tuple[Any, Origin | None]]:
        origin = self.gathered.origins.get((table, number))
        if not isinstance(entry, Mapping):
            yield entry, origin
            return
        place = f"{table}.{entry['name']}" if isinstance(entry.get("name"), str) else f"{table}[{number}]"
        entry = self._with_brands(entry, place)
        served = self._served(table, entry)
        if table in MADE_OF and served and is_template(entry):
            yield from ((one, origin) for one in self._filled(table, entry, served, place))
        else:
            yield entry, origin

    def _with_brands(self, entry: Mapping[str, Any], place: str) -> Mapping[str, Any]:
        """Patterns replaced by the brands that they mean, in the order of the configuration; each brand once."""
        given = [entry["brands"]] if isinstance(entry.get("brands"), str) else entry.get("brands")
        if not isinstance(given, list) or not any(self._is_pattern(one) for one in given):
            return entry
        names: dict[str, None] = {}
        for one in given:
            found = [name for name in self.by_name if fnmatchcase(name, one)] if self._is_pattern(one) else [one]
            if not found:
                fact, remedy = f'no brand is called like "{one}"', f"there are: {', '.join(self.by_name)}"
                self.faults.append(Fault(f"{place}.brands", fact, remedy))
            names.update(dict.fromkeys(found))
        return {**entry, "brands": list(names)}

    def _is_pattern(self, name: Any) -> bool:
        return isinstance(name, str) and name not in self.by_name and _WILD.search(name) is not None

    def _served(self, table: str, entry: Mapping[str, Any]) -> list[str]:
        """The known brands that an entry is for; faulty ones are left to the checks of the table."""
        if isinstance(entry.get("brand"), str):
            named = [entry["brand"]]
        else:
            given = entry.get("brands", [] if table == "sources" else list(self.by_name))
            named = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        return named if all(isinstance(one, str) and one in self.by_name for one in named) else []

    # ------------------------------------------------------------------------------------------------ one template

    def _filled(
        self, table: str, entry: Mapping[str, Any], served: Sequence[str], place: str
    ) -> Iterator[Mapping[str, Any]]:
        names, lacking = [], []
        keep = {key: value for key, value in entry.items() if key not in ("brand", "brands", "when_missing")}
        keep = _with_names(table, keep) if "brand" not in entry else keep
        wanted = list(dict.fromkeys(key for text in _texts(keep) for key in _PLACE.findall(text)))
        for name in served:
            values = _values(self.by_name[name])
            missing = [key for key in wanted if key not in values]
            if missing:
                lacking.append((name, missing[0]))
                continue
            made = self._made(keep, values, place)
            made |= {"brand": name} if table == "sources" else {"brands": [name]}
            names.append(str(made.get("name")))
            if table == "sources":
                self._remember(keep, self.by_name[name], str(made.get("name")), made.get("was"))
            yield made
        skips = entry.get("when_missing") == "skip"
        if lacking and not skips:
            self.faults.append(_lacking(place, lacking))
        passed_over = tuple(name for name, _ in lacking) if skips else ()
        self.made.append(Made(table, str(entry.get("name")), tuple(names), passed_over))

    def _made(self, entry: Mapping[str, Any], values: Mapping[str, Any], place: str) -> dict[str, Any]:
        try:
            made: dict[str, Any] = _fill(entry, values)
        except ValueError as error:
            fact, _, remedy = str(error).partition("; ")
            fault = Fault(place, fact, remedy)
            if fault not in self.faults:
                self.faults.append(fault)
            return dict(entry)
        return made

    def _remember(self, entry: Mapping[str, Any], brand: Mapping[str, Any], name: str, was: Any) -> None:
        """The names that this source may have had: as the template was called, and as the brand was called."""
        brands = [brand, {**brand, "name": brand["was"]}] if isinstance(brand.get("was"), str) else [brand]
        texts = [entry[key] for key in ("was", "name") if isinstance(entry.get(key), str)]
        names = [str(_fill(text, _values(one))) for one in brands for text in texts]
        self.formerly[name] = [one for one in dict.fromkeys(names) if one not in (name, was)]

    def _with_sources(self, alert: Any, data: Mapping[str, Any]) -> Any:
        """An alert on a template's sources is on all that it makes (for the alert's brands, where it names some)."""
        given = alert.get("sources") if isinstance(alert, Mapping) else None
        named = [given] if isinstance(given, str) else given
        if not isinstance(named, list):
            return alert
        made = {one.template: one.names for one in self.made if one.table == "sources"}
        known = [source["name"] for source in data.get("sources", []) if _is_named(source)]
        found: dict[str, None] = {}
        for name in named:
            of_template = made.get(name, ()) if isinstance(name, str) and name not in known else ()
            liked = (
                [one for one in known if fnmatchcase(one, name)] if isinstance(name, str) and _WILD.search(name) else []
            )
            found.update(dict.fromkeys(of_template or liked or [name]))
        return {**alert, "sources": list(found)}


def _with_names(table: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The brand is put behind a name (and a former one) that does not say for itself where it goes."""
    behind = " {brand.name}" if table == "sources" else "-{brand.slug}"
    plain = {
        key: text for key in ("name", "was") if isinstance(text := entry.get(key), str) and not _PLACE.search(text)
    }
    return {**entry, **{key: text + behind for key, text in plain.items()}}


def _fill(value: Any, values: Mapping[str, Any]) -> Any:
    """``value`` with every place filled. A text that is nothing but a place becomes the value itself, whatever it is."""
    if isinstance(value, Mapping):
        return {key: _fill(entry, values) for key, entry in value.items()}
    if isinstance(value, list):
        return [_fill(entry, values) for entry in value]
    if not isinstance(value, str):
        return value
    whole = _PLACE.fullmatch(value)
    return values[whole[1]] if whole else _PLACE.sub(lambda found: _inside(found[1], values[found[1]]), value)


def _inside(key: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f'the value "{key}" is no text or number; let {{brand.{key}}} stand alone')
    return str(value)


def _values(brand: Mapping[str, Any]) -> dict[str, Any]:
    given = brand.get("values")
    return {**(given if isinstance(given, Mapping) else {}), "name": brand["name"], "slug": slug(brand["name"])}


def _lacking(place: str, lacking: Sequence[tuple[str, str]]) -> Fault:
    key = lacking[0][1]
    names = [f'"{name}"' for name, _ in lacking[:TOLD]]
    more = [f"{len(lacking) - TOLD} more"] if len(lacking) > TOLD else []
    told = " and ".join([", ".join([*names, *more][:-1]), [*names, *more][-1]]).removeprefix(" and ")
    nouns = "the brand" if len(lacking) == 1 else "the brands"
    remedy = f'write values = {{ {key} = ... }} there, or when_missing = "skip" here'
    return Fault(place, f"{nouns} {told} ha{'s' if len(lacking) == 1 else 've'} no value {key}", remedy)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


def _is_named(entry: Any) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("name"), str) and bool(entry["name"])
