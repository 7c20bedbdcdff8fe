"""`deepsel ask`: the options, and the steps from them to an answer; each step is done elsewhere."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepsel.cli.checked import one_of, within
from deepsel.cli.options import Common
from deepsel.errors import UsageError
from deepsel.values import STRATEGIES, TASKS, Json, JsonObject, Tool

if TYPE_CHECKING:
    from deepsel.engine.ask import CacheMode


def ask(
    common: Common,
    prompt: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROMPT]", help="What to ask; `-` reads it from stdin.", show_default=False),
    ] = None,
    file: Annotated[
        list[Path] | None, typer.Option("--file", "-f", metavar="PATH", help="Append a text or picture. Repeatable.")
    ] = None,
    system: Annotated[str | None, typer.Option("--system", "-s", metavar="TEXT", help="The system message.")] = None,
    messages: Annotated[
        Path | None, typer.Option("--messages", metavar="PATH", help="Continue a JSON list of {role, content}.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", metavar="NAME", help="Only these candidates. Repeatable.")
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", metavar="TASK", help=f"One of {', '.join(TASKS)}; detected otherwise.")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", metavar="NAME", help=f"One of {', '.join(STRATEGIES)}.")
    ] = None,
    difficulty: Annotated[
        float | None,
        typer.Option("--difficulty", metavar="0..1", help="How strong a model it needs; scored otherwise."),
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", metavar="N", help="The longest answer, reasoning included.")
    ] = None,
    temperature: Annotated[float | None, typer.Option("--temperature", metavar="X", help="0 by default.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Sent where the provider has one.")] = None,
    schema: Annotated[
        Path | None, typer.Option("--schema", metavar="PATH", help="A JSON Schema the answer has to satisfy.")
    ] = None,
    tools: Annotated[
        Path | None, typer.Option("--tools", metavar="PATH", help="A JSON list of tools the model may call.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="KEY=VALUE", help="Send this member as it is (JSON or text). Repeatable."),
    ] = None,
    max_cost: Annotated[
        str | None, typer.Option("--max-cost", metavar="USD", help="Send nothing that could cost more.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="S", help="Seconds for the whole request.")
    ] = None,
    no_stdin: Annotated[
        bool, typer.Option("--no-stdin", help="Leave standard input alone, as in a loop of `while read`.")
    ] = False,
    cache: Annotated[
        bool | None,
        typer.Option("--cache/--no-cache", help="Use the cache for any request, or for none.", show_default=False),
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask anew and replace what the cache holds.")] = False,
    only_cached: Annotated[
        bool, typer.Option("--only-cached", help="Answer from the cache or exit 6; send nothing, need no key.")
    ] = False,
    stream: Annotated[
        bool | None,
        typer.Option("--stream/--no-stream", help="Show text as it comes (default on a terminal).", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON record.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Print the plan with each reason; send nothing.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write the answer to this file.")
    ] = None,
) -> None:
    """Ask one question.

    The answer goes to stdout, everything else to stderr. Standard input that is not a terminal is appended to the prompt as a document.
    """
    from deepsel.cli import asking
    from deepsel.cli.prompt import refuse_loose_files

    if cache is False and refresh:
        raise UsageError("`--refresh` stores the new answer, `--no-cache` stores nothing", "give one of them")
    if only_cached and (cache is False or refresh):
        raise UsageError("`--only-cached` reads the cache, which the other option rules out", "give one of them")
    mode: CacheMode = "only" if only_cached else "refresh" if refresh else "auto" if cache is None else "on" if cache else "off"
    params = dict(_member(text) for text in param or [])
    if tools and "tools" in params:
        raise UsageError("`--tools` and `--param tools` are two lists of tools", "give one of them")
    for name in sorted(_lengths() & params.keys(), reverse=True) if params else ():
        max_tokens = _length(name, params.pop(name))
    refuse_loose_files(prompt or [], file or [])
    wishes = asking.Wishes(
        prompt=" ".join(prompt) if prompt else None,
        files=file or [],
        system=system,
        messages=messages,
        task=one_of("--task", task, TASKS) if task is not None else None,
        difficulty=within("--difficulty", difficulty, 0, 1),
        schema=read_schema(schema) if schema else None,
        schema_file=schema,
        tools=read_tool_file(tools) if tools else (),
        tools_file=tools,
        params=params,
        cache_mode=mode,
        stream=stream,
        as_json=as_json,
        explain=explain,
        output=output,
        no_stdin=no_stdin,
        overrides={
            "models": tuple(model) if model else None,
            "strategy": one_of("--strategy", strategy, STRATEGIES) if strategy is not None else None,
            "max_tokens": _at_least_one("--max-tokens", max_tokens),
            "temperature": within("--temperature", temperature, 0, 2),
            "seed": seed,
            "max_cost_usd": read_money("--max-cost", max_cost),
            "timeout_s": within("--timeout", timeout, 0.001, 86400),
        },
    )
    asking.run(common, wishes, os.environ, sys.stdin)


def read_money(option: str, text: str | None) -> Any:
    """Read an amount of USD from an option."""
    if text is None:
        return None
    from deepsel.config import fields

    try:
        return fields.money(text.removeprefix("$"))
    except ValueError:
        raise UsageError(f"`{option}` takes an amount of USD, not `{text}`", f"e.g. `{option} 0.05`") from None


def read_schema(path: Path) -> JsonObject:
    """Read a JSON Schema and check that it is one."""
    from deepsel.engine.schema import check_schema

    try:
        schema = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {(error.strerror or 'input/output error').lower()}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"`{path}` is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise UsageError(f"`{path}` must hold a JSON object, the schema")
    check_schema(schema)
    return schema


def read_tool_file(path: Path) -> tuple[Tool, ...]:
    """Read a file of tools; raises UsageError where it holds none, or one that cannot be sent."""
    from deepsel.messages.attach import read_file
    from deepsel.messages.loading import load
    from deepsel.messages.tools import read_tools

    try:
        data = load(read_file(path).text).value
    except ValueError as error:
        raise UsageError(f"`{path}` is not JSON: {error}") from error
    return read_tools(data, f"`{path}`")


def _member(text: str) -> tuple[str, Json]:
    """Split KEY=VALUE; the value is JSON where it reads as such, else text."""
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise UsageError(f"`--param` takes KEY=VALUE, not `{text}`", "e.g. `--param top_p=0.9`")
    if key.strip() in OWN:
        raise UsageError(f"`--param {key.strip()}` is not sent as it is", f"use {OWN[key.strip()]}")
    try:
        return key.strip(), json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return key.strip(), value


OWN = {
    "model": "`-m`",
    "messages": "`--messages`",
    "stream": "`--stream` or `--no-stream`",
    "stream_options": "`--stream`",
    "n": "a request for each answer",
}
"""Members that decide whom deepsel asks, what for and how it reads the answer, and what to use instead."""


def _lengths() -> frozenset[str]:
    """Name the members that are `--max-tokens` by another name; sent by themselves they would pass every limit on cost."""
    from deepsel.wires.table import WIRES

    return frozenset[str]().union(*(wire.LENGTH_FIELDS for wire in WIRES.values()))


def _length(name: str, value: Json) -> int:
    """Read the longest answer from a member."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f"`--param {name}` takes a whole number", "use `--max-tokens`")
    return value


def _no_constant(name: str) -> Json:
    """Refuse NaN and the infinities, which Python reads but JSON has not."""
    raise ValueError(name)


def _at_least_one(option: str, value: int | None) -> int | None:
    """Accept a count."""
    if value is None or value >= 1:
        return value
    raise UsageError(f"`{option}` takes a whole number of at least 1, not {value}")
