"""A table whose records are made when they are first asked for: most commands look at one or two of a hundred."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Generic, TypeVar

_Row = TypeVar("_Row")


class RowsOnDemand(Mapping[str, _Row], Generic[_Row]):
    """A read-only mapping that makes each record when it is first asked for."""

    def __init__(self, names: Mapping[str, Any], make: Callable[[str], _Row]) -> None:
        self._names = names
        self._make = cache(make)

    def __reduce__(self) -> tuple[type[dict[str, _Row]], tuple[dict[str, _Row]]]:
        """Travel to another process as the records themselves: what makes them stays here."""
        return dict, (dict(self),)

    def __getitem__(self, name: str) -> _Row:
        if name not in self._names:
            raise KeyError(name)
        return self._make(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
