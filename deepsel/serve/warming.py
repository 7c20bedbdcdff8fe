"""Keeps named models warm beside the server, as `deepsel warm` does: a call as small as can be, only where nobody has asked lately."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from deepsel.clock import Clock
from deepsel.config import Profile
from deepsel.errors import DeepselError
from deepsel.session.open import Session
from deepsel.session.warm import Warmer

EVERY_S = 60.0
"""How long a model may be idle."""
_LATER_S = 3600.0
"""After a budget was reached, or a key was missing, it is tried again."""


class _Ended(Exception):
    """The server ends."""


class _ClockThatEnds:
    """A clock whose sleep is over when the server ends."""

    def __init__(self, clock: Clock, ending: threading.Event) -> None:
        self._clock, self._ending = clock, ending
        self.monotonic = clock.monotonic

    def now(self) -> datetime:
        """Return the wall-clock instant in UTC."""
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        """Wait; raises _Ended where the server ends meanwhile."""
        if self._ending.wait(max(0.0, seconds)):
            raise _Ended


@contextmanager
def keeping_warm(
    models: tuple[str, ...], profile: Profile, session: Session, log: Callable[[dict[str, Any]], None]
) -> Iterator[None]:
    """Keep models warm within the context; raises ConfigError for one that nobody knows. Each call is a line of the log."""
    if not models:
        yield
        return
    ending = threading.Event()
    resources = session.resources._replace(clock=_ClockThatEnds(session.clock, ending))
    warmer = Warmer(models, EVERY_S, profile, resources)

    def work() -> None:
        while not ending.is_set():
            try:
                for ping in warmer.run():
                    at = session.clock.now().isoformat(timespec="milliseconds")
                    told = {"warm": ping.model, "kind": ping.kind, "ttft_s": ping.ttft_s, "cost_usd": ping.cost_usd}
                    log({"at": at, **told, "error": ping.failure or None})
            except _Ended:
                return
            except DeepselError as error:
                log({"at": session.clock.now().isoformat(timespec="milliseconds"), "warm": None, "error": error.message})
                ending.wait(_LATER_S)

    thread = threading.Thread(target=work, name="serve-warm", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(5.0)
