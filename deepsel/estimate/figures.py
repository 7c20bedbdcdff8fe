"""Figures as people read them, shared by every export that is not for machines."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

from deepsel.estimate.records import CostRow
from deepsel.values import Source


def usd(amount: Decimal | None) -> str:
    """Write money to four significant digits, at least to the cent; `unknown` for None."""
    if amount is None:
        return "unknown"
    if not amount:
        return "$0"
    return f"{'-' if amount < 0 else ''}${abs(amount):,.{max(2, 3 - amount.adjusted())}f}"


def short_usd(amount: Decimal) -> str:
    """Write money as `usd` does, without zeros at its end that say nothing: for sentences."""
    whole, point, decimals = usd(amount).partition(".")
    return f"{whole}{point}{decimals[:2]}{decimals[2:].rstrip('0')}"


def signed_usd(amount: Decimal) -> str:
    """Write a difference of money with its sign."""
    return f"+{usd(amount)}" if amount > 0 else usd(amount)


def tokens(row: CostRow) -> str:
    """Write a row's input tokens; a tilde before an estimate."""
    return f"{'~' if row.source is Source.ESTIMATED else ''}{row.input_tokens:,}"


def growth(before: Decimal, after: Decimal) -> str:
    """Write a change in percent; `new` and `gone` where one side is nothing."""
    if before == after:
        return "0 %"
    if not before:
        return "new"
    return "gone" if not after else f"{(after - before) * 100 / before:+,.0f} %"


def factor(value: float | None) -> str:
    """Write a premium: `1.82x`; a dash for None."""
    return "-" if value is None else f"{value:.2f}x"


def size(count: int) -> str:
    """Write bytes with a unit that fits."""
    number = float(count)
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.3g} {unit}" if unit != "B" else f"{count} B"
        number /= 1000
    return f"{number:,.3g} GB" if number < 1000 else f"{number:,.0f} GB"


def width(text: str) -> int:
    """Return the columns a text takes on a terminal."""
    return sum(
        0 if unicodedata.category(char) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def cut(text: str, columns: int) -> str:
    """Shorten a text to so many columns, keeping its end: a path's end tells more."""
    text = "".join(char if char.isprintable() else "\u2424" if char == "\n" else " " if char == "\t" else "\ufffd" for char in text)
    if width(text) <= columns:
        return text
    kept = ""
    for char in reversed(text):
        if width(char + kept) > columns - 1:
            break
        kept = char + kept
    return "\u2026" + kept


def padded(text: str, columns: int) -> str:
    """Fill a text up with spaces on the right."""
    return text + " " * max(0, columns - width(text))


def clipped(text: str, columns: int) -> str:
    """Drop what stands beyond so many columns."""
    kept, taken = [], 0
    for char in text:
        taken += width(char)
        if taken > columns:
            break
        kept.append(char)
    return "".join(kept).rstrip()


def wrapped(text: str, columns: int, indent: str = "") -> list[str]:
    """Break a text at spaces into lines of at most so many columns; a longer word is cut."""
    lines = [""]
    for word in text.split():
        word = cut(word, columns - width(indent))
        if lines[-1].strip() and width(lines[-1]) + 1 + width(word) > columns:
            lines.append(indent)
        lines[-1] += word if not lines[-1].strip() else f" {word}"
    return lines
