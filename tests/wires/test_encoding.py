"""Bodies, headers and addresses of the wires, quirk by quirk."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from deepsel.errors import ConfigError
from deepsel.secret import Secret
from deepsel.values import Image, Message, Model, Provider, Request, Text
from deepsel.wires import bodies
from deepsel.wires.table import wire_names, wire_of

Make = Callable[..., Any]
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
OFF = {"thinking": {"type": "disabled"}}


def encode(request: Request, model: Model, provider: Provider) -> dict[str, Any]:
    return wire_of(provider.wire).encode(request, model, provider, max_tokens=100)


@pytest.mark.parametrize("wire", wire_names())
def test_every_wire_sends_the_basics(wire: str, ask: Make, model: Make, provider: Make) -> None:
    """Each wire sends the id, the messages, the limit and whether to stream, as JSON without a key."""
    body = encode(ask(stream=False), model(), provider(wire=wire))
    said = [{"role": "user", "content": "Hi"}]
    asked = {"messages": said, "max_tokens": 100}
    if wire == "openai-responses":
        asked = {"input": said, "max_output_tokens": 100, "store": False}
    assert body == {"model": "m-1", "stream": False, **asked}
    assert json.loads(bodies.serialise(body)) == body


@pytest.mark.parametrize("wire", wire_names())
@pytest.mark.parametrize(
    ("auth", "names"),
    [("bearer", {"authorization"}), ("x-api-key", {"x-api-key"}), ("both", {"authorization", "x-api-key"}),
     ("x-portkey-api-key", {"x-portkey-api-key"})],
)  # fmt: skip
def test_key_goes_where_the_provider_wants_it(wire: str, auth: str, names: set[str], provider: Make) -> None:
    """The key stands in the headers its row names, masked in every repr, and in none without a key."""
    row = provider(wire=wire, auth=auth, headers={"X-Team": "docs"})
    headers = wire_of(wire).headers(row, Secret("sk-secret-123"))
    assert {name for name, value in headers.items() if isinstance(value, Secret)} == names
    assert headers["x-team"] == "docs"
    assert "sk-secret-123" not in repr(headers)
    assert not names & wire_of(wire).headers(row, None).keys()


def test_own_headers_win(provider: Make) -> None:
    """A version header of the row replaces the wire's."""
    assert wire_of("anthropic-messages").headers(provider(), None)["anthropic-version"] == "2023-06-01"
    row = provider(headers={"Anthropic-Version": "2026-10-21"})
    assert wire_of("anthropic-messages").headers(row, None)["anthropic-version"] == "2026-10-21"


@pytest.mark.parametrize(
    ("wire", "base", "url"),
    [
        ("openai-chat", "https://a/v1", "https://a/v1/chat/completions"),
        ("openai-chat", "https://a/v1/", "https://a/v1/chat/completions"),
        ("openai-responses", "https://a/v1/", "https://a/v1/responses"),
        ("anthropic-messages", "https://a", "https://a/v1/messages"),
        ("anthropic-messages", "https://a/anthropic/", "https://a/anthropic/v1/messages"),
        ("anthropic-messages", "https://a/v1", "https://a/v1/messages"),
    ],
)
def test_urls(wire: str, base: str, url: str, provider: Make) -> None:
    """The wire's path is joined to the base URL once."""
    assert wire_of(wire).url(provider(base_url=base)) == url


@pytest.mark.parametrize(
    ("row", "model_row", "asked", "fields"),
    [
        pytest.param({"max_tokens_field": "max_completion_tokens"}, {}, {}, {"max_completion_tokens": 100}, id="openai"),
        pytest.param({}, {}, {"params": {"max_completion_tokens": 5}}, {"max_completion_tokens": 5}, id="own-limit"),
        pytest.param({}, {}, {"params": {"max_completion_tokens": 5000}}, {"max_completion_tokens": 100}, id="own-limit-too-large"),
        pytest.param({}, {}, {"params": {"max_tokens": "5000"}}, {"max_tokens": 100}, id="own-limit-no-number"),
        pytest.param({"max_tokens_field": "num_predict"}, {}, {"params": {"num_predict": 5000}}, {"num_predict": 100}, id="own-name"),
        pytest.param({}, {"params": {"max_tokens": 5000}}, {}, {"max_tokens": 5000}, id="limit-of-the-row"),
        pytest.param({"seed_field": "random_seed"}, {}, {"seed": 7}, {"random_seed": 7, "max_tokens": 100}, id="mistral"),
        pytest.param({"seed_field": None}, {}, {"seed": 7}, {"max_tokens": 100}, id="no-seed"),
        pytest.param({}, {"seed": False}, {"seed": 7}, {"max_tokens": 100}, id="seed-ignored"),
        pytest.param({}, {}, {"temperature": 0.5}, {"temperature": 0.5, "max_tokens": 100}, id="temperature"),
        pytest.param({}, {"sampling": "never"}, {"temperature": 0}, {"max_tokens": 100}, id="never"),
        pytest.param(
            {}, {"sampling": "without_reasoning", "reasoning_off": OFF}, {"temperature": 0},
            {"max_tokens": 100, "temperature": 0, **OFF}, id="deepseek",
        ),
        pytest.param(
            {}, {"sampling": "without_reasoning", "reasoning_off": OFF},
            {"temperature": 0, "params": {"thinking": {"type": "enabled"}}},
            {"max_tokens": 100, "thinking": {"type": "enabled"}}, id="deepseek-thinking",
        ),
        pytest.param(
            {"non_stream_body": {"enable_thinking": False}}, {"reasoning_off": {"enable_thinking": False},
            "params": {"enable_thinking": True}}, {"stream": False}, {"max_tokens": 100, "enable_thinking": True},
            id="model-over-provider",
        ),
        pytest.param(
            {"extra_body": {"x": 1, "y": 1}}, {"params": {"x": 2, "z": 2}}, {"params": {"z": 3}},
            {"max_tokens": 100, "x": 2, "y": 1, "z": 3}, id="order",
        ),
        pytest.param({}, {"params": {"temperature": 0}}, {"temperature": 1.0}, {"max_tokens": 100, "temperature": 0},
                     id="model-temperature"),
    ],
)  # fmt: skip
def test_parameters(
    row: Any, model_row: Any, asked: Any, fields: dict[str, Any], ask: Make, model: Make, provider: Make
) -> None:
    """Limit, seed, temperature and raw members are named, withheld and overridden as the rows say."""
    body = encode(ask(**asked), model(**model_row), provider(stream_usage=False, **row))
    assert {name: value for name, value in body.items() if name not in ("model", "messages", "stream")} == fields


def test_non_stream_members_are_for_non_streaming_requests(ask: Make, model: Make, provider: Make) -> None:
    """Qwen's switch is sent where nothing streams, and usage is asked for where something does."""
    row = provider(non_stream_body={"enable_thinking": False})
    assert encode(ask(stream=False), model(), row)["enable_thinking"] is False
    streaming = encode(ask(), model(), row)
    assert "enable_thinking" not in streaming
    assert streaming["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("row", "model_row", "params", "withheld", "is_deterministic"),
    [
        ({}, {}, {}, (), True),
        ({"seed_field": None}, {}, {}, ("seed",), True),
        ({"seed_field": None}, {"sampling": "never"}, {}, ("temperature", "seed"), False),
        ({}, {"sampling": "never"}, {}, ("temperature",), True),
        ({}, {"sampling": "never", "seed": False}, {"temperature": 0}, ("seed",), False),
        ({}, {"sampling": "without_reasoning", "seed": False}, {}, ("temperature", "seed"), False),
        ({}, {"sampling": "without_reasoning", "seed": False, "reasoning_off": OFF}, {}, ("seed",), True),
        ({}, {"seed": False}, {"temperature": 1}, ("seed",), False),
    ],
)
@pytest.mark.parametrize("wire", wire_names())
def test_what_is_withheld_and_what_repeats(
    wire: str, row: Any, model_row: Any, params: Any, withheld: Any, is_deterministic: bool,
    ask: Make, model: Make, provider: Make,
) -> None:  # fmt: skip
    """What is asked for and not sent is named; only sampling that is sent and honoured makes a request repeatable."""
    if wire == "openai-responses":  # which has no seed
        withheld = (*(name for name in withheld if name != "seed"), "seed")
        is_deterministic = is_deterministic and "temperature" not in withheld
    place, target = provider(wire=wire, **row), model(**model_row)
    request = ask(temperature=0, seed=7, params=params)
    assert wire_of(wire).withheld(request, target, place) == withheld
    body = encode(request, target, place)
    assert wire_of(wire).is_deterministic(body, target, place) is is_deterministic
    assert wire_of(wire).withheld(ask(), target, place) == ()
    assert not wire_of(wire).is_deterministic(encode(ask(), target, place), target, place)


def test_openai_schema_forms(ask: Make, model: Make, provider: Make) -> None:
    """A schema is sent as json_schema, else as json_object with the schema in words, else in words alone."""
    request = ask(schema=SCHEMA, messages=(Message.of("system", "Be brief."), Message.of("user", "Hi")))
    whole = encode(request, model(features=frozenset({"json_schema", "json_object"})), provider())
    form = {"name": "answer", "schema": SCHEMA, "strict": True}
    assert whole["response_format"] == {"type": "json_schema", "json_schema": form}
    assert whole["messages"][0]["content"] == "Be brief."
    half = encode(request, model(features=frozenset({"json_object"})), provider())
    assert half["response_format"] == {"type": "json_object"}
    none = encode(request, model(), provider())
    assert "response_format" not in none
    for body in (half, none):
        system = body["messages"][0]["content"]
        assert system.startswith("Be brief.\n\n")
        assert "json" in system
        assert json.dumps(SCHEMA) in system
    assert [turn["role"] for turn in encode(ask(schema=SCHEMA), model(), provider())["messages"]] == ["system", "user"]


def test_anthropic_schema_and_system(ask: Make, model: Make, provider: Make) -> None:
    """System texts go to the top; a schema goes beside the user's effort, or into the system text."""
    turns = (Message.of("system", "A"), Message.of("user", "Hi"), Message.of("system", "B"))
    place = provider(wire="anthropic-messages")
    capable = model(features=frozenset({"json_schema"}))
    body = encode(ask(schema=SCHEMA, messages=turns, params={"output_config": {"effort": "low"}}), capable, place)
    assert body["system"] == "A\n\nB"
    assert body["messages"] == [{"role": "user", "content": "Hi"}]
    assert body["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}
    assert json.dumps(SCHEMA) in encode(ask(schema=SCHEMA), model(), place)["system"]


def test_parts_keep_their_order(ask: Make, model: Make, provider: Make) -> None:
    """Text and pictures are sent in the order they were given, on each wire in its form, links and data alike."""
    first, second = Image("image/png", "data:image/png;base64,AAAA"), Image("", "https://x/y.png")
    request = ask(messages=(Message("user", (Text("first:"), first, Text("second:"), second)),))
    assert encode(request, model(), provider())["messages"][0]["content"] == [
        {"type": "text", "text": "first:"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "text", "text": "second:"},
        {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
    ]
    assert encode(request, model(), provider(wire="anthropic-messages"))["messages"][0]["content"] == [
        {"type": "text", "text": "first:"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "text", "text": "second:"},
        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
    ]


def test_bodies_that_are_no_json() -> None:
    """A number JSON has no form for is the user's mistake; half a surrogate pair is replaced."""
    with pytest.raises(ConfigError, match="finite"):
        bodies.serialise({"x": float("nan")})
    assert bodies.serialise({"x": "\ud83d"}) == b'{"x":"?"}'


@pytest.mark.parametrize(
    ("params", "thinks"),
    [({"chat_template_kwargs": {"enable_thinking": True}}, True), ({"chat_template_kwargs": {"thinking": False}}, False), ({}, False),
     ({"reasoning_effort": "high"}, True), ({"reasoning_effort": "none"}, False)],
)  # fmt: skip
def test_who_may_think_in_silence(ask: Make, model: Make, provider: Make, params: dict[str, Any], thinks: bool) -> None:
    """A body that asks for reasoning, by whatever member, lets the model be silent for longer."""
    body = wire_of("openai-chat").encode(ask(params=params), model(), provider(), max_tokens=5)
    assert wire_of("openai-chat").may_think(body, model()) is thinks
