"""Deltas that say nothing: where they stand, when they come, and that `deepsel ask` reads past them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from raw_client import PATHS, Ask, is_empty

from deepsel.simulator import Behaviour, Simulator
from deepsel.simulator.answers.reply import Mark, ReadRequest
from deepsel.simulator.faults.table import planned
from deepsel.simulator.replies import Scene
from deepsel.simulator.wires.table import WIRES

FAULT = {"fault": "empty_deltas", "fault_count": 3, "fault_interval_s": 0.001}
FORMS: dict[str, list[dict[str, Any]]] = {
    "openai-chat": [
        {"content": ""},
        {},
        {"reasoning_content": ""},
        {"content": None, "reasoning_content": None},
        {"content": "", "reasoning_content": ""},
    ],
    "anthropic-messages": [{"type": "text_delta", "text": ""}, {"type": "thinking_delta", "thinking": ""}],
    "openai-responses": [{"text": ""}, {"thinking": ""}],
}
EITHER_WIRE = pytest.mark.parametrize("wire", PATHS)


@EITHER_WIRE
@pytest.mark.parametrize("reasoning_tokens", [0, 2])
def test_they_stand_before_and_between_tokens(wire: str, reasoning_tokens: int, ask: Ask) -> None:
    """Every form comes `fault_count` times, then the first token, and every form once more before each other token."""
    with Simulator({"default": {**FAULT, "text": "one two three", "reasoning_tokens": reasoning_tokens}}) as simulator:
        raw = ask(simulator, wire, stream=True)
        (record,) = simulator.records
    assert (raw.is_whole, raw.text) == (True, "one two three")
    forms, tokens = FORMS[wire], reasoning_tokens + 4
    shown = [delta for delta in raw.deltas if "signature" not in delta]
    assert shown[: len(forms)] == forms
    runs = "".join("." if is_empty(delta) else "t" for delta in shown).split("t")
    assert [len(run) for run in runs] == [3 * len(forms), *[len(forms)] * (tokens - 1), 0]
    assert (len(record.reasoning_written_s), len(record.token_written_s)) == (reasoning_tokens, 4)


def test_they_belong_to_the_open_block(ask: Ask) -> None:
    """On the anthropic-messages wire each names the block that has begun and not ended."""
    with Simulator({"default": {**FAULT, "reasoning_tokens": 2}}) as simulator:
        raw = ask(simulator, "anthropic-messages", stream=True)
    is_open: set[int] = set()
    for event in raw.events:
        match event["type"]:
            case "content_block_start":
                is_open.add(event["index"])
            case "content_block_stop":
                is_open.remove(event["index"])
            case "content_block_delta":
                assert is_open == {event["index"]}


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.NAME)
def test_they_have_their_own_time(wire: Any) -> None:
    """They begin when the stream does, `fault_interval_s` apart, then come half way between two tokens, and move none."""
    behaviour = Behaviour(headers_s=0.5, ttft_s=2, itl_s=1, text="one two three", fault_count=3, fault_interval_s=0.25)
    asked = ReadRequest("m", "Hi", "Hi", stream=True, max_tokens=None, include_usage=True)
    scene = Scene(wire, asked, behaviour, "sim-1", datetime(2026, 1, 2, tzinfo=UTC))
    frames = planned(scene, "empty_deltas", 0).frames
    empty = [frame.due_s for frame in frames if frame.mark is Mark.NOISE and b"ping" not in frame.data]
    assert empty == [0.75, 1.0, 1.25, 2.5, 3.5, 4.5]
    assert [frame.due_s for frame in frames if frame.tokens] == [2, 3, 4, 5]


@EITHER_WIRE
def test_an_answer_without_tokens_has_none(wire: str, ask: Ask) -> None:
    """Where no token comes there is no place for them, and none follows the end."""
    with Simulator({"default": {**FAULT, "text": ""}}) as simulator:
        assert ask(simulator, wire, stream=True).deltas == []


@EITHER_WIRE
@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_ask_reads_past_them(deepsel: Any, profiles: Any, simulate: Any, wire: str, stream: str) -> None:
    """`deepsel ask` prints word for word what a server without the fault would have said, and nothing on stderr."""
    text = "One two three four five."
    running = simulate(text=text, reasoning_tokens=3, fault=("empty_deltas",))
    profiles(quick=(running, wire))
    ran = deepsel("ask", "--no-cache", stream, "-q", "Hi")
    assert (ran.code, ran.out, ran.err) == (0, f"{text}\n", "")
    assert len(running.calls) == 1
