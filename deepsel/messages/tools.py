"""Reads definitions of tools, in the forms of OpenAI's two wires and in Anthropic's, and the choice among them."""

from __future__ import annotations

from deepsel.errors import UsageError
from deepsel.messages.blocks import child, nested
from deepsel.messages.forms import ANTHROPIC, OPENAI, RESPONSES
from deepsel.messages.loading import extras
from deepsel.values import Json, JsonObject, Tool, ToolChoice

_HINT = '[{"type": "function", "function": {"name": "...", "parameters": {...}}}]'


def read_tools(data: Json, place: str) -> tuple[Tool, ...]:
    """Read a list of tools; raises UsageError that names the tool's number and the member."""
    if not isinstance(data, list) or not data:
        raise UsageError(f"{place} must hold a JSON list of tools", _HINT)
    tools = tuple(_tool(item, f"{place}, tool {number}") for number, item in enumerate(data, 1))
    names = [tool.name for tool in tools]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"{place}: there are two tools called `{twice}`")
    return tools


def _tool(item: Json, place: str) -> Tool:
    if not isinstance(item, dict):
        raise UsageError(f"{place}: a tool must be an object", _HINT)
    kind = item.get("type")
    if "function" in item and kind in ("function", None):
        function = child(item, "function", place)
        data = nested(item, "function", function, *_FIELDS, "parameters")
        return _made(function, function.get("parameters"), data, OPENAI, place)
    if "input_schema" in item and kind in ("custom", None):
        return _made(item, item["input_schema"], extras(item, "type", *_FIELDS, "input_schema"), ANTHROPIC, place)
    if kind == "function" and "name" in item:
        tool = _made(item, item.get("parameters"), extras(item, "type", *_FIELDS, "parameters"), RESPONSES, place)
        return tool._replace(form=RESPONSES)  # what is not said of strictness means something else here
    raise UsageError(f"{place}: a tool of type `{kind}` cannot be sent", _HINT)


_FIELDS = ("name", "description", "strict")


def _made(fields: JsonObject, parameters: Json, data: JsonObject, form: str, place: str) -> Tool:
    """Make a tool of its members, each checked."""
    name, description, strict = (fields.get(field) for field in _FIELDS)
    if not isinstance(name, str) or not name:
        raise UsageError(f"{place}: needs a `name`", _HINT)
    if not isinstance(description, str | None):
        raise UsageError(f"{place}: `description` must be text")
    if not isinstance(strict, bool | None):
        raise UsageError(f"{place}: `strict` must be true or false")
    if not isinstance(parameters, dict | None):
        raise UsageError(f"{place}: the parameters must be a JSON Schema, an object")
    return Tool(name, description or "", parameters, strict, data, form if data else "")


def read_tool_choice(value: Json, place: str) -> ToolChoice:
    """Read a choice of either form; raises UsageError for one that cannot be told."""
    kind = value.get("type") if isinstance(value, dict) else value
    if kind in ("auto", "none") and not _further(value):
        return ToolChoice("auto" if kind == "auto" else "none")
    if kind in ("required", "any") and not _further(value):
        return ToolChoice("required")
    inner = value.get("function", value) if isinstance(value, dict) else None
    name = inner.get("name") if isinstance(inner, dict) and kind in ("function", "tool") else None
    if not isinstance(name, str) or not name or _further(value, "function", "name"):
        raise UsageError(f"{place}: `tool_choice` is not understood", 'e.g. "auto", "none" or "required"')
    return ToolChoice("named", name)


def _further(value: Json, *known: str) -> JsonObject:
    return extras(value, "type", *known) if isinstance(value, dict) else {}
