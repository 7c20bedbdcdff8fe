"""Asks one model once: body, call, response, events; owns no retry, no price and no deadline but those it is given."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING

from deepsel.clock import Clock
from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.providers.calls import Call, Outgoing, Response, ResponseFacts, Timeouts, Transport, Trust
from deepsel.providers.content import ComingAnswer
from deepsel.secret import Secret
from deepsel.values import (
    Finish,
    Gateway,
    Identity,
    Passed,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageReport,
    WireEvent,
)
from deepsel.wires import bodies, error_shapes, failures, waits
from deepsel.wires.fields import load_leading_objects
from deepsel.wires.gateways import read_gateway
from deepsel.wires.payload import apart
from deepsel.wires.sse import Event, EventStream
from deepsel.wires.table import wire_of
from deepsel.wires.wire import Decoder

if TYPE_CHECKING:
    from deepsel.providers.exchange import Exchange

MAX_BODY_BYTES = 32 * 1024 * 1024
"""Largest answer that does not stream."""
MAX_BODY_VALUES = 1_000_000
"""Most values of such an answer: each takes ten times the memory of the few bytes it may be written in."""

_EVENT_FIELDS = (b"data", b"event", b"id", b"retry", b":")
_BLANK = b" \t\r\n\xef\xbb\xbf"
# How a connection may end after the finish value without the answer being less whole.
_LATE_ENDS = frozenset({ErrorClass.STREAM_CUT, ErrorClass.STALLED})
# How long usage and end marker, which some servers never send, are waited for after the finish value.
_AFTER_FINISH_S = 5.0


def stream_answer(
    transport: Transport,
    outgoing: Outgoing,
    *,
    timeouts: Timeouts,
    clock: Clock,
    on_response: Callable[[ResponseFacts], None] | None = None,
    on_open: Callable[[Exchange], None] | None = None,
) -> Iterator[WireEvent]:
    """Send a request once and yield what comes; raises AttemptFailed for every bad end, ConfigError where nothing can be sent.

    `on_response` gets the facts of the response, of a refused one too, before the first event; `on_open` gets the time
    stamps of the call, which go on while it does. Closing the iterator ends the call.
    """
    provider, key, is_stream = outgoing.provider, outgoing.key, outgoing.is_stream
    wire = wire_of(provider.wire)
    headers = _headers({**outgoing.headers, **wire.headers(provider, key)}, is_stream=is_stream)
    url, trust = bodies.with_query(wire.url(provider), provider), Trust.of(provider)
    call = Call("POST", url, headers, bodies.serialise(outgoing.body), outgoing.on_wait, trust)
    if not is_stream:  # nothing comes while the whole answer is being made
        timeouts = timeouts._replace(first_token_s=None, progress_s=None, idle_s=None)
    with transport.open(call, timeouts=timeouts) as response:
        if on_open is not None:
            on_open(response.exchange)
        reader = failures.FailureReader(provider, response.secrets, response.headers, clock.now())
        facts = _facts(response, reader, len(call.body))
        if on_response is not None:
            on_response(facts)
        if not 200 <= response.status < 300:
            raise reader.failure(response.read_start(error_shapes.MAX_ERROR_BYTES), status=response.status)
        if facts.request_id:
            yield Identity(request_id=facts.request_id)
        events = _decoded(response, wire.Decoder(reader.failure_inside), reader, outgoing)
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


def _facts(response: Response, reader: failures.FailureReader, sent_bytes: int) -> ResponseFacts:
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
        sent_bytes=sent_bytes,
    )


# --- from bytes to events --------------------------------------------------------------------------------------------


def _decoded(
    response: Response, decoder: Decoder, reader: failures.FailureReader, outgoing: Outgoing
) -> Iterator[WireEvent]:
    """Yield the answer's events by what the body really is: servers misname it, or answer JSON to a stream."""
    chunks = response.iter_bytes()
    head, kind = _sniff(chunks)
    is_clean = False
    try:
        if kind == "stream":
            is_clean = yield from _streamed(head, chunks, decoder, response, passes_on=outgoing.passes_on)
        elif kind == "json":
            response.exchange.is_document = True
            documents = load_leading_objects(_rest(head, chunks))
            if outgoing.passes_on and not outgoing.is_stream:
                first = next(documents)
                yield Passed(json.dumps(first, ensure_ascii=False, separators=(",", ":")), is_end=True)
                documents = chain((first,), documents)
            events = chain.from_iterable(map(decoder.read, documents))
            yield from events if outgoing.is_stream else _with_stated_cost(events, read_gateway(response.headers))
            is_clean = True
        else:
            raise _no_answer(head, chunks, kind, reader)
    except AttemptFailed:
        yield from decoder.rest(is_clean=False)
        raise
    yield from decoder.rest(is_clean=is_clean)
    if kind == "stream":
        response.drain()
    decoder.close()


def _no_answer(head: bytes, chunks: Iterator[bytes], kind: str, reader: failures.FailureReader) -> AttemptFailed:
    """Make the failure of a 200 that holds no answer: that of the error it says in words or in a list, else malformed."""
    body = head
    with suppress(AttemptFailed):
        while len(body) < error_shapes.MAX_ERROR_BYTES and (chunk := next(chunks, b"")):
            body += chunk
    said = reader.failure(body, status=200)
    is_told = (body.startswith(b"[") and body[1:].lstrip().startswith(b"{")) or said.error_class.is_refusal
    return said if is_told and kind != "empty" else AttemptFailed(ErrorClass.MALFORMED, f"the answer is {kind}")


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
    lowered = start[:5].lower()
    if any(lowered.startswith(name) or name.startswith(lowered) for name in _EVENT_FIELDS):
        return start, "stream"
    return start, "a web page" if start.startswith(b"<") else "neither JSON nor an event stream"


def _streamed(
    head: bytes, chunks: Iterator[bytes], decoder: Decoder, response: Response, *, passes_on: bool
) -> Generator[WireEvent, None, bool]:
    """Yield a stream's events up to its end; an end of the connection after a whole answer is as good as a marker.

    Returns whether it came to its end and did not break off.
    """
    parser = EventStream()
    was_sure, late_end = False, None
    try:
        for chunk in chain((head,), chunks):
            for event in chain.from_iterable(map(apart, parser.feed(chunk))):
                yield from _passed(decoder, event) if passes_on else decoder.feed(event)
                if decoder.is_ended:
                    return True
            if decoder.is_sure is not was_sure:
                was_sure = decoder.is_sure
                response.exchange.hurry(_AFTER_FINISH_S if was_sure else None)
    except AttemptFailed as failure:
        if failure.error_class not in _LATE_ENDS:
            raise
        late_end = failure
    for event in chain.from_iterable(map(apart, parser.rest())):
        found = _unended(decoder, event)
        if passes_on and found:
            yield Passed(event.data, event.event, decoder.is_whole)
        yield from found
    if late_end is not None and not (decoder.is_whole or decoder.is_ended):
        raise late_end
    return late_end is None


def _passed(decoder: Decoder, event: Event) -> Iterator[WireEvent]:
    """Yield an event as it came, then what it says; one that is an error is not passed."""
    found: list[WireEvent] = []
    try:
        found.extend(decoder.feed(event))
    except AttemptFailed:
        yield from found
        raise
    yield Passed(event.data, event.event, decoder.is_whole)
    yield from found


def _unended(decoder: Decoder, event: Event) -> list[WireEvent]:
    """Read the last event of a stream, which nothing has ended: what is no whole document is a cut one, and says nothing."""
    found: list[WireEvent] = []
    try:
        found.extend(decoder.feed(event))
    except AttemptFailed as failure:
        if failure.error_class is not ErrorClass.MALFORMED:
            raise
    return found


def _rest(head: bytes, chunks: Iterator[bytes]) -> bytes:
    """Return the whole body."""
    body = bytearray(head)
    for chunk in chunks:
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise AttemptFailed(ErrorClass.MALFORMED, f"the answer is larger than {MAX_BODY_BYTES:,} bytes")
    if sum(map(body.count, (b",", b"{", b"["))) > MAX_BODY_VALUES:
        raise AttemptFailed(ErrorClass.MALFORMED, f"the answer consists of more than {MAX_BODY_VALUES:,} values")
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
    odd = (gateway.odd_cost,) if gateway and gateway.odd_cost else ()
    if cost_usd is not None or odd:
        yield UsageReport(latest, cost_usd, odd=odd)


def _checked(events: Iterator[WireEvent], response: Response) -> Iterator[WireEvent]:
    """Part text from reasoning it begins with, join characters cut in two, note progress of content, bound its size.

    Raises AttemptFailed (empty) where a whole answer holds neither text nor a call: reasoning alone is none.
    """
    content = ComingAnswer(response.secrets)
    exchange = response.exchange
    try:
        for event in events:
            if isinstance(event, TextDelta):
                whole = content.text.feed(event.text)
                if content.tags.is_over:  # as nearly always
                    if whole:
                        yield event if whole is event.text else TextDelta(whole)
                        exchange.progress(is_answer=True)  # after the yield: the reader's own pace is not the provider's
                        content.grow(whole)
                    continue
                pieces: Iterable[WireEvent] = content.tags.feed(whole)
                exchange.progress(is_answer=False)  # what it is will be known later
            else:
                pieces = content.other(event)
            for piece in pieces:
                yield piece
                if isinstance(piece, (TextDelta, ReasoningDelta, ToolCallDelta)):
                    exchange.progress(is_answer=not isinstance(piece, ReasoningDelta))
                    content.note(piece)
    except AttemptFailed:
        yield from content.flush()
        raise
    yield from content.flush()
    if content.is_blank and content.finish in (Finish.COMPLETE, None):
        what = "the model wrote reasoning and no answer" if content.has_reasoning else "the answer is empty"
        raise AttemptFailed(ErrorClass.EMPTY, what, should_retry=False if content.has_reasoning else None)
