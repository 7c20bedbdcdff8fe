"""What is taken back after a refusal: only what is named, and only what deepsel has added by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import Model, Provider, Request
from deepsel.wires import openai_chat
from deepsel.wires.taking_back import Sent, TakenBack, changes_for, told, without

Make = Callable[..., Any]
OFF = {"reasoning_effort": "none"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


def refusal(message: str, *names: str, status: int = 400, error_class: ErrorClass = ErrorClass.BAD_REQUEST) -> AttemptFailed:
    made = AttemptFailed(error_class, message, http_status=status)
    made.names = names
    return made


@pytest.fixture
def sent(ask: Make, model: Make, provider: Make) -> Callable[..., Sent]:
    """Encode a request with everything deepsel adds, and say that it was sent."""

    def make(*, params: dict[str, Any] | None = None, max_tokens: int = 4096, **more: Any) -> Sent:
        row: Model = model(reasoning_off=OFF, features=frozenset({"json_schema", "json_object"}))
        host: Provider = provider()
        request: Request = ask(temperature=0.0, seed=7, schema=SCHEMA, params=params or {})
        body = openai_chat.encode(request, row, host, max_tokens=max_tokens)
        return Sent(body, row, host, max_tokens, openai_chat.LENGTH_FIELDS, request.params, **more)

    return make


@pytest.mark.parametrize(
    ("message", "names", "wanted"),
    [
        ("Unsupported value: 'temperature' does not support 0 with this model.", (), ["temperature"]),
        ("m", ("temperature",), ["temperature"]),
        ("body.seed: Extra inputs are not permitted", ("seed",), ["seed"]),
        ("Unrecognized request arguments supplied: temperature, seed", (), ["temperature", "seed"]),
        ("Unsupported parameter: `stream_options`", (), ["stream_options"]),
        ("stream_options.include_usage is not supported", (), ["stream_options"]),
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", (), ["max_tokens_field"]),
        ("m", ("max_tokens",), ["max_tokens_field"]),
        ("Unsupported value: 'reasoning_effort' does not support 'none'", (), ["reasoning_off"]),
        ("This response_format type is unavailable now", (), ["json_schema"]),
        ("json_schema is not supported by this model", (), ["json_schema"]),
        ("m", ("response_format",), ["json_schema"]),
        ("the model `seedling` does not exist", (), []),
        ("messages: at least one is required", ("messages",), []),
        ("temperature must not be given in messages", ("messages",), []),
        ("max_tokens must be at least 16", (), []),
        ("no", (), []),
    ],
)
def test_what_is_named_is_taken_back(sent: Callable[..., Sent], message: str, names: tuple[str, ...], wanted: list[str]) -> None:
    """Each of deepsel's own members is recognised, in words or apart from them; a complaint about something else changes nothing."""
    assert [one.name for one in changes_for(refusal(message, *names), sent())] == wanted


@pytest.mark.parametrize("name", ["temperature", "seed", "stream_options", "response_format", "reasoning_effort", "max_tokens"])
def test_what_the_user_has_set_stays(sent: Callable[..., Sent], name: str) -> None:
    """A member among the user's own parameters, or set by an option, is the user's to take back."""
    assert changes_for(refusal(f"{name} is not supported"), sent(params={name: 1})) == ()
    if name in ("temperature", "seed"):
        assert changes_for(refusal(f"{name} is not supported"), sent(is_set=frozenset({name}))) == ()


def test_a_parameter_on_a_fall_back_is_left_out(sent: Callable[..., Sent]) -> None:
    """What was meant for the first candidate's provider is left out where another one refuses it by name, for this request alone."""
    failure = refusal("Extra inputs are not permitted", "top_k")
    assert changes_for(failure, sent(params={"top_k": 5})) == ()
    assert changes_for(failure, sent(params={"top_k": 5}, is_fallback=True)) == (TakenBack("param", "top_k", lasts=False),)


@pytest.mark.parametrize(("status", "error_class"), [(401, ErrorClass.AUTH), (500, ErrorClass.SERVER), (404, ErrorClass.BAD_REQUEST),
                                                     (400, ErrorClass.CONTENT_POLICY), (429, ErrorClass.RATE_LIMITED)])  # fmt: skip
def test_other_failures_take_nothing_back(sent: Callable[..., Sent], status: int, error_class: ErrorClass) -> None:
    """Only a refusal of the request as it is can be about a member."""
    assert changes_for(refusal("temperature", status=status, error_class=error_class), sent()) == ()


def test_a_gateway_s_500_around_a_refusal(sent: Callable[..., Sent]) -> None:
    """Some gateways answer 500 where their upstream has answered 400."""
    assert [one.name for one in changes_for(refusal("m", "temperature", status=500), sent())] == ["temperature"]


@pytest.mark.parametrize(
    "message",
    [
        "Invalid schema for response_format 'answer': 'oneOf' is not permitted",
        "The provided JSON schema contains features not supported by xgrammar.",
        "failed to parse grammar",
        "JSON schema conversion failed: Unrecognized schema",
        "Unknown name \"additionalProperties\" at 'generation_config.response_schema': Cannot find field.",
    ],
)
def test_a_complaint_about_one_schema_does_not_last(sent: Callable[..., Sent], message: str) -> None:
    """A host that refuses this schema may take the next one."""
    (change,) = changes_for(refusal(message), sent())
    assert (change.name, change.lasts) == ("json_schema", False)


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 4096 tokens and your "
         "request has 12 input tokens (4096 > 4096 - 12).", TakenBack("context_window", "4096", max_tokens=4084)),
        ("This model's maximum context length is 4096 tokens. However, you requested 4108 tokens (12 in the messages, 4096 in the "
         "completion).", TakenBack("context_window", "4096", max_tokens=4084)),
        ("input length and `max_tokens` exceed context limit: 1000 + 4096 > 5000", TakenBack("context_window", "5000", max_tokens=4000)),
        ("`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 96 `inputs` tokens and 4096 `max_new_tokens`",
         TakenBack("context_window", "4096", max_tokens=4000)),
        ("max_tokens is too large: 4096. This model supports at most 2,048 completion tokens",
         TakenBack("max_output", "2048", max_tokens=2048)),
        ("max_tokens: 4096 > 1024, which is the maximum allowed number of output tokens",
         TakenBack("max_output", "1024", max_tokens=1024)),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 1000]", TakenBack("max_output", "1000", max_tokens=1000)),
        ("`max_tokens` must be less than or equal to `512`", TakenBack("max_output", "512", max_tokens=512)),
        ("You passed 96 input tokens and requested 4096 output tokens. However, the model's context length is only 4096 tokens, "
         "resulting in a maximum input length of 0 tokens.", TakenBack("context_window", "4096", max_tokens=4000)),
        ("Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total of 4192 tokens: 96 "
         "tokens from the input messages and 4096 tokens for the completion.", TakenBack("context_window", "4096", max_tokens=4000)),
        ("body.max_tokens: Input should be less than or equal to 2048", TakenBack("max_output", "2048", max_tokens=2048)),
        ("This model's maximum context length is 4096 tokens. However, you requested 9096 tokens (5000 in the messages, 4096 in "
         "the completion).", None),
        ("This model's maximum context length is 4096 tokens, your prompt has 4090 input tokens and max_tokens is 4096", None),
        ("prompt is too long: 9000 tokens > 8000 maximum", None),
        ("max_tokens: at most 9999", None),
    ],
)  # fmt: skip
def test_what_fits_is_asked_for(sent: Callable[..., Sent], message: str, change: TakenBack | None) -> None:
    """A host that says how much room there is is asked again for that much; where the prompt itself is too long, nothing helps."""
    failure = refusal(message, error_class=ErrorClass.CONTEXT_OVERFLOW)
    assert changes_for(failure, sent()) == (() if change is None else (change,))


def test_rows_without_what_was_taken_back(sent: Callable[..., Sent], ask: Make) -> None:
    """The changed rows send no more what was refused, rename what is renamed, and keep to the size a host has told."""
    one = sent()
    names = ("temperature", "seed", "stream_options", "reasoning_off", "json_object")
    changes = [*map(TakenBack, names), TakenBack("max_tokens_field", "max_completion_tokens"), TakenBack("context_window", "4096")]
    model, provider = without(changes, one.model, one.provider)
    body = openai_chat.encode(ask(temperature=0.0, seed=7, schema=SCHEMA), model, provider, max_tokens=9)
    assert body.keys() == {"model", "messages", "stream", "max_completion_tokens"}
    assert (model.context_window, without([TakenBack("max_output", "99")], model, provider)[0].max_output) == (4096, 99)
    plain, _ = without([TakenBack("json_schema")], one.model, one.provider)
    assert openai_chat.encode(ask(schema=SCHEMA), plain, provider, max_tokens=9)["response_format"] == {"type": "json_object"}
    assert all("m" in told(change._replace(max_tokens=5), one.model) for change in changes)


@given(st.text(max_size=200) | st.from_regex(r"max_tokens .{0,20}\d{1,20}.{0,20}context length.{0,9}\d{1,20}.{0,20}"))
def test_no_words_are_a_crash(message: str) -> None:
    """Whatever a host says, what is taken back is among what was sent, and no bound grows."""
    body: dict[str, Any] = {"model": "m", "temperature": 0, "seed": 7, "max_tokens": 4096}
    row, host = Model("m", "h", "m"), Provider("h", "openai-chat", "")
    one = Sent(body, row, host, 4096, openai_chat.LENGTH_FIELDS, {})
    for change in changes_for(refusal(message, error_class=ErrorClass.CONTEXT_OVERFLOW), one):
        assert change.max_tokens is not None
        assert 0 < change.max_tokens < 4096
        assert without([change], row, host)
