"""A user's schema in the forms hosts take, and their answers in the user's form again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from deepsel.values import Request
from deepsel.wires import anthropic_messages, openai_chat
from deepsel.wires.schema_forms import closed, is_strict, is_wrapped, unwrapped, with_object_root

Make = Callable[..., Any]
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
TEXTS = {"type": "array", "items": {"type": "string"}}
LETTER = {"$defs": {"letter": {"type": "string"}}, "type": "array", "items": {"$ref": "#/$defs/letter"}}
TREE = {"type": "array", "items": {"$ref": "#"}}


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        (SCHEMA, True),
        ({"type": "object"}, False),
        ({**SCHEMA, "required": []}, False),
        ({"type": "array", "items": SCHEMA}, True),
        ({"type": "array"}, False),
        ({"anyOf": [SCHEMA, {"type": "object", "properties": {}}]}, False),
        ({"oneOf": [SCHEMA, SCHEMA]}, False),
        ({"allOf": [SCHEMA]}, False),
        ({**SCHEMA, "properties": {"a": {"type": "string", "minLength": 1}}}, False),
        ({**SCHEMA, "properties": {"a": {"type": "integer", "maximum": 9}}}, False),
        ({**SCHEMA, "properties": {"a": {}}}, False),
        ({**SCHEMA, "properties": {"a": True}}, False),
        ({**SCHEMA, "properties": {"a": {"enum": ["x"]}}}, True),
        ({**SCHEMA, "properties": {"a": {"type": ["string", "null"]}}}, True),
        ({"type": "object", "properties": {"oneOf": {"type": "string"}}, "required": ["oneOf"], "additionalProperties": False}, True),
    ],
)
def test_strict_mode_only_where_it_is_taken(schema: Any, wanted: bool) -> None:
    """Strict mode is asked for only where every word is known to it, every object closed and every property required."""
    assert is_strict(schema) is wanted


@pytest.mark.parametrize(
    "schema",
    [
        TEXTS, LETTER, TREE, {"type": "string"}, {"enum": [1, "a"]}, {}, {"anyOf": [SCHEMA, TEXTS]}, {"type": ["object", "null"]},
        {"$defs": {"x": SCHEMA}, "$ref": "#/$defs/x"}, {"type": "object", "properties": {"a": {"$ref": "#"}}, "oneOf": [{}]},
    ],
)  # fmt: skip
def test_a_root_that_is_no_object_is_wrapped(schema: dict[str, Any]) -> None:
    """The form has an object at its root, its references lead where they led, and it allows what the schema allows."""
    assert is_wrapped(schema)
    form = with_object_root(schema)
    assert form["type"] == "object"
    assert not form.keys() & {"anyOf", "oneOf", "allOf", "enum", "$ref"}
    own, made = Draft202012Validator(schema), Draft202012Validator(form)
    for value in ("x", 1, None, [], ["x"], [[]], [["x"]], {}, {"a": "x"}, {"a": 1}, {"a": {"a": {}}}):
        assert own.is_valid(value) == made.is_valid({"answer": value}), value  # type: ignore[arg-type]


@pytest.mark.parametrize("schema", [SCHEMA, {"type": "object"}, {"required": ["a"]}, {**SCHEMA, "$schema": "x", "$defs": {}}])
def test_a_plain_object_stays_what_it_is(schema: dict[str, Any]) -> None:
    """A root that is an object is sent as it is, with its type named."""
    assert not is_wrapped(schema)
    form = with_object_root(schema)
    assert form == {"type": "object", **{name: one for name, one in schema.items() if name != "$schema"}}


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=9,
)


@given(DOCUMENTS, st.sampled_from([None, 2]), st.booleans())
def test_what_was_wrapped_is_unwrapped_as_it_was_written(document: Any, indent: int | None, is_fenced: bool) -> None:
    """The answer's own characters come out, whatever surrounds them."""
    own = json.dumps(document, indent=indent)
    text = f'{{"answer" : {own}\n}}\n'
    assert unwrapped(f"```json\n{text}```" if is_fenced else text) == own


@pytest.mark.parametrize("text", ["", "[1]", "answer", '{"answer": 1, "b": 2}', '{"answer": ', '{"a": {"answer": 1}}', "{}"])
def test_what_is_in_no_wrapper_stays(text: str) -> None:
    """Nothing but a wrapper is taken off."""
    assert unwrapped(text) == text


def test_openai_form(ask: Make, model: Make, provider: Make) -> None:
    """An array at the root is sent as an object, strictly where that is taken; what strict mode refuses is sent without it."""
    able = model(features=frozenset({"json_schema"}))

    def form(schema: Any) -> Any:
        request: Request = ask(schema=schema)
        return openai_chat.encode(request, able, provider(), max_tokens=9)["response_format"]["json_schema"]  # type: ignore[index,call-overload]

    assert form(TEXTS) == {"name": "answer", "schema": with_object_root(TEXTS), "strict": True}
    assert form({"oneOf": [SCHEMA, TEXTS]})["strict"] is False
    assert form({**SCHEMA, "properties": {"a": {"type": "string", "pattern": "x"}}})["strict"] is False


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        (SCHEMA, SCHEMA),
        (
            {"properties": {"a": {"type": "integer", "minimum": 1, "description": "Age."}}},
            {"type": "object", "properties": {"a": {"type": "integer", "description": 'Age.\n{"minimum": 1}'}},
             "additionalProperties": False},
        ),
        (TEXTS, with_object_root(TEXTS)),
        (LETTER, with_object_root(LETTER)),
        (
            {**SCHEMA, "properties": {"a": {"oneOf": [{"type": "string", "format": "date"}, {"type": ["integer", "null"]}]}}},
            {**SCHEMA, "properties": {"a": {"anyOf": [
                {"type": "string", "format": "date"}, {"anyOf": [{"type": "integer"}, {"type": "null"}]}]}}},
        ),
        ({**SCHEMA, "properties": {"a": {**TEXTS, "minItems": 1}}}, {**SCHEMA, "properties": {"a": {**TEXTS, "minItems": 1}}}),
        (
            {**SCHEMA, "properties": {"a": {**TEXTS, "minItems": 3}}},
            {**SCHEMA, "properties": {"a": {**TEXTS, "description": '{"minItems": 3}'}}},
        ),
        (TREE, None),
        ({"type": "object"}, None),
        ({"type": "object", "additionalProperties": {"type": "string"}}, None),
        ({**SCHEMA, "required": ["b"]}, None),
        ({**SCHEMA, "properties": {"a": {"not": {"type": "string"}}}}, None),
        ({**SCHEMA, "properties": {"a": True}}, None),
        ({**SCHEMA, "properties": {"a": {"$ref": "#/properties/b"}}}, None),
    ],
)  # fmt: skip
def test_anthropic_form(schema: dict[str, Any], wanted: dict[str, Any] | None) -> None:
    """Objects are closed, bounds are told in words; what the form cannot say is no form."""
    assert closed(schema) == wanted


def test_anthropic_without_a_form_is_asked_in_words(ask: Make, model: Make, provider: Make) -> None:
    """A schema the host's form cannot say stands in the system text."""
    able, host = model(features=frozenset({"json_schema"})), provider(wire="anthropic-messages")
    body = anthropic_messages.encode(ask(schema=TREE), able, host, max_tokens=9)
    assert "output_config" not in body
    assert json.dumps(TREE) in body["system"]  # type: ignore[operator]


SCHEMA_LIKE = st.recursive(
    st.sampled_from([{}, {"type": "string"}, {"type": "integer", "minimum": 0}, True, {"$ref": "#/$defs/x"}, {"$ref": "#"}]),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array", "string", ["string", "null"]]),
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            "items": inner, "anyOf": st.lists(inner, max_size=2), "oneOf": st.lists(inner, max_size=2),
            "additionalProperties": st.booleans() | inner, "$defs": st.dictionaries(st.just("x"), inner, max_size=1),
        },
    ),
    max_leaves=8,
)  # fmt: skip


@given(SCHEMA_LIKE.filter(lambda schema: isinstance(schema, dict)))
def test_every_schema_has_forms(schema: dict[str, Any]) -> None:
    """Whatever the schema, the forms are made without a crash and have an object at their root."""
    form = with_object_root(schema)
    assert form["type"] == "object"
    assert is_strict(form) in (True, False)
    told = closed(schema)
    assert told is None or told["type"] == "object"
