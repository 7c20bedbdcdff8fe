"""What a caller may say of one request, checked and turned into what the engine is asked; reads no file."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

from deepsel.config import fields, nearest_hint
from deepsel.engine.ask import Ask, CacheMode
from deepsel.errors import UsageError
from deepsel.messages.attach import read_document, with_words
from deepsel.values import TASKS, JsonObject, Message, Request, Tool

if TYPE_CHECKING:
    from deepsel.config import Profile

_Verb = TypeVar("_Verb", bound=Callable[..., object])


class AskKeywords(TypedDict, total=False):
    """How one request is carried out; what is left out, or None, is the profile's or decided by deepsel."""

    model: str | Sequence[str] | None
    """The only candidates, in place of the profile's."""
    profile: str | None
    """The name of a profile; None: the client's."""
    system: str | None
    """The system message."""
    files: Sequence[str | os.PathLike[str]]
    """Texts and pictures that are set behind the prompt."""
    tools: Sequence[Mapping[str, Any]] | None
    """What the model may call, in OpenAI's form, for any provider; calls come back as `Answer.tool_calls`."""
    schema: Mapping[str, Any] | None
    """A JSON Schema the answer has to satisfy."""
    max_cost_usd: Decimal | float | str | None
    """Nothing is sent that could cost more."""
    cache: bool | None
    """True: the cache serves and keeps any request; False: none; None: those that ask for the same answer each time."""
    refresh: bool
    """Ask anew and replace what the cache holds."""
    strategy: str | None
    """balanced, cheapest, fastest, best or ordered."""
    task: str | None
    """code, structured, reasoning, summarize, translate, creative or chat; None: detected."""
    difficulty: float | None
    """How strong a model it needs, in [0, 1]; None: scored."""
    max_tokens: int | None
    """The longest answer, reasoning included."""
    temperature: float | None
    """In [0, 2]."""
    seed: int | None
    """Sent where the provider has one."""
    timeout_s: float | None
    """Seconds for the whole request, over all its attempts."""
    params: Mapping[str, Any] | None
    """Members of the provider's request, sent as they are."""


DEFAULTS: Mapping[str, Any] = {**dict.fromkeys(AskKeywords.__annotations__), "refresh": False, "files": ()}
"""Every option and what it is where it is left out."""

PARAMS_ELSEWHERE = {
    "model": "the argument `model`",
    "messages": "the prompt and `system`",
    "stream": "`deepsel.stream`",
    "stream_options": "`deepsel.stream`",
    "n": "a request for each answer",
}
"""Members that decide whom deepsel asks, what for and how it reads the answer, and what to use instead."""

_OF_THE_PROFILE = ("strategy", "max_tokens", "temperature", "seed", "timeout_s")


def shows_options(verb: _Verb) -> _Verb:
    """Let `help()` and `inspect` name the options that a verb takes as keywords."""
    signature = inspect.signature(verb)
    own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default) for name, default in DEFAULTS.items()
    ]
    verb.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]  # read by inspect
    return verb


def read_ask(prompt: str, given: AskKeywords, choose: Callable[[str | None], Profile]) -> Ask:
    """Return what the engine is to do; `choose` finds the profile of a name.

    Raises UsageError for a value that cannot be, ConfigError for an unknown profile, TypeError for an unknown option.
    """
    options = {**DEFAULTS, **given}
    if unknown := [name for name in options if name not in DEFAULTS]:
        raise TypeError(f"there is no option `{unknown[0]}`; {nearest_hint(unknown[0], DEFAULTS)}".rstrip("; "))
    profile = choose(options["profile"]).override(**_overrides(options))
    params = _params(options["params"])
    request = Request(
        messages=_messages(prompt, options["system"], options["files"]),
        max_tokens=profile.max_tokens,
        temperature=profile.temperature,
        seed=profile.seed_for(params),
        schema=_schema(options["schema"]),
        params=params,
        tools=_tools(options["tools"]),
    )
    return Ask(
        request,
        prompt,
        profile,
        task=_task(options["task"]),
        difficulty=_checked("difficulty", options["difficulty"], fields.number(0, 1)),
        cache_mode=_cache_mode(options["cache"], refresh=options["refresh"]),
    )


def _messages(prompt: str, system: str | None, files: Sequence[str | os.PathLike[str]]) -> tuple[Message, ...]:
    """Put the conversation together: the one place that knows what a message is made of."""
    if not isinstance(prompt, str) or not (prompt.strip() or files):
        raise UsageError("there is no prompt", 'give some text, e.g. `deepsel.ask("What is DNS?")`')
    if isinstance(files, str | os.PathLike):
        raise UsageError("`files` is a list", "put the one path into brackets")
    head = (Message.of("system", system),) if system else ()
    return (*head, Message("user", with_words(prompt, [read_document(Path(path)) for path in files])))


def _tools(tools: Sequence[Mapping[str, Any]] | None) -> tuple[Tool, ...]:
    """Read what the model may call."""
    if not tools:
        return ()
    from deepsel.messages.tools import read_tools

    return read_tools([_json_object("tools", one) for one in tools], "`tools`")


def _overrides(options: Mapping[str, Any]) -> dict[str, Any]:
    """Read what stands in place of the profile's own; None where nothing does."""
    given = {name: _checked(name, options[name], fields.PROFILE[name]) for name in _OF_THE_PROFILE}
    models, cap = options["model"], options["max_cost_usd"]
    if models is not None:
        given["models"] = _checked("model", [models] if isinstance(models, str) else list(models), fields.names)
        if not models:
            raise UsageError("`model` names nobody", "leave it out for the profile's candidates")
    exact = str(cap) if isinstance(cap, Decimal | float) else cap  # a float as it is written: 0.05 is five cents
    return {**given, "max_cost_usd": _checked("max_cost_usd", exact, fields.money)}


def _checked(name: str, value: Any, read: fields.Reader) -> Any:
    """Read a value that was given by the rules of profiles.toml."""
    if value is None:
        return None
    try:
        return read(value)
    except ValueError as error:
        raise UsageError(f"`{name}` must be {error}, not {value!r}") from None


def _task(task: str | None) -> str | None:
    if task is None or task in TASKS:
        return task
    raise UsageError(f"there is no task `{task}`", nearest_hint(task, TASKS))


def _cache_mode(cache: bool | None, *, refresh: bool) -> CacheMode:
    if refresh and cache is False:
        raise UsageError("`refresh=True` stores the new answer, `cache=False` stores nothing", "give one of them")
    return "refresh" if refresh else "auto" if cache is None else "on" if cache else "off"


def _schema(schema: Mapping[str, Any] | None) -> JsonObject | None:
    if schema is None:
        return None
    from deepsel.engine.checks.schema import check_schema

    own = _json_object("schema", schema)
    check_schema(own)
    return own


def _params(params: Mapping[str, Any] | None) -> JsonObject:
    """Copy what is sent as it is, but for what only deepsel may set: a limit in other words would pass every cap on cost."""
    if not params:
        return {}
    from deepsel.wires.table import wire_names, wire_of

    lengths = frozenset[str]().union(*(wire_of(name).LENGTH_FIELDS for name in wire_names()))
    elsewhere = {**PARAMS_ELSEWHERE, **dict.fromkeys(lengths, "the argument `max_tokens`")}
    for name in params:
        if name in elsewhere:
            raise UsageError(f"`params` does not take `{name}`", f"use {elsewhere[name]}")
    return _json_object("params", params)


def _json_object(name: str, value: Mapping[str, Any]) -> JsonObject:
    """Copy a mapping, so that nobody changes it while it is used."""
    try:
        return cast("JsonObject", json.loads(json.dumps(dict(value), allow_nan=False)))
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"`{name}` must be a JSON object: {error}") from error
