"""The makers' own SDKs as clients, each giving what it understood in one form: text, thinking, calls, finish, usage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
from serve_sayings import ANTHROPIC_FINISH

_CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"name": "look", "description": "Looks at the weather.", "parameters": _CITY}]
_FINISH = {theirs: ours for ours, theirs in ANTHROPIC_FINISH.items()}


@dataclass(frozen=True)
class Understood:
    """What a client's SDK made of an answer."""

    text: str
    reasoning: str
    calls: tuple[tuple[str, str, Any], ...]
    finish: str | None
    usage: tuple[int, int, int] | None
    """Read, of which cached, and written."""


OPEN: list[openai.OpenAI | anthropic.Anthropic] = []
"""Closed when the test ends."""


def openai_client(url: str, **options: Any) -> openai.OpenAI:
    return _kept(openai.OpenAI(base_url=f"{url}/v1", api_key=options.pop("api_key", "sk-local-client"), **options))


def anthropic_client(url: str, **options: Any) -> anthropic.Anthropic:
    return _kept(anthropic.Anthropic(base_url=url, api_key=options.pop("api_key", "sk-local-client"), **options))


def _kept(client: Any) -> Any:
    OPEN.append(client)
    return client


def ask_chat(url: str, model: str, *, stream: bool, tools: bool = False, **more: Any) -> Understood:
    """Ask by OpenAI's chat completions."""
    client = openai_client(url)
    arguments: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **more}
    if tools:
        arguments["tools"] = [{"type": "function", "function": tool} for tool in TOOLS]
    if not stream:
        answer = client.chat.completions.create(**arguments)
        message = answer.choices[0].message
        calls = tuple((one.id, one.function.name, json.loads(one.function.arguments)) for one in message.tool_calls or ())
        reasoning = (message.model_extra or {}).get("reasoning_content") or ""
        return Understood(message.content or "", reasoning, calls, answer.choices[0].finish_reason, _chat_usage(answer.usage))
    text, reasoning, finish, usage = "", "", None, None
    found: dict[int, list[str]] = {}
    for chunk in client.chat.completions.create(**arguments, stream=True, stream_options={"include_usage": True}):
        usage = _chat_usage(chunk.usage) if chunk.usage else usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasoning += (choice.delta.model_extra or {}).get("reasoning_content") or ""
            for piece in choice.delta.tool_calls or ():
                call = found.setdefault(piece.index, ["", "", ""])
                call[0] += piece.id or ""
                call[1] += (piece.function.name if piece.function else "") or ""
                call[2] += (piece.function.arguments if piece.function else "") or ""
            finish = choice.finish_reason or finish
    calls = tuple((i, n, json.loads(a)) for i, n, a in found.values())
    return Understood(text, reasoning, calls, finish, usage)


def _chat_usage(usage: Any) -> tuple[int, int, int] | None:
    if usage is None:
        return None
    details = usage.prompt_tokens_details
    return usage.prompt_tokens, (details.cached_tokens if details else 0) or 0, usage.completion_tokens


def ask_messages(url: str, model: str, *, stream: bool, tools: bool = False, **more: Any) -> Understood:
    """Ask by Anthropic's messages."""
    client = anthropic_client(url)
    arguments: dict[str, Any] = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}], **more}
    if tools:
        arguments["tools"] = [{"name": t["name"], "description": t["description"], "input_schema": t["parameters"]} for t in TOOLS]
    if stream:
        with client.messages.stream(**arguments) as events:
            message = events.get_final_message()
    else:
        message = client.messages.create(**arguments)
    text = "".join(block.text for block in message.content if block.type == "text")
    reasoning = "".join(block.thinking for block in message.content if block.type == "thinking")
    calls = tuple((block.id, block.name, block.input) for block in message.content if block.type == "tool_use")
    usage = message.usage
    cached = usage.cache_read_input_tokens or 0
    counted = (usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0), cached, usage.output_tokens)
    return Understood(text, reasoning, calls, _FINISH.get(message.stop_reason or "", message.stop_reason), counted)


CLIENTS = {"openai-chat": ask_chat, "anthropic-messages": ask_messages}
