"""Reading answers of the wires, in every form the providers give them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import (
    Doubt,
    Finish,
    FinishReport,
    Identity,
    JsonObject,
    ReasoningDelta,
    TextDelta,
    Usage,
    UsageReport,
    WireEvent,
)
from deepsel.wires.growing import REPEATED
from deepsel.wires.sse import Event
from deepsel.wires.table import wire_names, wire_of


def fail(document: JsonObject | str) -> AttemptFailed:
    return AttemptFailed(ErrorClass.SERVER, f"found {document}")


def decode(wire: str, *documents: Any) -> list[WireEvent]:
    """Feed documents, or texts as they are, as events; accept the end."""
    decoder = wire_of(wire).Decoder(fail)
    events = []
    for document in documents:
        data = document if isinstance(document, str) else json.dumps(document)
        events += list(decoder.feed(Event(data)))
    events += list(decoder.rest(is_clean=True))
    decoder.close()
    return events


def chunk(delta: Any = None, finish: str | None = None, **members: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **members}


STOP = chunk({}, "stop")
STOPPED = FinishReport(Finish.COMPLETE, "stop")


def message(text: str, finish: str | None = "stop") -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}]}


WORDED = [chunk({"content": "One two"}), chunk({"content": " three"}), chunk({"content": " four"})]
WORDS = [TextDelta("One two"), TextDelta(" three"), TextDelta(" four")]
TAKEN_BACK = FinishReport(None, "")
TOO_EARLY = Doubt("the provider called the answer finished before it was, and nothing tells that it is whole now")


@pytest.mark.parametrize(
    ("documents", "events"),
    [
        pytest.param(
            [chunk({"role": "assistant", "content": None}, model="m-1"), chunk({"content": "Hi"}, model="m-1"), STOP,
             {"choices": [], "usage": {"prompt_tokens": 2, "completion_tokens": 0}}, "[DONE]"],
            [Identity("m-1"), TextDelta("Hi"), STOPPED, UsageReport(Usage(input_uncached=2, output_visible=0))],
            id="plain",
        ),
        pytest.param([{"service_tier": "default", **chunk({"content": "t"})}, {"service_tier": "default", **STOP}],
                     [Identity(service_tier="default"), TextDelta("t"), STOPPED], id="tier"),
        pytest.param([{"id": "x"}, {"choices": None}, {"choices": [{"index": 0}]}, chunk(None), STOP], [STOPPED],
                     id="chunks-of-nothing"),
        pytest.param([chunk({"reasoning_content": "r"}), chunk({"content": "t"}), STOP],
                     [ReasoningDelta("r"), TextDelta("t"), STOPPED], id="deepseek"),
        pytest.param([chunk({"reasoning": "r", "reasoning_details": [{"text": "r"}]}), STOP], [ReasoningDelta("r"), STOPPED],
                     id="openrouter-once"),
        pytest.param([chunk({"reasoning_details": [{"summary": "s"}, {"data": "?"}]}), STOP],
                     [ReasoningDelta("s"), STOPPED], id="openrouter-details"),
        pytest.param(
            [chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "r"}]},
                                {"type": "text", "text": "t"}]}), STOP],
            [ReasoningDelta("r"), TextDelta("t"), STOPPED], id="mistral",
        ),
        pytest.param([chunk({"content": "t"}, "stop", usage={"completion_tokens": 1})],
                     [TextDelta("t"), STOPPED, UsageReport(Usage(output_visible=1))], id="all-in-one-and-no-done"),
        pytest.param([chunk({"content": "t"}), STOP, "[DONE]", chunk({"content": "later"})], [TextDelta("t"), STOPPED],
                     id="nothing-after-the-end"),
        pytest.param([chunk({"content": "a"}, "stop"), chunk({"content": "b"}, "stop"), "[DONE]"],
                     [TextDelta("a"), STOPPED, TextDelta("b"), TAKEN_BACK, STOPPED], id="finish-on-every-chunk"),
        pytest.param([chunk({"content": "a"}, "stop"), chunk({"content": "b"}, "stop")],
                     [TextDelta("a"), STOPPED, TextDelta("b"), TAKEN_BACK, STOPPED, TOO_EARLY], id="and-no-end-marker"),
        pytest.param([chunk({"content": "a"}), STOP, chunk({"content": "b"}), "[DONE]"],
                     [TextDelta("a"), STOPPED, TextDelta("b"), TAKEN_BACK, STOPPED, TOO_EARLY], id="text-after-the-finish-value"),
        pytest.param([chunk({"content": "a"}), STOP, chunk({"content": "\n"}), "[DONE]"],
                     [TextDelta("a"), STOPPED, TextDelta("\n")], id="blanks-after-the-finish-value"),
        pytest.param([chunk({"content": "a"}), STOP, chunk({}, "length")],
                     [TextDelta("a"), STOPPED, FinishReport(Finish.LENGTH, "length")], id="the-finish-that-says-more"),
        pytest.param([chunk({"content": "a"}), chunk({}, "length"), STOP],
                     [TextDelta("a"), FinishReport(Finish.LENGTH, "length")], id="and-not-the-later-one"),
        pytest.param([*WORDED, message("One two three four"), "[DONE]"], [*WORDS, STOPPED], id="message-in-the-last-chunk"),
        pytest.param([*WORDED, STOP, message("One two three four", None)], [*WORDS, STOPPED], id="message-after-the-end"),
        pytest.param([*WORDED, chunk({"content": "One two three four"}, "stop")], [*WORDS, STOPPED], id="text-in-the-last-chunk"),
        pytest.param([*WORDED, message("One two three four five")], [*WORDS, TextDelta(" five"), STOPPED], id="message-says-more"),
        pytest.param([*WORDED, message("Something else")], [*WORDS, STOPPED, REPEATED], id="message-says-something-else"),
        pytest.param([message("Hi there, you")], [TextDelta("Hi there, you"), STOPPED], id="message-alone"),
        pytest.param([message("Hi there", None), message(", you")], [TextDelta("Hi there"), TextDelta(", you"), STOPPED],
                     id="deltas-called-messages"),
        pytest.param([chunk({"content": "The sky"}), chunk({"content": "The sky is"}), chunk({"content": "The sky is blue"}), STOP],
                     [TextDelta("The sky"), TextDelta(" is blue"), STOPPED], id="snapshots"),
        pytest.param([chunk({"content": "ha"}), chunk({"content": "ha"}), chunk({"content": "!"}), STOP],
                     [TextDelta("ha"), TextDelta("ha!"), STOPPED], id="repeated-by-the-model"),
        pytest.param([chunk({"content": "Yes"}), chunk({"content": "Yes"}, "stop")],
                     [TextDelta("Yes"), STOPPED, REPEATED], id="short-and-repeated-at-the-end"),
        pytest.param([": comment", "null", "data: " + json.dumps(chunk({"content": "t"})), "[PING]", STOP, '"[DONE]"'],
                     [TextDelta("t"), STOPPED], id="no-data"),
        pytest.param([{**chunk({"content": "t"}), "error": {"message": "", "code": None}}, {**STOP, "error": {}}],
                     [TextDelta("t"), STOPPED], id="an-error-that-says-nothing"),
        pytest.param([chunk({"refusal": "No."}), STOP], [TextDelta("No."), FinishReport(Finish.FILTERED, "refusal")],
                     id="refusal"),
        pytest.param(
            [{"choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"},
                          {"index": 0, "delta": {"content": "a"}}]}, STOP],
            [TextDelta("a"), STOPPED], id="first-choice-only",
        ),
        pytest.param([{"choices": [{"index": 1, "delta": {"content": "a"}}]}, {"choices": [{"index": 0, "delta": {"content": "b"}}]},
                      {"choices": [{"index": "1", "delta": {"content": "c"}, "finish_reason": "stop"}]}],
                     [TextDelta("a"), TextDelta("c"), STOPPED], id="a-choice-by-another-number"),
        pytest.param([{"choices": [{"index": 0, "text": "a"}]}, {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}],
                     [TextDelta("a"), STOPPED], id="completed-text"),
        pytest.param([chunk({"thinking": "r"}), chunk({"thinking_blocks": [{"type": "thinking", "thinking": "s"}]}), WORDED[0], STOP],
                     [ReasoningDelta("r"), ReasoningDelta("s"), WORDS[0], STOPPED], id="other-names-of-reasoning"),
        *(pytest.param([WORDED[0], {"choices": [{"index": 0, "delta": {}, **ending}]}], [WORDS[0], STOPPED], id=f"finish-{number}")
          for number, ending in enumerate([{"finishReason": "stop"}, {"finish_reason": None, "native_finish_reason": "stop"},
                                           {"delta": {"finish_reason": "stop"}}])),
        pytest.param([WORDED[0], {"choices": [{"index": 0, "delta": {"usage": {"prompt_tokens": 3}}, "finish_reason": "stop"}]}],
                     [WORDS[0], STOPPED, UsageReport(Usage(input_uncached=3))], id="usage-in-the-delta"),
        pytest.param([chunk({"content": "\n"}), "  ", STOP], [TextDelta("\n"), STOPPED], id="blank-data"),
        pytest.param([{**STOP, "usage": {"cost": 0.25}}], [STOPPED, UsageReport(Usage(), Decimal("0.25"))], id="cost-only"),
    ],
)  # fmt: skip
def test_openai_streams(documents: list[Any], events: list[WireEvent]) -> None:
    """Each form of stream gives its text, reasoning, identity, usage and finish, once."""
    assert decode("openai-chat", *documents) == events


def test_which_finish_value_hurries() -> None:
    """Nothing more is to be waited for after a finish value, unless it came with text, or text has followed one."""
    decoder = wire_of("openai-chat").Decoder(fail)
    seen = []
    for document in (chunk({"content": "a"}, "stop"), STOP, chunk({"content": "b"}), STOP):
        list(decoder.feed(Event(json.dumps(document))))
        seen.append((decoder.is_whole, decoder.is_sure))
    assert seen == [(True, False), (True, False), (False, False), (False, False)]
    plain = wire_of("openai-chat").Decoder(fail)
    for document in (chunk({"content": "a"}), STOP):
        list(plain.feed(Event(json.dumps(document))))
    assert (plain.is_whole, plain.is_sure) == (True, True)


@pytest.mark.parametrize(
    ("raw", "finish"),
    [("stop", Finish.COMPLETE), ("length", Finish.LENGTH), ("model_length", Finish.LENGTH), ("tool_calls", Finish.TOOL),
     ("function_call", Finish.TOOL), ("content_filter", Finish.FILTERED), ("novel", None)],
)  # fmt: skip
def test_openai_finish_values(raw: str, finish: Finish | None) -> None:
    """Finish values are mapped; an unknown one is kept as it came and counts as no finish."""
    assert decode("openai-chat", chunk({}, raw)) == [FinishReport(finish, raw)]


@pytest.mark.parametrize(
    ("raw", "error_class"),
    [("insufficient_system_resource", ErrorClass.OVERLOADED), ("aborted", ErrorClass.SERVER), ("error", ErrorClass.SERVER)],
)
def test_broken_finish_values_fail(raw: str, error_class: ErrorClass) -> None:
    """A finish value that says the provider gave up is a failure, after the text that came with it."""
    decoder = wire_of("openai-chat").Decoder(fail)
    events = decoder.feed(Event(json.dumps(chunk({"content": "t"}, raw))))
    assert next(events) == TextDelta("t")
    with pytest.raises(AttemptFailed) as failed:
        next(events)
    assert (failed.value.error_class, failed.value.code) == (error_class, raw)


@pytest.mark.parametrize(
    "documents", [["[DONE]"], [chunk({"content": "t"}), "[DONE]"], [chunk({"content": "t"}, "")], []]
)
def test_openai_without_finish_is_cut(documents: list[Any]) -> None:
    """An answer without a finish value is cut, whether `[DONE]` came or not."""
    with pytest.raises(AttemptFailed) as failed:
        decode("openai-chat", *documents)
    assert failed.value.error_class is ErrorClass.STREAM_CUT


MESSAGE = {"model": "c-1", "content": [], "stop_reason": None, "usage": {"input_tokens": 9, "output_tokens": 1}}
START = {"type": "message_start", "message": MESSAGE}
END = {"type": "message_stop"}


def delta(**members: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": members}


def ending(reason: str | None, **usage: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


def test_anthropic_stream() -> None:
    """Thinking and text are told apart, pings and unknown events say nothing, later usage replaces earlier."""
    events = decode(
        "anthropic-messages",
        START,
        {"type": "ping"},
        {"type": "content_block_start", "content_block": {"type": "thinking", "thinking": ""}},
        delta(type="thinking_delta", thinking="r"),
        delta(type="signature_delta", signature="sig"),
        {"type": "content_block_start", "content_block": {"type": "text", "text": "A"}},
        delta(type="text_delta", text="b"),
        delta(type="input_json_delta", partial_json="{"),
        {"type": "content_block_stop"},
        {"type": "invented"},
        ending("end_turn", output_tokens=30, cache_read_input_tokens=4),
        END,
        delta(type="text_delta", text="late"),
    )
    assert events == [
        Identity("c-1"),
        UsageReport(Usage(input_uncached=9, output_visible=1)),
        ReasoningDelta("r"),
        TextDelta("A"),
        TextDelta("b"),
        FinishReport(Finish.COMPLETE, "end_turn"),
        UsageReport(Usage(input_uncached=9, cache_read=4, output_visible=30)),
    ]


@pytest.mark.parametrize(
    ("raw", "finish"),
    [("end_turn", Finish.COMPLETE), ("stop_sequence", Finish.COMPLETE), ("tool_use", Finish.TOOL),
     ("max_tokens", Finish.LENGTH), ("model_context_window_exceeded", Finish.LENGTH), ("refusal", Finish.FILTERED),
     ("pause_turn", Finish.INCOMPLETE), ("novel", None)],
)  # fmt: skip
def test_anthropic_stop_reasons(raw: str, finish: Finish | None) -> None:
    """Stop reasons are mapped; an unknown one is kept as it came."""
    assert decode("anthropic-messages", ending(raw), END) == [FinishReport(finish, raw)]


TEXTS = [delta(type="text_delta", text="One two"), delta(type="text_delta", text=" three")]


@pytest.mark.parametrize(
    "documents", [[START], [START, END], [START, ending("end_turn"), TEXTS[0]], [START, ending(None), END], []]
)
def test_anthropic_without_its_end_is_cut(documents: list[Any]) -> None:
    """An answer is whole only with a stop reason that no text follows."""
    with pytest.raises(AttemptFailed) as failed:
        decode("anthropic-messages", *documents)
    assert failed.value.error_class is ErrorClass.STREAM_CUT


def block(kind: str, text: str) -> dict[str, Any]:
    return {"type": "message", "content": [{"type": kind, kind: text}], "stop_reason": "end_turn"}


ENDED = FinishReport(Finish.COMPLETE, "end_turn")


@pytest.mark.parametrize(
    ("documents", "events"),
    [
        pytest.param([*TEXTS, delta(type="text_delta", text="One two three"), ending("end_turn"), END],
                     ["One two", " three", ENDED, REPEATED], id="text-at-the-end"),
        pytest.param([delta(type="text_delta", text=text) for text in ("A word", "A word and", "A word and more")]
                     + [ending("end_turn"), END], ["A word", " and more", ENDED], id="snapshots"),
        pytest.param([*TEXTS, block("text", "One two three")], ["One two", " three", ENDED], id="message-at-the-end"),
        pytest.param([*TEXTS, block("text", "Something else")], ["One two", " three", ENDED, REPEATED], id="another-message"),
        pytest.param([{"type": "message_start", "message": {**block("text", "One two three"), "stop_reason": None}}, *TEXTS,
                      ending("end_turn"), END], ["One two", " three", ENDED], id="message-at-the-start"),
        pytest.param([{"type": "message_start", "message": {**block("text", "All"), "stop_reason": None}}, ending("end_turn"), END],
                     [ENDED, "All"], id="message-in-place-of-deltas"),
        pytest.param([TEXTS[0], ending("end_turn"), TEXTS[1], ending("end_turn"), END],
                     ["One two", ENDED, FinishReport(None, ""), " three", ENDED], id="stop-reason-too-early"),
        pytest.param([TEXTS[0], ending("end_turn"), TEXTS[1], END],
                     ["One two", ENDED, FinishReport(None, ""), " three", ENDED,
                      Doubt("text followed the stop reason, and nothing tells that it is whole")], id="text-after-the-stop-reason"),
        pytest.param([TEXTS[0], ending("MAX_TOKENS"), END], ["One two", FinishReport(Finish.LENGTH, "MAX_TOKENS")], id="spelling"),
    ],
)  # fmt: skip
def test_anthropic_says_everything_once(documents: list[Any], events: list[Any]) -> None:
    """What is repeated is not added, and a stop reason that text follows was none."""
    read = [event.text if isinstance(event, TextDelta) else event for event in decode("anthropic-messages", *documents)]
    assert read == events


def test_a_zero_takes_no_usage_back() -> None:
    """A `message_delta` that reports no input leaves what `message_start` reported."""
    events = decode("anthropic-messages", START, TEXTS[0], ending("end_turn", input_tokens=0, output_tokens=30), END)
    assert events[-1] == UsageReport(Usage(input_uncached=9, output_visible=30))


WHOLE = {
    "openai-chat": {"model": "m", "choices": [{"message": {"content": "t", "reasoning_content": "r"}, "finish_reason": "stop"}]},
    "anthropic-messages": {"type": "message", "model": "m", "stop_reason": "end_turn",
                           "content": [{"type": "thinking", "thinking": "r"}, {"type": "text", "text": "t"}]},
    "openai-responses": {"object": "response", "model": "m", "status": "completed", "error": None, "output": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "r"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "t"}]}]},
}  # fmt: skip


@pytest.mark.parametrize("wire", wire_names())
def test_whole_answers(wire: str) -> None:
    """A whole document is read as its stream would be."""
    decoder = wire_of(wire).Decoder(fail)
    events = list(decoder.read(WHOLE[wire]))
    decoder.close()
    assert events[:3] == [Identity("m"), ReasoningDelta("r"), TextDelta("t")]
    assert isinstance(events[3], FinishReport)
    assert events[3].finish is Finish.COMPLETE


@pytest.mark.parametrize("wire", wire_names())
@pytest.mark.parametrize(
    "event",
    [
        Event('{"error": {"message": "x"}, "choices": [{"delta": {"content": "t"}, "finish_reason": "error"}]}'),
        Event('{"error": "x"}'),
        Event('{"object": "error", "message": "x"}'),
        Event('{"type": "error", "error": {"type": "overloaded_error"}}', "error"),
        Event('{"detail": "x"}'),
        Event('{"code": "Throttling", "message": "x", "request_id": "1"}'),
        Event("not json", "error"),
    ],
)
def test_errors_inside_are_found_first(wire: str, event: Event) -> None:
    """An error of any shape inside a 200 is a failure before anything else in it is looked at."""
    with pytest.raises(AttemptFailed, match="found"):
        list(wire_of(wire).Decoder(fail).feed(event))


@pytest.mark.parametrize("wire", wire_names())
@pytest.mark.parametrize("data", ['{"choices": [', "[]", "nothing", '"x"', "[" * 100_000, "{" + '"a":{' * 9000])
def test_malformed_events(wire: str, data: str) -> None:
    """What is no JSON object is malformed, however deep it is nested."""
    with pytest.raises(AttemptFailed) as failed:
        list(wire_of(wire).Decoder(fail).feed(Event(data)))
    assert failed.value.error_class is ErrorClass.MALFORMED


@pytest.mark.parametrize("wire", wire_names())
@pytest.mark.parametrize("junk", [1, "x", True, [], [1, None], {}, {"a": 1}, None])
@pytest.mark.parametrize(
    "name", ["choices", "usage", "model", "type", "message", "delta", "content", "content_block", "error_", "stop_reason"]
)
def test_wrong_kinds_are_skipped(wire: str, junk: Any, name: str) -> None:
    """A member of the wrong kind reads as absent."""
    documents = [{name: junk}, {"choices": [{name: junk, "delta": {name: junk, "refusal": junk}}]}]
    documents += [{"type": kind, name: junk} for kind in ("message_start", "message_delta", "content_block_delta")]
    decoder = wire_of(wire).Decoder(fail)
    for document in documents:
        assert all(isinstance(event, WireEvent) for event in decoder.read(document))
