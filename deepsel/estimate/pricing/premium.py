"""How much dearer than in English the same content is in a language, per vocabulary. Measures nothing: its table is data.

Tokens per character cannot be compared between scripts: a Chinese character carries what four Latin letters do. So the
characters of a text are first turned into the characters the same content has in English, by the lengths of one text
that exists in all these languages (scripts/estimate/make_density.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from deepsel.estimate.records import Piece, Reading

LEAST_ENGLISH_CHARS = 1000
"""From here on the English that was read is what the other languages are compared with."""


def english_rates(reading: Reading) -> Mapping[str, float]:
    """Return English tokens per character by vocabulary: of the English that was read where there is enough of it, which
    is text of the same kind, else of the reference text."""
    pieces = [piece for one in reading.inputs for piece in one.pieces if piece.language == "en"]
    reference: Mapping[str, float] = _table()["english_tokens_per_char"]
    chars = sum(piece.chars for piece in pieces)
    if chars < LEAST_ENGLISH_CHARS:
        return reference
    names = {name for piece in pieces for name in piece.tokens}
    return {name: sum(piece.tokens[name].tokens for piece in pieces if name in piece.tokens) / chars for name in names}


def premium(pieces: Iterable[Piece], vocabulary: str | None, rates: Mapping[str, float]) -> float | None:
    """Return the pieces' tokens over those of the same content in English: 1.8 means 80 % dearer.

    None where the vocabulary was not counted or has no English rate, or where no piece is of a language whose length is
    known (program text has none).
    """
    english = rates.get(vocabulary or "")
    tokens, expected = 0, 0.0
    for piece in pieces:
        density, tally = _table()["ratios"].get(piece.language), piece.tokens.get(vocabulary or "")
        if density and tally is not None:
            tokens += tally.tokens
            expected += piece.chars / density
    return tokens / (expected * english) if english and expected else None


def premiums(reading: Reading) -> Mapping[str, Mapping[str, float]]:
    """Return language to vocabulary to premium, for each language of known length, the dearest first."""
    by_language: dict[str, list[Piece]] = {}
    for piece in (piece for one in reading.inputs for piece in one.pieces):
        by_language.setdefault(piece.language, []).append(piece)
    rates, table = english_rates(reading), {}
    for language, pieces in by_language.items():
        names = sorted({name for piece in pieces for name in piece.tokens})
        known = {name: value for name in names if (value := premium(pieces, name, rates)) is not None}
        if known:
            table[language] = known
    return dict(sorted(table.items(), key=lambda item: (-max(item[1].values()), item[0])))


@cache
def _table() -> Mapping[str, Any]:
    """Read the lengths."""
    table: dict[str, Any] = json.loads(Path(__file__).parents[1].joinpath("data", "density.json").read_text("utf-8"))
    return table
