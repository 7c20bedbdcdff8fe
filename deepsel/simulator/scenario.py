"""What the simulator is told to do: behaviours, steps and scenarios; reads no file and knows no socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

Changes: TypeAlias = Mapping[str, Any]
"""Some of Behaviour's fields with new values, already checked."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one call is answered."""

    headers_s: float = 0.0
    """From the request to the head of a stream, and its opening events."""
    ttft_s: float = 0.0
    """From the request to the first token, reasoning included."""
    itl_s: float = 0.0
    """Between two tokens; `tokens_per_s` in a file is its inverse."""
    cold_start_s: float = 0.0
    """Added, head included, while the model is cold."""
    idle_before_cold_s: float | None = None
    """Without traffic for longer, a model goes cold; None: only the first call is cold."""
    stall_s: float = 0.0
    """Length of a window in which nothing is written to anyone."""
    stall_at_s: float = 0.0
    """Start of the first such window, from the simulator's first call."""
    stall_every_s: float | None = None
    """From one window's start to the next; None: there is one."""
    output_tokens: int | None = None
    """Length of the answer, reasoning apart; None: as long as it comes."""
    reasoning_tokens: int | None = None
    """None: some for ids ending in `-reasoner` and where thinking is asked for."""
    text: str | None = None
    """The answer, word for word."""
    chunk_tokens: int = 1
    """Tokens an event."""
    events_per_write: int = 1
    """Events that leave in one write."""
    cached_prefix: bool = False
    """Report the part of a prompt seen before as cached, in blocks of 128 tokens."""
    context_window: int | None = None
    """Prompt and `max_tokens` above this sum are refused."""
    refused_members: tuple[str, ...] = ()
    """A body that has one of these members is refused by its name."""
    max_concurrent: int | None = None
    """More calls at once to a model get a 429."""
    limit_requests: int | None = None
    """More calls to a model in one window get a 429 that says when the window has room."""
    limit_window_s: float = 1.0
    headers: Mapping[str, str] = field(default_factory=dict)
    """Added to the response, whatever it is."""
    fault: tuple[str, ...] = ()
    """Names in FAULTS; of several, each call takes one by chance."""
    fault_rate: float = 1.0
    """Share of the calls that meet the fault."""
    seed: int = 0
    """Makes chance repeatable."""
    fault_error: str = "503"
    """The error that `error_event_*` put inside a 200."""
    fault_count: int = 5
    """Comments or blank lines."""
    fault_interval_s: float = 0.01
    """Between two of them."""
    fault_bytes: int = 20 << 20
    """Size of what is huge."""
    retry_after_s: float = 1.0
    """The wait a 429 or 503 names."""
    batch_s: float = 0.0
    """From the making of a batch job to its end."""
    batch_day: str = ""
    """The bad day that batch jobs meet, of `batches.BAD_DAYS`; empty: none."""
    batch_bad_jobs: int = 1
    """How many jobs meet it, the first ones."""
    redirect_to: str = "http://redirected.invalid/"

    def released_s(self, at_s: float) -> float:
        """Move a moment out of the stall window it falls in; both count from the simulator's first call."""
        if not self.stall_s or at_s < self.stall_at_s:
            return at_s
        since = at_s - self.stall_at_s
        start = self.stall_at_s
        if self.stall_every_s:
            start += since // self.stall_every_s * self.stall_every_s
        return max(at_s, start + self.stall_s)

    def fault_of(self, call: int) -> str | None:
        """Name the fault that call number `call` meets, the same at every run; None: it goes well."""
        if not self.fault or (self.fault_rate >= 1 and len(self.fault) == 1):
            return self.fault[0] if self.fault else None
        import random  # 5 ms, and most scenarios leave nothing to chance

        chance = random.Random(f"{self.seed}/{call}")  # noqa: S311 - repeatable on purpose
        return chance.choice(self.fault) if chance.random() < self.fault_rate else None


@dataclass(frozen=True, slots=True)
class Section:
    """What is different for the models of one pattern."""

    changes: Changes = field(default_factory=dict)
    steps: tuple[Changes, ...] = ()
    """For the first, second, ... call to one of these models; then `changes` alone."""
    repeat_steps: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole play: how every call is answered."""

    name: str = "unnamed"
    description: str = ""
    default: Behaviour = Behaviour()
    models: Mapping[str, Section] = field(default_factory=dict)
    """By model id or pattern (`*`, `?`, `[...]`); the id itself wins, then the first pattern that fits."""
    steps: tuple[Changes, ...] = ()
    """For the first, second, ... call to the simulator, over the model's own; then none."""
    repeat_steps: bool = False
    """Start over after the last step."""
    known_models: tuple[str, ...] = ()
    """Patterns of the ids that exist; others get a 404. Empty: any id exists."""
    close_idle_s: float | None = None
    """A kept connection without a request for this long is closed without a word."""

    def pattern_of(self, model: str) -> str | None:
        """Give the key in `models` that fits an id; None where none does."""
        if model in self.models:
            return model
        return next((pattern for pattern in self.models if fnmatchcase(model, pattern)), None)

    def knows(self, model: str) -> bool:
        """Say whether a model of this id exists."""
        return not self.known_models or any(fnmatchcase(model, pattern) for pattern in self.known_models)

    def behaviour(self, pattern: str | None, call: int, *, model_call: int = 0) -> Behaviour:
        """Lay a model's changes, its step and the simulator's step over the default; calls count from 0."""
        changes: dict[str, Any] = {}
        if pattern is not None:
            section = self.models[pattern]
            changes.update(section.changes)
            changes.update(_step(section.steps, model_call, repeat=section.repeat_steps))
        changes.update(_step(self.steps, call, repeat=self.repeat_steps))
        return replace(self.default, **changes) if changes else self.default


def _step(steps: tuple[Changes, ...], call: int, *, repeat: bool) -> Changes:
    """Give the step of a call, empty after the last one."""
    if steps and repeat:
        call %= len(steps)
    return steps[call] if call < len(steps) else {}
