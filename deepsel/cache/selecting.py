"""Which entries a command is about: by model, provider, a pattern of the prompt, and age; pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TypedDict

from deepsel.cache.entry import CachedAnswer
from deepsel.errors import UsageError


class Selector(TypedDict, total=False):
    """Which entries are meant; None and what is left out select all."""

    model: str | None
    provider: str | None
    pattern: str | None
    """A part of the prompt, or a pattern with `*` and `?` for all of it; case does not matter."""
    older_than_s: float | None


def selection(selector: Selector, *, now: datetime) -> Callable[[CachedAnswer], bool]:
    """Make the test whether an answer is meant; raises UsageError for an age without an instant."""
    age_s, pattern = selector.get("older_than_s"), (selector.get("pattern") or "*").casefold().replace("[", "[[]")
    latest = None if age_s is None else _instant_before(now, age_s)
    wanted = [(name, selector.get(name)) for name in ("model", "provider")]
    glob = pattern if set(pattern) & {"*", "?"} else f"*{pattern}*"

    def is_meant(answer: CachedAnswer) -> bool:
        return (
            all(value in (None, getattr(answer, name)) for name, value in wanted)
            and (latest is None or answer.stored_at <= latest)
            and fnmatchcase(answer.question.casefold(), glob)
        )

    return is_meant


def _instant_before(now: datetime, seconds: float) -> datetime:
    """Return the instant so long ago; raises UsageError where there is none."""
    try:
        return now - timedelta(seconds=seconds)
    except OverflowError as error:
        raise UsageError("that is longer ago than dates go back") from error
