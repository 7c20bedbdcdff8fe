"""`ask` with tools and conversations, against servers that answer with calls: real processes, real sockets, both wires."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

WIRES = ("openai-chat", "anthropic-messages")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
CALL = {"id": "call_1", "name": "weather", "arguments": {"city": "Rome"}}
ARGUMENTS = '{"city":"Rome"}'


class _Caller(BaseHTTPRequestHandler):
    """Answers every request with words and one call of `weather`, on the wire and in the form it was asked in."""

    protocol_version = "HTTP/1.1"
    asked: list[dict[str, Any]]
    words = ""
    arguments = ARGUMENTS

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(body)
        make = self._openai if self.path.endswith("/chat/completions") else self._anthropic
        documents = make(streams=body.get("stream", False))
        text = "".join(f"data: {json.dumps(one)}\n\n" for one in documents) if body.get("stream") else json.dumps(documents[0])
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if body.get("stream") else "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def _openai(self, *, streams: bool) -> list[dict[str, Any]]:
        call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": self.arguments}}
        usage = {"prompt_tokens": 50, "completion_tokens": 20}
        if not streams:
            message = {"role": "assistant", "content": self.words or None, "tool_calls": [call]}
            return [{"choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}], "usage": usage}]
        middle = len(self.arguments) // 2
        head = {**call, "index": 0, "function": {"name": "weather", "arguments": self.arguments[:middle]}}
        rest = {"index": 0, "function": {"arguments": self.arguments[middle:]}}
        deltas: list[dict[str, Any]] = [{"content": self.words}, {"tool_calls": [head]}, {"tool_calls": [rest]}]
        chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
        return [*chunks, {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}], "usage": usage}]

    def _anthropic(self, *, streams: bool) -> list[dict[str, Any]]:
        usage = {"input_tokens": 50, "output_tokens": 20}
        call: dict[str, Any] = {"type": "tool_use", "id": "call_1", "name": "weather", "input": {}}
        if not streams:
            blocks = [{"type": "text", "text": self.words}] if self.words else []
            blocks.append({**call, "input": json.loads(self.arguments)})
            return [{"type": "message", "content": blocks, "stop_reason": "tool_use", "usage": usage}]
        middle = len(self.arguments) // 2
        deltas = [{"type": "input_json_delta", "partial_json": one} for one in (self.arguments[:middle], self.arguments[middle:])]
        return [
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": self.words}},
            {"type": "content_block_stop", "index": 0},
            {"type": "content_block_start", "index": 1, "content_block": call},
            *({"type": "content_block_delta", "index": 1, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": 1},
            {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": usage},
            {"type": "message_stop"},
        ]

    def log_message(self, *_: object) -> None:
        """Write nothing to stderr."""


@pytest.fixture
def caller(profiles: Callable[..., Path]) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Start a server of calls and write a profile for it on a wire; gives the bodies it was sent."""
    servers: list[ThreadingHTTPServer] = []

    def start(wire: str, extra: str = "", **fields: Any) -> list[dict[str, Any]]:
        handler = type("Handler", (_Caller,), {"asked": [], **fields})
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        profiles(extra, "retries = 0", one=(f"http://127.0.0.1:{servers[-1].server_port}/v1", wire))
        asked: list[dict[str, Any]] = handler.asked  # type: ignore[attr-defined]  # made above
        return asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def tools(tmp_path: Path) -> str:
    """A file of tools."""
    path = tmp_path / "tools.json"
    path.write_text(json.dumps(TOOLS))
    return str(path)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("streams", ["--stream", "--no-stream"])
def test_a_call_comes_back(
    deepsel: Callable[..., Any], caller: Callable[..., Any], tools: str, wire: str, streams: str
) -> None:
    """A call is one JSON line on stdout, exit 0, with its cost told and nothing kept; the tools were sent in the wire's form."""
    asked = caller(wire)
    for _ in range(2):
        ran = deepsel("ask", "--tools", tools, "Weather in Rome?", streams)
        assert (ran.code, [json.loads(line) for line in ran.out.splitlines()]) == (0, [CALL])
        assert "50 in, 20 out" in ran.err
    assert len(asked) == 2
    named = asked[0]["tools"][0].get("function", asked[0]["tools"][0])
    assert named["name"] == "weather"
    assert named.get("parameters", named.get("input_schema")) == SCHEMA


@pytest.mark.parametrize("wire", WIRES)
def test_bench_names_answers_that_are_calls(deepsel: Callable[..., Any], caller: Callable[..., Any], wire: str) -> None:
    """An answer that is a call has an end and no first token of text, and that is said of it."""
    caller(wire)
    (case,) = deepsel("bench", "-n", "2", "--warmup", "0", "--prompt", "Weather?", "--format", "json").record()["cases"]
    assert [(one["tool_calls"], one["ttft_s"], one["error"]) for one in case["samples"]] == [(1, None, None)] * 2
    assert all(one["e2e_s"] > 0 for one in case["samples"])
    assert "2 of 2 answers are calls of tools without text, so that there is no time to first token" in case["warnings"]


@pytest.mark.parametrize("wire", WIRES)
def test_text_stands_before_the_calls(deepsel: Callable[..., Any], caller: Callable[..., Any], tools: str, wire: str) -> None:
    """Text beside a call is printed first; the record holds both, and says `tool`."""
    caller(wire, words="Let me look.")
    for streams in ("--stream", "--no-stream"):
        first, second = deepsel("ask", "--tools", tools, "Weather in Rome?", streams).out.splitlines()
        assert (first, json.loads(second)) == ("Let me look.", CALL)
    record = deepsel("ask", "--tools", tools, "Weather in Rome?", "--json").record()
    assert (record["text"], record["tool_calls"], record["finish"]) == ("Let me look.", [CALL], "tool")
    assert record["cache"]["status"] == "miss"
    assert record["attempts"][0]["outcome"] == "ok"


def test_raw_tools_are_answered_too(deepsel: Callable[..., Any], caller: Callable[..., Any]) -> None:
    """Tools given as a raw member bring calls back as well: what was paid for is printed."""
    caller(WIRES[0])
    ran = deepsel("ask", "--param", 'tools=[{"type":"function","function":{"name":"weather"}}]', "Weather in Rome?")
    assert (ran.code, json.loads(ran.out)) == (0, CALL)


@pytest.mark.parametrize("wire", WIRES)
def test_a_cut_call_is_never_printed_as_whole(
    deepsel: Callable[..., Any], caller: Callable[..., Any], tools: str, wire: str
) -> None:
    """Arguments that break off are an answer that is not whole: exit 8, no call on stdout or in the record."""
    caller(wire, arguments='{"city":"Ro', words="Looking.")
    ran = deepsel("ask", "--tools", tools, "Weather in Rome?")
    assert (ran.code, ran.out) == (8, "Looking.\n")
    assert "stopped inside the arguments of a call of `weather`" in ran.err
    assert deepsel("ask", "--tools", tools, "Weather in Rome?", "--json").record()["tool_calls"] == []


@pytest.mark.parametrize("wire", WIRES)
def test_arguments_that_are_no_object_stay_text(
    deepsel: Callable[..., Any], caller: Callable[..., Any], tools: str, wire: str
) -> None:
    """What the model wrote is handed over as it is where it is no JSON object."""
    caller(wire, arguments="[1]")
    record = deepsel("ask", "--tools", tools, "Weather in Rome?", "--json").record()
    assert record["tool_calls"] == [{**CALL, "arguments": "[1]"}]


@pytest.mark.parametrize("wire", WIRES)
def test_a_conversation_with_a_call_goes_on(
    deepsel: Callable[..., Any], caller: Callable[..., Any], tools: str, tmp_path: Path, wire: str
) -> None:
    """The same conversation reaches a server of either wire whole: the call, its result, and the next words."""
    asked = caller(wire)
    path = tmp_path / "chat.json"
    function = {"name": "weather", "arguments": ARGUMENTS}
    path.write_text(json.dumps([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Rome?"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "warm"},
    ]))  # fmt: skip
    assert deepsel("ask", "--messages", str(path), "--tools", tools, "And Oslo?").code == 0
    turns = asked[0]["messages"]
    if wire == "openai-chat":
        assert turns == [*json.loads(path.read_text()), {"role": "user", "content": "And Oslo?"}]
    else:
        assert asked[0]["system"] == "Be brief."
        assert turns[1:] == [
            {"role": "assistant", "content": [{"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Rome"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "warm"}]},
            {"role": "user", "content": "And Oslo?"},
        ]


def test_a_member_of_one_form_rules_the_other_wire_out(
    deepsel: Callable[..., Any], caller: Callable[..., Any], tmp_path: Path
) -> None:
    """A candidate whose wire has no place for a member is refused with its name; on its own wire it is sent."""
    path = tmp_path / "chat.json"
    path.write_text(json.dumps([{"role": "user", "content": "Hi", "name": "Ann"}]))
    caller("anthropic-messages")
    ran = deepsel("ask", "--messages", str(path))
    assert (ran.code, ran.out) == (6, "")
    assert "`name` of message 1" in ran.err
    asked = caller("openai-chat")
    assert deepsel("ask", "--messages", str(path)).code == 0
    assert asked[0]["messages"] == [{"role": "user", "content": "Hi", "name": "Ann"}]


def test_a_model_known_to_call_no_tools_is_not_asked(deepsel: Callable[..., Any], profiles: Callable[..., Path], tools: str) -> None:
    """A row that lists features without tools is no candidate, and nothing is sent."""
    path = profiles(one="http://127.0.0.1:1/v1")
    path.write_text(path.read_text().replace("max_output = 4096", 'max_output = 4096\nfeatures = ["json_object"]'))
    ran = deepsel("ask", "--tools", tools, "Weather in Rome?")
    assert ran.code == 6
    assert "calls no tools" in ran.err


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "not JSON"), ("{}", "list of tools"), ('[{"type": "web_search"}]', "tool 1"), (None, "does not exist")],
)
def test_a_bad_file_of_tools_is_one_line(deepsel: Callable[..., Any], tmp_path: Path, text: str | None, said: str) -> None:
    """Whatever is wrong with the file is told in one line, exit 2, before anything is sent."""
    path = tmp_path / "tools.json"
    if text is not None:
        path.write_text(text)
    ran = deepsel("ask", "-p", "demo", "--tools", str(path), "Hi")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err.splitlines()[0]


def test_two_lists_of_tools_are_refused(deepsel: Callable[..., Any], tools: str) -> None:
    """A raw member would win over the file in silence: it is asked which one is meant."""
    ran = deepsel("ask", "-p", "demo", "--tools", tools, "--param", "tools=[]", "Hi")
    assert (ran.code, ran.out) == (2, "")
    assert "two lists of tools" in ran.err


@pytest.mark.parametrize("wire", WIRES)
def test_a_conversation_goes_on_with_the_result_of_a_call(
    deepsel: Callable[..., Any], caller: Callable[..., Any], tools: str, tmp_path: Path, wire: str
) -> None:
    """The call, its result and the tools are sent as they were, on either wire, and stand in what is exported."""
    asked = caller(wire, words="Let me look.")
    assert deepsel("--tools", tools, "Weather in Rome?").code == 0
    (tmp_path / "result.json").write_text(json.dumps([{"role": "tool", "tool_call_id": "call_1", "content": "20 degrees"}]))
    ran = deepsel("-c", "--messages", str(tmp_path / "result.json"))
    assert ran.code == 0, ran.err
    assert asked[1]["tools"] == asked[0]["tools"]
    question, call, result = asked[1]["messages"]
    assert question["content"] == "Weather in Rome?"
    assert "call_1" in json.dumps(call)
    assert "20 degrees" in json.dumps(result)
    exported = json.loads(deepsel("conversations", "export").out)
    assert [one["role"] for one in exported] == ["user", "assistant", "tool", "assistant"]
