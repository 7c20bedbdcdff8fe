"""The document of an answer, and whether it is one."""

from __future__ import annotations

import pytest

from deepsel.engine.checks.schema import document_for, schema_failure
from deepsel.values import JsonObject

SCHEMA: JsonObject = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}
BLUE = '{"colour": "blue"}'


@pytest.mark.parametrize(
    ("text", "document"),
    [
        (BLUE, BLUE),
        (f"```json\n{BLUE}\n```", BLUE),
        (f"Here it is:\n```json\n{BLUE}\n```\nHope that helps!", BLUE),
        (f"Sure! {BLUE} Anything else?", BLUE),
        (f"See [1] and {{x}}: {BLUE}", BLUE),
        (f"{BLUE} is what I mean, again: {BLUE}", BLUE),
        (f'Either {BLUE} or {{"colour": "red"}}.', None),
        ('Either {"color": "blue"} or nothing.', None),
        ('{"outer": ' + BLUE + "}", None),
        ("\ufeff" + BLUE, BLUE),
        ('{"colour": NaN} or rather ' + BLUE, BLUE),
        ("no document", None),
    ],
)
def test_the_one_document(text: str, document: str | None) -> None:
    """One valid block in a fence or in prose is the answer; several that differ, or none, leave the text as it came."""
    found = document_for(text, SCHEMA)
    assert found == (text if document is None else document)
    assert (schema_failure(found, SCHEMA) is None) == (document is not None)


@pytest.mark.parametrize("text", ["NaN", '{"a": Infinity}', '[-Infinity]', '{"colour": NaN}'])
def test_what_python_takes_for_a_number(text: str) -> None:
    """JSON has no NaN and no Infinity."""
    assert "is not JSON" in (schema_failure(text, {}) or "")


def test_numbers_that_cannot_be_checked() -> None:
    """A number beyond all bounds is a failure of the answer, not of the program."""
    assert schema_failure('{"a": 1e999}', {"properties": {"a": {"multipleOf": 0.5}}}) is not None


def test_many_brackets_take_bounded_time() -> None:
    """A text of nothing but brackets is looked at and left as it came."""
    text = "[{" * 50_000
    assert document_for(text, SCHEMA) == text
