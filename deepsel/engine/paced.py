"""A limiter that finds out by itself how many calls each target bears; the rule is `pacing`, this holds the places and the lock.

Processes of one user that run jobs at the same time count their calls to a target together, and tell each other what they find.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel.clock import Clock
from deepsel.engine.limiter import Limiter
from deepsel.engine.pacing import CallPace, EndedCall, after_refusal, after_success
from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.health.endpoint import Endpoint

if TYPE_CHECKING:
    from deepsel.health.state import SharedState
    from deepsel.values import Provider

_TOO_MANY = frozenset({ErrorClass.RATE_LIMITED, ErrorClass.OVERLOADED})
_LOOK_S = 1.0
"""How often the finds of other processes are looked for, and one's own are told."""


@dataclass(slots=True)
class FoundLimit:
    """What has been found of one target."""

    pace: CallPace = field(default_factory=CallPace)
    most: int = 1
    in_flight: int = 0
    peak: int = 0
    """The most calls that were under way at once."""
    refused: int = 0
    looked_at: float = float("-inf")
    told: tuple[float, float | None] = (0.0, None)
    """Limit and ceiling as they were last told, or heard, with other processes."""


class PacedLimiter(Limiter):
    """Holds calls to what each target bears, as far as its provider's row states no number. Safe to use from many threads."""

    def __init__(self, folder: Path, clock: Clock, *, most: int, state: SharedState) -> None:
        """Find limits of up to `most` calls at once; `state` is where other processes' finds are."""
        super().__init__(folder, clock)
        self._most, self._state = most, state
        self._found: dict[Hashable, FoundLimit] = {}
        self._free = threading.Condition()

    @property
    def forgives(self) -> bool:
        """Say that refusals are heeded here."""
        return True

    @property
    def room(self) -> int:
        """Calls that may be under way at once to all targets that are known; of none, as many as a new one may have."""
        with self._free:
            return sum(min(one.pace.places, one.most) for one in self._found.values()) or CallPace().places

    def found(self) -> dict[str, FoundLimit]:
        """Return what has been found, by `PROVIDER/MODEL`."""
        with self._free:
            return {"/".join(map(str, target)) if isinstance(target, tuple) else str(target): one for target, one in self._found.items()}

    def heard(self, target: Hashable, failure: AttemptFailed | None, *, started_s: float, first_sign_s: float | None) -> None:
        """Let a call's end change the pace of its target."""
        now = self._clock.monotonic()
        with self._free:
            one = self._found[target]
            seen = EndedCall(started_s, now, one.in_flight, first_sign_s)
            if failure is None:
                one.pace = after_success(one.pace, seen, most=one.most)
            elif failure.error_class in _TOO_MANY:
                one.refused += 1
                one.pace = after_refusal(one.pace, seen)
            is_time = now - one.looked_at >= _LOOK_S
            if is_time:
                one.looked_at = now
            self._free.notify_all()
        if is_time and isinstance(target, Endpoint):
            self._exchange(target, one)

    @contextmanager
    def taken(self, provider: Provider, *, timeout_s: float, target: Hashable = None) -> Iterator[bool]:
        """Hold one of the places that the target is found to have; gives False where none was free within `timeout_s`."""
        ends = self._clock.monotonic() + max(0.0, timeout_s)
        one = self._of(target, provider)
        with self._free:
            is_free = self._free.wait_for(lambda: one.in_flight < min(one.pace.places, one.most), max(0.0, timeout_s))
            if is_free:
                one.in_flight += 1
                one.peak = max(one.peak, one.in_flight)
        if not is_free:
            yield False
            return
        try:
            with self.shared(f"{provider.name} {provider.base_url} {target}", lambda: min(one.pace.places, one.most), ends) as is_taken:
                if provider.max_concurrency is None or not is_taken:
                    yield is_taken
                else:
                    with super().taken(provider, timeout_s=ends - self._clock.monotonic()) as is_one_of_all:
                        yield is_one_of_all
        finally:
            with self._free:
                one.in_flight -= 1
                self._free.notify_all()

    def _of(self, target: Hashable, provider: Provider) -> FoundLimit:
        with self._free:
            if target not in self._found:
                most = min(self._most, provider.max_concurrency or self._most)
                self._found[target] = FoundLimit(CallPace(limit=min(CallPace().limit, float(most))), most)
            return self._found[target]

    def _exchange(self, endpoint: Endpoint, one: FoundLimit) -> None:
        """Take what another process has found since, else tell what was found here."""
        at = self._clock.now().timestamp()
        told = self._state.pace(endpoint, at=at).value
        with self._free:
            own = (round(one.pace.limit, 3), one.pace.ceiling)
            heard = None if told is None else (round(told.limit, 3), told.ceiling)
            if heard is not None and heard != one.told:
                now = self._clock.monotonic()
                limit, ceiling = min(heard[0], float(one.most)), heard[1]
                one.pace = one.pace._replace(limit=limit, ceiling=ceiling, is_searching=ceiling is None)
                one.pace = one.pace._replace(changed_at=now, signs_s=(), run=0, calls=0)
                one.told = heard
                self._free.notify_all()
                return
            if own == one.told:
                return
            one.told = own
        self._state.keep_pace(endpoint, *own, at=at)
