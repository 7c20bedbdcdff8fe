"""DeepSeek's chat templates, V4 and V4.1, as the maker's own encoder writes them (package `deepseek-recipe`, 0.2.0, MIT).

Tests hold them against that encoder, character for character.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from deepsel.records import NamedTuple
from deepsel.tokens.templates.writer import Writer, WrittenPrompt, function_of, json_text, results, written
from deepsel.values import Json, Message, Request, Thinking, Tool, ToolCall

_DSML = "｜DSML｜"
_BREAK = "\n\n"
"""Between the parts of a message, and between messages of one side."""
_TOOLS = """

## Tools

You have access to a set of tools to help answer the user's question. You can invoke tools by writing a "<｜DSML｜{calls}>" block \
like the following:

<｜DSML｜{calls}>
<｜DSML｜{invoke} name="$TOOL_NAME">
<｜DSML｜{parameter} name="$PARAMETER_NAME" string="true|false">$PARAMETER_VALUE</｜DSML｜{parameter}>
...
</｜DSML｜{invoke}>
<｜DSML｜{invoke} name="$TOOL_NAME2">
...
</｜DSML｜{invoke}>
</｜DSML｜{calls}>

String parameters should be specified as is and set `string="true"`. For all other types (numbers, booleans, arrays, objects), \
pass the value in JSON format and set `string="false"`.

If thinking_mode is enabled (triggered by <think>), you MUST output your complete reasoning inside <think>...</think> BEFORE any \
tool calls or final response.

Otherwise, output directly after </think> with tool calls or final response.

### Available Tool Schemas

{schemas}

You MUST strictly follow the above defined tool name and parameter schemas to invoke tool calls.
"""
_FORMAT = "\n\n## Response Format:\n\nYou MUST strictly adhere to the following schema to reply:\n"


class _Version(NamedTuple):
    """What differs between the versions of the template."""

    calls: str
    invoke: str
    parameter: str
    effort: str
    """Said first to a model that thinks, at the effort the host uses by default."""
    no_arguments: str
    marks_system: bool
    """Whether a system text has a mark and its place; else all stand together at the beginning."""


_V41 = _Version(
    " calls", " invoke", " parameter",
    "Reasoning Effort: 75 (range 1-100, the higher the value, the more thorough the reasoning)\n\n", "\n", marks_system=True,
)  # fmt: skip
_V4 = _Version(
    "tool_calls", "invoke", "parameter",
    "Reasoning Effort: Absolute maximum with no shortcuts permitted.\n"
    "You MUST be very thorough in your thinking and comprehensively decompose the problem to resolve the root cause, rigorously "
    "stress-testing your logic against all potential paths, edge cases, and adversarial scenarios.\n"
    "Explicitly write out your entire deliberation process, documenting every intermediate step, considered alternative, and "
    "rejected hypothesis to ensure absolutely no assumption is left unchecked.\n\n", "", marks_system=False,
)  # fmt: skip


def v41(request: Request, *, thinks: bool) -> WrittenPrompt:
    """Write a request as V4.1 Flash reads it."""
    return _write(request, _V41, thinks=thinks)


def v4(request: Request, *, thinks: bool) -> WrittenPrompt:
    """Write a request as V4 Pro reads it."""
    return _write(request, _V4, thinks=thinks)


def _write(request: Request, version: _Version, *, thinks: bool) -> WrittenPrompt:
    writer = Writer((_DSML, "</think>", "<think>"))
    writer.mark()  # where the text begins
    tools, has_to_call = _callable(request)
    systems, turns = _parted(request.messages, keeps_place=version.marks_system)
    _write_head(writer, request, version, systems, tools, thinks=thinks)
    for is_user, messages in groupby(turns, key=lambda message: message.role in ("user", "tool")):
        if is_user:
            writer.mark()
            writer.words(_BREAK.join(_said(messages)))
            continue
        for message in messages:
            _write_turn(writer, message, version, keeps_thinking=thinks and bool(tools))
    writer.mark(2)  # the assistant's turn, and whether it thinks
    if has_to_call:
        writer.template(f"\n\n<{_DSML}{version.calls}>\n")
    return writer.prompt()


def _callable(request: Request) -> tuple[tuple[Tool, ...], bool]:
    """Return the tools the model is told of, and whether it has to call one."""
    choice = request.tool_choice
    if not choice or choice.mode == "auto":
        return request.tools, False
    named = tuple(tool for tool in request.tools if choice.mode != "named" or tool.name == choice.name)
    return (() if choice.mode == "none" else named), choice.mode != "none" and bool(named)


def _is_system(message: Message) -> bool:
    return message.role in ("system", "developer")


def _parted(messages: Sequence[Message], *, keeps_place: bool) -> tuple[list[Message], list[Message]]:
    """Part the system texts at the beginning from the turns; without `keeps_place` every system text goes there."""
    said = [message for message in messages if not _is_system(message) or written(message.parts)]
    if keeps_place:
        place = 1 if said and _is_system(said[0]) else 0
        return said[:place], said[place:]
    return [one for one in said if _is_system(one)], [one for one in said if not _is_system(one)]


def _write_head(
    writer: Writer, request: Request, version: _Version, systems: Sequence[Message], tools: Sequence[Tool], *, thinks: bool
) -> None:
    """Write what stands before the first turn: effort, system text, tools, and the form of the answer."""
    said = _BREAK.join(text for one in systems if (text := written(one.parts, _BREAK)))
    if not (said or tools or request.schema is not None or thinks):
        return
    if version.marks_system:
        writer.mark()
    if thinks:
        writer.template(version.effort)
    writer.words(said)
    if tools:
        schemas = "\n".join(json_text(_schema(function_of(tool))) for tool in tools)
        before, after = _TOOLS.replace("{schemas}", "\0").split("\0")
        for name in ("calls", "invoke", "parameter"):
            before = before.replace(f"{{{name}}}", getattr(version, name))
        writer.template(before)
        writer.words(schemas)
        writer.template(after)
    if request.schema is not None:
        writer.words(_FORMAT + json_text(request.schema))


def _schema(function: dict[str, Json]) -> dict[str, Json]:
    return {"name": function["name"], "description": function.get("description", ""), "parameters": function.get("parameters", {})}


def _said(messages: Iterable[Message]) -> Iterator[str]:
    """Yield what the user and the tools said in one turn."""
    for message in messages:
        for one in results(message):
            yield f"<tool_result>{written(one.parts, _BREAK)}</tool_result>"
        text = written(message.parts, _BREAK)
        if text or not results(message):
            yield text


def _write_turn(writer: Writer, message: Message, version: _Version, *, keeps_thinking: bool) -> None:
    """Write a turn of the assistant's, or a system text between turns."""
    writer.mark()
    if message.role != "assistant":
        writer.words(written(message.parts, _BREAK))
        return
    if keeps_thinking:
        writer.mark()
        writer.words("".join(part.text for part in message.parts if isinstance(part, Thinking)))
    writer.mark()
    writer.words(written(message.parts, _BREAK))
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if calls:
        writer.template(f"\n\n<{_DSML}{version.calls}>\n")
        for call in calls:
            _write_call(writer, call, version)
        writer.template(f"</{_DSML}{version.calls}>")
    writer.mark()


def _write_call(writer: Writer, call: ToolCall, version: _Version) -> None:
    arguments: dict[str, Json] = {"arguments": call.arguments} if call.parsed is None else dict(call.parsed)
    writer.template(f"<{_DSML}{version.invoke} name=\"")
    writer.words(f'{call.name}">\n')
    for name, value in arguments.items():
        is_text = isinstance(value, str)
        writer.template(f"<{_DSML}{version.parameter} name=\"")
        writer.words(f'{name}" string="{"true" if is_text else "false"}">{value if is_text else json_text(value)}')
        writer.template(f"</{_DSML}{version.parameter}>\n")
    if not arguments:
        writer.words(version.no_arguments)
    writer.template(f"</{_DSML}{version.invoke}>\n")
