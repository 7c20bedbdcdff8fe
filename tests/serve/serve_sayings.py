"""What a provider says in a test, once, and how each wire says it: whole and as a stream."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from deepsel.http1.requests import HttpRequest
from deepsel.http1.responses import Outgoings

READ, CACHED, WROTE = 30, 10, 7


@dataclass(frozen=True)
class Saying:
    """One answer."""

    pieces: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    calls: tuple[tuple[str, str, str], ...] = ()
    """Id, name and the arguments' text of each."""
    finish: str = "stop"
    """In the words of OpenAI's chat completions."""

    @property
    def text(self) -> str:
        return "".join(self.pieces)


SAYINGS = {
    "text": Saying(("Hel", "lo ", "wörld", ".")),
    "one call": Saying(calls=(("call_1", "look", '{"city":"Rome","days":[1,2]}'),), finish="tool_calls"),
    "two calls after words": Saying(
        ("Let me ", "see."), calls=(("call_1", "look", '{"city":"Rome"}'), ("call_2", "look", '{"city":"Oslo"}')), finish="tool_calls"
    ),
    "thinking": Saying(("Four.",), reasoning=("Two and ", "two.")),
    "cut": Saying(("This is as far as",), finish="length"),
}
ANTHROPIC_FINISH = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


def chat(saying: Saying) -> Any:
    """Answer as OpenAI's chat completions do."""

    def answer(request: HttpRequest, body: Any, out: Outgoings) -> None:
        assert request.path.endswith("/chat/completions")
        frame = {"id": "c1", "created": 1, "model": body["model"], "new_member": {"kept": True}}
        usage = {
            "prompt_tokens": READ + CACHED, "completion_tokens": WROTE, "total_tokens": READ + CACHED + WROTE,
            "prompt_tokens_details": {"cached_tokens": CACHED},
        }  # fmt: skip
        calls = [{"id": i, "type": "function", "function": {"name": n, "arguments": a}} for i, n, a in saying.calls]
        if not body.get("stream"):
            message = {"role": "assistant", "content": saying.text or None, **({"tool_calls": calls} if calls else {})}
            if saying.reasoning:
                message["reasoning_content"] = "".join(saying.reasoning)
            choice = {"index": 0, "message": message, "finish_reason": saying.finish}
            document = {**frame, "object": "chat.completion", "choices": [choice], "usage": usage}
            out.whole(200, {"content-type": "application/json"}, json.dumps(document).encode())
            return
        out.begin(200, {"content-type": "text/event-stream"})

        def send(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> None:
            choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
            chunk = {**frame, "object": "chat.completion.chunk", "choices": choices, **more}
            out.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")

        send({"role": "assistant", "content": ""})
        for thought in saying.reasoning:
            send({"reasoning_content": thought})
        for piece in saying.pieces:
            send({"content": piece})
        for index, call in enumerate(calls):
            function = call["function"]
            send({"tool_calls": [{**call, "index": index, "function": {**function, "arguments": ""}}]})  # type: ignore[dict-item]
            for half in _halves(function["arguments"]):  # type: ignore[index]
                send({"tool_calls": [{"index": index, "function": {"arguments": half}}]})
        send({}, saying.finish)
        if body.get("stream_options", {}).get("include_usage"):
            send(None, usage=usage)
        out.end(b"data: [DONE]\n\n")

    return answer


def messages(saying: Saying) -> Any:
    """Answer as Anthropic's messages do."""

    def answer(request: HttpRequest, body: Any, out: Outgoings) -> None:
        assert request.path.endswith("/messages")
        usage = {"input_tokens": READ, "cache_read_input_tokens": CACHED, "cache_creation_input_tokens": 0, "output_tokens": WROTE}
        head = {"id": "m1", "type": "message", "role": "assistant", "model": body["model"], "new_member": {"kept": True}}
        end = {"stop_reason": ANTHROPIC_FINISH[saying.finish], "stop_sequence": None}
        blocks: list[dict[str, Any]] = []
        if saying.reasoning:
            blocks.append({"type": "thinking", "thinking": "".join(saying.reasoning), "signature": "sig"})
        if saying.pieces:
            blocks.append({"type": "text", "text": saying.text})
        blocks += [{"type": "tool_use", "id": i, "name": n, "input": json.loads(a)} for i, n, a in saying.calls]
        if not body.get("stream"):
            document = {**head, "content": blocks, **end, "usage": usage}
            out.whole(200, {"content-type": "application/json"}, json.dumps(document).encode())
            return
        out.begin(200, {"content-type": "text/event-stream"})

        def send(kind: str, **members: Any) -> None:
            out.write(f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode())

        begun = {"content": [], "stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 1}}
        send("message_start", message={**head, **begun})
        send("ping")
        for index, block in enumerate(blocks):
            empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}}[block["type"]]
            send("content_block_start", index=index, content_block={**block, **empty})
            for delta in _deltas(block, saying):
                send("content_block_delta", index=index, delta=delta)
            send("content_block_stop", index=index)
        send("message_delta", delta=end, usage={"output_tokens": WROTE})
        out.end(b'event: message_stop\ndata: {"type": "message_stop"}\n\n')

    return answer


def _deltas(block: dict[str, Any], saying: Saying) -> list[dict[str, Any]]:
    if block["type"] == "text":
        return [{"type": "text_delta", "text": piece} for piece in saying.pieces]
    if block["type"] == "thinking":
        return [*({"type": "thinking_delta", "thinking": one} for one in saying.reasoning), {"type": "signature_delta", "signature": "sig"}]
    arguments = next(a for i, _, a in saying.calls if i == block["id"])
    return [{"type": "input_json_delta", "partial_json": half} for half in _halves(arguments)]


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


PROVIDERS = {"openai-chat": chat, "anthropic-messages": messages}
