"""How many tokens a text is, for any vocabulary, always with the source of the number.

Owns the choice between exact vocabulary, reconstruction and estimate. It never raises on a text, and its time and memory grow
with the text's length alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from deepsel.records import NamedTuple
from deepsel.surrogates import without_surrogates
from deepsel.tokens.claude import ERROR_PCT as RECONSTRUCTION_ERROR_PCT
from deepsel.tokens.claude import counter as reconstruction_of
from deepsel.tokens.cutting import TextPiece, pieces
from deepsel.tokens.estimating import BARE, classify, fit_name, fits
from deepsel.tokens.vocabulary import MAX_CHARS, encoding
from deepsel.tokens.words import word_counts
from deepsel.values import Source

_UNKNOWN_ERROR_PCT = 50.0
"""Allowed for where an estimate's error is not known."""
CUT_ERROR_PCT = 1.0
"""Stated where a text had to be cut at a place that may change its count; a cut has changed it by far less."""


class Count(NamedTuple):
    """A number of tokens and what it is worth."""

    tokens: int
    source: Source
    error_pct: float | None
    """Of the text in it; 0 for an exact count; None: not known."""
    method: str
    """What made it, for people."""
    pictures: int = 0
    """Those of `tokens` that are pictures: as many as the rule says, or allows."""
    surcharge: int = 0
    """Those of `tokens` that are billed and take no room in the window."""
    unbounded: str = ""
    """What in it nobody knows the tokens of, in words: `pictures`, `files`. Empty: nothing."""
    doubt: int = 0
    """How far off what stands around the text may be, in tokens; the error has it in it."""
    bound: int | None = None
    """The most that what is no picture may be, where its error is none that holds; None: the error does."""

    @property
    def is_exact(self) -> bool:
        """Whether it is what the model reads, as far as counting and published rules go."""
        return self.source in (Source.COUNTED, Source.REPORTED, Source.RULE)

    @property
    def in_window(self) -> int:
        """Tokens that take room in the model's window; of an unknown vocabulary the most there can be."""
        return (self.tokens if self.bound is None else self.bound + self.pictures) - self.surcharge

    @property
    def most(self) -> int | None:
        """The most it may stand for, which a limit is held against; None: nobody knows."""
        if self.unbounded:
            return None
        if self.bound is not None:
            return self.bound + self.pictures
        error_pct = _UNKNOWN_ERROR_PCT if self.error_pct is None else self.error_pct
        return math.ceil((self.tokens - self.pictures) * (1 + error_pct / 100)) + self.pictures


def count(text: str, vocabulary: str | None) -> Count:
    """Count a text; exactly where the vocabulary is at hand, else with the error stated. None: the vocabulary is not known."""
    return count_all(text, [vocabulary])[vocabulary]


def count_all(text: str, vocabularies: Iterable[str | None]) -> dict[str | None, Count]:
    """Count a text in several vocabularies, each as `count` does, in less time than one after the other."""
    text = without_surrogates(text)
    names = list(vocabularies)
    exact = _count_exactly(text, _exact_for(names))
    counts: dict[str | None, Count] = {}
    classes: dict[str, int] | None = None
    for name in names:
        reconstruction = reconstruction_of(name) if name else None
        if name in exact:
            counts[name] = exact[name]
        elif reconstruction:
            counts[name] = Count(reconstruction(text), Source.ESTIMATED, RECONSTRUCTION_ERROR_PCT, "ctok reconstruction")
        else:
            classes = classify(text) if classes is None else classes
            counts[name] = _estimate(classes, name, exact)
    return counts


def prepare(vocabularies: Iterable[str]) -> None:
    """Build all that counting long texts in these vocabularies needs, now rather than when the first one comes."""
    _count_exactly("word " * 4096, _exact_for(list(vocabularies)))


def _exact_for(names: Sequence[str | None]) -> list[str]:
    """The exact vocabularies to count in: those asked for, and those that estimates of others are based on."""
    wanted = {name: None for name in names if name and encoding(name)}
    estimated = [name for name in names if name not in wanted and not (name and reconstruction_of(name))]
    bases = (fits()[fit_name(name)].base for name in estimated)
    return list(wanted | {base: None for base in bases if base and encoding(base)})


def _count_exactly(text: str, names: Sequence[str]) -> dict[str, Count]:
    """Count a text in vocabularies that are there; together by words where they are several and the text is long."""
    vocabularies = [vocabulary for name in names if (vocabulary := encoding(name))]
    is_long = len(names) > 1 and not any(one.is_short(text) for one in vocabularies)
    by_words = word_counts(tuple(names)) if is_long else None
    totals = [0] * len(names)
    is_exact = True
    for part in [TextPiece(text)] if len(text) <= MAX_CHARS else pieces(text):
        more = by_words.count(part.text) if by_words else [len(one.encode(part.text)) for one in vocabularies]
        totals = [total + one for total, one in zip(totals, more, strict=True)]
        is_exact = is_exact and part.is_exact
    if is_exact:
        return {name: Count(total, Source.COUNTED, 0.0, name) for name, total in zip(names, totals, strict=True)}
    return {
        name: Count(total, Source.ESTIMATED, CUT_ERROR_PCT, f"{name}, cut within a word")
        for name, total in zip(names, totals, strict=True)
    }


def _estimate(classes: Mapping[str, int], vocabulary: str | None, exact: Mapping[str, Count]) -> Count:
    name = fit_name(vocabulary)
    base = fits()[name].base
    if base and base not in exact:
        name, base = BARE, None
    fit = fits()[name]
    error_pct = fit.error_of(classes) if classes else fit.error_pct
    tokens = fit.tokens(classes, exact[base].tokens if base else 0)
    return Count(tokens, Source.ESTIMATED, error_pct, f"estimate by script ({name})")
