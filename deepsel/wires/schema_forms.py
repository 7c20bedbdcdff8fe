"""A user's JSON Schema in the forms that hosts are documented to take, and the answer back in the user's form; pure.

The user's own schema stays what an answer is checked against: what a form cannot say is left to that check. Sources, read
2026-11: OpenAI, "Structured model outputs"; Anthropic, "Structured outputs", and its SDK's `transform_schema`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from deepsel.values import Json, JsonObject
from deepsel.wires.fields import child, items

MEMBER = "answer"
"""What holds the answer where the schema's root is no object."""

_COMBINING = frozenset({"anyOf", "oneOf", "allOf", "not", "if", "enum", "const", "$ref"})
_OF_OBJECTS = frozenset({"properties", "required", "additionalProperties", "patternProperties", "propertyNames"})
_DEFINITIONS = ("$defs", "definitions")
_STRICT = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref", *_DEFINITIONS}
    | {"title", "description"}
)
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
_WRAPPED = rf'\A\s*(?:```[A-Za-z]*[ \t]*\n)?\s*\{{\s*"{MEMBER}"\s*:\s*'
_WRAPPED_END = r"\A\s*\}\s*(?:```)?\s*\Z"


# --- the root --------------------------------------------------------------------------------------------------------


def is_wrapped(schema: Mapping[str, Json]) -> bool:
    """Tell whether the schema's root is something else than a plain object, which hosts refuse."""
    if schema.keys() & _COMBINING:
        return True
    return schema.get("type") != "object" if "type" in schema else not schema.keys() & _OF_OBJECTS


def with_object_root(schema: Mapping[str, Json]) -> JsonObject:
    """Return the schema with an object at its root: itself, or an object whose one member is what it describes."""
    own: JsonObject = {name: value for name, value in schema.items() if name != "$schema"}
    if not is_wrapped(schema):
        return own if "type" in own else {"type": "object", **own}
    shared = {name: _relinked(own.pop(name)) for name in _DEFINITIONS if name in own}
    inner = _relinked(own)
    return {"type": "object", "properties": {MEMBER: inner}, "required": [MEMBER], "additionalProperties": False, **shared}


def _relinked(part: Json) -> Json:
    """Point references into the root to where it is now; the definitions stay where they were."""
    if isinstance(part, list):
        return [_relinked(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {name: _relinked(value) for name, value in part.items()}
    target = part.get("$ref")
    is_own = isinstance(target, str) and (target == "#" or target.startswith("#/"))
    if is_own and not str(target).startswith(tuple(f"#/{name}/" for name in _DEFINITIONS)):
        found["$ref"] = f"#/properties/{MEMBER}{str(target)[1:]}"
    return found


def unwrapped(text: str) -> str:
    """Return the document within an answer whose form was wrapped, as it was written; the text itself where it is in no wrapper."""
    begins = re.match(_WRAPPED, text)
    if begins is None:
        return text
    try:
        end = json.JSONDecoder().raw_decode(text, begins.end())[1]
    except (ValueError, RecursionError):
        return text
    return text[begins.end() : end] if re.match(_WRAPPED_END, text[end:]) else text


# --- OpenAI's strict mode --------------------------------------------------------------------------------------------


def is_strict(schema: Json) -> bool:
    """Tell whether a schema is one OpenAI's strict mode takes: known words alone, each object closed, each property required."""
    if not isinstance(schema, dict) or not schema.keys() <= _STRICT:
        return False
    if not schema.keys() & {"type", "anyOf", "enum", "const", "$ref"}:
        return False
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        names = set(properties) if isinstance(properties, dict) else set()
        required = {name for name in items(schema.get("required")) if isinstance(name, str)}
        if schema.get("additionalProperties") is not False or names != required:
            return False
    if schema.get("type") == "array" and "items" not in schema:
        return False
    inner = [one for name in ("properties", *_DEFINITIONS) for one in child(schema, name).values()]
    inner += [schema["items"]] if "items" in schema else []
    return all(map(is_strict, [*inner, *items(schema.get("anyOf"))]))


# --- Anthropic's form ------------------------------------------------------------------------------------------------


class _Unsaid(Exception):
    """The schema has a meaning that the form cannot give."""


def closed(schema: Mapping[str, Json]) -> JsonObject | None:
    """Return the schema as Anthropic takes it: objects closed, bounds told in words; None where it cannot be put so."""
    root = with_object_root(schema)
    try:
        _ensure_finite(root)
        return _closed(root)
    except (_Unsaid, RecursionError):
        return None


def _closed(node: Json) -> JsonObject:
    if not isinstance(node, dict):
        raise _Unsaid
    kinds = node.get("type")
    if isinstance(kinds, list):
        return {"anyOf": [_closed({**node, "type": kind}) for kind in kinds]}
    made: JsonObject = {name: node[name] for name in ("type", "title", "enum", "const", "$ref") if name in node}
    for name in ("anyOf", "oneOf", "allOf"):
        if name in node:
            made["anyOf" if name == "oneOf" else name] = [_closed(one) for one in items(node[name])]
    for name in _DEFINITIONS:
        if name in node:
            made[name] = {key: _closed(one) for key, one in child(node, name).items()}
    if kinds == "object" or (kinds is None and "properties" in node):
        made |= _closed_object(node)
    elif kinds == "array":
        made |= _closed_array(node)
    elif node.get("format") in _FORMATS:
        made["format"] = node["format"]
    if not made.keys() & {"type", "anyOf", "allOf", "enum", "const", "$ref"}:
        raise _Unsaid
    return _described(made, node)


def _closed_object(node: JsonObject) -> JsonObject:
    properties = child(node, "properties")
    is_open = isinstance(node.get("additionalProperties"), dict) or not properties
    if is_open or not {str(name) for name in items(node.get("required"))} <= properties.keys():
        raise _Unsaid  # an object with names that nobody knows beforehand
    made: JsonObject = {"type": "object", "properties": {name: _closed(one) for name, one in properties.items()}}
    if "required" in node:
        made["required"] = node["required"]
    return {**made, "additionalProperties": False}


def _closed_array(node: JsonObject) -> JsonObject:
    made: JsonObject = {"items": _closed(node.get("items"))}
    return {**made, "minItems": node["minItems"]} if node.get("minItems") in (0, 1) else made


def _described(made: JsonObject, node: JsonObject) -> JsonObject:
    """Say in words what the form has no member for; what would change what is allowed at all cannot be said."""
    rest = {name: value for name, value in node.items() if name not in made and name not in ("$schema", "description", "oneOf")}
    rest = {name: value for name, value in rest.items() if name not in ("additionalProperties", "type", "required")}
    if rest.keys() & {"not", "if", "then", "else", "patternProperties", "prefixItems", "dependentSchemas", "dependentRequired"}:
        raise _Unsaid
    words = [str(node["description"])] if node.get("description") else []
    words += [json.dumps(rest, ensure_ascii=False)] if rest else []
    return {**made, "description": "\n".join(words)} if words else made


def _ensure_finite(root: JsonObject) -> None:
    """Raise where a definition leads back to itself, or a reference out of the definitions."""
    under_way: set[str] = set()
    done: set[str] = set()

    def follow(part: Json) -> None:
        if isinstance(part, list):
            for one in part:
                follow(one)
        elif isinstance(part, dict):
            target = part.get("$ref")
            if isinstance(target, str) and target not in done:
                kind, _, name = target.removeprefix("#/").partition("/")
                if kind not in _DEFINITIONS or target in under_way or name not in child(root, kind):
                    raise _Unsaid
                under_way.add(target)
                follow(child(root, kind)[name])
                done.add(target)
            for name, one in part.items():
                if name not in _DEFINITIONS:
                    follow(one)

    follow(root)
