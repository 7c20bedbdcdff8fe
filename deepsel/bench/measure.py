"""One measured call: asks once, keeps the instants at which bytes left and came, and afterwards turns them into a sample.

While calls are measured nothing is computed from them: that happens when all are over, in `sample_of`.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from deepsel import tokens
from deepsel.bench.recording import Recording
from deepsel.bench.records import Role, Sample
from deepsel.catalog import Catalog
from deepsel.clock import Clock
from deepsel.engine.attempt import Draft, Settlement, billed_usd, settle, settle_failed
from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.providers.calls import Outgoing, Timeouts
from deepsel.providers.complete import stream_answer
from deepsel.secret import Secret
from deepsel.values import (
    Finish,
    Identity,
    Message,
    Model,
    Provider,
    ReasoningDelta,
    Request,
    Source,
    TextDelta,
    ToolCallDelta,
    Usage,
    WireEvent,
)
from deepsel.wires.table import wire_of

if TYPE_CHECKING:
    from deepsel.providers.exchange import Exchange
    from deepsel.providers.transport import HttpTransport

_SWITCH_S = 0.0005
"""How long one thread may keep others from running: a tenth of Python's own, since a waiting one has a stamp to take."""
_REPORTED = tokens.Count(0, Source.COUNTED, None, "reported")
"""Stands for a count of the prompt where nobody needs one."""


@dataclass(frozen=True, slots=True)
class BenchTarget:
    """A model and the way to it."""

    model: Model
    provider: Provider
    key: Secret | None


@dataclass(slots=True)
class Seen:
    """One call as it was seen. Instants are on the monotonic clock."""

    draft: Draft
    prompt: str
    role: Role
    intended_at: float | None
    """By the schedule of an open loop."""
    exchange: Exchange | None = None
    text_at: list[float] = field(default_factory=list)
    """Arrival of the bytes that completed each piece of the answer; equal for those of one read."""
    reasoning_at: list[float] = field(default_factory=list)
    calls_at: list[float] = field(default_factory=list)
    """Of each piece of a tool call."""
    request_id: str | None = None
    failure: AttemptFailed | None = None

    def arrivals_of(self, event: WireEvent) -> list[float] | None:
        """Return the list an event's arrival belongs in; None: it is no piece of the answer."""
        if isinstance(event, TextDelta):
            return self.text_at
        if isinstance(event, ReasoningDelta):
            return self.reasoning_at
        return self.calls_at if isinstance(event, ToolCallDelta) else None

    def opened(self, exchange: Exchange) -> None:
        """Take the call's stamps, which go on while it does."""
        self.exchange = exchange


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks models, each request with the same limits."""

    transport: HttpTransport
    clock: Clock
    catalog: Catalog
    """By which answers are billed."""
    timeout_s: float
    first_token_s: float | None
    temperature: float | None

    def call(
        self, target: BenchTarget, prompt: str, *, max_tokens: int, role: Role = "load", intended_at: float | None = None
    ) -> Seen:
        """Ask once and read the whole answer; a failure is kept, ConfigError is raised where nothing can be sent."""
        now = self.clock.monotonic()
        draft = Draft(target.model, target.provider, max_tokens, self.clock.now(), now, self.catalog)
        seen = Seen(draft, prompt, role, intended_at)
        timeouts = Timeouts(
            first_token_s=self.first_token_s,
            progress_s=self.first_token_s,
            idle_s=self.first_token_s,
            deadline=now + self.timeout_s,
        )
        request = Request((Message.of("user", prompt),), temperature=self.temperature)
        wire = wire_of(target.provider.wire)
        body = wire.encode(request, target.model, target.provider, max_tokens=max_tokens)
        events = stream_answer(
            Recording(self.transport, wire.END_MARKS),
            Outgoing(target.provider, target.key, body),
            timeouts=timeouts,
            clock=self.clock,
            on_response=lambda facts: draft.heed(facts.gateway, facts.sent_bytes),
            on_open=seen.opened,
        )
        try:
            for event in events:
                arrivals = seen.arrivals_of(event)
                if arrivals is not None:
                    at = seen.exchange.last_read_at if seen.exchange else None
                    assert at is not None
                    arrivals.append(at)
                elif isinstance(event, Identity):
                    seen.request_id = event.request_id or seen.request_id
                draft.take(event, now)
        except AttemptFailed as failure:
            seen.failure = failure
        draft.join()
        return seen


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep garbage collection out of the measured part, and let a thread whose bytes have come run at once."""
    was_enabled, before = gc.isenabled(), sys.getswitchinterval()
    gc.collect()
    gc.disable()
    sys.setswitchinterval(_SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
        if was_enabled:
            gc.enable()


# --- afterwards ------------------------------------------------------------------------------------------------------


def sample_of(seen: Seen, *, run_began_at: float) -> Sample:
    """Turn a call into a sample; each field's formula stands at the field."""
    draft, exchange = seen.draft, seen.exchange
    began_at = draft.started_s if seen.intended_at is None else seen.intended_at
    usage, cost_usd = _usage_and_cost(seen)
    base = Sample(
        at_s=began_at - run_began_at,
        role=seen.role,
        error=_error(seen),
        request_id=seen.request_id or (seen.failure.request_id if seen.failure else None),
        late_s=None if seen.intended_at is None else draft.started_s - seen.intended_at,
        input_tokens=usage.input_tokens,
        cached_input_tokens=usage.cache_read,
        output_tokens=usage.output_tokens,
        cost_usd=cost_usd,
        form="whole" if exchange is not None and exchange.is_document else "stream",
        tool_calls=len(draft.calls) or None,
    )
    return base if exchange is None or base.error is not None else _timed(base, seen, exchange, usage)


def _timed(base: Sample, seen: Seen, exchange: Exchange, usage: Usage) -> Sample:
    """Add the times of an answered call."""
    handed_over_at = exchange.write_began_at or exchange.started_at
    since = handed_over_at if seen.intended_at is None else seen.intended_at
    pieces = sorted([*seen.reasoning_at, *seen.text_at, *seen.calls_at])
    arrivals = sorted(set(pieces))
    is_stream = base.form == "stream"
    return replace(
        base,
        ttfb_s=None if exchange.first_byte_at is None else exchange.first_byte_at - handed_over_at,
        ttft_s=seen.text_at[0] - since if seen.text_at and is_stream else None,
        reasoning_ttft_s=seen.reasoning_at[0] - since if seen.reasoning_at and is_stream else None,
        itl_s=tuple(later - earlier for earlier, later in pairwise(arrivals)),
        tpot_s=_tpot_s(arrivals, _streamed_tokens(seen, usage)),
        e2e_s=pieces[-1] - (seen.draft.started_s if seen.intended_at is None else since) if pieces else None,
        connect_s=exchange.connect_s,
        dns_s=exchange.dns_s,
        tcp_s=exchange.tcp_s,
        tls_s=exchange.tls_s,
    )


def _streamed_tokens(seen: Seen, usage: Usage) -> int | None:
    """Count the tokens that came in pieces: reasoning that is billed but not shown came before the first of them."""
    if usage.output_reasoning and not seen.reasoning_at:
        return usage.output_visible
    return usage.output_tokens


def _tpot_s(arrivals: list[float], output_tokens: int | None) -> float | None:
    """Return (last - first) / (tokens - 1); None where all came at once, or the tokens are not known."""
    if len(arrivals) < 2 or output_tokens is None or output_tokens < 2:
        return None
    return (arrivals[-1] - arrivals[0]) / (output_tokens - 1)


def _error(seen: Seen) -> str | None:
    """Name what went wrong; an answer that ends at the token limit is a good one here."""
    if seen.failure is not None:
        return seen.failure.error_class
    return ErrorClass.CONTENT_POLICY if seen.draft.finish is Finish.FILTERED else None


def _usage_and_cost(seen: Seen) -> tuple[Usage, Decimal | None]:
    """Give what was used and what it cost, by what was reported; our own count, which takes long to load, stands in."""
    draft, usage = seen.draft, seen.draft.usage
    is_told = usage is not None and bool(usage.output_tokens) and bool(usage.input_tokens)
    needs_count = not is_told and (seen.failure is None or draft.text or draft.reasoning)
    settled = _settled(seen, _counted(seen) if needs_count else _REPORTED)
    if settled.notices and not needs_count:  # what was reported cannot be, or looks as if
        settled = _settled(seen, _counted(seen))
    return settled.usage, billed_usd(draft.provider, settled.cost_usd)


def _settled(seen: Seen, count: tokens.Count) -> Settlement:
    """Price the call, however it ended."""
    return settle(seen.draft, count) if seen.failure is None else settle_failed(seen.draft, seen.failure, count)


def _counted(seen: Seen) -> tokens.Count:
    return tokens.count_request(Request((Message.of("user", seen.prompt),)), tokens.reader_of(seen.draft.model))
