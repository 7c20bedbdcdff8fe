"""Finds, in text of any language, the words that say what is asked; owns the lexicon `data/cues.json`, no judgement.

The lexicon maps a language to kinds (the tasks, `hard`, `easy`, and `stop`: words that only tell the language) to
weights to comma-separated cues. `word` is a whole word or phrase, `word*` a beginning. Scripts that run words together
(or join articles to them) are searched for the cue anywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from deepsel.records import NamedTuple

_DATA = Path(__file__).parent / "data" / "cues.json"
_NOT_WORD = re.compile(r"[^\w+#]+|[\u2e80-\ud7af]+")
"""What separates words: all but letters, digits, `+` and `#` (c++, c#), and the scripts without spaces."""
_UNSPACED = ("zh", "ja", "ko", "ar", "hi")
_BLOCKS = (
    ("zh", "\u4e00", "\u9fff"),
    ("ja", "\u3040", "\u30ff"),
    ("ko", "\uac00", "\ud7a3"),
    ("ar", "\u0620", "\u06ff"),
    ("hi", "\u0900", "\u097f"),
)
"""Unicode blocks, ends included."""
_SPOKEN_SHARE = 0.6
"""A language with this share of the likeliest one's stop words may be spoken too: cognates and mixed prompts."""
_SURE_WORDS = 2
"""Fewer stop words than this say nothing about the language."""


class Cue(NamedTuple):
    """One row of the lexicon; a tuple because thousands are built."""

    text: str
    """As it is looked for: normalised, with a space at the end of a whole word."""
    kind: str
    weight: float


class Hit(NamedTuple):
    """A cue found in a text."""

    cue: Cue
    word: int
    """Its place, in words from the beginning; in unspaced scripts an estimate."""


def find(text: str) -> list[Hit]:
    """Find the cues of a short text; languages it is not written in are left out."""
    normal = _NOT_WORD.sub(" ", text.lower()).strip() + "  "
    words = normal.split(" ")
    indexes = [_index(language) for language in ("any", *spoken(words))]
    hits: list[Hit] = []
    at = 0
    for number, word in enumerate(words):
        if word:
            start = normal[at : at + 3]
            for index in indexes:
                for cue in index.get(start, ()):
                    if normal.startswith(cue.text, at):
                        hits.append(Hit(cue, number))
        at += len(word) + 1
    if not text.isascii():
        hits.extend(_find_unspaced(text.lower()))
    return hits


def spoken(words: Sequence[str]) -> tuple[str, ...]:
    """Name the spaced languages lower-case words may be written in, by stop words; all where these say nothing."""
    telling = _stop_words()
    counts: dict[str, int] = {}
    for word in words:
        for language in telling.get(word, ()):
            counts[language] = counts.get(language, 0) + 1
    if any("\u0400" <= word[:1] <= "\u04ff" for word in words):
        counts["ru"] = len(words)
    best = max(counts.values(), default=0)
    if best < _SURE_WORDS:
        return tuple(language for language in _lexicon() if language != "any" and language not in _UNSPACED)
    return tuple(language for language, count in counts.items() if count >= _SPOKEN_SHARE * best)


@cache
def _lexicon() -> dict[str, dict[str, dict[str, str]]]:
    """Read the data file."""
    lexicon: dict[str, dict[str, dict[str, str]]] = json.loads(_DATA.read_text(encoding="utf-8"))
    return lexicon


@cache
def _stop_words() -> dict[str, list[str]]:
    """Map each stop word to the languages that use it."""
    telling: dict[str, list[str]] = {}
    for language, kinds in _lexicon().items():
        if "stop" in kinds:
            for word in kinds["stop"]["1"].split(", "):
                telling.setdefault(word, []).append(language)
    return telling


@cache
def _cues(language: str) -> list[Cue]:
    """List a language's cues, `*` resolved; only the languages that occur are ever built."""
    return [
        Cue(_spell(text, language), kind, float(weight))
        for kind, weights in _lexicon()[language].items()
        if kind != "stop"
        for weight, texts in weights.items()
        for text in texts.split(", ")
    ]


def _spell(text: str, language: str) -> str:
    """Write a cue as it is looked for."""
    if language in _UNSPACED:
        return text
    return text[:-1] if text.endswith("*") else text + " "


@cache
def _index(language: str) -> dict[str, list[Cue]]:
    """Arrange a spaced language's cues by their first three characters."""
    index: dict[str, list[Cue]] = {}
    for cue in _cues(language):
        index.setdefault((cue.text + "  ")[:3], []).append(cue)
    return index


def _find_unspaced(text: str) -> Iterator[Hit]:
    """Search a text of an unspaced script for that script's cues."""
    for language in _scripts(text):
        for cue in _cues(language):
            at = text.find(cue.text)
            if at >= 0:
                yield Hit(cue, at // 3)


def _scripts(text: str) -> Iterator[str]:
    """Name the unspaced languages whose script a text uses; kana decides between Chinese and Japanese."""
    found = {_script(char) for char in set(text) if char > "\u05ff"}
    if "ja" in found:
        found.discard("zh")
    yield from (language for language in _UNSPACED if language in found)


def _script(char: str) -> str:
    """Name the language a character beyond the alphabets most likely belongs to; empty for signs."""
    for language, first, last in _BLOCKS:
        if first <= char <= last:
            return language
    return ""
