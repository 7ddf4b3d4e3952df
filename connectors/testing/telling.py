"""What a failed check says: what came, what should have come, and where to look."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import pytest

from connectors.errors import SourceError
from connectors.testing.platform import FakePlatform

if TYPE_CHECKING:
    from connectors.testing.pulls import Pulls

SHOWN = 3


def expect(held: object, otherwise: str) -> None:
    """Fail the check with words of its own where ``held`` is false."""
    if not held:
        pytest.fail(otherwise, pytrace=False)


def expect_all(pulls: Pulls, fake: FakePlatform, law: str) -> None:
    """Everything sound on the platform is stored, and nothing else; ``law`` says which promise is broken otherwise."""
    missing, strange = fake.expected() - set(pulls.stored), set(pulls.stored) - fake.expected()
    if not missing and not strange:
        return
    lines = [law]
    if missing:
        lines.append(f"{len(missing)} of {len(fake.expected())} items never came: {dated(missing, fake)}")
    if strange:
        lines.append(f"{len(strange)} came that the platform does not have: {some(map(repr, strange))}")
    if missing and strange:
        lines.append("Perhaps the connector names items otherwise than the fake's external_id() says.")
    lines.append(f"last cursor: {pulls.cursor!r}")
    pytest.fail("\n".join(lines), pytrace=False)


def expect_fate(pull: Callable[[], object], fate: type[SourceError], cause: str) -> SourceError:
    """The error of that fate, which ``pull`` must end with because of ``cause``."""
    try:
        pull()
    except SourceError as error:
        said = f"{cause}: must become {fate.__name__}, became {type(error).__name__} ({error})"
        expect(type(error) is fate, f"{said}. Ask through context.http, or raise {fate.__name__} yourself.")
        return error
    except Exception as error:
        said = f"{cause}: must become {fate.__name__}, but {type(error).__name__} left the connector"
        raise AssertionError(f"{said}. Nothing but the fates of connectors.errors may leave it.") from error
    pytest.fail(
        f"{cause}: must become {fate.__name__}, but the pull ended as if all were well. Do not swallow it.",
        pytrace=False,
    )


def some(names: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    return _first(sorted(names))


def dated(ids: Collection[str], fake: FakePlatform) -> str:
    """The oldest few of these identities, each with its time."""
    seeds = {fake.external_id(seed): seed for seed in fake.seeds}
    return _first([f"{seeds[one].at:%d %b %H:%M:%S} {one!r}" for one in sorted(ids, key=lambda one: seeds[one].at)])


def _first(found: Sequence[str]) -> str:
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"{', '.join(found[:SHOWN])}{more}"
