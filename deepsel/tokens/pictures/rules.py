"""A picture's tokens by its maker's published rule: one function for each kind of rule. Pure.

Where a rule leaves something open, such as how a side is rounded, both ends are computed: equal ends are what the rule says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING
from typing import TypeAlias

from deepsel.records import NamedTuple
from deepsel.tokens.pictures.size import Picture
from deepsel.values import PictureRule, PictureSize


class TokenBounds(NamedTuple):
    """Tokens, at least and at most; the same where they are known."""

    low: int
    high: int | None
    """None: nobody knows."""

    def plus(self, other: TokenBounds, times: int = 1) -> TokenBounds:
        """Add another's ends `times` over."""
        high = None if self.high is None or other.high is None else self.high + times * other.high
        return TokenBounds(self.low + times * other.low, high)


Cells: TypeAlias = tuple[int, int]
"""The fewest and the most cells that a picture may be."""


def count_picture(picture: Picture, rule: PictureRule | None) -> TokenBounds:
    """Count a picture; without a rule it is at least one token, and without a size what the rule bounds any picture by."""
    if rule is None:
        return TokenBounds(1, None)
    detail = picture.detail or "auto"
    if detail in rule.flat:
        return TokenBounds(rule.base, rule.base)
    known = rule.sizes.get(detail)
    ends = [_ends(picture, rule, size) for size in ([known] if known else rule.sizes.values())]
    return TokenBounds(_tokens(rule, min(low for low, _ in ends)), _tokens(rule, max(high for _, high in ends)))


def _ends(picture: Picture, rule: PictureRule, size: PictureSize) -> Cells:
    """Return the cells at one level of detail, within what the rule says of any picture."""
    cells = _CELLS.get(rule.kind)
    if cells is None or picture.width is None or picture.height is None:
        return rule.least, _MOST[rule.kind](rule, size)
    low, high = cells(rule, size, picture.width, picture.height)
    if rule.limit is not None and high > rule.limit:
        return min(low, rule.least), rule.limit  # refused, and so free; or just within
    return low, high


def _tokens(rule: PictureRule, cells: int) -> int:
    return rule.base + int((rule.each * cells).to_integral_value(ROUND_CEILING))


# --- sides in pixels --------------------------------------------------------------------------------------------------


def _over(length: int, cell: int) -> int:
    """Return how many cells cover a length."""
    return -(-length // cell)


def _fits(width: int, height: int, longest: int | None) -> list[tuple[int, int]]:
    """Scale down to a longest side; where it is not said how the other is rounded, return it rounded down and up."""
    long, short = max(width, height), min(width, height)
    if longest is None or long <= longest:
        return [(width, height)]
    others = sorted({max(1, short * longest // long), _over(short * longest, long)})
    return [(longest, other) for other in others]


# --- the kinds of rules -----------------------------------------------------------------------------------------------


def _tiles(rule: PictureRule, size: PictureSize, width: int, height: int) -> Cells:
    """Fit the longest, then the shortest side, the other rounded down; count the tiles that cover the picture."""
    found = []
    for long, short in _fits(width, height, size.longest):
        sides = (long, short)
        if size.shortest is not None and min(sides) > size.shortest:
            sides = (max(sides) * size.shortest // min(sides), size.shortest)
        found.append(_over(sides[0], rule.cell) * _over(sides[1], rule.cell))
    return min(found), max(found)


def _most_tiles(rule: PictureRule, size: PictureSize) -> int:
    assert size.longest is not None
    return _over(size.longest, rule.cell) * _over(size.shortest or size.longest, rule.cell)


def _patches(rule: PictureRule, size: PictureSize, width: int, height: int) -> Cells:
    """Fit the longest side, then shrink what needs too many patches; count those that cover the picture."""
    found = []
    for long, short in _fits(width, height, size.longest):
        cells = _over(long, rule.cell) * _over(short, rule.cell)
        found += [cells if cells <= most else _shrunk(long, short, rule.cell, most) for most in size.most or (cells,)]
    return min(found), max(found)


def _shrunk(width: int, height: int, cell: int, most: int) -> int:
    """Return the patches of a picture that was shrunk to `most`, by the formula as it is published."""
    factor = math.sqrt(cell * cell * most / (width * height))
    across, down = width * factor / cell, height * factor / cell
    factor *= min(math.floor(across) / across, math.floor(down) / down)
    cells = _over(math.floor(width * factor), cell) * _over(math.floor(height * factor), cell)
    return min(cells, most) or most


def _most_cells(rule: PictureRule, size: PictureSize) -> int:
    bounds = [max(size.most)] if size.most else []
    bounds += [_over(size.longest, rule.cell) ** 2] if size.longest is not None else []
    return min([*bounds, *([rule.limit] if rule.limit is not None else [])])


def _fitted(rule: PictureRule, size: PictureSize, width: int, height: int) -> Cells:
    """Find the largest size of the same shape whose cells are within the limits; the shorter side is rounded half to even."""
    long, short = max(width, height), min(width, height)
    (most,) = size.most
    assert size.longest is not None

    def cells(side: int) -> int:
        return _over(side, rule.cell) * _over(max(1, _half_even(short * side, long)), rule.cell)

    low, high = 1, min(long, size.longest // rule.cell * rule.cell)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if cells(middle) <= most else (low, middle - 1)
    return cells(low), cells(low)


def _half_even(numerator: int, denominator: int) -> int:
    """Divide, rounding to the nearest whole number, halves to the even one."""
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def _rows(rule: PictureRule, size: PictureSize, width: int, height: int) -> Cells:
    """Fit the longest side; count the cells that cover the picture, and one more at the end of each row."""
    assert size.longest is not None
    ratio = max(width, height) / size.longest
    if ratio > 1:
        width, height = max(1, round(width / ratio)), max(1, round(height / ratio))
    cells = (_over(width, rule.cell) + 1) * _over(height, rule.cell)
    return cells, cells


def _most_rows(rule: PictureRule, size: PictureSize) -> int:
    assert size.longest is not None
    across = _over(size.longest, rule.cell)
    return (across + 1) * across


def _multiples(rule: PictureRule, size: PictureSize, width: int, height: int) -> Cells:
    """Round both sides to whole cells, scaling so that there are enough and not too many."""
    found = [_rounded(rule, most, width, height) for most in size.most]
    return min(found), max(found)


def _rounded(rule: PictureRule, most: int, width: int, height: int) -> int:
    across, down = _half_even(width, rule.cell), _half_even(height, rule.cell)
    area = width * height / rule.cell**2
    if across * down > most:
        scale = math.sqrt(area / most) * rule.cell
        return max(rule.least, math.floor(width / scale) * math.floor(height / scale))
    if across * down < rule.least:
        scale = math.sqrt(rule.least / area) / rule.cell
        return math.ceil(width * scale) * math.ceil(height * scale)
    return across * down


_CELLS: Mapping[str, Callable[[PictureRule, PictureSize, int, int], Cells]] = {
    "tiles": _tiles,
    "patches": _patches,
    "fitted": _fitted,
    "rows": _rows,
    "multiples": _multiples,
}
"""Cells of a picture whose size is known; of the other kinds no formula is."""
_MOST: Mapping[str, Callable[[PictureRule, PictureSize], int]] = {
    "tiles": _most_tiles,
    "patches": _most_cells,
    "fitted": _most_cells,
    "rows": _most_rows,
    "multiples": _most_cells,
    "bounded": _most_cells,
}
"""Cells of a picture whose size is not known, at most."""
