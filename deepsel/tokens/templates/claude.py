"""What Claude reads, as far as its documents and recorded bills show: text with some marks a turn, a stated number for tools.

Source of the numbers: the table of the tokens of the tool use system prompt in Anthropic's documents ("Tool use", checked
2026-11-28), and its count of an example there, which these figures meet within the doubt they state.
"""

from __future__ import annotations

from deepsel.tokens.templates.writer import Writer, WrittenPrompt, json_text, results, written
from deepsel.values import Json, Request, Thinking, ToolCall

_MARKS_OF_THE_FIRST = 7
_MARKS_OF_A_FURTHER = 2
_MARKS_OF_A_CALL = 12
"""A call, and a result, stand between tags of their own."""
_TOOLS = {"auto": 346, "none": 346, "required": 313, "named": 313}
"""What the model is told where there are tools, by the choice it is given."""
_DOUBT_OF_THE_TOOLS = 35
_CHARS_A_DOUBT = 20
_DOUBT_OF_A_SCHEMA = 100
"""What is said around the form of an answer is not published."""


def turns(request: Request, *, thinks: bool) -> WrittenPrompt:
    """Write a request as Claude reads it; earlier thinking is not read again but within a run of calls."""
    writer = Writer()
    doubt = 0
    if request.tools:
        told = "\n".join(json_text(_definition(tool.name, tool.description, tool.parameters)) for tool in request.tools)
        writer.words(told)
        writer.mark(_TOOLS[request.tool_choice.mode if request.tool_choice else "auto"])
        doubt += _DOUBT_OF_THE_TOOLS + len(told) // _CHARS_A_DOUBT
    if request.schema is not None:
        writer.words(json_text(request.schema))
        writer.mark(_DOUBT_OF_A_SCHEMA)
        doubt += _DOUBT_OF_A_SCHEMA
    is_first = True
    for message in request.messages:
        if message.role not in ("system", "developer"):
            writer.mark(_MARKS_OF_THE_FIRST if is_first else _MARKS_OF_A_FURTHER)
            is_first = False
        brought = results(message)
        for one in brought:
            writer.words(written(one.parts))
            writer.mark(_MARKS_OF_A_CALL)
        writer.words(written(message.parts))
        calls = [part for part in message.parts if isinstance(part, ToolCall)]
        for call in calls:
            if thinks:
                writer.words("".join(part.text for part in message.parts if isinstance(part, Thinking)))
            writer.words(f"{call.name}\n{call.arguments}")
            writer.mark(_MARKS_OF_A_CALL)
        doubt += _MARKS_OF_A_CALL // 2 * (len(brought) + len(calls))
    return writer.prompt(doubt_tokens=doubt)


def _definition(name: str, description: str, parameters: object) -> Json:
    return {"name": name, "description": description, "input_schema": parameters}  # type: ignore[dict-item]  # a schema is JSON
