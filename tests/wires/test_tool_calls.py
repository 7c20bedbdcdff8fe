"""Tool calls as answers of both wires give them, in every form hosts are known to use."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import Finish, FinishReport, TextDelta, ToolCallDelta, WireEvent
from deepsel.wires.sse import Event
from deepsel.wires.table import wire_names, wire_of

OPENAI, ANTHROPIC, _ = wire_names()
ROME = '{"city":"Rome"}'


def decoded(wire: str, *documents: dict[str, Any]) -> list[WireEvent]:
    """What a stream of these documents says of text, calls and the end."""
    decoder = wire_of(wire).Decoder(lambda _: AttemptFailed(ErrorClass.SERVER, "an error"))
    events = [event for document in documents for event in decoder.feed(Event(json.dumps(document)))]
    decoder.close()
    return [event for event in events if isinstance(event, TextDelta | ToolCallDelta | FinishReport)]


def joined(events: list[WireEvent]) -> list[tuple[str, str, str]]:
    """The calls in the order they began: id, name, arguments."""
    calls: dict[int, list[str]] = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            call = calls.setdefault(event.number, ["", "", ""])
            call[:] = call[0] or event.id, call[1] or event.name, call[2] + event.arguments
    return [(one, two, three) for one, two, three in calls.values()]


def delta(*calls: dict[str, Any], finish: str | None = None, **members: Any) -> dict[str, Any]:
    said = {"tool_calls": list(calls), **members} if calls else members
    return {"choices": [{"index": 0, "delta": said, "finish_reason": finish}]}


def call(index: int | None = None, name: str = "", arguments: Any = "", **members: Any) -> dict[str, Any]:
    place = {} if index is None else {"index": index}
    return {**place, **members, "function": {**({"name": name} if name else {}), "arguments": arguments}}


END = delta(finish="tool_calls")
STREAMS: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str, str]]]] = {
    "pieces": (
        [delta(call(0, "weather", id="a", type="function")), delta(call(0, arguments='{"city":')), delta(call(0, arguments='"Rome"}'))],
        [("a", "weather", ROME)],
    ),
    "two in turn": (
        [delta(call(0, "f", "{", id="a")), delta(call(0, arguments="}")), delta(call(1, "g", "{}", id="b"))],
        [("a", "f", "{}"), ("b", "g", "{}")],
    ),
    "two by turns": (
        [delta(call(0, "f", id="a"), call(1, "g", id="b")), delta(call(1, arguments="{}")), delta(call(0, arguments="{}"))],
        [("a", "f", "{}"), ("b", "g", "{}")],
    ),
    "all under index 0": ([delta(call(0, "f", "{}", id="a")), delta(call(0, "f", "{}", id="b"))], [("a", "f", "{}"), ("b", "f", "{}")]),
    "no index": ([delta(call(None, "f", "{}", id="a"), call(None, "f", "{}", id="b"))], [("a", "f", "{}"), ("b", "f", "{}")]),
    "no index, in pieces": ([delta(call(None, "f", "{", id="a")), delta(call(None, arguments="}"))], [("a", "f", "{}")]),
    "no index and no id": ([delta(call(None, "f", "{}")), delta(call(None, "g", "{}"))], [("", "f", "{}"), ("", "g", "{}")]),
    "id and name in each piece": ([delta(call(0, "f", "{", id="a")), delta(call(0, "f", "}", id="a"))], [("a", "f", "{}")]),
    "an object": ([delta(call(0, "weather", {"city": "Rome"}, id="a"))], [("a", "weather", ROME)]),
    "the old form": (
        [delta(function_call={"name": "weather", "arguments": ""}), delta(function_call={"arguments": ROME})],
        [("", "weather", ROME)],
    ),
    "nonsense": ([delta(tool_calls=None), delta(tool_calls=["x", {}]), delta(call(0, "f", None, id="a"))], [("a", "f", "")]),
}


@pytest.mark.parametrize("case", STREAMS)
def test_openai_streams(case: str) -> None:
    """Pieces come together by index, by id where hosts leave it out or repeat it, and else by their order."""
    documents, calls = STREAMS[case]
    events = decoded(OPENAI, *documents, END)
    assert joined(events) == calls
    assert events[-1] == FinishReport(Finish.TOOL, "tool_calls")


def test_openai_whole_answers() -> None:
    """A whole answer gives text, then calls, each with what has to go back with it."""
    calls = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": ROME}, "extra_content": {"google": {"signature": "s"}}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    message = {"role": "assistant", "content": "Looking.", "tool_calls": calls}
    events = decoded(OPENAI, {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})
    assert events[0] == TextDelta("Looking.")
    assert joined(events) == [("a", "f", ROME), ("b", "g", "{}")]
    first = events[1]
    assert isinstance(first, ToolCallDelta)
    assert first.provider_data == {"extra_content": {"google": {"signature": "s"}}}


def test_a_finish_value_that_more_of_a_call_follows_was_none() -> None:
    """Some servers put the finish value on every chunk: what they go on with is part of the answer."""
    pieces = delta(call(0, "f", "{", id="a"), finish="tool_calls"), delta(call(0, arguments="}"), finish="tool_calls")
    events = decoded(OPENAI, *pieces)
    assert joined(events) == [("a", "f", "{}")]
    assert events[-1] == FinishReport(Finish.TOOL, "tool_calls")


def test_a_whole_message_repeats_calls() -> None:
    """Calls of a message that follows their pieces are not added to them."""
    message = {"tool_calls": [call(0, "f", "{}", id="a")]}
    last = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    assert joined(decoded(OPENAI, delta(call(0, "f", "{", id="a")), delta(call(0, arguments="}")), last)) == [("a", "f", "{}")]


def start(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def piece(index: int, **members: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": members}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


ANTHROPIC_END = ({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}, {"type": "message_stop"})


def test_anthropic_streams() -> None:
    """Blocks of calls give id and name, then their arguments in pieces; one without arguments takes none."""
    use = {"type": "tool_use", "id": "a", "name": "weather", "input": {}}
    events = decoded(
        ANTHROPIC,
        start(0, {"type": "text", "text": ""}), piece(0, type="text_delta", text="Looking."), stop(0),
        start(1, use), piece(1, type="input_json_delta", partial_json=""), piece(1, type="input_json_delta", partial_json='{"city":'),
        piece(1, type="input_json_delta", partial_json='"Rome"}'), stop(1),
        start(2, {**use, "id": "b", "name": "clock"}), stop(2),
        start(3, {**use, "id": "c", "name": "whole", "input": {"a": 1}}), stop(3),
        *ANTHROPIC_END,
    )  # fmt: skip
    assert events[0] == TextDelta("Looking.")
    assert joined(events) == [("a", "weather", ROME), ("b", "clock", "{}"), ("c", "whole", '{"a":1}')]
    assert events[-1] == FinishReport(Finish.TOOL, "tool_use")


def test_anthropic_whole_answers() -> None:
    """A whole answer gives its calls with their arguments as JSON text."""
    blocks = [{"type": "text", "text": "Looking."}, {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Rome"}},
              {"type": "tool_use", "id": "b", "name": "clock", "input": {}}]  # fmt: skip
    events = decoded(ANTHROPIC, {"type": "message", "content": blocks, "stop_reason": "tool_use"})
    assert joined(events) == [("a", "weather", ROME), ("b", "clock", "{}")]


def test_tools_that_the_provider_runs_are_no_calls() -> None:
    """A search the provider makes itself asks nothing of anybody."""
    block = {"type": "server_tool_use", "id": "a", "name": "web_search", "input": {}}
    events = decoded(ANTHROPIC, start(0, block), piece(0, type="input_json_delta", partial_json="{}"), stop(0), *ANTHROPIC_END)
    assert joined(events) == []
