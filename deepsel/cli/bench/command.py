"""`deepsel bench`: the options, and the steps from them to a report and its verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deepsel.bench.formats import FORMATS
from deepsel.cli.options import Common, Form, Help, MaxCost, Models, Output
from deepsel.records import NamedTuple


class BenchOptions(NamedTuple):
    """What `deepsel bench` takes."""

    models: Annotated[Models, Help("Model to measure; repeat for several, which alternate.")] = None
    requests: Annotated[int, typer.Option("--requests", "-n", metavar="N", help="Requests of each case.")] = 30
    warmup: Annotated[
        int, typer.Option("--warmup", metavar="N", help="Requests of each worker that do not count.")
    ] = 1
    concurrency: Annotated[
        list[int] | None,
        typer.Option("--concurrency", "-c", metavar="N", help="Concurrent requests [default: 1]; repeat to compare."),
    ] = None
    rate: Annotated[
        float | None, typer.Option("--rate", metavar="R", help="Send R a second, whatever is answered (open loop).")
    ] = None
    idle: Annotated[
        list[str] | None, typer.Option("--idle", metavar="S", help="Measure cold starts after this silence. Repeatable.")
    ] = None
    rounds: Annotated[int, typer.Option("--rounds", metavar="N", help="How often each silence is repeated.")] = 5
    warm_every: Annotated[
        str | None,
        typer.Option("--warm-every", metavar="S", help="With --idle: show what keep-alive requests do to it."),
    ] = None
    prompts: Annotated[list[str] | None, typer.Option("--prompt", metavar="TEXT", help="Ask this. Repeatable.")] = None
    prompt_tokens: Annotated[
        list[int] | None,
        typer.Option("--prompt-tokens", metavar="N", help="Use generated prompts of N tokens. Repeatable; 64 by default."),
    ] = None
    cached_prefix: Annotated[
        bool,
        typer.Option("--cached-prefix", help="Let prompts share their beginning, to measure the provider's cache."),
    ] = False
    max_tokens: Annotated[int, typer.Option("--max-tokens", metavar="N", help="The longest answer.")] = 64
    max_ttft_p95: Annotated[
        float | None, typer.Option("--max-ttft-p95", metavar="S", help="Fail where p95 of the first token is later.")
    ] = None
    max_error_rate: Annotated[
        float | None, typer.Option("--max-error-rate", metavar="0..1", help="Fail where a larger share fails.")
    ] = None
    baseline: Annotated[
        Path | None, typer.Option("--baseline", metavar="PATH", help="Compare with this earlier --format json.")
    ] = None
    max_regression: Annotated[
        str | None,
        typer.Option("--max-regression", metavar="PCT", help="Fail where a median is slower by more, beyond chance."),
    ] = None
    max_cost: Annotated[MaxCost, Help("Send nothing where the run could cost more.")] = None
    save: Annotated[bool, typer.Option("--save", help="Save results for routing.")] = False
    save_profile: Annotated[
        bool, typer.Option("--save-profile", help="Write them into profiles.toml, its comments kept.")
    ] = False
    form: Annotated[Form, Help(f"{', '.join(FORMATS)}.")] = "table"
    output: Output = None


def bench(common: Common, options: BenchOptions) -> None:
    """Measure latency: first token, speed, cold starts.

    Time stamps are taken at the socket. Real requests are sent and paid for; --max-cost is checked before the first one.
    """
    from deepsel.bench.formats import write
    from deepsel.bench.run import BenchRun
    from deepsel.cli.bench import steps
    from deepsel.cli.context import choose_profile, load_settings, open_session
    from deepsel.cli.terminal.output import deliver, screen_for

    steps.check(options)
    wanted, limits = steps.wanted_of(options), steps.limits_of(options)
    settings = load_settings(common)
    profile = choose_profile(settings, common)
    baseline = steps.baseline_of(options)
    with open_session(common, settings) as session:
        run = BenchRun(session, profile, wanted, limits, baseline)
        report = steps.measure(run, options, common)
        deliver(write(report, options.form, screen_for(options.output)), options.output)
        steps.save(run, report, options, common)
    steps.conclude(report)
