"""Makes one small document that satisfies a JSON Schema of the usual kind; no validator, no promise for rare keywords.

Understood: const, enum, default, examples, $ref within the document, allOf, anyOf, oneOf, type (also a list of types),
properties, required, items, prefixItems, minItems, uniqueItems, minLength, maxLength, minimum, maximum, their exclusive
forms, multipleOf and format.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_MAX_DEPTH = 16
_MAX_ITEMS = 1000
_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "email": "simulated@example.com",
    "uri": "https://example.com/simulated",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
}


def example(schema: Mapping[str, Any]) -> Any:
    """Make a document for a schema: every listed property, the least number of items, the word `simulated` for text."""
    return _value(schema, schema, 0)


def _value(schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    """Make the value for one subschema."""
    if not isinstance(schema, Mapping) or depth > _MAX_DEPTH:
        return "simulated" if schema is True else None
    schema = _merged(schema, root, depth)
    if "const" in schema:
        return schema["const"]
    for keyword in ("enum", "examples"):
        if isinstance(schema.get(keyword), list) and schema[keyword]:
            return schema[keyword][0]
    if "default" in schema:
        return schema["default"]
    match _type(schema):
        case "object":
            return _object(schema, root, depth)
        case "array":
            return _array(schema, root, depth)
        case "integer":
            return int(_number(schema, whole=True))
        case "number":
            return _number(schema, whole=False)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _string(schema)


def _merged(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
    """Follow $ref and fold allOf and the first branch of anyOf or oneOf into one level."""
    if depth > _MAX_DEPTH:
        return schema
    branches: list[Any] = []
    if isinstance(schema.get("$ref"), str):
        branches.append(_referred(schema["$ref"], root))
    branches += schema.get("allOf") or []
    for keyword in ("anyOf", "oneOf"):
        branches += (schema.get(keyword) or [])[:1]
    merged = dict(schema)
    for keyword in ("$ref", "allOf", "anyOf", "oneOf"):
        merged.pop(keyword, None)
    for branch in branches:
        if isinstance(branch, Mapping):
            for key, value in _merged(branch, root, depth + 1).items():
                both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
                lists = key == "required" and isinstance(merged.get(key), list)
                merged[key] = {**merged[key], **value} if both else [*merged[key], *value] if lists else value
    return merged


def _referred(pointer: str, root: Mapping[str, Any]) -> Any:
    """Find `#/a/b` in the document; anything else is unconstrained."""
    found: Any = root
    for part in pointer.removeprefix("#").strip("/").split("/"):
        if part:
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found


def _type(schema: Mapping[str, Any]) -> str:
    """Name the type to make, read from the keywords where `type` is missing."""
    named = schema.get("type")
    if isinstance(named, list):
        named = next((name for name in named if name != "null"), "null")
    if isinstance(named, str):
        return named
    if "properties" in schema or "required" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    return "number" if "minimum" in schema or "maximum" in schema else "string"


def _object(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """Fill every property; past half the depth only the required ones, so that recursion ends."""
    properties = schema.get("properties") or {}
    required = schema.get("required") or []
    names = [*properties, *(name for name in required if name not in properties)]
    if depth > _MAX_DEPTH // 2:
        names = [name for name in names if name in required]
    free = schema.get("additionalProperties")
    other = free if isinstance(free, Mapping) else True
    return {name: _value(properties.get(name, other), root, depth + 1) for name in names}


def _array(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> list[Any]:
    """Make as many items as are needed, one where that is free."""
    first = [_value(item, root, depth + 1) for item in schema.get("prefixItems") or []]
    least = schema.get("minItems")
    if least is None:
        least = 0 if depth > _MAX_DEPTH // 2 or schema.get("maxItems") == 0 else 1
    rest = min(max(0, int(least) - len(first)), _MAX_ITEMS)
    items = [_value(schema.get("items", True), root, depth + 1) for _ in range(rest)]
    if schema.get("uniqueItems"):
        items = [_varied(item, position) for position, item in enumerate(items)]
    return first + items


def _varied(item: Any, position: int) -> Any:
    """Make a plain value differ from its neighbours."""
    if isinstance(item, bool) or not isinstance(item, str | int | float) or not position:
        return item
    return f"{item} {position}" if isinstance(item, str) else item + position


def _number(schema: Mapping[str, Any], *, whole: bool) -> float:
    """Give the least number allowed, 1 where all are."""
    low = schema.get("minimum")
    above = schema.get("exclusiveMinimum")
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    step = schema.get("multipleOf") or 1
    if above is not None:
        low = math.floor(above) + 1 if whole or high is None else (above + high) / 2
    if low is None:
        low = 1 if high is None or high > 1 else high - ("exclusiveMaximum" in schema)
    return math.ceil(low / step) * step if whole or schema.get("multipleOf") else low


def _string(schema: Mapping[str, Any]) -> str:
    """Give the word `simulated`, or a text of the named format, in the allowed length."""
    text = _FORMATS.get(str(schema.get("format")), "simulated")
    text = text.ljust(int(schema.get("minLength") or 0), ".")
    return text[: schema["maxLength"]] if "maxLength" in schema else text
