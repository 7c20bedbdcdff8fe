"""The Responses wire in the tests of pairs: OpenAI's SDK as its client, and a scripted provider that speaks it."""

from __future__ import annotations

import json
from typing import Any

from serve_clients import CLIENTS, TOOLS, Understood, openai_client
from serve_sayings import CACHED, PROVIDERS, READ, WROTE, Saying

from deepsel.http1.requests import HttpRequest
from deepsel.http1.responses import Outgoings


def ask_responses(url: str, model: str, *, stream: bool, tools: bool = False, **more: Any) -> Understood:
    """Ask by OpenAI's Responses; of a stream, what its pieces say has to be what its end repeats."""
    client = openai_client(url)
    arguments: dict[str, Any] = {"model": model, "input": "Hi", **more}
    if tools:
        arguments["tools"] = [{"type": "function", "strict": False, **tool} for tool in TOOLS]
    if not stream:
        return _understood(client.responses.create(**arguments))
    text, reasoning, pieces = "", "", ""
    numbers: list[int] = []
    last: Any = None
    for event in client.responses.create(**arguments, stream=True):
        numbers.append(event.sequence_number)
        if event.type == "response.output_text.delta":
            text += event.delta
        elif event.type == "response.reasoning_summary_text.delta":
            reasoning += event.delta
        elif event.type == "response.function_call_arguments.delta":
            pieces += event.delta
        elif event.type in ("response.completed", "response.incomplete"):
            last = event.response
    assert numbers == sorted(set(numbers))
    found = _understood(last)
    assert (text, reasoning) == (found.text, found.reasoning)
    assert pieces == "".join(item.arguments for item in last.output if item.type == "function_call")
    return found


def _understood(answer: Any) -> Understood:
    items = answer.output
    calls = tuple((one.call_id, one.name, json.loads(one.arguments)) for one in items if one.type == "function_call")
    reasoning = "".join(part.text for item in items if item.type == "reasoning" for part in item.summary)
    reason = answer.incomplete_details.reason if answer.incomplete_details else None
    ended = {"max_output_tokens": "length", None: "tool_calls" if calls else "stop"}
    usage = answer.usage
    counted = (usage.input_tokens, usage.input_tokens_details.cached_tokens, usage.output_tokens) if usage else None
    return Understood(answer.output_text, reasoning, calls, ended.get(reason, reason), counted)


def responses(saying: Saying) -> Any:
    """Answer as OpenAI's Responses do."""

    def answer(request: HttpRequest, body: Any, out: Outgoings) -> None:
        assert request.path.endswith("/responses")
        whole = _whole(saying, body["model"])
        if not body.get("stream"):
            out.whole(200, {"content-type": "application/json"}, json.dumps(whole).encode())
            return
        out.begin(200, {"content-type": "text/event-stream"})
        number = -1

        def send(kind: str, **members: Any) -> bytes:
            nonlocal number
            number += 1
            name = f"response.{kind}"
            return f"event: {name}\ndata: {json.dumps({'type': name, 'sequence_number': number, **members})}\n\n".encode()

        out.write(send("created", response={**whole, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}))
        for place, item in enumerate(whole["output"]):
            where = {"item_id": item["id"], "output_index": place}
            bare = {name: value for name, value in {"summary": [], "content": [], "arguments": ""}.items() if name in item}
            out.write(send("output_item.added", output_index=place, item={**item, **bare}))
            if item["type"] == "reasoning":
                for piece in saying.reasoning:
                    out.write(send("reasoning_summary_text.delta", **where, summary_index=0, delta=piece))
            elif item["type"] == "message":
                out.write(send("content_part.added", **where, content_index=0, part={**item["content"][0], "text": ""}))
                for piece in saying.pieces:
                    out.write(send("output_text.delta", **where, content_index=0, delta=piece, logprobs=[]))
                out.write(send("output_text.done", **where, content_index=0, text=saying.text, logprobs=[]))
            else:
                half = len(item["arguments"]) // 2
                for piece in (item["arguments"][:half], item["arguments"][half:]):
                    out.write(send("function_call_arguments.delta", **where, delta=piece))
                out.write(send("function_call_arguments.done", **where, name=item["name"], arguments=item["arguments"]))
            out.write(send("output_item.done", output_index=place, item=item))
        out.end(send(whole["status"], response=whole))

    return answer


def _whole(saying: Saying, model: str) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    if saying.reasoning:
        output.append({"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "".join(saying.reasoning)}]})
    if saying.pieces:
        part = {"type": "output_text", "text": saying.text, "annotations": [], "logprobs": []}
        output.append({"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]})
    for call_id, name, arguments in saying.calls:
        named = {"call_id": call_id, "name": name, "arguments": arguments}
        output.append({"id": f"fc_{call_id}", "type": "function_call", "status": "completed", **named})
    is_cut = saying.finish == "length"
    return {
        "id": "resp_1", "object": "response", "created_at": 1, "model": model, "error": None, "instructions": None, "metadata": {},
        "status": "incomplete" if is_cut else "completed", "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
        "output": output, "parallel_tool_calls": True, "temperature": 1.0, "top_p": 1.0, "tool_choice": "auto", "tools": [],
        "new_member": {"kept": True},
        "usage": {
            "input_tokens": READ + CACHED, "input_tokens_details": {"cached_tokens": CACHED}, "output_tokens": WROTE,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": READ + CACHED + WROTE,
        },
    }  # fmt: skip


ALL_CLIENTS = {**CLIENTS, "openai-responses": ask_responses}
ALL_PROVIDERS = {**PROVIDERS, "openai-responses": responses}
