"""Checks an answer against the JSON Schema the user gave: in bounded time, and from the schema alone. The only importer of jsonschema.

The library's own ways to load what a schema names, to search for patterns and to compare items are replaced: they reach the
network, or take time without end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

from deepsel.engine.checks.patterns import BadPattern, check_pattern, finds
from deepsel.engine.checks.time_left import OutOfTime, TimeLeft
from deepsel.errors import UsageError
from deepsel.jsontext import is_json, load_at, loads
from deepsel.values import Json, JsonObject

if TYPE_CHECKING:
    from jsonschema import ValidationError

_BLOCK_START = re.compile(r"[{\[]")
_MOST_TRIES = 200
"""So many brackets of prose are tried; each may be read to the end of the text."""
_SOLE_FENCE = re.compile(r"\A\s*```[A-Za-z]*[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)
_OWN_BUDGET_S = 5.0
"""For the schema itself, before anything is sent."""
_MOST_ERRORS = 200
"""So many are looked through for the one that says most."""
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_OF_NAMES = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"})
"""Members whose own members are named by the user."""
_OF_VALUES = frozenset({"enum", "const", "default", "examples", "example"})
"""Members that hold no schema."""
_SAMPLES: tuple[Json, ...] = (None, True, 0, "", [], {})
_FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a library raises over input it did not expect."""


# --- the schema -------------------------------------------------------------------------------------------------------


def check_schema(schema: Mapping[str, Json]) -> None:
    """Raise UsageError where the schema itself is no valid JSON Schema, or not whole: nothing it names elsewhere is fetched."""
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    limit = TimeLeft.of(_OWN_BUDGET_S)
    kind = _kind_of(schema)
    try:
        parts = list(_parts(dict(schema)))
        for part in parts:
            _check_part(part, limit)
        _check_references(schema, parts, kind)
        worst = best_match(islice(_judge(kind, kind.META_SCHEMA, dict(schema), limit), _MOST_ERRORS))
        if worst is not None:
            raise UsageError(f"the schema is not a valid JSON Schema: {worst.message[:200]}")
        for sample in _SAMPLES:  # so that a reference that leads nowhere is found before it costs money
            list(_judge(kind, dict(schema), sample, limit))
    except Unresolvable as error:
        raise UsageError(f"the schema refers to `{error.ref}`, which it does not contain") from error
    except RecursionError as error:
        raise UsageError("the schema refers to itself without end, or is nested too deeply") from error
    except OutOfTime as error:
        raise UsageError(f"the schema takes longer than {_OWN_BUDGET_S:g} s to check", "make it simpler") from error
    except _FAULTS as error:
        raise UsageError(f"the schema is not a valid JSON Schema ({type(error).__name__})") from error


def _kind_of(schema: Mapping[str, Json]) -> Any:
    """Find the library's reader of the dialect that the schema names; raises UsageError where it knows none."""
    from jsonschema import Draft202012Validator, validators

    if "$schema" not in schema:
        return Draft202012Validator
    name = schema["$schema"]
    if not isinstance(name, str):
        raise UsageError("the schema is not a valid JSON Schema: `$schema` must be text")
    kind: Any = validators.validator_for(dict(schema), default=Draft202012Validator)
    own = kind.META_SCHEMA.get("$id", kind.META_SCHEMA.get("id", ""))
    if own.rstrip("#") != name.rstrip("#") or "allOf" not in kind.VALIDATORS:  # nobody writes the third draft any more
        raise UsageError(f"the schema is written in `{name}`, which is no known dialect", "leave `$schema` out, or name a draft")
    return kind


def _check_part(part: JsonObject, limit: TimeLeft) -> None:
    """Raise UsageError for a reference that leads out of the schema, and for a pattern that cannot be used."""
    for name in _REFERENCES:
        reference = part.get(name)
        if isinstance(reference, str) and not reference.startswith("#"):
            raise UsageError(f"the schema refers to `{reference}`, which it does not contain")
    own, named = part.get("pattern"), part.get("patternProperties")
    patterns = [own] if isinstance(own, str) else []
    for pattern in [*patterns, *(named if isinstance(named, dict) else ())]:
        limit.check()
        try:
            check_pattern(pattern)
        except BadPattern as error:
            raise UsageError(f"the schema's pattern `{pattern[:100]}` {error}") from error


def _check_references(schema: Mapping[str, Json], parts: Iterable[JsonObject], kind: Any) -> None:
    """Raise UsageError for a reference to a part that is not there."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import specification_with

    dialect = kind.META_SCHEMA.get("$id", kind.META_SCHEMA.get("id"))
    root = specification_with(dialect).create_resource(dict(schema))
    resolver = Registry().resolver_with_root(root)
    if any("$id" in part or "id" in part for part in parts if part != schema):
        return  # references count from the nearest of those, and are found when they are met
    for part in parts:
        reference = part.get("$ref")
        try:
            if isinstance(reference, str):
                resolver.lookup(reference)
        except Unresolvable as error:
            raise UsageError(f"the schema refers to `{reference}`, which it does not contain") from error


def _parts(part: Json, *, is_named: bool = False) -> Iterator[JsonObject]:
    """Yield the objects of a schema that may be schemas; `is_named`: the members of this one are named by the user."""
    if isinstance(part, list):
        for item in part:
            yield from _parts(item)
    elif isinstance(part, dict):
        if not is_named:
            yield part
        for name, value in part.items():
            if is_named or name not in _OF_VALUES:
                yield from _parts(value, is_named=not is_named and name in _OF_NAMES)


# --- the answer -------------------------------------------------------------------------------------------------------


def document_for(text: str, schema: Mapping[str, Json], limit: TimeLeft) -> str:
    """Return the document of an answer: all of it, what stands in its fence, or the one block in prose that is valid.

    Where there is none, or there are several that differ, the text is returned as it came.
    """
    found = _SOLE_FENCE.match(text)
    if found is not None and is_json(found[1]):
        return found[1]
    if is_json(text.strip("\ufeff")):
        return text.strip("\ufeff")
    blocks = {json.dumps(value, sort_keys=True): block for block, value in _blocks(text) if _problem(value, schema, limit) is None}
    return next(iter(blocks.values())) if len(blocks) == 1 else found[1] if found else text


def _blocks(text: str) -> Iterator[tuple[str, Json]]:
    """Yield the objects and lists that stand in a text, outermost only, in bounded time."""
    at, tries = 0, 0
    while (start := _BLOCK_START.search(text, at)) is not None and tries < _MOST_TRIES:
        tries += 1
        try:
            value, end = load_at(text, start.start())
        except ValueError:
            at = start.end()
            continue
        yield text[start.start() : end], value
        at = end


def schema_failure(text: str, schema: Mapping[str, Json], limit: TimeLeft) -> str | None:
    """Say why `text` does not satisfy `schema`, or cannot be held against it in time; None where it does."""
    try:
        document = loads(text)
    except ValueError as error:
        return f"the answer is not JSON ({error})"
    return _problem(document, schema, limit)


def _problem(document: Json, schema: Mapping[str, Json], limit: TimeLeft) -> str | None:
    """Say what is wrong with a document; None where nothing is."""
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    try:
        worst = best_match(islice(_judge(_kind_of(schema), dict(schema), document, limit), _MOST_ERRORS))
    except OutOfTime:
        return "the answer could not be checked against the schema in time"
    except (Unresolvable, *_FAULTS) as error:
        return f"the answer cannot be checked against the schema ({type(error).__name__})"
    if worst is None:
        return None
    return f"the answer does not satisfy the schema at `{worst.json_path[:200]}`: {worst.message[:200]}"


def _judge(kind: Any, schema: JsonObject, document: Json, limit: TimeLeft) -> Iterable[ValidationError]:
    """Yield what is wrong with a document; raises OutOfTime."""
    from jsonschema import validators
    from referencing import Registry

    own = {"pattern": _pattern(limit), "uniqueItems": _unique_items(limit), "multipleOf": _multiple_of}
    known = {name: keyword for name, keyword in own.items() if name in kind.VALIDATORS}
    watched = {name: _watched(keyword, limit) for name, keyword in {**kind.VALIDATORS, **known}.items()}
    extend: Any = validators.extend
    bounded = extend(kind, watched)
    bounded.evolve = _evolve
    plain = _named(schema, _names_in(document), limit)
    yield from bounded(plain, registry=Registry()).iter_errors(document)  # a registry that retrieves nothing


def _evolve(self: Any, **changes: Any) -> Any:
    """Stay in the bounded class also below a part that names a dialect, where the library would take its own."""
    given = {field.alias: getattr(self, field.name) for field in type(self).__attrs_attrs__ if field.init}
    return type(self)(**{**given, **changes})


# --- keywords ---------------------------------------------------------------------------------------------------------


def _watched(keyword: Callable[..., Any], limit: TimeLeft) -> Callable[..., Any]:
    """Look at the clock before a keyword, and between its errors."""

    def judged(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        limit.check()
        for error in keyword(validator, value, instance, schema) or ():
            yield error
            limit.check()

    return judged


def _pattern(limit: TimeLeft) -> Callable[..., Any]:
    def pattern(validator: Any, value: str, instance: Any, _: Any) -> Iterator[ValidationError]:
        """Search for a pattern."""
        from jsonschema import ValidationError

        if validator.is_type(instance, "string") and not finds(value, instance, within_s=limit.check()):
            yield ValidationError(f"{instance!r} does not match {value!r}")

    return pattern


def _unique_items(limit: TimeLeft) -> Callable[..., Any]:
    def unique_items(validator: Any, value: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
        """Compare items by how they are written, once each."""
        from jsonschema import ValidationError

        if not value or not validator.is_type(instance, "array"):
            return
        seen = set()
        for item in instance:
            limit.check()
            seen.add(json.dumps(_even(item), sort_keys=True))
        if len(seen) < len(instance):
            yield ValidationError(f"{instance!r} has non-unique elements")

    return unique_items


def _even(value: Any) -> Any:
    """Write equal numbers alike: 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_even(item) for item in value]
    return {name: _even(item) for name, item in value.items()} if isinstance(value, dict) else value


def _multiple_of(validator: Any, value: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    """Divide numbers as they are written: 0.3 is three times 0.1, and none is too large."""
    from jsonschema import ValidationError

    if validator.is_type(instance, "number") and Fraction(str(instance)) % Fraction(str(value)):
        yield ValidationError(f"{instance!r} is not a multiple of {value!r}")


# --- names of members -------------------------------------------------------------------------------------------------


def _names_in(document: Json) -> set[str]:
    """Collect the names of all members of a document."""
    names: set[str] = set()
    left = [document]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            names.update(part)
            left += part.values()
        elif isinstance(part, list):
            left += part
    return names


def _named(schema: Any, names: set[str], limit: TimeLeft, *, is_named: bool = False) -> Any:
    """Return a schema that says of each name what `patternProperties` says of the patterns which it has.

    Several keywords of the library search for those patterns, each by Python's own engine, which may take time without end.
    """
    if isinstance(schema, list):
        return [_named(item, names, limit) for item in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {
        name: value if name in _OF_VALUES and not is_named else _named(value, names, limit, is_named=not is_named and name in _OF_NAMES)
        for name, value in schema.items()
    }
    patterns = {} if is_named else parts.pop("patternProperties", {})
    found = {
        name: own
        for name in names if patterns
        if (own := [part for pattern, part in patterns.items() if finds(pattern, name, within_s=limit.check())])
    }
    if found:
        known = parts.get("properties", {})
        both = {name: {"allOf": own} for name, own in found.items() if name in known}
        parts["properties"] = {**known, **{name: {"allOf": own} for name, own in found.items() if name not in known}}
        parts["allOf"] = [*parts.get("allOf", ()), {"properties": both}]
    return parts
