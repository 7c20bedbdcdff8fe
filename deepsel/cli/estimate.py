"""`deepsel estimate`: the options, and what each may hold; the steps are in estimating.py."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from deepsel.cli.checked import one_of, parse_duration
from deepsel.cli.options import Common
from deepsel.errors import UsageError
from deepsel.values import TASKS

FORMATS = ("table", "json", "csv", "markdown", "html")
GROUPS = ("model", "file", "language")
PERIODS = ("day", "month")

Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="PATH...", help="Files, folders, patterns; `-` is standard input.", show_default=False),
]
ModelNames = Annotated[
    list[str] | None, typer.Option("--model", "-m", metavar="NAME", help="Only these models. Repeatable.")
]
OutputTokens = Annotated[
    int | None, typer.Option("--output-tokens", metavar="N", help="Add answers of N tokens a request.")
]
OutputRatio = Annotated[
    str | None, typer.Option("--output-ratio", metavar="X", help="Add X output tokens for each input token.")
]
Requests = Annotated[int, typer.Option("--requests", metavar="N", help="How often each input is sent.")]
Per = Annotated[
    str | None, typer.Option("--per", metavar="day|month", help="Take --requests as a rate; costs are for that time.")
]
CachedShare = Annotated[
    str | None, typer.Option("--cached-share", metavar="0..1", help="Share of the input at the cached price.")
]
OutputHistory = Annotated[
    str | None,
    typer.Option("--output-history", metavar="TASK", help="As many a request as your own answers of this task usually have."),
]
By = Annotated[str, typer.Option("--by", metavar="GROUP", help="model, file or language.")]
At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="Prices of this time (ISO 8601, UTC unless it says); now.")
]
Sample = Annotated[bool, typer.Option("--sample", help="Read a part of much text; say how sure that is.")]
Exact = Annotated[
    bool, typer.Option("--exact", help="Ask Anthropic's count endpoint about the models of -m; sends the text.")
]
Staged = Annotated[bool, typer.Option("--staged", help="Compare what is staged in git with HEAD.")]
Diff = Annotated[
    str | None, typer.Option("--diff", metavar="REV", help="Compare the files with this revision, or a range A...B.")
]
MaxCost = Annotated[str | None, typer.Option("--max-cost", metavar="USD", help="Exit 9 above this cost.")]
MaxIncrease = Annotated[
    str | None,
    typer.Option("--max-increase", metavar="USD|PCT%", help="Exit 9 where a change costs more (of any file, in percent)."),
]
FailOnStale = Annotated[
    str | None, typer.Option("--fail-on-stale", metavar="AGE", help="Exit 9 where prices are older, e.g. 30d.")
]
Form = Annotated[str, typer.Option("--format", metavar="FORMAT", help=f"{', '.join(FORMATS)}.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write the report to this file.")]


def estimate(
    common: Common,
    paths: Paths = None,
    model: ModelNames = None,
    output_tokens: OutputTokens = None,
    output_ratio: OutputRatio = None,
    output_history: OutputHistory = None,
    requests: Requests = 1,
    per: Per = None,
    cached_share: CachedShare = None,
    by: By = "model",
    at: At = None,
    sample: Sample = False,
    exact: Exact = False,
    staged: Staged = False,
    diff: Diff = None,
    max_cost: MaxCost = None,
    max_increase: MaxIncrease = None,
    fail_on_stale: FailOnStale = None,
    form: Form = "table",
    output: Output = None,
) -> None:
    """Tell what text costs on each model before it is sent.

    Tokens are counted offline with each provider's own vocabulary. Nothing is sent unless --exact asks for it.
    """
    from deepsel.cli import estimating

    if sum(given is not None for given in (output_tokens, output_ratio, output_history)) > 1:
        raise UsageError(
            "`--output-tokens`, `--output-ratio` and `--output-history` say different things", "give one of them"
        )
    increase_usd, increase_pct = _increase(max_increase)
    wishes = estimating.Wishes(
        paths=paths or [],
        models=model or [],
        output_tokens=_count("--output-tokens", output_tokens or 0, least=0),
        output_ratio=None if output_ratio is None else _decimal("--output-ratio", output_ratio),
        output_history=one_of("--output-history", output_history, TASKS) if output_history else None,
        requests=_count("--requests", requests, least=1),
        period=one_of("--per", per, PERIODS) if per else "",
        cached_share=_share("--cached-share", cached_share),
        by=cast(Literal["model", "file", "language"], one_of("--by", by, GROUPS)),
        at=None if at is None else _time(at),
        sample=sample,
        exact=exact,
        staged=staged,
        diff=diff,
        max_cost_usd=None if max_cost is None else _decimal("--max-cost", max_cost.removeprefix("$")),
        max_increase_usd=increase_usd,
        max_increase_pct=increase_pct,
        stale_after_s=parse_duration(fail_on_stale) if fail_on_stale else None,
        form=one_of("--format", form, FORMATS),
        output=output,
    )
    estimating.run(common, wishes, os.environ, sys.stdin)


def _increase(text: str | None) -> tuple[Decimal | None, Decimal | None]:
    """Read an amount of USD, or a percentage where a percent sign ends it."""
    if text is None:
        return None, None
    if text.endswith("%"):
        return None, _decimal("--max-increase", text.removesuffix("%"))
    return _decimal("--max-increase", text.removeprefix("$")), None


def _share(option: str, text: str | None) -> Decimal:
    """Read a share in [0, 1], or a percentage."""
    if text is None:
        return Decimal(0)
    share = _decimal(option, text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if share > 1:
        raise UsageError(f"`{option}` takes a share from 0 to 1, not `{text}`", f"e.g. `{option} 0.8`")
    return share


def _decimal(option: str, text: str) -> Decimal:
    """Read a number that is not negative."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0 or number.adjusted() > 15:
        raise UsageError(f"`{option}` takes a number of at least 0, not `{text}`")
    return number


def _count(option: str, number: int, *, least: int) -> int:
    """Accept a whole number."""
    if least <= number <= 10**15:
        return number
    raise UsageError(f"`{option}` takes a whole number from {least} to 10^15, not {number}")


def _time(text: str) -> datetime:
    """Read an instant; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"`--at` takes a time, not `{text}`", "e.g. `--at 2026-12-01T09:00`") from None
