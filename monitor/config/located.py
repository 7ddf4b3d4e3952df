"""PURE  Faults put where they stand: in which file, on which line; and what is wrong with a template is said once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from monitor.config.faults import Fault
from monitor.config.including import Gathered, Origin
from monitor.config.templates import Expanded


def told(faults: Sequence[Fault], whole: Expanded) -> list[Fault]:
    """The faults as they are told. What all entries of one template have in common is said of the template."""
    heads = {f"{made.table}.{name}": made for made in whole.made for name in made.names if len(made.names) > 1}
    groups: dict[tuple[str, str, str], list[Fault]] = {}
    for fault in (replace(one, place=one.place.replace(".[", "[")) for one in faults):
        head = _head(fault.place, heads)
        made = heads.get(head)
        place = fault.place if made is None else f"{made.table}.{made.template}{fault.place[len(head) :]}"
        groups.setdefault((place, fault.fact, fault.remedy), []).append(fault)
    sizes = {f"{made.table}.{made.template}": len(made.names) for made in whole.made}
    origins = dict(_origins(whole.gathered))
    found = []
    for (place, _, _), group in groups.items():
        common = len(group) > 1 and len(group) == sizes.get(_head(place, sizes))
        found += [_located(one, origins, place if common else one.place) for one in (group[:1] if common else group)]
    return found


def places_of(whole: Expanded, table: str, name: str, first: str) -> list[str]:
    """Where all the entries of this name stand, each place once; ``first`` is what the first file is called."""
    entries = whole.gathered.data.get(table, [])
    numbers = (
        number for number, entry in enumerate(entries, 1) if isinstance(entry, Mapping) and entry.get("name") == name
    )
    return list(dict.fromkeys(str(whole.gathered.origins.get((table, number), first)) for number in numbers))


def _origins(gathered: Gathered) -> Iterator[tuple[str, Origin]]:
    for (table, number), origin in gathered.origins.items():
        entry = gathered.data[table][number - 1]
        name = entry.get("name") if isinstance(entry, Mapping) else None
        yield (f"{table}.{name}" if isinstance(name, str) and name else f"{table}[{number}]"), origin


def _located(fault: Fault, origins: Mapping[str, Origin], place: str) -> Fault:
    head = _head(fault.place, origins)
    if not head or fault.where is not None:
        return replace(fault, place=place)
    origin = origins[head]
    if head.endswith("]") and place.startswith(head):  # an entry without a name is counted in its own file
        place = f"{head.rpartition('[')[0]}[{origin.number}]{place[len(head) :]}"
    return replace(fault, place=place, where=str(origin))


def _head(place: str, heads: Mapping[str, object]) -> str:
    """The longest of ``heads`` that ``place`` begins with, at the end of a word; empty where there is none."""
    fitting = (head for head in heads if place.startswith(head) and place[len(head) : len(head) + 1] in ("", ".", "["))
    return max(fitting, key=len, default="")
