"""Qwen's chat templates, as published with the open models: calls as JSON (Qwen 2.5 and 3), as tags (3.5 and later).

Source: the `chat_template` of Qwen/Qwen3-8B and Qwen/Qwen3.5-27B (Apache-2.0). That the hosted models read the same is seen in
recorded bills, for requests without tools.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from deepsel.tokens.templates.writer import (
    Writer,
    WrittenPrompt,
    function_of,
    json_text,
    results,
    write_schema,
    written,
)
from deepsel.values import Json, Message, Part, Request, Thinking, Tool, ToolCall

_MARKS = ("</tool_response>", "<tool_response>", "</tool_call>", "<tool_call>", "</think>", "<think>")
_JSON_TOOLS = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>",
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments within <tool_call></tool_call> "
    'XML tags:\n<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>',
)
_TAGGED_TOOLS = (
    "# Tools\n\nYou have access to the following functions:\n\n<tools>",
    "\n</tools>\n\nIf you choose to call a function ONLY reply in the following format with NO suffix:\n\n<tool_call>\n"
    "<function=example_function_name>\n<parameter=example_parameter_1>\nvalue_1\n</parameter>\n<parameter=example_parameter_2>\n"
    "This is the value for the second parameter\nthat can span\nmultiple lines\n</parameter>\n</function>\n</tool_call>\n\n"
    "<IMPORTANT>\nReminder:\n- Function calls MUST follow the specified format: an inner <function=...></function> block must be "
    "nested within <tool_call></tool_call> XML tags\n- Required parameters MUST be specified\n- You may provide optional reasoning "
    "for your function call in natural language BEFORE the function call, but NOT after\n- If there is no function call available, "
    "answer the question like normal with your current knowledge and do not tell the user about function calls\n</IMPORTANT>",
)


def json_calls(request: Request, *, thinks: bool) -> WrittenPrompt:
    """Write a request as Qwen 2.5 and 3 read it; whether it thinks changes nothing that is billed."""
    del thinks
    writer, (system, turns) = Writer(_MARKS), _parted(request.messages)
    if system or request.tools:
        _open(writer, "system")
        if request.tools:
            writer.words(f"{system}\n\n" if system else "")
            _write_tools(writer, request.tools, _JSON_TOOLS)
        else:
            writer.words(system)
        _close(writer)
    for role, group in groupby(turns, key=lambda message: message.role):
        messages = list(group)
        if role == "assistant":
            for message in messages:
                _write_json(writer, message)
        else:
            _write_given(writer, messages)
    doubt = write_schema(writer, request.schema)
    _open(writer, "assistant")
    return writer.prompt(doubt_tokens=doubt)


def tagged_calls(request: Request, *, thinks: bool) -> WrittenPrompt:
    """Write a request as Qwen 3.5 and later read it."""
    writer, (system, turns) = Writer(_MARKS), _parted(request.messages)
    system = system.strip()
    if system or request.tools:
        _open(writer, "system")
        if request.tools:
            _write_tools(writer, request.tools, _TAGGED_TOOLS)
            writer.words(f"\n\n{system}" if system else "")
        else:
            writer.words(system)
        _close(writer)
    asked = [place for place, message in enumerate(turns) if message.role == "user" and not results(message)]
    last_asked = asked[-1] if asked else len(turns)
    place = 0
    for role, group in groupby(turns, key=lambda message: message.role):
        messages = list(group)
        if role == "assistant":
            for number, message in enumerate(messages, place):
                _write_tagged(writer, message, shows_thinking=number > last_asked)
        else:
            _write_given(writer, messages, is_trimmed=True)
        place += len(messages)
    doubt = write_schema(writer, request.schema)
    _open(writer, "assistant")
    writer.template("<think>\n" if thinks else "<think>\n\n</think>\n\n")
    return writer.prompt(doubt_tokens=doubt)


def _parted(messages: Sequence[Message]) -> tuple[str, list[Message]]:
    """Part the system text at the beginning from the turns."""
    is_first = bool(messages) and messages[0].role in ("system", "developer")
    return (written(messages[0].parts), list(messages[1:])) if is_first else ("", list(messages))


def _calls(message: Message) -> list[ToolCall]:
    return [part for part in message.parts if isinstance(part, ToolCall)]


def _open(writer: Writer, role: str) -> None:
    writer.mark()
    writer.words(f"{role}\n")


def _close(writer: Writer) -> None:
    writer.mark()
    writer.words("\n")


def _write_tools(writer: Writer, tools: Sequence[Tool], around: tuple[str, str]) -> None:
    before, after = around
    writer.template(before)
    for tool in tools:
        definition: Json = {"type": "function", "function": function_of(tool)}
        writer.words(f"\n{json_text(definition)}")
    writer.template(after)


def _write_given(writer: Writer, messages: Sequence[Message], *, is_trimmed: bool = False) -> None:
    """Write what the user said or tools brought; results that follow each other are one turn."""

    def said(parts: Iterable[Part]) -> str:
        return written(parts).strip() if is_trimmed else written(parts)

    brought = [result for message in messages for result in results(message)]
    if brought:
        writer.mark()
        writer.words("user")
        for one in brought:
            writer.template("\n<tool_response>\n")
            writer.words(said(one.parts))
            writer.template("\n</tool_response>")
        _close(writer)
    for message in messages:
        text = said(message.parts)
        if text or not results(message):
            _open(writer, "system" if message.role == "developer" else message.role)
            writer.words(text)
            _close(writer)


def _write_json(writer: Writer, message: Message) -> None:
    _open(writer, "assistant")
    text = written(message.parts)
    writer.words(text)
    for number, call in enumerate(_calls(message)):
        writer.template("\n<tool_call>\n" if number or text else "<tool_call>\n")
        writer.words(f'{{"name": "{call.name}", "arguments": {call.arguments}}}')
        writer.template("\n</tool_call>")
    _close(writer)


def _write_tagged(writer: Writer, message: Message, *, shows_thinking: bool) -> None:
    _open(writer, "assistant")
    if shows_thinking:
        writer.template("<think>\n")
        writer.words("".join(part.text for part in message.parts if isinstance(part, Thinking)).strip())
        writer.template("\n</think>\n\n")
    text = written(message.parts).strip()
    writer.words(text)
    for number, call in enumerate(_calls(message)):
        before = "\n" if number else "\n\n" if text else ""
        writer.template(f"{before}<tool_call>\n")
        writer.words(f"<function={call.name}>\n")
        for name, value in (call.parsed or {}).items():
            plain = json_text(value) if isinstance(value, dict | list) else str(value)  # as Python writes it, `True` and `None` too
            writer.words(f"<parameter={name}>\n{plain}\n</parameter>\n")
        writer.template("</function>\n</tool_call>")
    _close(writer)
