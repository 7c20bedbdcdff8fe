"""The options of `deepsel batch run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepsel.cli.options import AsJson, Help, MaxCost, Models, Yes
from deepsel.cli.request_options import Strategy, Task, Tools, UseCache
from deepsel.records import NamedTuple

if TYPE_CHECKING:
    from deepsel.batch.lanes import Wish

LANES: tuple[Wish, ...] = ("now", "batch", "off-peak", "auto")


class EachLine(NamedTuple):
    """What is asked of every line, as `ask` asks it."""

    models: Annotated[Models, Help("Only these candidates. Repeatable.")] = None
    system: Annotated[str | None, typer.Option("--system", "-s", metavar="TEXT", help="The system message of lines without one.")] = None
    task: Task = None
    strategy: Strategy = None
    difficulty: Annotated[
        float | None, typer.Option("--difficulty", metavar="0..1", help="How strong a model it needs; scored otherwise.")
    ] = None
    max_tokens: Annotated[int | None, typer.Option("--max-tokens", metavar="N", help="The longest answer, reasoning included.")] = None
    temperature: Annotated[float | None, typer.Option("--temperature", metavar="X", help="0 by default.")] = None
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Sent where the provider has one.")] = None
    schema: Annotated[
        str | None, typer.Option("--schema", metavar="SCHEMA", help="What each answer has to satisfy: a file, JSON, or 'name, age int'.")
    ] = None
    tools: Tools = None
    params: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="KEY=VALUE", help="Send this member as it is (JSON or text). Repeatable."),
    ] = None
    timeout: Annotated[float | None, typer.Option("--timeout", metavar="S", help="Seconds for one request.")] = None
    cache: UseCache = None
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask anew and replace what the cache holds.")] = False


class BatchRunOptions(NamedTuple):
    """What `deepsel batch run` takes."""

    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE|PROMPT]", help="JSON lines to ask (`-`: standard input); with `--each`, the prompt.", show_default=False
        ),
    ] = None
    each: Annotated[
        list[str] | None,
        typer.Option("--each", metavar="GLOB", help="A request for each file; the prompt has {path}, {name}, {stem}, {text}. Repeatable."),
    ] = None
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write the records to this file.")] = None
    out_dir: Annotated[Path | None, typer.Option("--out-dir", metavar="DIR", help="Write each answer to a file of its own.")] = None
    suffix: Annotated[str, typer.Option("--suffix", metavar="TEXT", help="How these files end.")] = ".md"
    line: EachLine = EachLine()
    concurrency: Annotated[int, typer.Option("--concurrency", metavar="N", help="The most requests at once; how many, is found out.")] = 64
    lane: Annotated[str, typer.Option("--lane", metavar="LANE", help=f"One of {', '.join(LANES)}.")] = "now"
    by: Annotated[str | None, typer.Option("--by", metavar="TIME", help="When the answers are needed: an instant, or `12h`.")] = None
    max_cost: Annotated[MaxCost, Help("Stop before the job costs more.")] = None
    unordered: Annotated[bool, typer.Option("--unordered", help="Write records as they come.")] = False
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an earlier run ended.")] = False
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Ask the lines anew that have failed.")] = False
    on_fail_ratio: Annotated[
        float | None,
        typer.Option("--on-fail-ratio", metavar="X", help="Stop where more of the lines fail; by default half of the first 50."),
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count and price, and send nothing.")] = False
    yes: Yes = False
    fleet: Annotated[
        str | None, typer.Option("--fleet", metavar="JOB", help="Share the job with every machine that runs the same command.")
    ] = None
    as_json: AsJson = False
