"""OpenAI's Responses as clients speak them. Nothing is kept here: what names an answer of before goes to a host of the same wire alone."""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.errors import UsageError
from deepsel.messages.forms import RESPONSES
from deepsel.messages.responses import read_input
from deepsel.serve.surfaces import members, reading
from deepsel.serve.surfaces.responses_answers import OUR_REASONING, document, error, error_event
from deepsel.serve.surfaces.responses_answers import ResponsesWriter as Writer
from deepsel.serve.surfaces.surface import Asked, BadMember
from deepsel.values import Given, Json, JsonObject, Message, Request

__all__ = ["WIRE", "Writer", "document", "error", "error_event", "read"]

WIRE = RESPONSES
_LENGTH = "max_output_tokens"
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_ENCRYPTED = "reasoning.encrypted_content"
"""A wish that only its own wire has anything for: elsewhere nothing is encrypted."""
_KNOWN = frozenset(
    {
        *("model", "input", "instructions", "stream", "stream_options", _LENGTH, "temperature", "tools", "tool_choice", "text"),
        *("top_p", "user", "safety_identifier", "reasoning", "parallel_tool_calls", "include"),
        *("store", "metadata", "client_metadata", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),
    }
)
_KEPT = (
    *("include", "reasoning", "store", "metadata", "client_metadata"),
    *("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),
)
"""Members that go on as they came where a body of this wire is written anew."""
_DEFAULTS: Mapping[str, Json] = {"truncation": "disabled", "service_tier": "auto", "background": False, "top_logprobs": 0}
"""Members that ask for what happens anyway."""


def read(body: JsonObject, headers: Mapping[str, str]) -> Asked:
    """Read a request; raises BadMember."""
    if body.get("background"):
        raise BadMember("`background` is not possible here: answers are not kept to be fetched later", "background")
    asked = conversation({"model": "auto", **body}, headers)  # the one wire on which none need be named
    return asked._replace(request=asked.request._replace(max_tokens=reading.whole(body, _LENGTH)))


def conversation(body: JsonObject, headers: Mapping[str, str]) -> Asked:
    """Read what is asked without a bound on the answer, as it stands where only its tokens are counted; raises BadMember."""
    bound: list[str] = []
    messages = (*_instructions(body), *_input(body, bound))
    tools = reading.tools_of(body.get("tools"), bound)
    choice = reading.read_choice(body.get("tool_choice"), bound)
    schema = _schema(body, bound)
    rest = {name: value for name, value in body.items() if value != _DEFAULTS.get(name, ...)}
    own = [*reading.further(rest, _KNOWN), *_included(body)]
    elsewhere = members.written(_wishes(body, bound), choice)
    kept = (*own, *_KEPT)
    elsewhere[WIRE] = {**elsewhere[WIRE], **{name: body[name] for name in kept if body.get(name) is not None}}
    request = Request(
        messages=messages,
        temperature=reading.number(body, "temperature", 0, 2),
        schema=schema,
        stream=reading.flag(body, "stream"),
        tools=tools,
        tool_choice=choice,
        given=Given(
            WIRE,
            _as_sent(body),
            headers=reading.passed_headers(headers, "openai-beta"),
            elsewhere=elsewhere,
            only=reading.only_here(bound, own),
        ),
    )
    names = (body.get(name) for name in ("previous_response_id", "prompt_cache_key"))
    return Asked(
        request=request,
        model=reading.model_name(body),
        instruction=reading.instruction_of(messages),
        session=next((name for name in names if isinstance(name, str) and name), ""),
        is_in_tool_loop=reading.is_in_tool_loop(messages),
    )


def _as_sent(body: JsonObject) -> JsonObject:
    """Return the body without reasoning that was another provider's: a host of this wire would look for it and refuse."""
    items = body.get("input")
    if not isinstance(items, list) or not any(map(_is_translated, items)):
        return body
    return {**body, "input": [item for item in items if not _is_translated(item)]}


def _is_translated(item: Json) -> bool:
    return isinstance(item, dict) and item.get("type") == "reasoning" and str(item.get("id")).startswith(OUR_REASONING)


def _instructions(body: JsonObject) -> tuple[Message, ...]:
    """Read the system text that stands beside the input."""
    words = body.get("instructions")
    if not isinstance(words, str | None):
        raise BadMember("`instructions` must be text", "instructions")
    return (Message.of("system", words),) if words else ()


def _input(body: JsonObject, bound: list[str]) -> tuple[Message, ...]:
    """Read the items; there may be none where something is kept at the provider, which alone knows."""
    given = body.get("input")
    if given is None:
        bound.append("a request without `input`")
        return (Message.of("user", ""),)
    return reading.messages_of(given, bound, "input", read_input)


def _included(body: JsonObject) -> list[str]:
    """Name `include` where it asks for more than what is encrypted."""
    wanted = body.get("include")
    if wanted is not None and not isinstance(wanted, list):
        raise BadMember("`include` must be a list of texts", "include")
    return ["include"] if any(one != _ENCRYPTED for one in wanted or []) else []


def _schema(body: JsonObject, bound: list[str]) -> JsonObject | None:
    """Read the form the answer has to have; raises BadMember for one that is no schema."""
    text = body.get("text")
    if not isinstance(text, dict | None):
        raise BadMember("`text` must be an object", "text")
    form = (text or {}).get("format")
    if text and ((text.get("verbosity") or "medium") != "medium" or reading.further(text, ("format", "verbosity"))):
        bound.append("a member of `text`")
    kind = form.get("type") if isinstance(form, dict) else None
    if form is None or kind == "text":
        return None
    if not isinstance(form, dict) or not isinstance(kind, str):
        raise BadMember("`text.format` must be an object with a `type`", "text.format")
    if kind != "json_schema":
        bound.append(f"`text.format` of type `{kind}`")
        return None
    schema = form.get("schema")
    if not isinstance(schema, dict):
        raise BadMember("`text.format` needs a `schema`, an object", "text.format")
    from deepsel.engine.checks.schema import check_schema

    try:
        check_schema(schema)
    except UsageError as error:
        raise BadMember(error.message, "text.format") from error
    return schema


def _wishes(body: JsonObject, bound: list[str]) -> members.MemberWishes:
    reasoning = body.get("reasoning")
    if not isinstance(reasoning, dict | None):
        raise BadMember("`reasoning` must be an object", "reasoning")
    effort = (reasoning or {}).get("effort")
    if effort is not None and effort not in _EFFORTS:
        raise BadMember(f"`reasoning.effort` must be one of {', '.join(_EFFORTS)}", "reasoning.effort")
    # A summary is shown here wherever a provider shows its thinking at all.
    if reasoning and reading.further(reasoning, ("effort", "summary", "generate_summary")):
        bound.append("a member of `reasoning`")
    user = body.get("safety_identifier") or body.get("user")
    return members.MemberWishes(
        top_p=reading.number(body, "top_p", 0, 1),
        user=user if isinstance(user, str) else "",
        effort=str(effort or ""),
        is_parallel=body.get("parallel_tool_calls") is not False,
    )
