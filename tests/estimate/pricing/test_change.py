"""Comparing two versions, and the limits a change can cross."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pricing_builders import AT, counted, model, piece, price, reading, rows, text

from deepsel.errors import CheckFailedError
from deepsel.estimate.pricing.change import cheapest_model, compare
from deepsel.estimate.pricing.checks import CostLimits, crossed_by_age, crossed_by_change, crossed_by_cost
from deepsel.estimate.pricing.spend import Assumptions
from deepsel.estimate.reading.git import ChangedFile
from deepsel.estimate.reading.sides import Sides, read_sides
from deepsel.estimate.records import Change, Input, Skipped

DOLLAR = model("dollar", price("1"), framing_tokens=1_000_000)
M = 1_000_000


def changed(before: dict[str, int], after: dict[str, int]) -> Change:
    """A change of files with so many tokens on a model that takes a dollar a million."""
    sides = Sides(*(reading(*(text(path, piece(tokens)) for path, tokens in side.items())) for side in (before, after)))
    return compare(sides, DOLLAR, providers={}, assumptions=Assumptions(AT))


def test_each_file_is_compared_with_itself() -> None:
    """New files were nothing before, deleted ones are nothing after; the largest growth comes first."""
    change = changed({"a": M, "gone": 2 * M, "same": M}, {"a": 3 * M, "new": 5 * M, "same": M})
    assert change.files == (("new", 0, 5), ("a", 1, 3), ("same", 1, 1), ("gone", 2, 0))
    assert (change.before_usd, change.after_usd, change.delta_usd) == (4, 9, 5)


def test_what_a_provider_adds_does_not_dilute_a_change() -> None:
    """A tripled prompt is 200 % dearer however large the framing is."""
    assert crossed_by_change(changed({"a": 10}, {"a": 30}), CostLimits(max_increase_pct=Decimal(199)))


def test_a_model_without_a_price_cannot_be_compared() -> None:
    """A check that cannot be made does not pass."""
    sides = Sides(reading(text("a", piece(1))), reading(text("a", piece(2))))
    with pytest.raises(CheckFailedError, match="no price of free is known"):
        compare(sides, model("free"), providers={}, assumptions=Assumptions(AT))


def test_a_change_is_compared_on_the_cheapest_model() -> None:
    """Of known price, for the files as they are; as they were where all are gone; the first where no price is known."""
    dear, cheap, free = model("dear", price("2")), model("cheap", price("1")), model("free")
    some, none = reading(text("a", piece(M))), reading()
    for sides in (Sides(some, some), Sides(none, some), Sides(some, none)):
        assert cheapest_model(sides, [free, dear, cheap], providers={}, assumptions=Assumptions(AT)) == cheap
    assert cheapest_model(Sides(some, some), [free], providers={}, assumptions=Assumptions(AT)) == free


@pytest.mark.parametrize(("allowed", "is_crossed"), [("49", True), ("50", False), ("51", False)])
def test_a_percentage_holds_for_each_file_and_allows_itself(allowed: str, is_crossed: bool) -> None:
    """Fifty per cent more is allowed by 50 %; the sentence names the file, the growth and the rule."""
    found = crossed_by_change(changed({"a": 200, "big": 10**6}, {"a": 300, "big": 10**6}), CostLimits(max_increase_pct=Decimal(allowed)))
    assert bool(found) is is_crossed
    if found:
        assert "`a` costs 50 % more on dollar" in found[0]
        assert f"`--max-increase` allows {allowed} %" in found[0]


def test_every_file_over_the_percentage_is_named_and_new_ones_are_not() -> None:
    """Two grown files are two sentences; what did not exist has nothing to be compared with."""
    change = changed({"a": 1, "b": 1, "c": 1}, {"a": 9, "b": 8, "c": 1, "new": 99})
    found = crossed_by_change(change, CostLimits(max_increase_pct=Decimal(50)))
    assert [sentence.split("`")[1] for sentence in found] == ["a", "b"]


def test_an_amount_holds_for_the_whole_change() -> None:
    """New files count, savings elsewhere make up for them, and the largest growth is named."""
    limit = CostLimits(max_increase_usd=Decimal(1))
    assert crossed_by_change(changed({"a": M}, {"a": M, "new": M}), limit) == []
    assert crossed_by_change(changed({"a": 3 * M}, {"new": 4 * M}), limit) == []
    (sentence,) = crossed_by_change(changed({"a": M}, {"a": M, "new": 2 * M}), limit)
    assert "`new`" in sentence
    assert "`--max-increase` allows $1" in sentence


def test_a_cost_holds_for_the_new_versions() -> None:
    """What the changed files cost now is compared, not what they cost more."""
    assert crossed_by_change(changed({"a": 9 * M}, {"a": 2 * M}), CostLimits(max_cost_usd=Decimal(2))) == []
    (sentence,) = crossed_by_change(changed({}, {"a": 2 * M, "b": M}), CostLimits(max_cost_usd=Decimal(2)))
    assert "`a`" in sentence
    assert "`--max-cost` allows $2" in sentence


def test_no_limit_is_never_crossed() -> None:
    """Without limits anything goes, and a change of nothing crosses none."""
    strict = CostLimits(Decimal(0), Decimal(0), Decimal(0))
    assert crossed_by_change(changed({"a": 1}, {"a": 9}), CostLimits()) == []
    assert crossed_by_change(changed({}, {}), strict) == []
    assert crossed_by_change(changed({"a": 1}, {}), strict) == []


def test_a_total_over_the_limit_names_the_dearest_file() -> None:
    """The sentence names the file, the model and the rule; an unknown total does not pass either."""
    read = reading(text("small", piece(M)), text("large", piece(2 * M)))
    models = [model("m", price("1")), model("unpriced")]
    limits = CostLimits(max_cost_usd=Decimal("2.5"))
    known, unknown = crossed_by_cost(rows(read, *models), rows(read, *models, by="file"), limits)
    assert "$3.00 on m, most of it `large` ($2.00); `--max-cost` allows $2.50" in known
    assert "unpriced cannot be checked" in unknown
    assert crossed_by_cost(rows(read, models[0]), (), CostLimits(max_cost_usd=Decimal(3))) == []


@pytest.mark.parametrize(("days", "is_crossed"), [(1, False), (0, True)])
def test_old_prices_are_named_with_their_day(days: int, is_crossed: bool) -> None:
    """A price read yesterday is one day old; a price without a day is the user's own."""
    read = reading(text("a", piece(1)))
    found = crossed_by_age(rows(read, DOLLAR, model("unpriced")), CostLimits(stale_after_s=days * 86_400.0), now=AT)
    assert bool(found) is is_crossed
    if found:
        assert "2026-11-24 (dollar)" in found[0]


def test_sides_hold_both_versions_and_skip_what_is_not_text() -> None:
    """A file that turned binary is skipped on both sides."""

    def read_text(path: str, content: bytes) -> Input | Skipped:
        return Skipped(path, "binary") if b"\0" in content else text(path, piece({"v": counted(len(content))}))

    files = [ChangedFile("a", b"12", b"123"), ChangedFile("new", None, b"1"), ChangedFile("b", b"text", b"\0")]
    sides = read_sides([*files, Skipped("l", "symbolic link")], read_text)
    assert [one.path for one in sides.before.inputs] == ["a"]
    assert [one.path for one in sides.after.inputs] == ["a", "new"]
    assert sides.after.skipped == (Skipped("b", "binary"), Skipped("l", "symbolic link"))
