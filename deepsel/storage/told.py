"""What came of asking a store: the value, and what went wrong on the way, for the one who asked."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from deepsel.values import Notice

_T = TypeVar("_T")


class Told(NamedTuple, Generic[_T]):
    """The end of one piece of work."""

    value: _T | None
    """None: the store cannot be used, or the work itself gave None."""
    notices: tuple[Notice, ...] = ()
    """Why it cannot be used; empty where it can."""
