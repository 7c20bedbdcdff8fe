"""Token counts where the vocabulary cannot be had: characters by script, weighed by fits that state their own error.

Owns the rule; the weights are made and their errors measured by scripts/vocabularies/fit.py.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from deepsel.records import NamedTuple

GENERAL = "general"
"""The fit for a vocabulary nothing is known of."""
BARE = "bare"
"""The fit for where the vocabulary that the others are based on cannot be had either."""
_DATA = Path(__file__).parent / "data" / "estimates.json"


class Fit(NamedTuple):
    """A weighted sum that stands for a vocabulary, and how far it was off where that could be measured."""

    per_char: Mapping[str, float]
    """Tokens for a character of each class; a class that is missing counts as `other`."""
    error_pct: float
    """Nineteen of twenty texts were within this."""
    script_error_pct: Mapping[str, float]
    """The same by the script most letters are in, where there were enough texts."""
    base: str | None = None
    """An exact vocabulary whose count is one of the summands."""
    per_base_token: float = 0.0

    def tokens(self, classes: Mapping[str, int], base_tokens: int) -> int:
        """Return the estimate: 0 for an empty text, else at least 1."""
        other = self.per_char["other"]
        total = self.per_base_token * base_tokens
        total += sum(self.per_char.get(name, other) * count for name, count in classes.items())
        return max(round(total), min(1, sum(classes.values())))

    def error_of(self, classes: Mapping[str, int]) -> float:
        """Return the error to state for a text, in percent."""
        return self.script_error_pct.get(main_script(classes), self.error_pct)


@cache
def fits() -> Mapping[str, Fit]:
    """Return the fits by vocabulary."""
    return {name: Fit(**row) for name, row in json.loads(_DATA.read_text("utf-8"))["fits"].items()}


def fit_name(vocabulary: str | None) -> str:
    """Name the fit for a vocabulary: its own, or the general one."""
    return vocabulary if vocabulary and vocabulary in fits() else GENERAL


def classify(text: str) -> dict[str, int]:
    """Count the characters of each class: of a script for letters and marks, of a kind for all others."""
    plain = text.encode("ascii", "ignore")
    names, table = _plain_classes()
    kinds = plain.translate(table)
    classes = {name: count for code, name in enumerate(names) if (count := kinds.count(code))}
    others = Counter(re.sub(r"[\0-\x7f]+", "", text)) if len(plain) < len(text) else {}
    for char, count in others.items():
        name = char_class(char)
        classes[name] = classes.get(name, 0) + count
    return classes


@cache
def _plain_classes() -> tuple[list[str], bytes]:
    """The classes of ASCII characters, and each character's place among them."""
    classes = [char_class(chr(code)) for code in range(128)]
    names = sorted(set(classes))
    return names, bytes(map(names.index, classes)).ljust(256)


@lru_cache(maxsize=8192)
def char_class(char: str) -> str:
    """Name a character's class; a script goes by the first word of its characters' Unicode names."""
    if char in "\r\n":
        return "line"
    if char.isspace():
        return "space"
    if char.isascii():
        kinds = ((char.isupper(), "upper"), (char.islower(), "lower"), (char.isdigit(), "digit"))
        return next((name for holds, name in kinds if holds), "sign")
    category = unicodedata.category(char)
    if category[0] in "LM":
        return unicodedata.name(char, "other").split(" ")[0]
    return {"N": "number", "P": "punctuation"}.get(category[0], "symbol")


def main_script(classes: Mapping[str, int]) -> str:
    """Return the script with most letters: `ascii` where there is none but ASCII, `LATIN` where other Latin letters join them."""
    scripts = {name: count for name, count in classes.items() if name.isupper()}
    plain = classes.get("upper", 0) + classes.get("lower", 0)
    if not scripts:
        return "ascii"
    scripts["LATIN"] = scripts.get("LATIN", 0) + plain
    return max(sorted(scripts), key=scripts.__getitem__)
