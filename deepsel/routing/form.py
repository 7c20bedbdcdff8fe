"""What a prompt looks like, whatever its language: code, formulas, tables, options, numbers; owns no word of any language.

Each mark is a number from 0 to about 2. They are the part of a judgement that a language nobody trained on shares with
all others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from deepsel.routing.patterns import late

LOOKED_CHARS = 1600
"""The most of a prompt that is looked at: its beginning and its end, half each."""
WIDE_CHARS = 2.5
"""How many Latin characters one Chinese, Japanese or Korean character stands for."""

_CODE = late(
    r"\w\([^)\n]{0,80}\)\s*[;{:]|^[ \t]*(?:def|class|import|#include|fn|func|function|var|let|const|SELECT|public)\b"
    r"|[!=]==|=>|\);|</\w+>|^\s*(?:while|for|if) .{1,60}[:{]\s*$",
    re.MULTILINE,
)
_IDENTIFIER = late(r"[a-z]_[a-z]|[a-z][A-Z][a-z]|\w\(\)|\w\.\w+\(|\s--[a-z]{2}")
_CAMEL = late(r"[a-z][A-Z][a-z]")
_FILE = late(r"\.(?:py|js|ts|tsx|go|rs|cpp|hpp|java|rb|sh|sql|ipynb|c|h|cs|php|kt|css|html)\b")
_TRACE = late(r"Traceback|Exception\b|\bat [\w.$]+\([\w.]+:\d+\)|File \".+\", line \d+|\b\w+Error\b|\bERR_\w+")
_JSON = late(r"\{\s*[\"']\w+[\"']\s*:")
_FORMATS = ("json", "csv", "yaml", "xml")
_TABLE = late(r"^[^\n|]*\|[^\n|]*\|.*$|^[^\n\t]+\t[^\n\t]+$|^[^\n,;]{1,40}([,;])[^\n,;]{1,40}\1[^\n,;]{0,40}$", re.MULTILINE)
_FORMULA = late(
    r"\d\s*[-+*/^=×÷]\s*\(?[\dxyna-c]|\b[xynab]\s*[-+^=]\s*\w|\\frac|\\sqrt|\\\(|\$[^$\n]{1,80}\$|[∑∫√≤≥²³π∞]|\b[fgP]\([xA-Z]"
)
_NUMBER = late(r"\d+(?:[.,]\d+)*")
_MONEY = late(r"[$€£¥₹₽]\s?\d|\d\s?[%€£¥₹₽]")
_LABEL = r"A-Ka-kА-Га-гΑ-Δα-δא-דก-งক-ঘ①-⑤ア-エأ-د"
_OPTION = late(rf"(?:^|[\s(（;])(?:[{_LABEL}१-४1-5]|الف|[क-घ])[).）:．、]\s?\S|(?:^|\s)[①-⑤]", re.MULTILINE)
_OPTION_LINE = late(rf"^\s*\(?(?:[{_LABEL}1-9]|الف|[क-घ])[).）:．、 ]\s?\S", re.MULTILINE)
_LISTED = late(r"^\s*(?:\d{1,2}[.)]|[-*•])\s", re.MULTILINE)
_QUOTED = late(r"[\"“«「『„‘][^\"”»」』\n]{3,300}[\"”»」』’“]")
_ADDRESS = late(r"https?://|\b[\w.]+@[\w.]+\b")
_INLINE = late(r"`[^`\n]+`")
_FULL_REQUEST = 80.0
"""A request of so many characters is as long as any: longer ones say no more about the kind of work."""
_TRACES = ("Traceback", "Exception", "Error", "ERR_", "File \"", "  at ", "\tat ")
_CODE_SIGNS = "(;=<{\n"
_FORMULA_SIGNS = "\\$=^+×÷∑∫√≤≥²³π∞0123456789"
_SECOND_LABELS = (
    *("B.", "B)", "B:", "B）", "B．", "B、", "B ", "b.", "b)", "b:", "b ", "2.", "2)", "2、", "②"),
    *("Б", "б", "Β", "β", "ב", "ข", "খ", "ख", "२", "イ", "ب"),
)
"""Without a second option there is none."""
_QUESTIONS = "?？؟"

MARKS = (
    "a code block",
    "inline code",
    "code syntax",
    "identifiers",
    "a file of code",
    "a stack trace",
    "a data format",
    "rows of a table",
    "a formula",
    "numbers in the request",
    "numbers",
    "a question at the end",
    "a question",
    "an announcement of data",
    "length of the request",
    "length of the data",
    "options to choose from",
    "a list",
    "a quotation",
    "several lines",
    "a few words only",
    "an exclamation",
    "amounts of money or shares",
    "numbers and a question",
    "an address",
    "no data",
)
"""Names of the marks, in order, as a person reads them."""


def look(text: str, asked: str, given_chars: int) -> tuple[float, ...]:
    """Take the marks, in the order of MARKS, of a bounded text with the request within it and the size of the data beside that."""
    has_number = _NUMBER.search(text) is not None
    asked_numbers = len(_NUMBER.findall(asked)) if has_number else 0
    numbers = len(_NUMBER.findall(text)) if has_number else 0
    has_question = any(mark in text for mark in _QUESTIONS)
    asked_size = latin_length(asked)
    options = has_options(text)
    lines = text.count("\n")
    return (
        float("```" in text),
        float("`" in text and _INLINE.search(text) is not None),
        float(_has_any(text, _CODE_SIGNS) and _CODE.search(text) is not None),
        _identifiers(text),
        float("." in text and _FILE.search(text) is not None),
        float(_has_any(text, _TRACES) and _TRACE.search(text) is not None),
        float(_has_any(text.lower(), _FORMATS) or ("{" in text and _JSON.search(text) is not None)),
        _rows(text) if lines or "|" in text else 0.0,
        float(_has_any(text, _FORMULA_SIGNS) and _FORMULA.search(text) is not None),
        min(2.0, math.log1p(max(0, asked_numbers - 1))),
        min(2.0, 0.6 * math.log1p(max(0, numbers - 1))),
        float(asked.rstrip(" \n\"'»”)").endswith(tuple(_QUESTIONS))),
        float(has_question),
        float(given_chars > 0 and asked.rstrip().endswith((":", "："))),
        math.log1p(min(asked_size, _FULL_REQUEST) / 40),
        0.5 * math.log1p(min(given_chars, LOOKED_CHARS) / 60),
        float(options),
        float(not options and lines > 0 and _LISTED.search(text) is not None),
        float(_QUOTED.search(text) is not None),
        float(lines >= 2),
        float(asked_size <= 16 and given_chars == 0),
        float("!" in text or "！" in text),
        float(has_number and _MONEY.search(text) is not None),
        float(asked_numbers >= 2 and has_question),
        float(_has_any(text, ("://", "@")) and _ADDRESS.search(text) is not None),
        float(given_chars == 0),
    )


def has_options(text: str) -> bool:
    """Tell whether there are at least three labelled options, each on its own line or in one."""
    if not _has_any(text, _SECOND_LABELS):
        return False
    if len(_OPTION_LINE.findall(text)) >= 3 and len(_LISTED.findall(text)) < 6:
        return True
    return len(_OPTION.findall(text)) >= 3


def latin_length(text: str) -> float:
    """Measure a text in characters of a Latin script."""
    wide = 0 if text.isascii() else sum("\u2e80" <= char <= "\ud7af" for char in text)
    return len(text) + (WIDE_CHARS - 1) * wide


def bounded(text: str) -> str:
    """Return the beginning and the end of a text, as much as is looked at."""
    if len(text) <= LOOKED_CHARS:
        return text
    return f"{text[: LOOKED_CHARS * 5 // 8]} {text[-LOOKED_CHARS * 3 // 8 :]}"


def _rows(text: str) -> float:
    """Count rows of a table, half a point each, two points at most."""
    return min(2.0, 0.5 * sum(1 for _ in zip(range(4), _TABLE.finditer(text), strict=False)))


def _identifiers(text: str) -> float:
    """Count names as programs have them, half a point each, two points at most."""
    pattern = _IDENTIFIER if _has_any(text, "_(") or "--" in text else _CAMEL
    return min(2.0, 0.5 * sum(1 for _ in zip(range(4), pattern.finditer(text), strict=False)))


def _has_any(text: str, signs: Iterable[str]) -> bool:
    """Tell whether one of the signs is in the text: cheaper than a pattern, which is then spared most texts."""
    return any(sign in text for sign in signs)
