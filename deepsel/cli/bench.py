"""`deepsel bench`: the options; the steps stand in `benching`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from deepsel.cli.checked import parse_duration, within
from deepsel.cli.options import Common
from deepsel.errors import UsageError

FORMATS = ("table", "json", "csv", "markdown", "junit", "html")

ModelNames = Annotated[
    list[str] | None, typer.Option("--model", "-m", metavar="NAME", help="Measure this one. Repeatable; taken in turn.")
]
Requests = Annotated[int, typer.Option("--requests", "-n", metavar="N", help="Requests of each case.")]
Warmup = Annotated[int, typer.Option("--warmup", metavar="N", help="Requests of each worker that do not count.")]
Concurrency = Annotated[
    list[int] | None, typer.Option("--concurrency", "-c", metavar="N", help="So many at once. Repeatable; 1 by default.")
]
Rate = Annotated[
    float | None, typer.Option("--rate", metavar="R", help="Send R a second, whatever is answered (open loop).")
]
Idle = Annotated[
    list[str] | None, typer.Option("--idle", metavar="S", help="Measure cold starts after this silence. Repeatable.")
]
Rounds = Annotated[int, typer.Option("--rounds", metavar="N", help="How often each silence is repeated.")]
WarmEvery = Annotated[
    str | None, typer.Option("--warm-every", metavar="S", help="With --idle: show what keep-alive requests do to it.")
]
Prompts = Annotated[list[str] | None, typer.Option("--prompt", metavar="TEXT", help="Ask this. Repeatable.")]
PromptTokens = Annotated[
    list[int] | None,
    typer.Option("--prompt-tokens", metavar="N", help="Ask made prompts of N tokens. Repeatable; 64 by default."),
]
CachedPrefix = Annotated[
    bool, typer.Option("--cached-prefix", help="Let prompts share their beginning, to measure the provider's cache.")
]
MaxTokens = Annotated[int, typer.Option("--max-tokens", metavar="N", help="The longest answer.")]
MaxTtft = Annotated[
    float | None, typer.Option("--max-ttft-p95", metavar="S", help="Fail where p95 of the first token is later.")
]
MaxErrors = Annotated[
    float | None, typer.Option("--max-error-rate", metavar="0..1", help="Fail where a larger share fails.")
]
Baseline = Annotated[
    Path | None, typer.Option("--baseline", metavar="PATH", help="Compare with this earlier --format json.")
]
MaxRegression = Annotated[
    str | None,
    typer.Option("--max-regression", metavar="PCT", help="Fail where a median is slower by more, beyond chance."),
]
MaxCost = Annotated[
    str | None, typer.Option("--max-cost", metavar="USD", help="Send nothing where the run could cost more.")
]
Save = Annotated[bool, typer.Option("--save", help="Give the figures to the router.")]
SaveProfile = Annotated[
    bool, typer.Option("--save-profile", help="Write them into profiles.toml, its comments kept.")
]
Form = Annotated[str, typer.Option("--format", metavar="FORMAT", help=f"{', '.join(FORMATS)}.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write the report to this file.")]


def bench(
    common: Common,
    model: ModelNames = None,
    requests: Requests = 30,
    warmup: Warmup = 1,
    concurrency: Concurrency = None,
    rate: Rate = None,
    idle: Idle = None,
    rounds: Rounds = 5,
    warm_every: WarmEvery = None,
    prompt: Prompts = None,
    prompt_tokens: PromptTokens = None,
    cached_prefix: CachedPrefix = False,
    max_tokens: MaxTokens = 64,
    max_ttft_p95: MaxTtft = None,
    max_error_rate: MaxErrors = None,
    baseline: Baseline = None,
    max_regression: MaxRegression = None,
    max_cost: MaxCost = None,
    save: Save = False,
    save_profile: SaveProfile = False,
    form: Form = "table",
    output: Output = None,
) -> None:
    """Measure latency: first token, speed, cold starts.

    Time stamps are taken at the socket. Real requests are sent and paid for; --max-cost is checked before the first one.
    """
    from deepsel.bench.measurement import Wanted
    from deepsel.bench.prompts import MIN_TOKENS
    from deepsel.cli import benching
    from deepsel.cli.checked import money as read_money

    has_load = concurrency is not None or rate is not None
    _refuse(bool(idle) and has_load, "`--idle` measures no load", "run it apart from `-c` and `--rate`")
    _refuse(concurrency is not None and rate is not None, "`--rate` sends whatever is under way", "leave `-c` out")
    _refuse(bool(warm_every) and not idle, "`--warm-every` keeps warm during a silence", "give `--idle`")
    _refuse(bool(prompt) and prompt_tokens is not None, "`--prompt` and `--prompt-tokens` are two kinds of prompts", "give one of them")
    _refuse(max_regression is not None and baseline is None, "`--max-regression` needs something to compare with", "give `--baseline`")
    _refuse(form not in FORMATS, f"`--format` does not know `{form}`", f"one of {', '.join(FORMATS)}")
    wanted = Wanted(
        requests=_count("--requests", requests),
        warmup=_count("--warmup", warmup, least=0),
        concurrency=tuple(_count("--concurrency", one, most=256) for one in dict.fromkeys(concurrency or [1])),
        rate=_positive("--rate", rate, most=1000),
        idle_s=tuple(_seconds("--idle", text) for text in dict.fromkeys(idle or [])),
        rounds=_count("--rounds", rounds),
        warm_every_s=_seconds("--warm-every", warm_every) if warm_every else None,
        texts=tuple(dict.fromkeys(prompt or [])),
        prompt_tokens=tuple(_count("--prompt-tokens", one, least=MIN_TOKENS) for one in dict.fromkeys(prompt_tokens or [64])),
        max_tokens=_count("--max-tokens", max_tokens),
        shares_prefix=cached_prefix,
    )
    limits = benching.Limits(
        ttft_p95_s=_positive("--max-ttft-p95", max_ttft_p95),
        error_rate=_positive("--max-error-rate", max_error_rate, most=1, least=0),
        regression_pct=_percent("--max-regression", max_regression),
        cost_usd=read_money("--max-cost", max_cost),
    )
    wishes = benching.Wishes(model or [], wanted, limits, baseline, save, save_profile, form, output)
    benching.run(common, wishes, os.environ)


def _refuse(is_wrong: bool, message: str, hint: str) -> None:
    """Raise UsageError for options that cannot go together."""
    if is_wrong:
        raise UsageError(message, hint)


def _count(option: str, number: int, *, least: int = 1, most: int = 1_000_000) -> int:
    """Accept a whole number."""
    if least <= number <= most:
        return number
    raise UsageError(f"`{option}` takes a whole number from {least} to {most:,}, not {number}")


def _positive(option: str, value: float | None, *, most: float = 86_400, least: float = 0.001) -> float | None:
    """Accept a number in [least, most]."""
    return within(option, value, least, most)


def _seconds(option: str, text: str) -> float:
    """Read seconds: a plain number, or one with a unit such as `5m`."""
    try:
        value = float(text)
    except ValueError:
        value = parse_duration(text)
    checked = _positive(option, value, least=0.01)
    assert checked is not None
    return checked


def _percent(option: str, text: str | None) -> float | None:
    """Read percents, with or without the sign."""
    if text is None:
        return None
    try:
        return _positive(option, float(text.strip().removesuffix("%")), most=1000, least=0)
    except ValueError:
        raise UsageError(f"`{option}` takes percents, not `{text}`", f"e.g. `{option} 10%`") from None
