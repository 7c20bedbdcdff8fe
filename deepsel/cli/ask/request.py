"""What was typed, as a request: options that go together, values within bounds, files read, the prompt put together."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepsel.cli.ask.prompt import read_prompt, refuse_loose_files
from deepsel.cli.checked import count, money, one_of, refuse, within
from deepsel.cli.terminal.output import check_writable, partial_path
from deepsel.engine.ask import Ask, CacheMode
from deepsel.errors import UsageError
from deepsel.messages.piped import patient
from deepsel.values import STRATEGIES, TASKS, Json, Request, Tool

if TYPE_CHECKING:
    from deepsel.cli.ask.command import AskOptions
    from deepsel.cli.ask.talk import Talk
    from deepsel.config import Profile, Settings
    from deepsel.values import JsonObject

OWN = {
    "model": "`-m`",
    "messages": "`--messages`",
    "stream": "`--stream` or `--no-stream`",
    "stream_options": "`--stream`",
    "n": "a request for each answer",
}
"""Members that decide whom deepsel asks, what for and how it reads the answer, and what to use instead."""


def read_request(options: AskOptions) -> tuple[Request, dict[str, Any]]:
    """Return the request without its messages, and the profile's fields set by flags (None where not set).

    Raises UsageError for what cannot be taken, before anything of the user's is read but the files that are named.
    """
    cache_mode(options)
    params = dict(_member(text) for text in options.params or [])
    both = bool(options.tools) and "tools" in params
    refuse(both, "`--tools` and `--param tools` are two lists of tools", "give one of them")
    params |= _named(options, params)
    max_tokens = _taken_length(params, options.max_tokens)
    refuse_loose_files(options.prompt or [], options.files or [])
    if options.task is not None:
        one_of("--task", options.task, TASKS)
    within("--difficulty", options.difficulty, 0, 1)
    refuse_together(options)
    request = Request(
        messages=(),
        schema=_schema(options.schema) if options.schema else None,
        params=params,
        stream=options.stream is not False,
        tools=read_tool_file(options.tools) if options.tools else (),
    )
    return request, {
        "strategy": None if options.strategy is None else one_of("--strategy", options.strategy, STRATEGIES),
        "max_tokens": None if max_tokens is None else count("--max-tokens", max_tokens),
        "temperature": within("--temperature", options.temperature, 0, 2),
        "seed": options.seed,
        "max_cost_usd": money("--max-cost", options.max_cost),
        "timeout_s": within("--timeout", options.timeout, 0.001, 86400),
    }


def _schema(text: str) -> JsonObject:
    """Read a schema, whose code is loaded for one."""
    from deepsel.cli.ask.schemas import schema_of

    return schema_of(text)


def whom_to_ask(options: AskOptions, settings: Settings, profile: Profile, talk: Talk | None = None) -> dict[str, Any]:
    """Return the profile's fields that `-m` and what stands for it decide; a name that means several asks the cheapest first.

    A conversation stays with the model that answered last, whose provider has read it already, unless another one is named.
    """
    from deepsel.cli.context import preferred_models

    if talk and talk.model and not options.models and options.strategy is None:
        others = (name for name in profile.models if name != talk.model)
        return {"models": (talk.model, *others), "strategy": "ordered", "tasks": {}}
    typed = options.models or []
    models = preferred_models(settings, profile, typed)
    is_several = models is not None and len(models) > max(1, len(typed)) and options.strategy is None
    return {"models": models, **({"strategy": "cheapest"} if is_several else {})}


EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def _named(options: AskOptions, params: dict[str, Json]) -> dict[str, Json]:
    """Return the members that options of their own name, as OpenAI spells them; each wire writes them in its own words."""
    effort = options.reasoning_effort
    named: dict[str, Json] = {
        "reasoning_effort": None if effort is None else one_of("--reasoning-effort", effort, EFFORTS),
        "top_p": within("--top-p", options.top_p, 0, 1),
        "stop": list(options.stop) if options.stop else None,
    }
    given: dict[str, Json] = {name: value for name, value in named.items() if value is not None}
    for name in given:
        refuse(name in params, f"`--{name.replace('_', '-')}` and `--param {name}` say the same", "give one of them")
    return given


def refuse_together(options: AskOptions) -> None:
    """Raise UsageError for options that shape the answer in two ways."""
    both = options.system is not None and options.system_file is not None
    refuse(both, "`--system` and `--system-file` are two system messages", "give one of them")
    refuse(options.extract is not None and options.as_json, "`--extract` prints code, `--json` a record", "give one of them")
    goes_on = bool(options.goes_on or options.conversation)
    refuse(options.compare and goes_on, "`--compare` asks several, a conversation goes on with one", "leave one of them out")
    refuse(options.compare and options.explain, "`--compare` asks, `--explain` sends nothing", "give one of them")
    refuse(options.compare and len(options.models or ()) < 1, "`--compare` needs the models to compare", "e.g. `-m luna -m haiku`")


def _system(options: AskOptions) -> str | None:
    """Return the system message, out of its file where it stands in one."""
    if options.system_file is None:
        return options.system
    from deepsel.messages.attach import read_document

    return read_document(options.system_file).text


def ask_of(options: AskOptions, request: Request, profile: Profile, talk: Talk | None = None) -> Ask:
    """Put the prompt and what the profile says into the request; raises UsageError where there is nothing to ask.

    It follows what was said in the conversation it belongs to, with the tools that were offered there.
    """
    if options.output:
        check_writable(options.output)
        check_writable(partial_path(options.output))
    stdin = sys.stdin
    is_left = options.no_stdin or stdin is None or stdin.closed or stdin.isatty()
    prompt = read_prompt(
        " ".join(options.prompt) if options.prompt else None,
        files=options.files or [],
        system=_system(options),
        messages=options.messages,
        stdin=None if is_left else patient(stdin),
        stdin_limit_s=options.timeout,
        history=talk.history if talk else (),
    )
    return Ask(
        request._replace(
            messages=prompt.messages,
            tools=request.tools or (talk.tools if talk else ()),
            max_tokens=profile.max_tokens,
            temperature=profile.temperature,
            seed=profile.seed_for(request.params),
        ),
        prompt.instruction,
        profile,
        task=options.task,
        difficulty=options.difficulty,
        cache_mode=cache_mode(options),
        needs_difficulty=options.as_json,
    )


def cache_mode(options: AskOptions) -> CacheMode:
    """Say what the options want of the cache; raises UsageError where they contradict each other."""
    is_off = options.cache is False
    refuse(is_off and options.refresh, "`--refresh` stores the new answer, `--no-cache` stores nothing", "give one of them")
    rules_out = options.only_cached and (is_off or options.refresh)
    refuse(rules_out, "`--only-cached` reads the cache, which the other option rules out", "give one of them")
    if options.only_cached:
        return "only"
    if options.refresh:
        return "refresh"
    return "auto" if options.cache is None else "on" if options.cache else "off"


def read_tool_file(path: Path) -> tuple[Tool, ...]:
    """Read a file of tools; raises UsageError where it holds none, or one that cannot be sent."""
    from deepsel.messages.attach import read_document
    from deepsel.messages.loading import load
    from deepsel.messages.tools import read_tools

    try:
        data = load(read_document(path).text).value
    except ValueError as error:
        raise UsageError(f"`{path}` is not JSON: {error}") from error
    return read_tools(data, f"`{path}`")


def _member(text: str) -> tuple[str, Json]:
    """Split KEY=VALUE; the value is JSON where it reads as such, else text."""
    from deepsel.jsontext import loads

    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise UsageError(f"`--param` takes KEY=VALUE, not `{text}`", "e.g. `--param top_p=0.9`")
    if key.strip() in OWN:
        raise UsageError(f"`--param {key.strip()}` is not sent as it is", f"use {OWN[key.strip()]}")
    try:
        return key.strip(), loads(value)
    except ValueError:
        return key.strip(), value


def _taken_length(params: dict[str, Json], given: int | None) -> int | None:
    """Take the longest answer out of the members, whose names for it are another `--max-tokens`; `given` where none is there.

    Sent by themselves they would pass every limit on cost.
    """
    if not params:
        return given
    from deepsel.wires.table import wire_names, wire_of

    names = frozenset[str]().union(*(wire_of(name).LENGTH_FIELDS for name in wire_names()))
    for name in sorted(names & params.keys(), reverse=True):
        value = params.pop(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise UsageError(f"`--param {name}` takes a whole number", "use `--max-tokens`")
        given = value
    return given
