"""The document of an answer, and whether it is one."""

from __future__ import annotations

import json
import re

import pytest

from deepsel.clock import SystemClock
from deepsel.engine.checks.schema import TimeLeft, check_schema, document_for, schema_failure
from deepsel.errors import UsageError
from deepsel.values import Json, JsonObject

SCHEMA: JsonObject = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}
MUCH = TimeLeft.of(1e6)
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
    found = document_for(text, SCHEMA, MUCH)
    assert found == (text if document is None else document)
    assert (schema_failure(found, SCHEMA, MUCH) is None) == (document is not None)


@pytest.mark.parametrize("text", ["NaN", '{"a": Infinity}', '[-Infinity]', '{"colour": NaN}'])
def test_what_python_takes_for_a_number(text: str) -> None:
    """JSON has no NaN and no Infinity."""
    assert "is not JSON" in (schema_failure(text, {}, MUCH) or "")


def test_numbers_that_cannot_be_checked() -> None:
    """A number beyond all bounds is a failure of the answer, not of the program."""
    assert schema_failure('{"a": 1e999}', {"properties": {"a": {"multipleOf": 0.5}}}, MUCH) is not None


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "http://127.0.0.1:9/x"}, "refers to `http://127.0.0.1:9/x`"),
        ({"properties": {"a": {"items": [{"$dynamicRef": "file:///etc/passwd"}]}}}, "refers to `file:///etc/passwd`"),
        ({"$recursiveRef": "other.json"}, "refers to `other.json`"),
        ({"properties": {"a": {"$ref": "#/$defs/nope"}}}, "refers to `#/$defs/nope`"),
        ({"$schema": "http://127.0.0.1:9/dialect"}, "no known dialect"),
        ({"$schema": 5}, "`$schema` must be text"),
        ({"$ref": "#"}, "without end"),
        ({"type": "objekt"}, "not a valid JSON Schema"),
        ({"properties": []}, "not a valid JSON Schema"),
        ({"pattern": "("}, "pattern `(` cannot be read"),
        ({"patternProperties": {"a{99999999999}": {}}}, "pattern `a{99999999999}` cannot be read"),
        ({"pattern": "(" * 3000}, "cannot be read"),
        ({"pattern": "a" * 10_001}, "longer than 10,000 characters"),
    ],
)
def test_schemas_that_are_refused(schema: JsonObject, words: str) -> None:
    """What leads out of the schema, and what is none, is refused before anybody is asked; a test that connects would fail."""
    with pytest.raises(UsageError, match=re.escape(words)):
        check_schema(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$id": "https://example.com/a", "$defs": {"a": {"type": "string"}}, "properties": {"x": {"$ref": "#/$defs/a"}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {"$ref": "#/definitions/a"}}},
        {"$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveAnchor": True, "items": {"$recursiveRef": "#"}},
        {"properties": {"pattern": {"const": {"$ref": "no reference", "pattern": "("}}, "$ref": {"type": "string"}}},
        {"properties": {"enum": {"pattern": r"^\p{L}+$"}, "patternProperties": {"enum": [{"pattern": "("}]}}},
    ],
)
def test_schemas_that_are_taken(schema: JsonObject) -> None:
    """References within the schema, every draft in use, members that are only called like keywords."""
    check_schema(schema)


_DOUBLING: JsonObject = {"$ref": "#/$defs/a40", "$defs": {"a0": {"type": "integer"}}}
for _level in range(1, 41):
    _DOUBLING["$defs"][f"a{_level}"] = {"allOf": [{"$ref": f"#/$defs/a{_level - 1}"}] * 2}  # type: ignore[index,call-overload]


class Ticking(SystemClock):
    """A clock that advances by a hundredth of a second each time it is read."""

    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:  # type: ignore[override]
        self.at += 0.01
        return self.at


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        (_DOUBLING, 1),
        ({"contains": {"const": 5}}, [1] * 10_000),
        ({"items": {"properties": {"a": {"type": "string"}}}}, [{"a": "b"}] * 10_000),
        ({"uniqueItems": True}, [{"a": number} for number in range(10_000)]),
        ({"patternProperties": {"x": {}}, "unevaluatedProperties": False}, {f"x{number}": 1 for number in range(10_000)}),
    ],
)
def test_a_judgement_ends_with_its_time(schema: JsonObject, document: Json) -> None:
    """Whatever is judged is given up when the time is over, which is said and is no pass."""
    failure = schema_failure(json.dumps(document), schema, TimeLeft.of(2.0, Ticking()))
    assert failure == "the answer could not be checked against the schema in time"


@pytest.mark.parametrize("place", ["pattern", "patternProperties"])
def test_a_pattern_without_end_is_given_up(place: str) -> None:
    """A search that would take longer than anybody lives ends after a moment."""
    pattern, text = "^(?:(?:a|aa)+)+$", "a" * 80 + "b"
    schema: JsonObject = {"pattern": pattern} if place == "pattern" else {place: {pattern: {}}, "additionalProperties": False}
    document = json.dumps(text if place == "pattern" else {text: 1})
    assert "in time" in (schema_failure(document, schema, MUCH) or "")


@pytest.mark.parametrize(
    ("pattern", "text", "is_found"),
    [
        (r"^\p{Lu}\p{L}*$", "Éa", True), (r"^[^\p{L}]$", "1", True), (r"^\p{Script=Greek}$", "β", True),
        (r"^\u{41}[\u{42}-Z]$", "AC", True), (r"\cJ", "\n", True), (r"(?<q>a)\k<q>", "aa", True), (r"^[[$]$", "$", True),
        (r"^a$", "a\n", False), (r"a\$", "a$", True), (r"^\d+$", "12", True), (r"^(?!x)", "x", False),
    ],
)  # fmt: skip
def test_patterns_are_javascripts(pattern: str, text: str, is_found: bool) -> None:
    """Properties, code points, control characters and named groups are read; the end is the end, also before a line feed."""
    check_schema({"pattern": pattern})
    assert (schema_failure(json.dumps(text), {"pattern": pattern}, MUCH) is None) == is_found


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"multipleOf": 0.1}, ["0.3", "1e308", "9" * 4000], ["0.35"]),
        ({"multipleOf": 1e-300}, ["1e308"], []),
        ({"uniqueItems": True}, ['[1, true, "1", [1], {"a": 1}]'], ["[1, 1.0]", '[{"a": 1, "b": 2}, {"b": 2.0, "a": 1}]']),
        (
            {"properties": {"ab": {"type": "integer"}}, "patternProperties": {"^a": {"minimum": 5}}, "additionalProperties": False},
            ['{"ab": 5}', '{"ax": 6.5}', "{}"],
            ['{"ab": 4}', '{"ab": 5.5}', '{"ax": 4}', '{"b": 5}'],
        ),
    ],
)
def test_what_is_judged_otherwise_than_by_the_library(schema: JsonObject, good: list[str], bad: list[str]) -> None:
    """Multiples are exact, equal items are written otherwise, and a name has all that its patterns say."""
    assert [text for text in good if schema_failure(text, schema, MUCH)] == []
    assert [text for text in bad if not schema_failure(text, schema, MUCH)] == []


def test_many_brackets_take_bounded_time() -> None:
    """A text of nothing but brackets is looked at and left as it came."""
    text = "[{" * 50_000
    assert document_for(text, SCHEMA, MUCH) == text
