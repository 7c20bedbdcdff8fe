"""OpenAI's chat template, as far as bills show it: tools as types of TypeScript, a schema as JSON, a mark around each turn.

OpenAI publishes no encoder. The form of the tools is that of its open-weight models (Harmony, openai/gpt-oss, Apache-2.0), which agrees
with the count its cookbook gives for its own example ("How to count tokens with tiktoken": 101 for gpt-4o).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deepsel.tokens.templates.writer import Writer, WrittenPrompt, json_text, results, written
from deepsel.values import Json, Request, Tool, ToolCall

_MARKS_A_TURN = 4
"""Where it begins, its role, where its words begin, and its end."""
_MARKS_OF_THE_ANSWER = 3
_MARKS_OF_A_CALL = 2
"""Around a call, and around its result: fewer than around a turn, as bills of such histories show."""
_TOOLS_DOUBT = 2
_SCHEMA_DOUBT = 12


def turns(request: Request, *, thinks: bool) -> WrittenPrompt:
    """Write a request as OpenAI's models read it; whether they think changes nothing that is billed."""
    del thinks
    writer, calls_and_results = Writer(), 0
    head = _head(request)
    for message in request.messages:
        brought = results(message)
        for one in brought:
            writer.mark(_MARKS_OF_A_CALL)
            writer.words(written(one.parts))
        text = written(message.parts)
        calls = [part for part in message.parts if isinstance(part, ToolCall)]
        if text or not (brought or calls):
            writer.mark(_MARKS_A_TURN)
            writer.words(text)
            if head and message.role in ("system", "developer"):
                writer.words(f"\n\n{head}")
                head = ""
        for call in calls:
            writer.words(call.name)
            writer.mark(_MARKS_OF_A_CALL)
            writer.words(call.arguments)
        calls_and_results += len(brought) + len(calls)
    if head:
        writer.mark(_MARKS_A_TURN)
        writer.words(head)
    writer.mark(_MARKS_OF_THE_ANSWER)
    doubt = _TOOLS_DOUBT * bool(request.tools) + _SCHEMA_DOUBT * (request.schema is not None)
    return writer.prompt(doubt_tokens=doubt + calls_and_results)


def _head(request: Request) -> str:
    """Return what is said of the tools and of the answer's form; empty where there is nothing to say."""
    parts = []
    if request.tools:
        defined = "\n\n".join(map(_definition, request.tools))
        parts.append(f"# Tools\n\n## functions\n\nnamespace functions {{\n\n{defined}\n\n}} // namespace functions")
    if request.schema is not None:
        parts.append(f"# Response Formats\n\n## response\n\n{json_text(request.schema)}")
    return "\n\n".join(parts)


def _definition(tool: Tool) -> str:
    comment = "".join(f"// {line}\n" for line in tool.description.splitlines())
    properties = (tool.parameters or {}).get("properties")
    if not isinstance(properties, Mapping) or not properties:
        return f"{comment}type {tool.name} = () => any;"
    members = "\n".join(_members(tool.parameters or {}, ""))
    return f"{comment}type {tool.name} = (_: {{\n{members}\n}}) => any;"


def _members(schema: Mapping[str, Json], indent: str) -> Iterator[str]:
    """Yield the lines of an object's members."""
    properties, required = schema.get("properties"), schema.get("required")
    for name, member in properties.items() if isinstance(properties, Mapping) else ():
        inner = member if isinstance(member, Mapping) else {}
        if isinstance(inner.get("description"), str):
            yield from (f"{indent}// {line}" for line in str(inner["description"]).splitlines())
        is_required = isinstance(required, list | tuple) and name in required
        default = f" // default: {_plain(inner['default'])}" if "default" in inner else ""
        yield f"{indent}{name}{'' if is_required else '?'}: {_type(inner, indent)},{default}"


def _type(schema: Mapping[str, Json], indent: str) -> str:
    """Write a schema as a type."""
    values, kind = schema.get("enum"), schema.get("type")
    variants = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(values, list):
        return " | ".join(map(json_text, values))
    if isinstance(variants, list):
        return " | ".join(_type(one, indent) for one in variants if isinstance(one, Mapping))
    if isinstance(kind, list):
        return " | ".join(_type({**schema, "type": one}, indent) for one in kind)
    if kind == "array":
        items = schema.get("items")
        return f"{_type(items, indent) if isinstance(items, Mapping) else 'any'}[]"
    if kind == "object":
        members = "\n".join(_members(schema, f"{indent}  "))
        return f"{{\n{members}\n{indent}}}" if members else "object"
    return {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}.get(str(kind), "any")


def _plain(value: Json) -> str:
    return value if isinstance(value, str) else json_text(value)
