"""The simulated model calls tools, stops, answers several times, counts and makes vectors as a model's host would."""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import Any

import jsonschema
import pytest
from raw_client import Ask, read_to_end, split_response

from deepsel.simulator import Simulator

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 3}, "unit": {"enum": ["c", "f"]}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
WIRES = ("openai-chat", "anthropic-messages", "openai-responses")


def tool(wire: str, name: str) -> dict[str, Any]:
    fields = {"name": name, "description": "Tell it."}
    if wire == "openai-chat":
        return {"type": "function", "function": {**fields, "parameters": SCHEMA}}
    return {**fields, "input_schema": SCHEMA} if wire == "anthropic-messages" else {"type": "function", **fields, "parameters": SCHEMA}


def choice(wire: str, name: str) -> Any:
    if name in ("auto", "none", "required"):
        return {"type": {"required": "any"}.get(name, name)} if wire == "anthropic-messages" else name
    if wire == "openai-chat":
        return {"type": "function", "function": {"name": name}}
    return {"type": "tool" if wire == "anthropic-messages" else "function", "name": name}


def talk(wire: str, *called: str) -> dict[str, Any]:
    """A conversation in which tools have been called and answered since the user spoke."""
    user = {"role": "user", "content": "How warm is it?"}
    if wire == "openai-responses":
        items: list[Any] = [user]
        for name in called:
            items += [{"type": "function_call", "call_id": name, "name": name, "arguments": "{}"},
                      {"type": "function_call_output", "call_id": name, "output": "20"}]  # fmt: skip
        return {"messages": items}
    turns: list[Any] = [user]
    for name in called:
        if wire == "openai-chat":
            turns += [{"role": "assistant", "content": None,
                       "tool_calls": [{"id": name, "type": "function", "function": {"name": name, "arguments": "{}"}}]},
                      {"role": "tool", "tool_call_id": name, "content": "20"}]  # fmt: skip
        else:
            turns += [{"role": "assistant", "content": [{"type": "tool_use", "id": name, "name": name, "input": {}}]},
                      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": name, "content": "20"}]}]  # fmt: skip
    return {"messages": turns}


def calls_of(wire: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and arguments of each call in a whole answer."""
    if wire == "openai-chat":
        found = body["choices"][0]["message"].get("tool_calls") or []
        return [(one["function"]["name"], one["function"]["arguments"]) for one in found]
    if wire == "anthropic-messages":
        return [(one["name"], json.dumps(one["input"])) for one in body["content"] if one["type"] == "tool_use"]
    return [(one["name"], one["arguments"]) for one in body["output"] if one["type"] == "function_call"]


CALLED = {
    ("auto", ()): "weather",
    ("auto", ("weather",)): None,
    ("none", ()): None,
    ("required", ()): "weather",
    ("required", ("weather",)): "clock",
    ("required", ("weather", "clock")): "clock",
    ("clock", ()): "clock",
    ("clock", ("clock",)): "clock",
}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(("asked", "called"), CALLED)
def test_who_is_called(wire: str, asked: str, called: tuple[str, ...], ask: Ask) -> None:
    """What may be called is called once, what has to be is called again, and arguments satisfy the tool's schema."""
    tools = [tool(wire, "weather"), tool(wire, "clock")]
    with Simulator() as simulator:
        body = ask(simulator, wire, tools=tools, tool_choice=choice(wire, asked), **talk(wire, *called)).json
    wanted = CALLED[asked, called]
    found = calls_of(wire, body)
    assert [name for name, _ in found] == ([wanted] if wanted else [])
    for _, arguments in found:
        jsonschema.validate(json.loads(arguments), SCHEMA)
    finish = body.get("stop_reason") or (body["choices"][0]["finish_reason"] if "choices" in body else body["status"])
    assert (finish in ("tool_use", "tool_calls")) is (wanted is not None and wire != "openai-responses")


@pytest.mark.parametrize("wire", WIRES)
def test_a_stream_calls_the_same(wire: str, ask: Ask) -> None:
    """The pieces of a streamed call are the whole one's arguments."""
    with Simulator() as simulator:
        whole = calls_of(wire, ask(simulator, wire, tools=[tool(wire, "weather")], **talk(wire)).json)
        events = ask(simulator, wire, stream=True, tools=[tool(wire, "weather")], **talk(wire)).events
    pieces = []
    for event in events:
        if not isinstance(event, dict):
            continue
        if "choices" in event:
            pieces += [call["function"]["arguments"] for one in event["choices"] for call in one["delta"].get("tool_calls", [])]
        elif event["type"] == "response.function_call_arguments.delta":
            pieces.append(event["delta"])
        elif event["type"] == "content_block_delta":
            pieces.append(event["delta"].get("partial_json", ""))
    assert json.loads("".join(pieces)) == json.loads(whole[0][1])
    assert len(pieces) > 2


@pytest.mark.parametrize(("wire", "member"), [("openai-chat", "stop"), ("anthropic-messages", "stop_sequences")])
def test_an_answer_ends_before_a_stop(wire: str, member: str, ask: Ask) -> None:
    """The first of the given texts ends the answer and is no part of it."""
    with Simulator() as simulator:
        whole = ask(simulator, wire).text
        raw = ask(simulator, wire, **{member: ["Nowhere", "prompt"]})
    assert raw.text == whole[: whole.index("prompt")]
    if wire == "anthropic-messages":
        assert (raw.json["stop_reason"], raw.json["stop_sequence"]) == ("stop_sequence", "prompt")


@pytest.mark.parametrize("stream", [True, False])
def test_several_answers(stream: bool, ask: Ask) -> None:
    """With `n` each choice has its number and its end, and all are counted."""
    with Simulator() as simulator:
        raw = ask(simulator, n=3, stream=stream)
        assert ask(simulator, n=129).status == 400
    events = raw.events if stream else [raw.json]
    choices = [choice for event in events if isinstance(event, dict) for choice in event["choices"]]
    assert {choice["index"] for choice in choices} == {0, 1, 2}
    assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["stop"] * 3
    usage = next(event["usage"] for event in reversed(events) if isinstance(event, dict))
    assert usage["completion_tokens"] % 3 == 0


def test_a_limit_cuts_a_call(ask: Ask) -> None:
    """A call that does not fit is cut, and the answer says so."""
    with Simulator() as simulator:
        body = ask(simulator, tools=[tool("openai-chat", "weather")], max_tokens=3).json
    assert body["choices"][0]["finish_reason"] == "length"
    with pytest.raises(json.JSONDecodeError):
        json.loads(calls_of("openai-chat", body)[0][1])


def get(simulator: Simulator, path: str) -> Any:
    from raw_client import connect

    with connect(simulator) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: simulated\r\nconnection: close\r\n\r\n".encode())
        return split_response(*read_to_end(connection)[:1])


def post(simulator: Simulator, path: str, body: Any) -> Any:
    from raw_client import connect, request_bytes

    with connect(simulator) as connection:
        connection.sendall(request_bytes(path, body))
        return split_response(*read_to_end(connection)[:1])


def test_models_one_by_one() -> None:
    """A model is described in the members of all wires; one that is not there is a 404 in both shapes."""
    with Simulator({"known_models": ["a/b"]}) as simulator:
        listed, one, none = (get(simulator, f"/v1/models{rest}") for rest in ("", "/a%2Fb", "/c"))
    assert listed.json["data"] == [one.json]
    assert (listed.json["first_id"], listed.json["last_id"]) == ("a/b", "a/b")
    assert {"id", "object", "created", "owned_by", "type", "display_name", "created_at"} <= one.json.keys()
    assert none.status == 404
    assert none.json["type"] == "error"
    assert none.json["error"]["code"] == "model_not_found"
    assert none.json["error"]["type"] == "not_found_error"


def test_counts_on_both_wires_that_have_them() -> None:
    """A count is the prompt's tokens, in the wire's own form; what cannot be counted is a 400 in its shape."""
    with Simulator() as simulator:
        asked = {"model": "m", "input": "Tell me about the sea."}
        counted = post(simulator, "/v1/responses/input_tokens", asked)
        bad = post(simulator, "/v1/responses/input_tokens", {"model": "m", "input": 5})
        used = post(simulator, "/v1/responses", asked)
    assert counted.json == {"object": "response.input_tokens", "input_tokens": 6}
    assert used.json["usage"]["input_tokens"] == 6
    assert bad.status == 400


@pytest.mark.parametrize("dimensions", [None, 8])
def test_vectors(dimensions: int | None) -> None:
    """A vector has the wanted size and length one, is the same for the same text, and is packed on demand."""
    body = {"model": "m", "input": ["one", "two", "one"], "dimensions": dimensions}
    with Simulator() as simulator:
        plain = post(simulator, "/v1/embeddings", body)
        packed = post(simulator, "/v1/embeddings", {**body, "encoding_format": "base64"})
        assert post(simulator, "/v1/embeddings", {"model": "m", "input": []}).status == 400
    vectors = [row["embedding"] for row in plain.json["data"]]
    assert {len(vector) for vector in vectors} == {dimensions or 256}
    assert vectors[0] == vectors[2] != vectors[1]
    assert math.isclose(sum(number**2 for number in vectors[0]), 1, abs_tol=1e-6)
    raw = base64.b64decode(packed.json["data"][1]["embedding"])
    assert [number for (number,) in struct.iter_unpack("<f", raw)] == pytest.approx(vectors[1], abs=1e-6)


