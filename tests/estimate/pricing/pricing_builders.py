"""Small readings and models to price, written out in the test that uses them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from deepsel import tokens
from deepsel.estimate.pricing.portions import By
from deepsel.estimate.pricing.spend import Assumptions, project
from deepsel.estimate.records import CostRow, Framing, Input, Piece, Reading, TokenCount
from deepsel.tokens import ModelReader
from deepsel.values import HourWindow, Model, PriceRule, Source

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
CHECKED = date(2026, 11, 24)
READER = ModelReader("v", None, None, None)
"""Of the models that `model` makes."""


def counted(tokens: int) -> TokenCount:
    return TokenCount(tokens, Source.COUNTED)


def piece(tokens: int | dict[str, TokenCount], *, language: str = "en", chars: int | None = None, sentences: int = 1) -> Piece:
    """A piece of `tokens` in the vocabulary `v`, or of several vocabularies."""
    tallies = {"v": counted(tokens)} if isinstance(tokens, int) else tokens
    length = next(iter(tallies.values())).tokens * 4 if chars is None else chars
    return Piece(language, "Latn", length, length, sentences, tallies)


def text(path: str, *pieces: Piece, **facts: Any) -> Input:
    largest = {name: sum(p.tokens[name].tokens for p in pieces) for name in pieces[0].tokens}
    return Input(path, "utf-8", facts.pop("requests", 1), tuple(pieces), **{"largest_text": largest, **facts})


def lines(path: str, *pieces: Piece, requests: int, largest: int, framing_tokens: int = 0) -> Input:
    """Requests of a file, which the models of `model` read with so much around their texts beside the framing of each."""
    usual = tokens.framing_of(READER).tokens
    framing = Framing(usual * requests + framing_tokens, 0, largest + usual)
    return Input(path, "utf-8", requests, tuple(pieces), framings={READER: framing})


def reading(*inputs: Input) -> Reading:
    return Reading(tuple(inputs))


def price(input_usd: str | None, output_usd: str | None = "0", **more: Any) -> PriceRule:
    """A price rule in USD per million tokens."""
    cached = more.pop("cached", None)
    return PriceRule(
        input=None if input_usd is None else Decimal(input_usd),
        output=None if output_usd is None else Decimal(output_usd),
        cached_input=None if cached is None else Decimal(cached),
        checked=CHECKED,
        source="a sheet",
        **more,
    )


def model(name: str, *prices: PriceRule, **facts: Any) -> Model:
    return Model(name=name, provider="p", id=name, prices=prices, **{"vocabulary": "v", "framing_tokens": 0, **facts})


PEAK_HOURS = (HourWindow(9 * 60, 18 * 60),)


def rows(read: Reading, *models: Model, by: By = "model", at: datetime = AT, **assumed: Any) -> tuple[CostRow, ...]:
    return project(read, models, providers={}, assumptions=Assumptions(at, **assumed), by=by)


def row(read: Reading, one: Model, **assumed: Any) -> CostRow:
    (only,) = rows(read, one, **assumed)
    return only


LANGUAGES = st.sampled_from(["en", "de", "zh", "code", "und"])


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    tokens = draw(st.integers(0, 300_000))
    return Piece(
        draw(LANGUAGES), "Latn", tokens, draw(st.integers(0, 900_000)), draw(st.integers(0, 50)), {"v": counted(tokens)}
    )


@st.composite
def readings(draw: st.DrawFn, least: int = 0) -> Reading:
    inputs = []
    for number in range(draw(st.integers(least, 5))):
        parts = draw(st.lists(pieces(), min_size=1, max_size=3))
        requests = draw(st.integers(1, 4))
        inputs.append(text(f"f{number}", *parts, requests=requests))
    return reading(*inputs)


TIERED = model("tiered", price("1", "5", cached="0.1", up_to_input_tokens=100_000), price("3", "9", cached="0.3"))
FRAMED = model("framed", price("0.70", "2.10", cached="0.07"), framing_tokens=23)
