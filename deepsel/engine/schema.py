"""Checks an answer against the JSON Schema the user gave; the only importer of jsonschema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from deepsel.errors import UsageError
from deepsel.values import Json

_SOLE_FENCE = re.compile(r"\A\s*```[A-Za-z]*[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)


def check_schema(schema: Mapping[str, Json]) -> None:
    """Raise UsageError where the schema itself is not a valid JSON Schema."""
    from jsonschema import validators
    from jsonschema.exceptions import SchemaError

    try:
        validators.validator_for(schema).check_schema(dict(schema))
    except SchemaError as error:
        raise UsageError(f"the schema is not a valid JSON Schema: {error.message}") from error


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
    except Unresolvable as unresolved:
        raise UsageError(f"the schema refers to `{unresolved.ref}`, which it does not contain") from unresolved
    if worst is None:
        return None
    return f"the answer does not satisfy the schema at `{worst.json_path}`: {worst.message[:200]}"
