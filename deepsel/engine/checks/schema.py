"""Checks an answer against the JSON Schema the user gave; the only importer of jsonschema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from deepsel.errors import UsageError
from deepsel.values import Json

_BLOCK_START = re.compile(r"[{\[]")
_MOST_TRIES = 200
"""So many brackets of prose are tried; each may be read to the end of the text."""
_SOLE_FENCE = re.compile(r"\A\s*```[A-Za-z]*[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)


def _no_number(word: str) -> Json:
    """Refuse what Python takes for a number and JSON does not have: `NaN`, `Infinity`."""
    raise ValueError(f"`{word}` is no number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


def check_schema(schema: Mapping[str, Json]) -> None:
    """Raise UsageError where the schema itself is not a valid JSON Schema."""
    from jsonschema import validators
    from jsonschema.exceptions import SchemaError
    from referencing.exceptions import Unresolvable

    if not isinstance(schema.get("$schema", ""), str):
        raise UsageError("the schema is not a valid JSON Schema: `$schema` must be text")
    try:
        kind = validators.validator_for(schema)
        kind.check_schema(dict(schema))
        samples: tuple[Json, ...] = (None, True, 0, "", [], {})
        for sample in samples:  # so that a reference that leads nowhere is found before it costs money
            list(kind(dict(schema)).iter_errors(sample))
        for reference in _references(dict(schema)):
            if not reference.startswith("#"):
                raise UsageError(f"the schema refers to `{reference}`, which it does not contain")
    except SchemaError as error:
        raise UsageError(f"the schema is not a valid JSON Schema: {error.message}") from error
    except Unresolvable as error:
        raise UsageError(f"the schema refers to `{error.ref}`, which it does not contain") from error
    except RecursionError as error:
        raise UsageError("the schema refers to itself without end") from error


def _references(part: Json) -> Iterator[str]:
    """Yield every `$ref` that stands in a schema."""
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str):
            yield reference
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def document_for(text: str, schema: Mapping[str, Json]) -> str:
    """Return the document of an answer: all of it, what stands in its fence, or the one block in prose that is valid.

    Where there is none, or there are several that differ, the text is returned as it came.
    """
    found = _SOLE_FENCE.match(text)
    if found is not None and _load(found[1]) is not None:
        return found[1]
    if _load(text.strip("\ufeff")) is not None:
        return text.strip("\ufeff")
    blocks = {json.dumps(_load(block), sort_keys=True): block for block in _blocks(text) if schema_failure(block, schema) is None}
    return next(iter(blocks.values())) if len(blocks) == 1 else found[1] if found else text


def _load(text: str) -> tuple[Json] | None:
    """Parse JSON as its standard has it, which knows no NaN; None where it is none."""
    try:
        return (_DECODER.decode(text),)
    except (ValueError, RecursionError):
        return None


def _blocks(text: str) -> Iterator[str]:
    """Yield the objects and lists that stand in a text, outermost only, in bounded time."""
    at, tries = 0, 0
    while (start := _BLOCK_START.search(text, at)) is not None and tries < _MOST_TRIES:
        tries += 1
        try:
            _, end = _DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            at = start.end()
            continue
        yield text[start.start() : end]
        at = end


def schema_failure(text: str, schema: Mapping[str, Json]) -> str | None:
    """Say why `text` does not satisfy `schema`; None where it does."""
    from jsonschema import validators
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    try:
        document = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        return f"the answer is not JSON ({error})"
    try:
        worst = best_match(validators.validator_for(schema)(dict(schema)).iter_errors(document))
    except (Unresolvable, RecursionError, OverflowError, ValueError) as error:
        return f"the answer cannot be checked against the schema ({type(error).__name__})"
    if worst is None:
        return None
    return f"the answer does not satisfy the schema at `{worst.json_path}`: {worst.message[:200]}"
