"""Identity: what must change the key does, and what must not does not."""

from __future__ import annotations

import copy
import json
import random
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.cache import cache_key, canonical_json, key_document
from deepsel.cache.key import LEFT_OUT, with_digests
from deepsel.engine.encoded import Encodings
from deepsel.values import Given, Image, Message, Model, Provider, Request, Tool, ToolChoice

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(
    st.characters(), max_size=8
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text(min_size=1, max_size=8).filter(lambda name: name not in LEFT_OUT)
BODIES = st.dictionaries(NAMES, VALUES, min_size=1, max_size=5)
PLACE = {"provider": "deepseek", "wire": "openai-chat", "wire_format": 1, "model_id": "m", "base_url": "https://api.example/v1"}


def key_of(body: dict[str, Any], **place: Any) -> str:
    return cache_key(key_document(body, **{**PLACE, **place}))


def leaves_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if members is None:
        return [path]
    return [path] + [leaf for name, member in members for leaf in leaves_of(member, (*path, name))]


def with_leaf(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(body)
    target = changed
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = value
    return changed


def same_json(one: Any, other: Any) -> bool:
    """Equality of JSON values, written without the code under test."""
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return Decimal(repr(one)) == Decimal(repr(other))
    return type(one) is type(other) is str and one == other


def shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        members = [(name, shuffled(member, rng)) for name, member in value.items()]
        rng.shuffle(members)
        return dict(members)
    return [shuffled(member, rng) for member in value] if isinstance(value, list) else value


@given(BODIES, st.data())
def test_any_changed_member_changes_the_key(body: dict[str, Any], data: st.DataObject) -> None:
    """Whatever value of the body is replaced by another one, at any depth, the key is another."""
    path = data.draw(st.sampled_from([path for path in leaves_of(body) if path]))
    value = data.draw(VALUES)
    changed = with_leaf(body, path, value)
    if not same_json(body, changed):
        assert key_of(changed) != key_of(body)


@given(BODIES, NAMES, VALUES)
def test_any_added_member_changes_the_key(body: dict[str, Any], name: str, value: Any) -> None:
    """A parameter nobody has heard of yet changes the key, even where its value is null."""
    if name not in body:
        assert key_of({**body, name: value}) != key_of(body)


@given(BODIES, st.randoms(use_true_random=False))
def test_member_order_does_not_matter(body: dict[str, Any], rng: random.Random) -> None:
    """Members in another order, at any depth, give the same key."""
    assert key_of(shuffled(body, rng)) == key_of(body)


@pytest.mark.parametrize(
    "spellings",
    [["1", "1.0", "1e0", "10e-1"], ["0", "-0.0", "0e5"], ["1e23", "100000000000000000000000"], ["0.5", "5e-1", "0.50"]],
)
def test_equal_numbers_have_one_spelling(spellings: list[str]) -> None:
    """Numbers that are equal give the same key however they are written."""
    assert len({key_of({"temperature": json.loads(text)}) for text in spellings}) == 1


@given(st.integers(min_value=-(2**53), max_value=2**53))
def test_whole_floats_are_integers(number: int) -> None:
    """A whole number gives the same key as integer and as float."""
    assert key_of({"n": number}) == key_of({"n": float(number)})


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (0, False), (1, "1"), (None, "null"), (None, 0), ([], {}), ([1, 2], [2, 1]), (2**53, 2**53 + 1)],
)
def test_what_only_looks_equal_is_not(one: Any, other: Any) -> None:
    """Values of different JSON types, lists in another order and neighbouring integers have keys of their own."""
    assert key_of({"x": one}) != key_of({"x": other})


def test_text_is_not_normalised() -> None:
    """Composed and decomposed characters are different prompts."""
    assert key_of({"x": "\u00e9"}) != key_of({"x": "e\u0301"})


def test_lone_surrogates_have_keys() -> None:
    """Half a surrogate pair neither fails nor is taken for its escape, and two halves are not the whole."""
    texts = ["\ud83d", "\\ud83d", "\ud83d\ude00", "\U0001f600", "\ud800", ""]
    assert len({key_of({"x": text}) for text in texts}) == len(texts)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_refused(number: float) -> None:
    """NaN and infinity have no JSON form."""
    with pytest.raises(ValueError):
        canonical_json({"x": [number]})


@pytest.mark.parametrize("value", [{1: "a"}, {"x": {1, 2}}, {"x": b"a"}])
def test_what_is_no_json_is_refused(value: Any) -> None:
    """Member names that are no text, and values JSON does not know, are refused rather than guessed."""
    with pytest.raises(TypeError):
        canonical_json(value)


@given(VALUES)
def test_canonical_text_is_json_of_the_same_value(value: Any) -> None:
    """Canonical text can be encoded, and reads back as an equal value with the same canonical text."""
    text = canonical_json(value)
    text.encode("utf-8")
    assert canonical_json(json.loads(text)) == text or "\\ud" in text


@pytest.mark.parametrize(
    "other",
    [
        {"provider": "mistral"},
        {"wire": "anthropic-messages"},
        {"model_id": "n"},
        {"base_url": "https://api.example/v2"},
        {"base_url": "http://api.example/v1"},
        {"wire_format": 2},
    ],
)
def test_the_endpoint_is_part_of_the_key(other: dict[str, Any]) -> None:
    """Another provider, wire, model, endpoint or wire version is another request."""
    assert key_of({"x": 1}, **other) != key_of({"x": 1})


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_delivery_and_credentials_are_left_out(name: str) -> None:
    """How the answer is delivered and who pays do not change the key, at the top of the body only."""
    assert key_of({"x": 1, name: True}) == key_of({"x": 1})
    assert key_of({"x": {name: True}}) != key_of({"x": {}})


def test_no_secret_enters_the_document() -> None:
    """Credentials in the base URL or the body are not in the document."""
    document = key_document(
        {"api_key": "hush-1", "x": 1},
        provider="p", wire="openai-chat", wire_format=1, model_id="m", base_url="https://me:hush-2@api.example:8443/v1?key=hush-3#hush-4",
    )
    assert "hush" not in canonical_json(document)
    assert document["base_url"] == "https://api.example:8443/v1"


def test_credentials_in_the_body_stand_as_digests() -> None:
    """Whatever is named like one, at any depth; another credential is another request, and the conversation stays readable."""
    said = {"messages": [{"role": "user", "content": "the token of hush"}]}
    nested = [{"password": "hush-2", "credentials": {"id": ["hush-3"]}}]
    body = {**said, "aws_secret_access_key": "hush-1", "nested": nested, "max_tokens": 9}
    document = key_document(body, **PLACE)  # type: ignore[arg-type]
    assert "hush-" not in canonical_json(document)
    assert document["body"]["messages"] == said["messages"]  # type: ignore[index]
    assert document["body"]["max_tokens"] == 9  # type: ignore[index]
    assert len({key_of({**body, "aws_secret_access_key": text}) for text in ("hush-1", "hush-4")}) == 2


def test_what_a_row_adds_is_digested_under_any_name() -> None:
    """Short words of it stay, which say how a gateway routes."""
    held = with_digests({"note": "hush-0123456789", "order": ["fast", "hush-9876543210"], "n": 1})
    assert "hush-" not in canonical_json(held)
    assert held["order"][0] == "fast"  # type: ignore[index,call-overload]


def test_long_texts_stand_as_digests() -> None:
    """A picture or a whole file is kept as its digest, and one changed character still changes the key."""
    picture = "data:image/png;base64," + "A" * 1_000_000
    document = key_document({"messages": [{"content": [{"url": picture}]}]}, **PLACE)  # type: ignore[arg-type]
    assert len(canonical_json(document)) < 1000
    assert key_of({"x": picture}) != key_of({"x": picture[:-1] + "B"})
    assert key_of({"x": picture}) != key_of({"x": picture + "A"})


def test_the_key_has_a_fixed_form() -> None:
    """A key is the format's version and a SHA-256; this one may only change together with the version."""
    body = {"model": "m", "messages": [{"role": "user", "content": "h\u00e9"}], "temperature": 0.5, "stream": True}
    text = (
        '{"base_url":"https://api.example/v1",'
        '"body":{"messages":[{"content":"h\u00e9","role":"user"}],"model":"m","temperature":0.5},'
        '"key_format":1,"model_id":"m","provider":"deepseek","wire":"openai-chat","wire_format":1}'
    )
    assert key_of(body) == "k1-" + sha256(text.encode("utf-8")).hexdigest()


BASE = Request(
    (Message.of("user", "Hi"),), max_tokens=100, temperature=0.0, seed=7, schema={"type": "object"}, params={"top_p": 0.5}
)
CHANGED: dict[str, list[Any]] = {
    "messages": [
        (Message.of("user", "Hj"),),
        (Message.of("system", ""), Message.of("user", "Hi")),
        (Message.of("user", "Hi"), Message.of("assistant", "Yes"), Message.of("user", "Hi")),
        (Message.of("user", "Hi", Image("image/png", "data:image/png;base64,AAAA")),),
    ],
    "max_tokens": [101],
    "temperature": [0.1, None],
    "seed": [8, None],
    "schema": [{"type": "array"}, None],
    "tools": [(Tool("weather"),), (Tool("weather", "Tell it."),)],
    "tool_choice": [ToolChoice("required"), ToolChoice("named", "weather")],
    "params": [{"top_p": 0.6}, {}, {"top_p": 0.5, "a_parameter_of_the_future": {"deep": [1]}}],
}


def place_of(request: Request, wire: str, name: str = "host", model: str = "m", max_tokens: int | None = None) -> str:
    auth: Any = "bearer" if wire == "openai-chat" else "x-api-key"
    provider = Provider(name=name, wire=wire, base_url="https://api.example/v1", auth=auth)  # type: ignore[arg-type]
    row = Model(name="m", provider=name, id=model, features=frozenset({"json_schema", "images"}))
    return Encodings(request).of(row, provider, max_tokens or request.max_tokens or 1).key


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic-messages"])
def test_every_field_of_a_request_counts(wire: str) -> None:
    """Changing any field of a request changes its key, on both wires, but for how the answer is delivered; no field is forgotten."""
    assert set(Request._fields) == {*CHANGED, "stream", "given"}
    keys = [place_of(BASE, wire)]
    for name, values in CHANGED.items():
        keys += [place_of(BASE._replace(**{name: value}), wire) for value in values]
    assert len(set(keys)) == len(keys)
    handed_over = {place_of(BASE._replace(given=Given(wire, {"member": value})), wire) for value in (1, 2)}
    assert len(handed_over - {*keys}) == 2
    assert place_of(BASE._replace(stream=False), wire) == keys[0]
    assert place_of(BASE._replace(params={"top_p": 5e-1}), wire) == keys[0]
    assert len({keys[0], place_of(BASE, wire, name="other"), place_of(BASE, wire, model="other")}) == 3
