"""`deepsel ask`: the options, and the steps from them to an answer; each step is done elsewhere."""

# No `from __future__ import annotations`: the options' types are read when the program starts, and as text each would be compiled then.

from pathlib import Path
from typing import Annotated

import typer

from deepsel.cli.options import AsJson, Common, GoesOn, Help, MaxCost, Models, Output, System
from deepsel.cli.request_options import Strategy, Task, Tools, UseCache
from deepsel.records import NamedTuple


class AskOptions(NamedTuple):
    """What `deepsel ask` takes."""

    prompt: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROMPT]", help="What to ask; `-` reads it from stdin.", show_default=False),
    ] = None
    files: Annotated[
        list[Path] | None,
        typer.Option("--file", "-f", metavar="PATH", help="Add a text, picture, folder or quoted pattern (repeatable)."),
    ] = None
    system: System = None
    system_file: Annotated[
        Path | None, typer.Option("--system-file", metavar="PATH", help="Read the system message from a file.")
    ] = None
    messages: Annotated[
        Path | None, typer.Option("--messages", metavar="PATH", help="Continue a conversation from a JSON list of messages.")
    ] = None
    template: Annotated[
        str | None, typer.Option("--template", "-t", metavar="NAME", help="Ask by a template; `deepsel templates list`.")
    ] = None
    var: Annotated[
        list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="Set a variable of the template (repeatable).")
    ] = None
    goes_on: GoesOn = False
    conversation: Annotated[
        str | None, typer.Option("--conversation", metavar="NAME", help="Begin or go on with this one, kept until deleted.")
    ] = None
    models: Annotated[Models, Help("Ask these models only; a part of a name will do (repeatable).")] = None
    task: Task = None
    strategy: Strategy = None
    difficulty: Annotated[
        float | None,
        typer.Option("--difficulty", metavar="0..1", help="Override the difficulty score."),
    ] = None
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", metavar="N", help="Maximum tokens in the answer, reasoning included [default: 4096].")
    ] = None
    temperature: Annotated[float | None, typer.Option("--temperature", metavar="X", help="Sampling temperature [default: 0].")] = None
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Sampling seed, where the provider has one [default: 7].")] = None
    top_p: Annotated[float | None, typer.Option("--top-p", metavar="X", help="Sample from the likeliest words only, 0 to 1.")] = None
    stop: Annotated[
        list[str] | None, typer.Option("--stop", metavar="TEXT", help="End the answer before this text (repeatable).")
    ] = None
    reasoning_effort: Annotated[
        str | None,
        typer.Option("--reasoning-effort", metavar="E", help="How long it may think: none, low, medium, high, ... [default: none]."),
    ] = None
    schema: Annotated[
        str | None,
        typer.Option("--schema", metavar="SCHEMA", help="What the answer has to satisfy: a file, JSON, or 'name, age int'."),
    ] = None
    tools: Tools = None
    params: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="KEY=VALUE", help="Add a field to the request body (repeatable)."),
    ] = None
    max_cost: MaxCost = None
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="S", help="Seconds for the whole request.")
    ] = None
    no_stdin: Annotated[
        bool, typer.Option("--no-stdin", help="Leave standard input alone, as in a loop of `while read`.")
    ] = False
    cache: UseCache = None
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask again and replace the cached answer.")] = False
    only_cached: Annotated[
        bool, typer.Option("--only-cached", help="Answer from the cache or exit 6; send nothing, need no key.")
    ] = False
    stream: Annotated[
        bool | None,
        typer.Option("--stream/--no-stream", help="Show text as it comes (default on a terminal).", show_default=False),
    ] = None
    extract: Annotated[
        str | None,
        typer.Option("--extract", "-x", metavar="[LANG]", help="Print the last code block alone, or the last one in LANG."),
    ] = None
    raw: Annotated[bool, typer.Option("--raw", help="On a terminal, print Markdown as it is.")] = False
    show_thinking: Annotated[bool, typer.Option("--show-thinking", help="Print what the model thinks on stderr.")] = False
    compare: Annotated[bool, typer.Option("--compare", help="Ask every model of -m and show the answers together.")] = False
    as_json: AsJson = False
    explain: Annotated[bool, typer.Option("--explain", help="Print the plan with each reason; send nothing.")] = False
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="With --explain: plan for this time (ISO 8601, UTC unless it says).")
    ] = None
    rate: Annotated[
        str | None, typer.Option("--rate", metavar="good|bad", help="Ask nothing: say what the last answer was worth.")
    ] = None
    output: Annotated[Output, Help("Write the answer to this file.")] = None


def ask(common: Common, options: AskOptions) -> None:
    """Ask one question.

    The answer goes to stdout, everything else to stderr; piped standard input is added to the prompt as a document. Without a
    command, `deepsel "..."` does the same.
    """
    from deepsel.cli.ask.answer import told_in_a_record

    if options.rate is not None:
        from deepsel.cli.ask.rate import rate

        rate(options, common)
        return
    with told_in_a_record(options):
        _ask(common, options)


def _ask(common: Common, options: AskOptions) -> None:
    """Go through the steps."""
    from deepsel.cli.ask.remember import conditions_of, remember
    from deepsel.cli.ask.request import read_request
    from deepsel.cli.checked import refuse
    from deepsel.cli.context import load_settings, open_session

    refuse(options.at is not None and not options.explain, "`--at` plans for another time and sends nothing", "add `--explain`")
    if options.template is not None or options.var:
        from deepsel.cli.ask.templated import with_template

        common, options = with_template(common, options)
    conditions = conditions_of(common, options)  # of the files before they are read
    request, flags = read_request(options)
    settings = load_settings(common)
    with open_session(common, settings) as session:
        from deepsel.cli.ask.answering import answered

        if options.compare:
            from deepsel.cli.ask.compare import compare

            compare(session, common, options, request, flags)
            return
        run, kept = answered(session, common, options, request, flags)
        following = run.next_time() if run and conditions else None
    if run and conditions and following:  # the files have to be closed: a memo goes by their state
        remember(run, following, options, common, conditions, kept)
