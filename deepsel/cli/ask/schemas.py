"""The schema of an answer as it is typed: a file, JSON, or names with their types."""

from __future__ import annotations

import re
from pathlib import Path

from deepsel.errors import UsageError
from deepsel.values import JsonObject

_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_MEMBER = re.compile(r"(?P<name>[A-Za-z_][\w-]*)(?:\s+(?P<type>str|int|float|bool)(?P<list>\[\])?)?(?:\s*:\s*(?P<about>.+))?")
_MOST_SCHEMA_BYTES = 4 << 20


def schema_of(text: str) -> JsonObject:
    """Return the JSON Schema of a file's name, of JSON, or of `name, age int, tags str[]: what they say`.

    Raises UsageError for what is none.
    """
    from deepsel.engine.checks.schema import check_schema

    path = Path(text)
    is_file = _is_there(path)
    schema = None if is_file or text.lstrip().startswith("{") else _short(text)
    if schema is None:
        schema = _loaded(_read(path) if is_file or not text.lstrip().startswith("{") else text.encode(), text if is_file else "the schema")
    check_schema(schema)
    return schema


def is_file(text: str) -> bool:
    """Tell whether a schema stands in a file, which an answer then depends on."""
    return _is_there(Path(text))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _short(text: str) -> JsonObject | None:
    """Read names with their types; None where that is what nobody wrote, such as the path of a file that is not there."""
    members = [_MEMBER.fullmatch(part.strip()) for part in re.split(r"[,\n]", text) if part.strip()]
    if not members or not all(members):
        return None
    found = [member for member in members if member is not None]
    properties: JsonObject = {}
    for member in found:
        kind: JsonObject = {"type": _TYPES[member["type"] or "str"]}
        one: JsonObject = {"type": "array", "items": kind} if member["list"] else kind
        properties[member["name"]] = {**one, **({"description": member["about"].strip()} if member["about"] else {})}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _read(path: Path) -> bytes:
    from deepsel.reads import read_file

    try:
        return read_file(path, most_bytes=_MOST_SCHEMA_BYTES)
    except OSError as error:
        raise UsageError(
            f"cannot read `{path}`: {(error.strerror or 'input/output error').lower()}",
            "give a file, JSON, or names with types such as 'name, age int, tags str[]'",
        ) from error


def _loaded(raw: bytes, told: str) -> JsonObject:
    from deepsel.jsontext import loads

    try:
        schema = loads(raw.decode("utf-8-sig"))
    except ValueError as error:
        raise UsageError(f"`{told}` is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise UsageError(f"`{told}` must hold a JSON object, the schema")
    return schema
