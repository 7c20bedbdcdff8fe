"""The wire `openai-responses`: every event of its streams, its whole answers, and what its requests hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import (
    Doubt,
    Finish,
    FinishReport,
    Identity,
    Message,
    ReasoningDelta,
    TextDelta,
    Thinking,
    Tool,
    ToolCallDelta,
    Usage,
    UsageReport,
    WireEvent,
)
from deepsel.wires.growing import REPEATED
from deepsel.wires.openai_responses.usage import responses_usage
from deepsel.wires.payload import apart
from deepsel.wires.sse import Event, EventStream
from deepsel.wires.table import wire_of
from deepsel.wires.taking_back import Sent, TakenBack, changes_for

Make = Callable[..., Any]
WIRE = "openai-responses"
USAGE = {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 6,
         "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 16}  # fmt: skip
COUNTED = Usage(input_uncached=6, cache_read=4, output_visible=4, output_reasoning=2)


def fail(document: Any) -> AttemptFailed:
    return AttemptFailed(ErrorClass.SERVER, f"found {document}")


def decode(*documents: Any, is_clean: bool = True) -> list[WireEvent]:
    decoder = wire_of(WIRE).Decoder(fail)
    events: list[WireEvent] = []
    for document in documents:
        events += decoder.feed(Event(document if isinstance(document, str) else json.dumps(document)))
    events += decoder.rest(is_clean=is_clean)
    decoder.close()
    return events


def response(*output: Any, status: str = "completed", **members: Any) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "status": status, "error": None, "incomplete_details": None, "model": "m",
            "output": list(output), **members}  # fmt: skip


def message(*parts: Any, **members: Any) -> dict[str, Any]:
    return {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": list(parts), **members}


def words(text: str, kind: str = "output_text") -> dict[str, Any]:
    return {"type": kind, "refusal" if kind == "refusal" else "text": text, "annotations": []}


def thought(*texts: str, name: str = "summary", kind: str = "summary_text") -> dict[str, Any]:
    return {"type": "reasoning", "id": "rs_1", "summary": [], name: [{"type": kind, "text": text} for text in texts]}


def call(call_id: str = "c1", arguments: Any = '{"city":"Rome"}', name: str = "weather") -> dict[str, Any]:
    return {"type": "function_call", "id": f"fc_{call_id}", "call_id": call_id, "name": name, "arguments": arguments}


def event(kind: str, **members: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "sequence_number": 1, **members}


def delta(text: str, kind: str = "output_text", place: int = 1, inner: int = 0) -> dict[str, Any]:
    return event(f"{kind}.delta", output_index=place, content_index=inner, delta=text)


def end(*output: Any, kind: str = "completed", **members: Any) -> dict[str, Any]:
    return event(kind, response=response(*output, status=members.pop("status", kind), **members))


ANSWER = response(thought("Hm, let me see."), message(words("The sky is blue, mostly.")), call(), usage=USAGE, service_tier="default")
STREAM = [
    event("created", response=response(status="in_progress", service_tier="auto")),
    event("in_progress", response=response(status="in_progress")),
    event("output_item.added", output_index=0, item={"type": "reasoning", "id": "rs_1", "summary": []}),
    event("reasoning_summary_part.added", output_index=0, summary_index=0, part=words("", "summary_text")),
    event("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="Hm, let"),
    event("reasoning_summary_text.delta", output_index=0, summary_index=0, delta=" me see."),
    event("reasoning_summary_text.done", output_index=0, summary_index=0, text="Hm, let me see."),
    event("reasoning_summary_part.done", output_index=0, summary_index=0, part=words("Hm, let me see.", "summary_text")),
    event("output_item.done", output_index=0, item=ANSWER["output"][0]),
    event("output_item.added", output_index=1, item=message(status="in_progress")),
    event("content_part.added", output_index=1, content_index=0, part=words("")),
    delta("The sky"), delta(" is blue,"), delta(" mostly."),
    event("output_text.annotation.added", output_index=1, content_index=0, annotation={"type": "url_citation"}),
    event("output_text.done", output_index=1, content_index=0, text="The sky is blue, mostly."),
    event("content_part.done", output_index=1, content_index=0, part=words("The sky is blue, mostly.")),
    event("output_item.done", output_index=1, item=ANSWER["output"][1]),
    event("output_item.added", output_index=2, item=call(arguments="")),
    event("function_call_arguments.delta", output_index=2, item_id="fc_c1", delta='{"city":'),
    event("function_call_arguments.delta", output_index=2, item_id="fc_c1", delta='"Rome"}'),
    event("function_call_arguments.done", output_index=2, item_id="fc_c1", arguments='{"city":"Rome"}'),
    event("output_item.done", output_index=2, item=call()),
    event("completed", response=ANSWER),
]  # fmt: skip
TOLD = [
    Identity("m"), ReasoningDelta("Hm, let"), ReasoningDelta(" me see."),
    TextDelta("The sky"), TextDelta(" is blue,"), TextDelta(" mostly."),
    ToolCallDelta(0, "c1", "weather"), ToolCallDelta(0, arguments='{"city":'), ToolCallDelta(0, arguments='"Rome"}'),
    Identity("m", service_tier="default"), FinishReport(Finish.TOOL, "completed"), UsageReport(COUNTED),
]  # fmt: skip


def test_a_stream_is_read_once() -> None:
    """What is said in pieces is repeated whole three times, by its end, its item's and the response's, and counts once."""
    assert decode(*STREAM) == TOLD


def test_a_document_says_the_same() -> None:
    """A whole answer gives its reasoning, text, calls, finish and usage as its stream does."""
    assert decode(ANSWER) == [
        Identity("m", service_tier="default"), ReasoningDelta("Hm, let me see."), TextDelta("The sky is blue, mostly."),
        ToolCallDelta(0, "c1", "weather", '{"city":"Rome"}'), FinishReport(Finish.TOOL, "completed"), UsageReport(COUNTED),
    ]  # fmt: skip


@given(st.sets(st.integers(0, len(STREAM) - 2)), st.lists(st.integers(0, 9000), max_size=20))
def test_whatever_is_left_out_or_cut_gives_the_same(dropped: set[int], cuts: list[int]) -> None:
    """Any of a stream's events may be missing but its last, and its bytes may come in any chunks: the answer is the same."""
    # Pieces are either all there or none: a stream without one of them is another answer, which its end tells.
    kinds = {STREAM[at]["type"] for at in dropped if STREAM[at]["type"].endswith(".delta")}
    kept = [one for at, one in enumerate(STREAM) if at not in dropped and one["type"] not in kinds]
    body = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in kept).encode()
    parser, decoder = EventStream(), wire_of(WIRE).Decoder(fail)
    events: list[WireEvent] = []
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    for start, stop in pairwise(edges):
        for one in parser.feed(body[start:stop]):
            for piece in apart(one):
                events += decoder.feed(piece)
    events += decoder.rest(is_clean=True)
    decoder.close()
    assert gathered(events) == gathered(TOLD)


def gathered(events: list[WireEvent]) -> tuple[Any, ...]:
    """The answer that events add up to."""
    calls: dict[int, list[str]] = {}
    for one in events:
        if isinstance(one, ToolCallDelta):
            held = calls.setdefault(one.number, ["", "", ""])
            held[:] = held[0] or one.id, held[1] or one.name, held[2] + one.arguments
    text, reasoning = ("".join(one.text for one in events if isinstance(one, kind)) for kind in (TextDelta, ReasoningDelta))
    ends = [one for one in events if isinstance(one, FinishReport | UsageReport | Doubt)]
    return text, reasoning, list(calls.values()), ends


DONE = FinishReport(Finish.COMPLETE, "completed")


@pytest.mark.parametrize(
    ("documents", "events"),
    [
        pytest.param([delta("a"), end(kind="incomplete", incomplete_details={"reason": "max_output_tokens"})],
                     [TextDelta("a"), Identity("m"), FinishReport(Finish.LENGTH, "max_output_tokens")], id="limit"),
        pytest.param([delta("a"), end(kind="incomplete", incomplete_details={"reason": "content_filter"})],
                     [TextDelta("a"), Identity("m"), FinishReport(Finish.FILTERED, "content_filter")], id="filter"),
        pytest.param([delta("a"), end(kind="incomplete", incomplete_details={"reason": "the_moon"})],
                     [TextDelta("a"), Identity("m"), FinishReport(Finish.INCOMPLETE, "the_moon")], id="unknown-reason"),
        pytest.param([delta("a"), end(kind="incomplete")],
                     [TextDelta("a"), Identity("m"), FinishReport(Finish.INCOMPLETE, "incomplete")], id="no-reason"),
        pytest.param([delta("No.", "refusal"), end(message(words("No.", "refusal")))],
                     [TextDelta("No."), Identity("m"), FinishReport(Finish.FILTERED, "refusal")], id="refusal"),
        pytest.param([end(message(words("No.", "refusal")))],
                     [Identity("m"), TextDelta("No."), FinishReport(Finish.FILTERED, "refusal")], id="refusal-at-the-end"),
        pytest.param([delta("r", "reasoning_text", 0), end(thought("r", name="content", kind="reasoning_text"))],
                     [ReasoningDelta("r"), Identity("m"), DONE], id="reasoning-in-its-own-words"),
        pytest.param([delta("r", "reasoning_text", 0), end({**thought("in short"), "content": [words("r", "reasoning_text")]})],
                     [ReasoningDelta("r"), Identity("m"), DONE], id="reasoning-told-in-two-ways"),
        pytest.param([delta("a", place=0), delta("b", place=1), end(message(words("a")), message(words("b")))],
                     [TextDelta("a"), TextDelta("b"), Identity("m"), DONE], id="two-messages"),
        pytest.param([delta("The sky", place=0), end(message(words("The sky is blue")))],
                     [TextDelta("The sky"), Identity("m"), TextDelta(" is blue"), DONE], id="the-end-says-more"),
        pytest.param([delta("The sky"), end(message(words("Something else")))],
                     [TextDelta("The sky"), Identity("m"), DONE, REPEATED], id="the-end-says-something-else"),
        pytest.param([delta("a"), end(), "[DONE]", delta("b")], [TextDelta("a"), Identity("m"), DONE], id="nothing-after-the-end"),
        pytest.param([delta("a"), {**end(), "type": "response.done"}], [TextDelta("a"), Identity("m"), DONE], id="another-name"),
        pytest.param([event("keepalive"), {"type": "ping"}, event("web_search_call.searching"), delta("a"), end()],
                     [TextDelta("a"), Identity("m"), DONE], id="unknown-events"),
        pytest.param([event("output_item.done", output_index=0, item=message(words("a"))), end()],
                     [TextDelta("a"), Identity("m"), DONE], id="items-alone"),
        pytest.param([event("output_item.added", item=call("a", "")), event("output_item.added", item=call("b", "")),
                      event("function_call_arguments.delta", item_id="fc_a", delta="{}"), end()],
                     [ToolCallDelta(0, "a", "weather"), ToolCallDelta(1, "b", "weather"), ToolCallDelta(0, arguments="{}"),
                      Identity("m"), FinishReport(Finish.TOOL, "completed")], id="calls-without-places"),
        pytest.param([event("output_item.done", output_index=0, item=call("a")), event("output_item.done", output_index=0, item=call("b")),
                      end(call("a"), call("b"))],
                     [ToolCallDelta(0, "a", "weather", '{"city":"Rome"}'), ToolCallDelta(1, "b", "weather", '{"city":"Rome"}'),
                      Identity("m"), FinishReport(Finish.TOOL, "completed")], id="calls-at-one-place"),
        pytest.param([response(call("a", {"city": "Rome"}))],
                     [Identity("m"), ToolCallDelta(0, "a", "weather", '{"city":"Rome"}'), FinishReport(Finish.TOOL, "completed")],
                     id="arguments-that-are-an-object"),
        pytest.param([response({"type": "web_search_call", "id": "ws_1", "status": "completed"}, message(words("a")))],
                     [Identity("m"), TextDelta("a"), DONE], id="what-the-provider-runs-itself"),
        pytest.param([response(message(words("a")), usage={"input_tokens": "many", "output_tokens": 1})],
                     [Identity("m"), TextDelta("a"), DONE, UsageReport(Usage(output_visible=1), odd=("input_tokens",))], id="odd-usage"),
    ],
)  # fmt: skip
def test_forms_of_answers(documents: list[Any], events: list[WireEvent]) -> None:
    """Every form of a stream and a document gives what it says, once, and how it ended."""
    assert decode(*documents) == events


@pytest.mark.parametrize(
    "documents",
    [[delta("a")], [delta("a"), "[DONE]"], [response(message(words("a")), status="in_progress")], [response(status="queued")], []],
)
def test_what_has_no_end_is_cut(documents: list[Any]) -> None:
    """Without the event, or the status, that says so no answer is whole."""
    with pytest.raises(AttemptFailed) as failed:
        decode(*documents)
    assert failed.value.error_class is ErrorClass.STREAM_CUT


@pytest.mark.parametrize(
    "document",
    [
        {"type": "error", "code": "server_error", "message": "m", "param": None, "sequence_number": 3},
        {"type": "error", "error": {"type": "server_error", "message": "m"}},
        end(kind="failed", error={"code": "server_error", "message": "m"}),
        response(status="failed", error={"code": "server_error", "message": "m"}),
    ],
)
def test_errors_in_all_their_places(document: Any) -> None:
    """An error event, a failed response and a failed document are failures."""
    with pytest.raises(AttemptFailed, match="found"):
        decode(delta("a"), document)


@pytest.mark.parametrize("document", [end(kind="failed"), response(status="cancelled"), end(kind="cancelled")])
def test_a_provider_that_gives_up_without_a_word(document: Any) -> None:
    """A failed or cancelled response that names no error is one of the server's."""
    with pytest.raises(AttemptFailed, match="gave up"):
        decode(document)


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (USAGE, COUNTED),
        ({"input_tokens": 3, "input_tokens_details": {"cached_tokens": 9}}, Usage(input_uncached=0, cache_read=3)),
        ({"input_tokens": 9, "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3}},
         Usage(input_uncached=4, cache_read=2, cache_write_short=3)),
        ({"output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 9}}, Usage(output_visible=5, output_reasoning=9)),
        ({"input_tokens": 1, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 8},
         Usage(input_uncached=1, output_visible=5, output_reasoning=2)),
        ({}, Usage()),
    ],
)  # fmt: skip
def test_usage(usage: Any, counted: Usage) -> None:
    """Totals contain what was cached and thought, unless their numbers say otherwise."""
    assert responses_usage(usage) == counted


# --- requests --------------------------------------------------------------------------------------------------------

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


def test_schema_forms(ask: Make, model: Make, provider: Make) -> None:
    """A schema is a form of the text beside the user's verbosity, else it is asked for in words."""
    request = ask(schema=SCHEMA, params={"verbosity": "low"})
    place = provider(wire=WIRE)
    able = wire_of(WIRE).encode(request, model(features=frozenset({"json_schema"})), place, max_tokens=9)
    form = {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}
    assert able["text"] == {"format": form, "verbosity": "low"}
    half = wire_of(WIRE).encode(request, model(features=frozenset({"json_object"})), place, max_tokens=9)
    assert half["text"] == {"format": {"type": "json_object"}, "verbosity": "low"}
    none = wire_of(WIRE).encode(ask(schema=SCHEMA), model(), place, max_tokens=9)
    assert "text" not in none
    for body in (half, none):
        assert body["input"][0]["role"] == "system"
        assert json.dumps(SCHEMA) in body["input"][0]["content"]


def test_members_of_chat_rows_stand_where_this_wire_has_them(ask: Make, model: Make, provider: Make) -> None:
    """The switch of a row that turns reasoning off is sent in this wire's form, honoured as such, and gives way to the user's."""
    wire, place = wire_of(WIRE), provider(wire=WIRE, max_tokens_field="max_completion_tokens")
    row = model(reasoning_off={"reasoning_effort": "none"}, sampling="without_reasoning")
    body = wire.encode(ask(temperature=0), row, place, max_tokens=9)
    assert (body["reasoning"], body["temperature"], body["max_output_tokens"]) == ({"effort": "none"}, 0, 9)
    assert wire.is_deterministic(body, row, place)
    assert not wire.may_think(body, row)
    hard = wire.encode(ask(temperature=0, params={"reasoning_effort": "high"}), row, place, max_tokens=9)
    assert hard["reasoning"] == {"effort": "high"}
    assert "temperature" not in hard
    assert wire.may_think(hard, row)
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
    told = wire.encode(ask(params={"response_format": form}), model(), place, max_tokens=9)
    assert told["text"] == {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}


def test_what_is_refused_by_name_is_taken_back(ask: Make, model: Make, provider: Make) -> None:
    """A host that refuses the switch or the form is asked again without it."""
    row = model(reasoning_off={"reasoning_effort": "none"}, features=frozenset({"json_schema"}))
    body = wire_of(WIRE).encode(ask(schema=SCHEMA), row, provider(wire=WIRE), max_tokens=9)
    for param, name in (("reasoning.effort", "reasoning_off"), ("text.format", "json_schema")):
        failure = AttemptFailed(ErrorClass.BAD_REQUEST, f"Unsupported parameter: '{param}'", http_status=400)
        failure.names = (param.partition(".")[0],)
        sent = Sent(body, row, provider(wire=WIRE), 9, wire_of(WIRE).LENGTH_FIELDS, {})
        assert changes_for(failure, sent) == (TakenBack(name),)


def test_reasoning_goes_back_with_what_is_encrypted_in_it(ask: Make, model: Make, provider: Make) -> None:
    """A reasoning item of this wire is sent as it came; thinking of another form is left out."""
    data = {"id": "rs_1", "summary": [], "encrypted_content": "xyz"}
    turns = (Message("assistant", (Thinking("", data),), form=WIRE), Message("assistant", (Thinking("Hm", {"signature": "s"}),)))
    body = wire_of(WIRE).encode(ask(messages=turns), model(), provider(wire=WIRE), max_tokens=9)
    assert body["input"] == [{"type": "reasoning", **data}]


def test_a_count_asks_for_what_a_request_holds(ask: Make, model: Make, provider: Make) -> None:
    """The count endpoint gets input and tools and nothing about the answer; an answer without a number is malformed."""
    count = wire_of(WIRE).count_request
    assert count is not None
    assert count.url(provider(base_url="https://a/v1")) == "https://a/v1/responses/input_tokens"
    body = count.encode(ask(tools=(Tool("f"),)), model(), provider(wire=WIRE))
    assert set(body) == {"model", "input", "tools"}
    assert count.read({"object": "response.input_tokens", "input_tokens": 7}) == 7
    with pytest.raises(AttemptFailed):
        count.read({"input_tokens": "7"})
