"""Figures as people read them, and the rows that every export for people shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias

from deepsel.bench.records import Result
from deepsel.bench.statistics import Distribution

Writer: TypeAlias = Callable[[float | None], str]
BLOCKS = " ▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = " .:-=+*%#"


def duration(value: float | None) -> str:
    """Write seconds in three digits with a unit that fits; a dash for None."""
    if value is None:
        return "-"
    if abs(value) >= 0.9995:
        return f"{value:.2f} s" if abs(value) < 100 else f"{value:.0f} s"
    milliseconds = value * 1000
    places = 0 if abs(milliseconds) >= 99.95 else 1 if abs(milliseconds) >= 9.995 else 2
    return f"{milliseconds:.{places}f} ms"


def number(value: float | None) -> str:
    """Write a plain number in three digits; a dash for None."""
    return "-" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def usd(amount: Decimal | None) -> str:
    """Write money to three significant digits, at least to the cent; `unknown` for None."""
    if amount is None:
        return "unknown"
    return f"${amount:,.{max(2, 2 - amount.adjusted())}f}" if amount else "$0"


_LOAD: tuple[tuple[str, str, Writer], ...] = (
    ("first token", "ttft_s", duration),
    ("first reasoning", "reasoning_ttft_s", duration),
    ("first byte", "ttfb_s", duration),
    ("between tokens", "itl_s", duration),
    ("time per token", "tpot_s", duration),
    ("end to end", "e2e_s", duration),
    ("new connection", "connect_s", duration),
    ("tokens a second", "output_tokens_per_s", number),
)
_SILENCE: tuple[tuple[str, str, Writer], ...] = (
    ("cold first token", "cold_ttft_s", duration),
    ("warm first token", "warm_ttft_s", duration),
    ("cold penalty", "cold_penalty_s", duration),
    ("new connection", "connect_s", duration),
)


def rows_of(result: Result) -> list[tuple[str, str, Writer, Distribution]]:
    """List the rows that a case's table has, as (words, metric, writer, figures); what was not measured is left out."""
    rows = _LOAD if result.case.idle_s is None else _SILENCE
    return [(words, name, write, figures) for words, name, write in rows if (figures := result.distribution(name)).n]


def counts(result: Result) -> str:
    """Say how many requests were answered, how many failed and of what, how long it took, what it cost."""
    failed = ", ".join(f"{count} {kind}" for kind, count in sorted(result.errors.items()))
    parts = [f"{len(result.answered)} of {len(result.samples)} answered" + (f" (failed: {failed})" if failed else "")]
    parts += [f"in {duration(result.wall_s)}", usd(result.cost_usd)]
    return ", ".join(parts)


def interval(span: tuple[float, float] | None, write: Writer) -> str:
    """Write an interval; a dash for None."""
    return "-" if span is None else f"{write(span[0])} to {write(span[1])}"


def histogram(values: Sequence[float], bins: int) -> list[int]:
    """Count values in equal bins from the smallest to the largest; one bin where all are equal."""
    low, high = min(values), max(values)
    found = [0] * (bins if high > low else 1)
    for value in values:
        place = int((value - low) / (high - low) * bins) if high > low else 0
        found[min(place, len(found) - 1)] += 1
    return found


def spark(values: Sequence[float], bins: int, *, has_blocks: bool) -> str:
    """Draw a histogram in one line; a bin that holds anything is never blank."""
    signs = BLOCKS if has_blocks else PLAIN_BLOCKS
    heights = histogram(values, bins)
    most = max(heights)
    return "".join(signs[math.ceil(height / most * (len(signs) - 1))] for height in heights)
