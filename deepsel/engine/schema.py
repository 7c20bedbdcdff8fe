"""Checks an answer against the JSON Schema the user gave; the only importer of jsonschema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from deepsel.errors import UsageError
from deepsel.values import Json

_SOLE_FENCE = re.compile(r"\A\s*```[A-Za-z]*[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)


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


def unfence(text: str) -> str:
    """Take off the one code fence many models put around a JSON document."""
    found = _SOLE_FENCE.match(text)
    return found[1] if found else text


def schema_failure(text: str, schema: Mapping[str, Json]) -> str | None:
    """Say why `text` does not satisfy `schema`; None where it does."""
    from jsonschema import validators
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"the answer is not JSON ({error})"
    try:
        worst = best_match(validators.validator_for(schema)(dict(schema)).iter_errors(document))
    except (Unresolvable, RecursionError) as error:
        return f"the answer cannot be checked against the schema ({type(error).__name__})"
    if worst is None:
        return None
    return f"the answer does not satisfy the schema at `{worst.json_path}`: {worst.message[:200]}"
