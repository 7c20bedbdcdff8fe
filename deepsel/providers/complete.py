"""Asks one model once: body, call, response, events; owns no retry, no price and no deadline but those it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from deepsel.clock import Clock
from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.providers.calls import Call, Response, ResponseFacts, Timeouts, Transport
from deepsel.secret import Secret
from deepsel.surrogates import Mender
from deepsel.values import (
    Finish,
    FinishReport,
    Gateway,
    Identity,
    JsonObject,
    Provider,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageReport,
    WireEvent,
)
from deepsel.wires import bodies, failures, waits
from deepsel.wires.fields import load_leading_object
from deepsel.wires.gateways import read_gateway
from deepsel.wires.sse import EventStream
from deepsel.wires.table import WIRES
from deepsel.wires.wire import Decoder

if TYPE_CHECKING:
    from deepsel.providers.exchange import Exchange

MAX_BODY_BYTES = 32 * 1024 * 1024
"""Largest answer that does not stream."""
MAX_TEXT_CHARS = 32 * 1024 * 1024
"""Most text, reasoning and arguments of one answer."""

_EVENT_FIELDS = (b"data", b"event", b"id", b"retry", b":")
_BLANK = b" \t\r\n\xef\xbb\xbf"
# How a connection may end after the finish value without the answer being less whole.
_LATE_ENDS = frozenset({ErrorClass.STREAM_CUT, ErrorClass.STALLED})
# How long usage and end marker, which some servers never send, are waited for after the finish value.
_AFTER_FINISH_S = 5.0


def stream_answer(
    transport: Transport,
    body: JsonObject,
    provider: Provider,
    key: Secret | None,
    *,
    is_stream: bool,
    timeouts: Timeouts,
    clock: Clock,
    on_response: Callable[[ResponseFacts], None] | None = None,
    on_open: Callable[[Exchange], None] | None = None,
) -> Iterator[WireEvent]:
    """Send `body` once and yield what comes; raises AttemptFailed for every bad end, ConfigError where nothing can be sent.

    `on_response` gets the facts of the response, of a refused one too, before the first event; `on_open` gets the time
    stamps of the call, which go on while it does. Closing the iterator ends the call.
    """
    wire = WIRES[provider.wire]
    call = Call(
        "POST",
        bodies.with_query(wire.url(provider), provider),
        _headers(wire.headers(provider, key), is_stream=is_stream),
        bodies.serialise(body),
    )
    if not is_stream:  # nothing comes while the whole answer is being made
        timeouts = timeouts._replace(first_token_s=None, progress_s=None, idle_s=None)
    with transport.open(call, timeouts=timeouts) as response:
        if on_open is not None:
            on_open(response.exchange)
        reader = failures.FailureReader(provider, key, response.headers, clock.now())
        facts = _facts(response, reader)
        if on_response is not None:
            on_response(facts)
        if not 200 <= response.status < 300:
            raise reader.failure(response.read_start(failures.MAX_ERROR_BYTES), status=response.status)
        if facts.request_id:
            yield Identity(request_id=facts.request_id)
        events = _decoded(response, wire.Decoder(reader.failure_inside), is_stream=is_stream)
        try:
            yield from _checked(events, response)
        except AttemptFailed as failure:
            failure.http_status = failure.http_status or response.status
            failure.request_id = failure.request_id or facts.request_id
            raise


def _headers(headers: dict[str, str | Secret], *, is_stream: bool) -> dict[str, str | Secret]:
    """Add what the form of the answer needs; a compressed stream would come in lumps."""
    if is_stream:
        return {"accept": "text/event-stream", "accept-encoding": "identity", **headers}
    return {"accept": "application/json", **headers}


def _facts(response: Response, reader: failures.FailureReader) -> ResponseFacts:
    exchange = response.exchange
    return ResponseFacts(
        http_status=response.status,
        allowance=waits.remaining(response.headers, now=reader.now),
        request_id=failures.request_id(response.headers),
        connect_s=exchange.connect_s,
        started_at=exchange.started_at,
        sent_at=exchange.sent_at,
        first_byte_at=exchange.first_byte_at,
        gateway=read_gateway(response.headers),
    )


# --- from bytes to events --------------------------------------------------------------------------------------------


def _decoded(response: Response, decoder: Decoder, *, is_stream: bool) -> Iterator[WireEvent]:
    """Yield the answer's events by what the body really is: servers misname it, or answer JSON to a stream."""
    chunks = response.iter_bytes()
    head, kind = _sniff(chunks)
    if kind == "stream":
        yield from _streamed(head, chunks, decoder, response)
        response.drain()
    elif kind == "json":
        events = decoder.read(load_leading_object(_rest(head, chunks)))
        yield from events if is_stream else _with_stated_cost(events, read_gateway(response.headers))
    else:
        raise AttemptFailed(ErrorClass.MALFORMED, f"the answer is {kind}")
    decoder.close()


def _sniff(chunks: Iterator[bytes]) -> tuple[bytes, str]:
    """Read as little as tells what a body is: `json`, `stream`, else in words; returns it with what was read."""
    head = start = b""
    for chunk in chunks:
        head = (head if start else b"") + chunk  # blank lines before the answer are kept nowhere
        start = head.lstrip(_BLANK)
        if len(start) >= 5 or start[:1] in (b"{", b":"):
            break
    if not start:
        return head, "empty"
    if start.startswith(b"{"):
        return start, "json"
    if any(start.startswith(name) or name.startswith(start) for name in _EVENT_FIELDS):
        return start, "stream"
    return start, "a web page" if start.startswith(b"<") else "neither JSON nor an event stream"


def _streamed(head: bytes, chunks: Iterator[bytes], decoder: Decoder, response: Response) -> Iterator[WireEvent]:
    """Yield a stream's events up to its end; an end of the connection after a whole answer is as good as a marker."""
    parser = EventStream()
    was_whole = False
    try:
        for chunk in chain((head,), chunks):
            for event in parser.feed(chunk):
                yield from decoder.feed(event)
                if decoder.is_ended:
                    return
            if decoder.is_whole and not was_whole:
                was_whole = True
                response.exchange.hurry(_AFTER_FINISH_S)
    except AttemptFailed as failure:
        if not (decoder.is_whole and failure.error_class in _LATE_ENDS):
            raise


def _rest(head: bytes, chunks: Iterator[bytes]) -> bytes:
    """Return the whole body."""
    body = bytearray(head)
    for chunk in chunks:
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise AttemptFailed(ErrorClass.MALFORMED, f"the answer is larger than {MAX_BODY_BYTES:,} bytes")
    return bytes(body)


# --- what holds for every wire ---------------------------------------------------------------------------------------


def _with_stated_cost(events: Iterator[WireEvent], gateway: Gateway | None) -> Iterator[WireEvent]:
    """Add the charge a gateway states in a header; that of a stream is sent before it is known."""
    cost_usd = gateway.cost_usd if gateway else None
    latest = Usage()
    for event in events:
        if isinstance(event, UsageReport):
            latest = event.usage
        yield event
    if cost_usd is not None:
        yield UsageReport(latest, cost_usd)


def _checked(events: Iterator[WireEvent], response: Response) -> Iterator[WireEvent]:
    """Join characters that were cut in two between events, note progress of content, bound its size.

    Raises AttemptFailed (empty) where a whole answer holds nothing.
    """
    menders = {TextDelta: Mender(), ReasoningDelta: Mender()}
    calls: dict[int, Mender] = {}
    exchange, size, is_blank, finish = response.exchange, 0, True, None
    for event in events:
        if not isinstance(event, (TextDelta, ReasoningDelta)):
            if isinstance(event, ToolCallDelta):
                event = _mended(event, calls)
                size, is_blank = size + len(event.name) + len(event.arguments), False
                if size > MAX_TEXT_CHARS:
                    raise _too_long()
                exchange.progress()
            elif isinstance(event, FinishReport):
                finish = event.finish
            yield event
            continue
        whole = menders[type(event)].feed(event.text)
        if not whole:
            continue
        yield event if whole is event.text else type(event)(whole)
        exchange.progress()  # after the yield: the reader's own pace is not the provider's
        size += len(whole)
        is_blank = is_blank and not whole.strip()
        if size > MAX_TEXT_CHARS:
            raise _too_long()
    for kind in (ReasoningDelta, TextDelta):
        if rest := menders[kind].flush():
            is_blank = False
            yield kind(rest)
    yield from (ToolCallDelta(number, arguments=rest) for number, one in calls.items() if (rest := one.flush()))
    if is_blank and finish in (Finish.COMPLETE, None):
        raise AttemptFailed(ErrorClass.EMPTY, "the answer is empty")


def _mended(event: ToolCallDelta, calls: dict[int, Mender]) -> ToolCallDelta:
    """Join what was cut in two of a call's arguments."""
    return event._replace(arguments=calls.setdefault(event.number, Mender()).feed(event.arguments))


def _too_long() -> AttemptFailed:
    return AttemptFailed(ErrorClass.MALFORMED, f"the answer is longer than {MAX_TEXT_CHARS:,} characters")
