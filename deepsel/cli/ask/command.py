"""`deepsel ask`: the options, and the steps from them to an answer; each step is done elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deepsel.cli.options import AsJson, Common, Help, MaxCost, Models, Output
from deepsel.records import NamedTuple
from deepsel.values import STRATEGIES, TASKS


class AskOptions(NamedTuple):
    """What `deepsel ask` takes."""

    prompt: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROMPT]", help="What to ask; `-` reads it from stdin.", show_default=False),
    ] = None
    files: Annotated[
        list[Path] | None, typer.Option("--file", "-f", metavar="PATH", help="Append a text or picture. Repeatable.")
    ] = None
    system: Annotated[str | None, typer.Option("--system", "-s", metavar="TEXT", help="The system message.")] = None
    messages: Annotated[
        Path | None, typer.Option("--messages", metavar="PATH", help="Continue a JSON list of {role, content}.")
    ] = None
    models: Annotated[Models, Help("Only these candidates. Repeatable.")] = None
    task: Annotated[
        str | None, typer.Option("--task", metavar="TASK", help=f"One of {', '.join(TASKS)}; detected otherwise.")
    ] = None
    strategy: Annotated[
        str | None, typer.Option("--strategy", metavar="NAME", help=f"One of {', '.join(STRATEGIES)}.")
    ] = None
    difficulty: Annotated[
        float | None,
        typer.Option("--difficulty", metavar="0..1", help="How strong a model it needs; scored otherwise."),
    ] = None
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", metavar="N", help="The longest answer, reasoning included.")
    ] = None
    temperature: Annotated[float | None, typer.Option("--temperature", metavar="X", help="0 by default.")] = None
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Sent where the provider has one.")] = None
    schema: Annotated[
        Path | None, typer.Option("--schema", metavar="PATH", help="A JSON Schema the answer has to satisfy.")
    ] = None
    tools: Annotated[
        Path | None, typer.Option("--tools", metavar="PATH", help="A JSON list of tools the model may call.")
    ] = None
    params: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="KEY=VALUE", help="Send this member as it is (JSON or text). Repeatable."),
    ] = None
    max_cost: MaxCost = None
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="S", help="Seconds for the whole request.")
    ] = None
    no_stdin: Annotated[
        bool, typer.Option("--no-stdin", help="Leave standard input alone, as in a loop of `while read`.")
    ] = False
    cache: Annotated[
        bool | None,
        typer.Option("--cache/--no-cache", help="Use the cache for any request, or for none.", show_default=False),
    ] = None
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask anew and replace what the cache holds.")] = False
    only_cached: Annotated[
        bool, typer.Option("--only-cached", help="Answer from the cache or exit 6; send nothing, need no key.")
    ] = False
    stream: Annotated[
        bool | None,
        typer.Option("--stream/--no-stream", help="Show text as it comes (default on a terminal).", show_default=False),
    ] = None
    as_json: AsJson = False
    explain: Annotated[bool, typer.Option("--explain", help="Print the plan with each reason; send nothing.")] = False
    output: Annotated[Output, Help("Write the answer to this file.")] = None


def ask(common: Common, options: AskOptions) -> None:
    """Ask one question.

    The answer goes to stdout, everything else to stderr. Standard input that is not a terminal is appended to the prompt as a document.
    """
    from deepsel.cli.ask.answer import told_in_a_record

    with told_in_a_record(options):
        _ask(common, options)


def _ask(common: Common, options: AskOptions) -> None:
    """Go through the steps."""
    from deepsel.cli.ask.answer import explain, show, shows_stream
    from deepsel.cli.ask.remember import conditions_of, remember
    from deepsel.cli.ask.request import ask_of, read_request, whom_to_ask
    from deepsel.cli.context import choose_profile, load_settings, open_session

    conditions = conditions_of(common, options)  # of the files before they are read
    request, flags = read_request(options)
    settings = load_settings(common)
    profile = choose_profile(settings, common)
    profile = profile.override(**{**flags, **whom_to_ask(options, settings, profile)})
    asked = ask_of(options, request, profile)
    with open_session(common, settings) as session:
        if options.explain:
            explain(*session.explain(asked), options, common)
            return
        run = session.ask(asked, is_shown=shows_stream(options))
        show(run, options, common)
        following = run.next_time() if conditions else None
    if conditions and following:  # the files have to be closed: a memo goes by their state
        remember(run, following, options, common, conditions)
