"""The rows that every export for people shows, and the sentences on a case."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from deepsel.bench.records import Result
from deepsel.bench.statistics import Distribution
from deepsel.show.durations import seconds
from deepsel.show.money import usd
from deepsel.show.numbers import plain_number

Writer: TypeAlias = Callable[[float | None], str]

_LOAD: tuple[tuple[str, str, Writer], ...] = (
    ("first token", "ttft_s", seconds),
    ("first reasoning", "reasoning_ttft_s", seconds),
    ("first byte", "ttfb_s", seconds),
    ("between tokens", "itl_s", seconds),
    ("time per token", "tpot_s", seconds),
    ("end to end", "e2e_s", seconds),
    ("new connection", "connect_s", seconds),
    ("tokens a second", "output_tokens_per_s", plain_number),
)
_SILENCE: tuple[tuple[str, str, Writer], ...] = (
    ("cold first token", "cold_ttft_s", seconds),
    ("warm first token", "warm_ttft_s", seconds),
    ("cold penalty", "cold_penalty_s", seconds),
    ("new connection", "connect_s", seconds),
)


def rows_of(result: Result) -> list[tuple[str, str, Writer, Distribution]]:
    """List the rows that a case's table has, as (words, metric, writer, figures); what was not measured is left out."""
    rows = _LOAD if result.case.idle_s is None else _SILENCE
    return [(words, name, write, figures) for words, name, write in rows if (figures := result.distribution(name)).n]


def counts(result: Result) -> str:
    """Say how many requests were answered, how many failed and of what, how long it took, what it cost."""
    failed = ", ".join(f"{count} {kind}" for kind, count in sorted(result.errors.items()))
    parts = [f"{len(result.answered)} of {len(result.samples)} answered" + (f" (failed: {failed})" if failed else "")]
    parts += [f"in {seconds(result.wall_s)}", usd(result.cost_usd)]
    return ", ".join(parts)


def interval(span: tuple[float, float] | None, write: Writer) -> str:
    """Write an interval; a dash for None."""
    return "-" if span is None else f"{write(span[0])} to {write(span[1])}"
