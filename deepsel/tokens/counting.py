"""How many tokens a text or a conversation is, for any model, always with the source of the number.

Owns the choice between exact vocabulary, reconstruction and estimate. It never raises on a text, and its time and memory grow
with the text's length alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from deepsel.catalog import picture_rule
from deepsel.surrogates import without_surrogates
from deepsel.tokens.claude import ERROR_PCT as RECONSTRUCTION_ERROR_PCT
from deepsel.tokens.claude import counter as reconstruction_of
from deepsel.tokens.cutting import TextPiece, pieces
from deepsel.tokens.estimating import BARE, classify, fit_name, fits
from deepsel.tokens.pictures import Bounds, count_picture, picture_of
from deepsel.tokens.vocabulary import MAX_CHARS, encoding
from deepsel.tokens.words import word_counts
from deepsel.values import Document, Image, Message, Model, Source, ToolResult

# What one more message adds beside its content, from each maker's chat template: Claude's is measured; OpenAI's is the
# published 3 and 1 for the role; ChatML's is five marks; DeepSeek and Mistral put one or two marks around a turn.
_PER_FURTHER_MESSAGE = {
    "claude3": 3,
    "claude47": 3,
    "claude48": 3,
    "cl100k_base": 4,
    "o200k_base": 4,
    "deepseek": 2,
    "tekken": 2,
    "qwen": 5,
    "qwen35": 5,
}
_PER_FURTHER_MESSAGE_ELSEWHERE = 4
IMAGE_TOKENS = 1000
"""What to expect of one picture where its maker publishes no rule; nothing is bounded by it."""
DOCUMENT_TOKENS = 3000
"""What to expect of one file of about two pages: makers count its text and a picture of each page. Nothing is bounded by it."""
_UNKNOWN_ERROR_PCT = 50.0
"""Allowed for where an estimate's error is not known."""
CUT_ERROR_PCT = 1.0
"""Stated where a text had to be cut at a place that may change its count; a cut has changed it by far less."""


@dataclass(frozen=True, slots=True)
class Count:
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

    @property
    def is_exact(self) -> bool:
        """Whether it is what the model reads, as far as counting and published rules go."""
        return self.source in (Source.COUNTED, Source.REPORTED, Source.RULE)

    @property
    def in_window(self) -> int:
        """Tokens that take room in the model's window."""
        return self.tokens - self.surcharge

    @property
    def most(self) -> int | None:
        """The most it may stand for, which a limit is held against; None: nobody knows."""
        if self.unbounded:
            return None
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


def count_messages(messages: Sequence[Message], model: Model, tools: str = "") -> Count:
    """Count what a model reads: all text of every message, the maker's framing, pictures by the maker's rule, files by a guess.

    `tools` is what it is told of tools, as text; each maker writes that differently, so that the count is an estimate.
    """
    vocabulary = model.vocabulary
    counts = [count(message.readable, vocabulary) for message in messages] or [count("", vocabulary)]
    counts += [count(tools, vocabulary)] if tools else []
    further = _PER_FURTHER_MESSAGE.get(vocabulary or "", _PER_FURTHER_MESSAGE_ELSEWHERE)
    content = sum(one.tokens for one in counts)
    total = content + model.framing_tokens + further * max(0, len(messages) - 1)
    is_exact = {one.source for one in counts} == {Source.COUNTED}
    worst = max(counts, key=lambda one: one.error_pct or 0.0)
    error_pct = sum(one.tokens * (one.error_pct or 0.0) for one in counts) / content if content else worst.error_pct
    text = Count(total, Source.COUNTED if is_exact else Source.ESTIMATED, error_pct, worst.method)
    if tools:
        text = replace(text, source=Source.ESTIMATED, error_pct=None, method=f"{text.method}, tools guessed")
    return _with_media(text, messages, model)


def _with_media(text: Count, messages: Sequence[Message], model: Model) -> Count:
    """Add what is no text: pictures by the model's rule, and a guess where there is none, as there is for no file."""
    parts = [part for message in messages for part in message.parts]
    parts += [inner for part in parts if isinstance(part, ToolResult) for inner in part.parts]
    images = [part for part in parts if isinstance(part, Image)]
    files = sum(isinstance(part, Document) and not part.text for part in parts)
    rule = picture_rule(model.pictures) if model.pictures else None
    pictures = Bounds(0, 0)
    for image in images:
        pictures = pictures.plus(count_picture(picture_of(image), rule))
    guesses = {"pictures": IMAGE_TOKENS * len(images) if pictures.high is None else 0, "files": DOCUMENT_TOKENS * files}
    unbounded = " and ".join(name for name, guess in guesses.items() if guess)
    if unbounded:
        guessed = text.tokens + (pictures.high or 0) + sum(guesses.values())
        return Count(guessed, Source.ESTIMATED, None, f"{text.method}, {unbounded} guessed", unbounded=unbounded)
    if not images or pictures.high is None:
        return text
    source = Source.RULE if pictures.low == pictures.high else Source.AT_MOST
    return replace(
        text,
        tokens=text.tokens + pictures.high,
        source=Source.ESTIMATED if source is Source.RULE and text.source is Source.ESTIMATED else source,
        method=f"{text.method}, pictures by rule",
        pictures=pictures.high,
        surcharge=pictures.high if rule and rule.billed_only else 0,
    )
