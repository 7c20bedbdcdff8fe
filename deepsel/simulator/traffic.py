"""What depends on earlier calls: whose step it is, what is cold, what is over a limit, which prefix was seen."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass, field

from deepsel.simulator.answers.reply import Mark
from deepsel.simulator.faults.table import FAULTS
from deepsel.simulator.scenario import Behaviour, Scenario

CACHE_BLOCK_TOKENS = 128
_CACHE_BLOCK_BYTES = 4 * CACHE_BLOCK_TOKENS
_MAX_SEEN_BLOCKS = 100_000


@dataclass(frozen=True, slots=True)
class TrafficTurn:
    """What one call meets."""

    behaviour: Behaviour
    fault: str | None
    cold_s: float
    """What is left of a cold start."""
    since_first_s: float
    """From the simulator's first call to this one."""
    remaining: int | None
    """Calls left in the window; None: there is no limit."""
    reset_s: float
    """Until the window is empty."""
    refused_wait_s: float | None
    """Wait of a call over a limit; None: it is let in, and has to be given back with `leave`."""


@dataclass(slots=True)
class _ModelState:
    """What is remembered of one model id."""

    last_s: float | None = None
    warm_at_s: float = 0.0
    running: int = 0
    admitted_s: deque[float] = field(default_factory=deque)
    seen: set[int] = field(default_factory=set)


class Traffic:
    """The state of one simulator; safe to use from any thread. Times are its clock's seconds."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._lock = threading.Lock()
        self._calls = 0
        self._pattern_calls: dict[str, int] = {}
        self._models: dict[str, _ModelState] = {}
        self._first_s: float | None = None

    def meet_accept(self) -> Mark | None:
        """Say what a new connection meets, which counts as a call; None: go on and read a request.

        No model is known yet, so that only the default and the simulator's own steps decide.
        """
        with self._lock:
            fault = self._scenario.behaviour(None, self._calls).fault_of(self._calls)
            act = FAULTS[fault].at_accept if fault else None
            if act:
                self._calls += 1
            return act

    def enter(self, model: str, at_s: float) -> TrafficTurn:
        """Take the next turn for a call to a model."""
        with self._lock:
            call = self._calls
            self._calls += 1
            pattern = self._scenario.pattern_of(model)
            model_call = self._pattern_calls.get(pattern or "", 0)
            self._pattern_calls[pattern or ""] = model_call + 1
            behaviour = self._scenario.behaviour(pattern, call, model_call=model_call)
            if self._first_s is None:
                self._first_s = at_s
            state = self._models.setdefault(model, _ModelState())
            wait_s = _refused_wait_s(state, behaviour, at_s)
            cold_s = 0.0
            if wait_s is None:
                state.running += 1
                state.admitted_s.append(at_s)
                cold_s = _cold_s(state, behaviour, at_s)
            limit = behaviour.limit_requests
            return TrafficTurn(
                behaviour=behaviour,
                fault=behaviour.fault_of(call),
                cold_s=cold_s,
                since_first_s=at_s - self._first_s,
                remaining=None if limit is None else max(0, limit - len(state.admitted_s)),
                reset_s=state.admitted_s[-1] + behaviour.limit_window_s - at_s if state.admitted_s else 0.0,
                refused_wait_s=wait_s,
            )

    def leave(self, model: str, at_s: float) -> None:
        """Give a turn back: the answer's last bytes are about to be written, or its client has left."""
        with self._lock:
            state = self._models[model]
            state.running -= 1
            state.last_s = max(at_s, state.last_s or at_s)

    def cached_tokens(self, model: str, prompt: str) -> int:
        """Give how much of a prompt this model read before, in whole blocks from its start, and remember the rest."""
        data = prompt.encode("utf-8", "surrogatepass")
        chain = 0
        hits = 0
        is_prefix = True
        with self._lock:
            seen = self._models[model].seen
            if len(seen) > _MAX_SEEN_BLOCKS:
                seen.clear()
            for start in range(0, len(data) - _CACHE_BLOCK_BYTES + 1, _CACHE_BLOCK_BYTES):
                chain = hash((chain, data[start : start + _CACHE_BLOCK_BYTES]))
                is_prefix = is_prefix and chain in seen
                hits += is_prefix
                seen.add(chain)
        return hits * CACHE_BLOCK_TOKENS


def _refused_wait_s(state: _ModelState, behaviour: Behaviour, at_s: float) -> float | None:
    """Say how long a call over a limit has to wait, rounded up to milliseconds; None: there is room."""
    while state.admitted_s and state.admitted_s[0] <= at_s - behaviour.limit_window_s:
        state.admitted_s.popleft()
    if behaviour.limit_requests is not None and len(state.admitted_s) >= behaviour.limit_requests:
        wait_s = state.admitted_s[0] + behaviour.limit_window_s - at_s
        return max(1, math.ceil(wait_s * 1000)) / 1000
    if behaviour.max_concurrent is not None and state.running >= behaviour.max_concurrent:
        return behaviour.retry_after_s
    return None


def _cold_s(state: _ModelState, behaviour: Behaviour, at_s: float) -> float:
    """Let a model go cold after its idle time, and say what is left until it is warm; callers in between wait too."""
    idle_s = math.inf if state.last_s is None else at_s - state.last_s
    allowed_s = behaviour.idle_before_cold_s
    if state.last_s is None or (allowed_s is not None and idle_s > allowed_s and not state.running - 1):
        state.warm_at_s = at_s + behaviour.cold_start_s
    cold_s = max(0.0, state.warm_at_s - at_s)
    state.last_s = at_s + cold_s
    return cold_s
