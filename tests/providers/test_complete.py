"""One call from request to events, over real sockets, on both wires."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from deepsel.clock import SystemClock
from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.providers.calls import Outgoing, ResponseFacts, Timeouts
from deepsel.providers.complete import stream_answer
from deepsel.providers.transport import HttpTransport
from deepsel.secret import Secret
from deepsel.values import Doubt, Finish, FinishReport, Identity, ReasoningDelta, TextDelta, UsageReport, WireEvent
from deepsel.wires.table import wire_names, wire_of
from deepsel.wires.waits import Quota

Make = Callable[..., Any]
PATIENT = Timeouts(connect_s=60, first_token_s=60, progress_s=60, idle_s=60)


def events_of(*documents: Any) -> bytes:
    """Make an event stream of documents; texts stand as they are."""
    texts = [document if isinstance(document, str) else json.dumps(document) for document in documents]
    return "".join(f"data: {text}\n\n" for text in texts).encode()


def piece(wire: str, text: str) -> dict[str, Any]:
    if wire == "openai-chat":
        return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    if wire == "openai-responses":
        return {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": text}
    return {"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}}


ENDS: dict[str, list[Any]] = {
    "openai-chat": [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, "[DONE]"],
    "anthropic-messages": [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}],
    "openai-responses": [{"type": "response.completed", "response": {"object": "response", "status": "completed", "output": []}}],
}


def whole(wire: str, text: str, finish: str = "") -> dict[str, Any]:
    if wire == "openai-chat":
        return {"choices": [{"message": {"content": text}, "finish_reason": finish or "stop"}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 2}}  # fmt: skip
    usage = {"input_tokens": 3, "output_tokens": 2}
    if wire == "openai-responses":
        content = [{"type": "refusal" if finish == "refusal" else "output_text", "refusal" if finish == "refusal" else "text": text}]
        output: list[Any] = [{"type": "message", "role": "assistant", "content": content}]
        output += [{"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}] if finish == "tool_use" else []
        cut = {"status": "incomplete", "incomplete_details": {"reason": finish}} if finish.startswith(("max", "content")) else {}
        return {"object": "response", "status": "completed", "output": output, "usage": usage, **cut}
    return {"type": "message", "content": [{"type": "text", "text": text}], "stop_reason": finish or "end_turn",
            "usage": usage}  # fmt: skip


class Asker:
    """Asks one server, and keeps what came before the end and the facts of the response."""

    def __init__(self, transport: HttpTransport, request: Any, model: Any, provider: Any) -> None:
        self._parts = (transport, request, model, provider)
        self.events: list[WireEvent] = []
        self.facts: list[ResponseFacts] = []

    def iterate(self, timeouts: Timeouts = PATIENT) -> Iterator[WireEvent]:
        transport, request, model, provider = self._parts
        body = wire_of(provider.wire).encode(request, model, provider, max_tokens=50)
        return stream_answer(
            transport,
            Outgoing(provider, Secret("sk-key-0123456789"), body, is_stream=request.stream),
            timeouts=timeouts,
            clock=SystemClock(),
            on_response=self.facts.append,
        )

    def run(self, timeouts: Timeouts = PATIENT) -> str:
        """Return the text; what came before a failure stays in `events`."""
        self.events = []
        for event in self.iterate(timeouts):
            self.events.append(event)
        return self.text

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    def failure(self, timeouts: Timeouts = PATIENT) -> AttemptFailed:
        with pytest.raises(AttemptFailed) as caught:
            self.run(timeouts)
        return caught.value


@pytest.fixture(params=list(wire_names()))
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def asker(wire: str, serve: Make, ask: Make, model: Make, provider: Make, clock: Any) -> Iterator[Make]:
    """Make something that asks a server that plays the given responses, one a connection."""
    with HttpTransport(clock, env={}) as transport:

        def make(*responses: Any, stream: bool = True, **fields: Any) -> Asker:
            scripts = [["read", *(response if isinstance(response, tuple) else (response,))] for response in responses]
            server = serve(*scripts)
            asker = Asker(transport, ask(stream=stream, **fields), model(), provider(wire=wire, base_url=server.url))
            asker.server = server  # type: ignore[attr-defined]
            return asker

        yield make


# --- good answers ----------------------------------------------------------------------------------------------------


def test_stream(wire: str, asker: Make, stream: Make) -> None:
    """A stream gives its text and finish; the key arrives and shows nowhere."""
    asking = asker(stream(events_of(piece(wire, "Hel"), piece(wire, "lo"), *ENDS[wire])))
    assert asking.run() == "Hello"
    assert any(isinstance(event, FinishReport) and event.finish is Finish.COMPLETE for event in asking.events)
    assert b"sk-key-0123456789" in asking.server.requests[0]
    assert "sk-key" not in repr(asking.events)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/event-stream", "text/html"])
@pytest.mark.parametrize("is_stream", [True, False])
@pytest.mark.parametrize("asked", [True, False])
def test_form_is_told_by_the_body(
    wire: str, asker: Make, reply: Make, asked: bool, is_stream: bool, kind: str
) -> None:
    """A good answer is read whichever form was asked for and whatever its content type says."""
    body = events_of(piece(wire, "Hi"), *ENDS[wire]) if is_stream else json.dumps(whole(wire, "Hi"))
    assert asker(reply(body, kind=kind), stream=asked).run() == "Hi"


@pytest.mark.parametrize(
    "lead", [b"\n\n\r\n  ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"], ids=["blank lines", "byte-order mark", "both"]
)
@pytest.mark.parametrize("is_stream", [True, False])
def test_what_leads_an_answer(wire: str, asker: Make, stream: Make, lead: bytes, is_stream: bool) -> None:
    """Blank lines and a byte-order mark before an answer, alone in their chunk too, are no part of it."""
    body = events_of(piece(wire, "Hi"), *ENDS[wire]) if is_stream else json.dumps(whole(wire, "Hi")).encode()
    assert asker(stream(lead, body)).run() == "Hi"
    assert asker(stream(lead + body)).run() == "Hi"
    assert asker(stream(*(bytes([byte]) for byte in lead + body))).run() == "Hi"


def test_comments_before_and_between(wire: str, asker: Make, stream: Make) -> None:
    """Keep-alive comments are neither content nor errors."""
    body = b": wait\n\n" + events_of(piece(wire, "Hi")) + b": ping\n\n" + events_of(*ENDS[wire])
    assert asker(stream(body)).run() == "Hi"


def test_gzip(wire: str, asker: Make, reply: Make) -> None:
    """A compressed answer is read, asked for or not."""
    body = gzip.compress(events_of(piece(wire, "Hi"), *ENDS[wire]))
    assert asker(reply(body, content_encoding="gzip")).run() == "Hi"


def test_nothing_follows_the_end(wire: str, asker: Make, stream: Make, reply: Make) -> None:
    """Text after the end marker, and after a JSON document, is not part of the answer."""
    assert asker(stream(events_of(piece(wire, "Hi"), *ENDS[wire], piece(wire, " late")))).run() == "Hi"
    assert asker(reply(json.dumps(whole(wire, "Hi")) + " late")).run() == "Hi"


def test_connection_is_kept_after_a_stream(wire: str, asker: Make, stream: Make) -> None:
    """What follows the end marker is read up, so that the next call can use the connection."""
    answer = stream(events_of(piece(wire, "Hi"), *ENDS[wire]))
    asking = asker((answer, "read", answer))
    assert [asking.run(), asking.run()] == ["Hi", "Hi"]
    assert asking.server.connections == 1
    assert [facts.connect_s is None for facts in asking.facts] == [False, True]


def test_characters_cut_in_two(wire: str, asker: Make, stream: Make) -> None:
    """A character whose halves come in two events is one; a half without its other is replaced."""
    body = events_of(piece(wire, "a\ud83d"), piece(wire, "\ude00b"), piece(wire, "\ud83d"), *ENDS[wire])
    assert asker(stream(body)).run() == "a😀b\ufffd"


def test_facts_come_first(wire: str, asker: Make, reply: Make) -> None:
    """Status, request id and what is left of the limits are told before the first event, of a refusal too."""
    headers = {"x_request_id": "r-1", "x_ratelimit_remaining_requests": "4"}
    asking = asker(reply(json.dumps(whole(wire, "Hi")), **headers), reply("{}", "429 Slow", **headers))
    first = next(iter(asking.iterate()))
    assert first == Identity(request_id="r-1")
    assert (asking.facts[0].http_status, asking.facts[0].allowance.requests) == (200, Quota(4))
    assert asking.failure().request_id == "r-1"
    assert asking.facts[1].http_status == 429


@pytest.mark.parametrize(("asked", "cost"), [(False, Decimal("0.0021")), (True, None)])
def test_charge_in_a_header(wire: str, asker: Make, reply: Make, asked: bool, cost: Decimal | None) -> None:
    """A LiteLLM proxy's charge counts where no stream was asked for; a stream's is sent before it is known."""
    asking = asker(reply(json.dumps(whole(wire, "Hi")), x_litellm_response_cost="0.0021"), stream=asked)
    asking.run()
    last = [event for event in asking.events if isinstance(event, UsageReport)][-1]
    assert last.cost_usd == cost
    assert (last.usage.input_tokens, last.usage.output_tokens) == (3, 2)


# --- bad ends --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize(
    ("body", "error_class"),
    [
        ("", ErrorClass.MALFORMED),
        ("\n\n", ErrorClass.MALFORMED),
        ("<html><title>Hello</title>", ErrorClass.MALFORMED),
        ("Internal error", ErrorClass.MALFORMED),
        ("[]", ErrorClass.MALFORMED),
        ('{"choices": [', ErrorClass.MALFORMED),
        ('{"error": {"code": 503, "message": "m"}}', ErrorClass.OVERLOADED),
        ('{"type": "error", "error": {"type": "rate_limit_error"}}', ErrorClass.RATE_LIMITED),
        ('{"detail": "m"}', ErrorClass.SERVER),
        ("{}", ErrorClass.STREAM_CUT),
        ("data: {}\n\n", ErrorClass.STREAM_CUT),
        (": only comments\n\n", ErrorClass.STREAM_CUT),
        ("da", ErrorClass.STREAM_CUT),
        ("data: {\n\n", ErrorClass.MALFORMED),
        ('data: {"error": {"code": "insufficient_quota"}}\n\n', ErrorClass.BILLING),
        ('event: error\ndata: {"error": {"type": "overloaded_error"}}\n\n', ErrorClass.OVERLOADED),
    ],
)
def test_bad_bodies_of_a_200(asker: Make, reply: Make, body: str, error_class: ErrorClass, asked: bool) -> None:
    """What is no answer inside a 200 has its class, whatever was asked for."""
    failure = asker(reply(body), stream=asked).failure()
    assert (failure.error_class, failure.http_status) == (error_class, 200)


def test_a_million_values_are_refused_before_they_are_made(wire: str, asker: Make, reply: Make) -> None:
    """An answer of tiny values takes many times its size once it is parsed: it is refused by counting, a long text is not."""
    answer = json.dumps(whole(wire, "The answer."))
    for filler in ("[],", "{},", '"",', "1,"):
        body = f'{answer[:-1]}, "more": [{filler * 1_100_000}1]}}'
        assert "1,000,000 values" in asker(reply(body)).failure().message
    assert asker(reply(json.dumps(whole(wire, "a word, " * 100_000)))).run() == "a word, " * 100_000


def test_no_content(asker: Make) -> None:
    """A 204 is no answer."""
    assert asker(b"HTTP/1.1 204 No Content\r\n\r\n").failure().error_class is ErrorClass.MALFORMED


def test_invalid_utf8(wire: str, asker: Make, reply: Make) -> None:
    """Bytes that are no UTF-8 are malformed, in a stream and in a document."""
    streamed = events_of(piece(wire, "@"), *ENDS[wire]).replace(b"@", b"\xff")
    document = json.dumps(whole(wire, "@")).encode().replace(b"@", b"\xff")
    for body in (streamed, document):
        assert asker(reply(body)).failure().error_class is ErrorClass.MALFORMED


@pytest.mark.parametrize("status", ["429 Slow", "529 Busy"])
def test_refused_with_a_wait(asker: Make, reply: Make, status: str) -> None:
    """A refused call carries its class, status, wait and words, without the key."""
    body = json.dumps({"error": {"message": "slow down, sk-key-0123456789"}})
    failure = asker(reply(body, status, retry_after="2")).failure()
    assert failure.http_status == int(status[:3])
    assert failure.retry_after_s == 2
    assert "slow down, [redacted]" in failure.message


def test_error_in_the_middle(wire: str, asker: Make, stream: Make) -> None:
    """What came before an error stays, and the error has its class."""
    asking = asker(stream(events_of(piece(wire, "Hi"), {"error": {"code": "rate_limit_exceeded"}}, *ENDS[wire])))
    assert asking.failure().error_class is ErrorClass.RATE_LIMITED
    assert asking.text == "Hi"


@pytest.mark.parametrize("ended", [True, False])
def test_cut_in_the_middle(wire: str, asker: Make, stream: Make, ended: bool) -> None:
    """A stream that ends without a finish value is cut, cleanly closed or not."""
    asking = asker(stream(events_of(piece(wire, "Hi"), piece(wire, "there"))[:-9], ended=ended))
    assert asking.failure().error_class is ErrorClass.STREAM_CUT
    assert asking.text == "Hi"


@pytest.mark.parametrize("end", [(), ("reset",)])
def test_connection_lost_after_the_finish_value(wire: str, asker: Make, stream: Make, end: tuple[Any, ...]) -> None:
    """A finish value behind the text makes the answer whole: gateways of both wires leave the end marker out."""
    asking = asker((stream(events_of(piece(wire, "Hi"), ENDS[wire][0]), ended=False), *end))
    assert asking.run() == "Hi"


def test_silence_after_the_finish_value(asker: Make, stream: Make, wire: str) -> None:
    """Where the end marker never comes, the wait for it costs no answer."""
    asking = asker((stream(events_of(piece(wire, "Hi"), ENDS[wire][0]), ended=False), "hang"))
    assert asking.run(Timeouts(idle_s=0.05)) == "Hi"


def test_what_breaks_off_behind_text_is_doubted(asker: Make, stream: Make, wire: str) -> None:
    """A finish value that came with text is no proof of the end where the stream breaks off behind it; Anthropic's never does."""
    begun = {"choices": [{"index": 0, "delta": {"content": "The sky"}, "finish_reason": "stop"}]}
    ended = [begun] if wire == "openai-chat" else [piece(wire, "The sky"), ENDS[wire][0]]
    asking = asker((stream(events_of(*ended), ended=False), "hang"))
    assert asking.run(Timeouts(idle_s=0.05)) == "The sky"
    assert any(isinstance(event, Doubt) for event in asking.events) is (wire == "openai-chat")


def test_a_stop_reason_at_the_start_ends_nothing(asker: Make, stream: Make, wire: str) -> None:
    """What the first event says of the end is no end: a stream that breaks off behind it is cut."""
    heads = {
        "openai-chat": {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"}]},
        "anthropic-messages": {"type": "message_start", "message": {"stop_reason": "end_turn", "content": []}},
        "openai-responses": {"type": "response.created", "response": {"status": "completed", "output": []}},
    }
    asking = asker(stream(events_of(heads[wire], piece(wire, "The sky")), ended=False))
    assert asking.failure().error_class is ErrorClass.STREAM_CUT


def test_much_of_nothing(wire: str, asker: Make, reply: Make) -> None:
    """Blank lines that decompress to far more than the bound on a body are kept nowhere and do no harm."""
    body = gzip.compress(b"\n" * 40_000_000 + json.dumps(whole(wire, "Hi")).encode())
    assert asker(reply(body, content_encoding="gzip")).run() == "Hi"


def test_size_of_a_document(wire: str, asker: Make, reply: Make) -> None:
    """A document of more than 32 MiB is no answer."""
    body = json.dumps(whole(wire, "x" * (32 * 1024 * 1024)))
    assert asker(reply(body), stream=False).failure().error_class is ErrorClass.MALFORMED


@pytest.mark.parametrize("is_stream", [True, False])
def test_empty_answer(wire: str, asker: Make, stream: Make, reply: Make, is_stream: bool) -> None:
    """A complete end with nothing but blanks is an empty answer; a filtered, cut or tool end is not."""
    blank = [piece(wire, " \n"), *ENDS[wire]]
    response = stream(events_of(*blank)) if is_stream else reply(json.dumps(whole(wire, "")))
    assert asker(response).failure().error_class is ErrorClass.EMPTY
    others = ("length", "tool_calls", "content_filter") if wire == "openai-chat" else ("max_tokens", "tool_use", "refusal")
    if wire == "openai-responses":
        others = ("max_output_tokens", "tool_use", "content_filter")
    for finish in others:
        asking = asker(reply(json.dumps(whole(wire, "", finish))))
        assert asking.run() == ""


# --- timers ----------------------------------------------------------------------------------------------------------


def test_keep_alives_are_no_progress(wire: str, asker: Make, stream: Make, clock: Any) -> None:
    """Comments, pings and events without content move neither the limit for the first token nor that for the next."""
    clock.count()
    role = events_of({"choices": [{"delta": {"role": "assistant"}}]}, {"type": "ping"})
    failure = asker((stream(role, ended=False), "drip")).failure(Timeouts(first_token_s=0.05))
    assert (failure.error_class, "no first token" in failure.message) == (ErrorClass.STALLED, True)
    asking = asker((stream(events_of(piece(wire, "Hi")), ended=False), "drip"))
    assert asking.failure(Timeouts(progress_s=0.05)).error_class is ErrorClass.STALLED
    assert asking.text == "Hi"


def test_whole_answer_without_streaming_is_waited_for(asker: Make, clock: Any) -> None:
    """Where nothing streams only the deadline counts: no byte comes while the answer is being made."""
    tight = Timeouts(first_token_s=0.0, idle_s=0.0, progress_s=0.0, deadline=clock.count() + 0.05)
    failure = asker("hang", stream=False).failure(tight)
    assert (failure.error_class, "time limit" in failure.message) == (ErrorClass.STALLED, True)


def test_closing_the_iterator_ends_the_call(wire: str, asker: Make, stream: Make) -> None:
    """A reader who leaves in the middle closes the connection."""
    asking = asker((stream(events_of(piece(wire, "Hi")), ended=False), "hang"), stream(events_of(piece(wire, "b"), *ENDS[wire])))
    events = asking.iterate()
    assert isinstance(next(events), TextDelta)
    events.close()  # type: ignore[attr-defined]
    assert asking.run() == "b"
    assert asking.server.connections == 2


def test_reasoning_is_apart(asker: Make, reply: Make, wire: str) -> None:
    """Reasoning never stands in the text, and an answer of reasoning alone is none, which is not asked for again."""
    if wire == "openai-chat":
        document: Any = {"choices": [{"message": {"reasoning_content": "r"}, "finish_reason": "stop"}]}
    elif wire == "openai-responses":
        thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "r"}]}
        document = {"object": "response", "status": "completed", "output": [thought]}
    else:
        document = {"type": "message", "content": [{"type": "thinking", "thinking": "r"}], "stop_reason": "end_turn"}
    asking = asker(reply(json.dumps(document)))
    failure = asking.failure()
    assert (failure.error_class, failure.should_retry) == (ErrorClass.EMPTY, False)
    assert asking.text == ""
    assert ReasoningDelta("r") in asking.events
