"""Pictures in an estimate: by rule, at most, at least; what is judged, named the cheapest, and held against a limit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pricing_builders import AT, FRAMED, model, piece, price, reading, row, text

from deepsel.catalog import picture_rule_names
from deepsel.estimate.pricing.change import compare
from deepsel.estimate.pricing.checks import CostLimits, crossed_by_change, crossed_by_cost
from deepsel.estimate.pricing.spend import Assumptions, cheapest, project
from deepsel.estimate.reading.sides import Sides
from deepsel.estimate.records import NO_MEDIA, Input, Media, TokenCount
from deepsel.tokens import Picture
from deepsel.values import Source

LARGE, LINK = Picture(1024, 1024), Picture()
MINI = model("mini", price("1"), pictures="openai-tiles-4o-mini")
ASTRA = model("astra", price("1"), pictures="openai-patches-6-astra")
BLIND = model("blind", price("1"))


def _asks(*pictures: Picture, uncounted: int = 0, path: str = "a.jsonl", tokens: int = 10, **facts: object) -> Input:
    media = Media({one: pictures.count(one) for one in pictures}, len(pictures), uncounted)
    return text(path, piece(tokens), requests=1, media=media, **facts)


def test_a_known_size_counts_by_rule() -> None:
    """Each model counts in its own way, and says that it is a rule."""
    asked = reading(_asks(LARGE, LARGE))
    assert [(row(asked, one).input_tokens, row(asked, one).source) for one in (MINI, ASTRA)] == [
        (10 + 2 * 25_501, Source.RULE),
        (10 + 2 * 1229, Source.RULE),
    ]
    assert row(asked, MINI).total_usd == Decimal("0.051012")


def test_a_link_counts_with_the_most() -> None:
    """A size that is not known makes the row a bound."""
    one = row(reading(_asks(LARGE, LINK)), MINI)
    assert (one.input_tokens, one.source, one.error_pct, one.reason) == (10 + 25_501 + 48_169, Source.AT_MOST, None, "")


def test_without_a_rule_a_row_is_the_least() -> None:
    """Never nothing, and never the whole: the row says why."""
    one = row(reading(_asks(LARGE)), BLIND)
    assert (one.input_tokens, one.source) == (11, Source.AT_LEAST)
    assert one.reason == "it is not known how it counts pictures"


def test_files_make_every_row_the_least() -> None:
    """A file has no bound on any model; beside it what is only bounded counts with its least, so that the sum is one too."""
    one = row(reading(_asks(LINK, uncounted=1), _asks(LINK, path="b.jsonl")), ASTRA)
    assert (one.input_tokens, one.source) == (20 + 2 * 2 + 1, Source.AT_LEAST)
    assert one.reason == "it is not known how many tokens its files are"


def test_an_estimated_text_stays_an_estimate() -> None:
    """A rule makes no estimate exact; a bound keeps the error of the text in it, and is none where that is not known."""

    def source_of(tally: TokenCount, *pictures: Picture) -> tuple[Source, float | None]:
        media = Media(dict.fromkeys(pictures, 1), 1)
        one = row(reading(text("a.jsonl", piece({"v": tally}), media=media)), MINI)
        return one.source, one.error_pct

    rough = TokenCount(100, Source.ESTIMATED, 5.0)
    assert source_of(rough, LARGE) == (Source.ESTIMATED, 5.0)
    assert source_of(rough, LINK) == (Source.AT_MOST, 5.0)
    assert source_of(TokenCount(100, Source.ESTIMATED), LINK) == (Source.ESTIMATED, None)
    assert source_of(TokenCount(100, Source.REPORTED), LARGE) == (Source.RULE, None)


def test_a_sample_only_estimates_how_many_pictures_there_are() -> None:
    """Of a part that was read nobody can say the most."""
    assert row(reading(_asks(LARGE, read_share=0.5)), MINI).source is Source.ESTIMATED
    assert row(reading(_asks(LARGE, read_share=0.5)), BLIND).source is Source.AT_LEAST


def test_text_is_what_it_was() -> None:
    """Without pictures no row changes."""
    one = row(reading(text("a", piece(10))), MINI)
    assert (one.input_tokens, one.source, one.reason) == (10, Source.COUNTED, "")
    assert text("a", piece(10)).media is NO_MEDIA


def test_the_largest_request_holds_its_pictures() -> None:
    """What has to fit the window has the pictures in it."""
    asked = reading(_asks(LARGE, LARGE))
    small = ASTRA._replace(context_window=2000)
    assert row(asked, small).fits_window is False
    assert row(asked, ASTRA._replace(context_window=3000)).fits_window is True


def test_the_least_is_never_the_cheapest() -> None:
    """What may be more comes behind what is known, however little it shows."""
    found = project(reading(_asks(LARGE)), [BLIND, MINI], providers={}, assumptions=Assumptions(AT))
    assert [one.model for one in found] == ["mini", "blind"]
    assert cheapest(found) == {"": "mini"}
    assert cheapest([one for one in found if one.model == "blind"]) == {"": "blind"}


@pytest.mark.parametrize(
    ("name", "cap", "words"),
    [
        ("blind", "1", "cannot be checked: it is not known how it counts pictures"),
        ("blind", "0.000001", "costs at least $0.000011"),
        ("mini", "0.01", "costs $0.025511"),
    ],
)
def test_a_limit_is_held_against_it(name: str, cap: str, words: str) -> None:
    """What may be more cannot be checked, except where the least is too much already."""
    one = row(reading(_asks(LARGE)), {"blind": BLIND, "mini": MINI}[name])
    (said,) = crossed_by_cost([one], [one], CostLimits(max_cost_usd=Decimal(cap)))
    assert words in said
    assert crossed_by_cost([row(reading(_asks(LARGE)), MINI)], [], CostLimits(max_cost_usd=Decimal(1))) == []


def test_a_change_tells_what_it_cannot_know() -> None:
    """A changed file costs its pictures; where they are not known no limit can be checked, and without one nothing fails."""
    sides = Sides(reading(_asks()), reading(_asks(LARGE)))
    known = compare(sides, MINI, providers={}, assumptions=Assumptions(AT))
    assert (known.delta_usd, known.reason) == (Decimal("0.025501"), "")
    unknown = compare(sides, BLIND, providers={}, assumptions=Assumptions(AT))
    assert unknown.reason
    assert crossed_by_change(unknown, CostLimits()) == []
    (said,) = crossed_by_change(unknown, CostLimits(max_increase_pct=Decimal(1000)))
    assert "cannot be checked" in said


PICTURES = st.builds(Picture, *[st.integers(1, 5000)] * 2) | st.just(LINK)


@given(st.lists(st.lists(PICTURES, max_size=3), min_size=1, max_size=3), st.sampled_from(picture_rule_names()))
def test_files_add_up_to_the_whole(files: list[list[Picture]], rule: str) -> None:
    """The rows by file add up to the row of all, pictures included, and no bound is under the rule's count."""
    asked = reading(*(_asks(*pictures, path=str(place)) for place, pictures in enumerate(files)))
    sees = FRAMED._replace(prices=(price("1"),), pictures=rule)
    whole = row(asked, sees)
    parts = project(asked, [sees], providers={}, assumptions=Assumptions(AT), by="file")
    assert sum(one.input_tokens for one in parts) == whole.input_tokens
    assert sum(one.total_usd or Decimal(0) for one in parts) == whole.total_usd
    known = reading(*(_asks(*(one for one in pictures if one is not LINK), path=str(n)) for n, pictures in enumerate(files)))
    assert row(known, sees).input_tokens <= whole.input_tokens
