"""What went wrong in a thread, carried to the one who waits for it: a thread that dies alone would look like one that is done."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Carried:
    """A context manager for the work of threads: it ends quietly, and keeps the first error for `raise_it`. Thread-safe."""

    def __init__(self) -> None:
        """Carry nothing yet."""
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Keep what was raised, of whatever class: whoever waits knows what to do with it."""
        self._error = self._error or error
        return True

    def __bool__(self) -> bool:
        """Whether something went wrong."""
        return self._error is not None

    def raise_it(self) -> None:
        """Raise what went wrong first; do nothing where nothing did."""
        if self._error is not None:
            raise self._error
