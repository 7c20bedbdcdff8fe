"""Plots as inline SVG that keeps its text size on every screen: positions are percentages, nothing is scaled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

SERIES = 8
"""Colours and shapes that can be told apart; further series repeat them."""
_ROW, _DOT_ROW = 34, 26
_SHAPES = (
    '<circle r="5.5"/>',
    '<rect x="-5" y="-5" width="10" height="10"/>',
    '<path d="M0 -6.5 6 5H-6Z"/>',
    '<path d="M0 -7 7 0 0 7 -7 0Z"/>',
    '<path d="M0 6.5 -6 -5H6Z"/>',
    '<path d="M-2 -6h4v4h4v4h-4v4h-4v-4h-4v-4h4Z"/>',
    '<path d="M0 -6.5 6 -2 4 5.5H-4L-6 -2Z"/>',
    '<rect x="-6.5" y="-3" width="13" height="6"/>',
)


def frame(title: str, content: str, *, height: int) -> str:
    """Put drawn parts into a picture that has a name."""
    name = escape(title)
    return f'<svg role="img" height="{height}" aria-label="{name}"><title>{name}</title>{content}</svg>'


def axis(left: str, right: str, *, height: int) -> str:
    """Draw a line at that height with a label at each end below it; takes 20 more."""
    return (
        f'<line class="grid" x1="0" x2="100%" y1="{height}" y2="{height}"/>'
        f'<text class="value" x="0" y="{height + 16}">{escape(left)}</text>'
        f'<text class="value" x="100%" y="{height + 16}" text-anchor="end">{escape(right)}</text>'
    )


def uprights(values: Sequence[float], tips: Sequence[str], *, height: int) -> str:
    """Draw one upright bar a value over the whole width, the greatest as high as the picture; nothing for 0."""
    most, wide = max(values, default=0) or 1, 100 / max(1, len(values))
    return "".join(
        f'<rect class="bar" x="{place * wide:.2f}%" y="{height - height * value / most:.1f}" '
        f'width="{wide * 0.9:.2f}%" height="{height * value / most:.1f}"><title>{escape(tip)}</title></rect>'
        for place, (value, tip) in enumerate(zip(values, tips, strict=True))
        if value
    )


def mark(share: float, label: str, *, row: int, height: int) -> str:
    """Draw a line upright at a share of the width, with its label in one of the rows from the top."""
    x = 100 * share
    anchor, away = ("end", -4) if x > 85 else ("start", 4)
    return (
        f'<line class="one" x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="{height}"/>'
        f'<text class="value" x="{x:.2f}%" y="{10 + 14 * row}" dx="{away}" text-anchor="{anchor}">{escape(label)}</text>'
    )


def bars(rows: Sequence[tuple[str, float, str]], *, title: str, best: str | None) -> str:
    """Draw one bar for each (name, value, label); `best` is drawn in a colour of its own."""
    largest = max((value for _, value, _ in rows), default=0.0) or 1.0
    parts = []
    for place, (name, value, label) in enumerate(rows):
        top = _ROW * place
        kind = "best" if name == best else "bar"
        parts.append(
            f'<text class="name" x="0" y="{top + 14}">{escape(name)}</text>'
            f'<text class="value" x="100%" y="{top + 14}" text-anchor="end">{escape(label)}</text>'
            f'<rect class="track" x="0" y="{top + 20}" width="100%" height="6" rx="3"/>'
            f'<rect class="{kind}" x="0" y="{top + 20}" width="{max(0.4, 100 * value / largest):.2f}%" height="6" rx="3"/>'
        )
    return frame(title, "".join(parts), height=_ROW * len(rows))


def dots(rows: Mapping[str, Mapping[str, float]], series: Sequence[str], *, title: str) -> str:
    """Draw one line of marks for each row, one mark a series, over a scale that starts at 0 and shows 1."""
    top_value = max((value for row in rows.values() for value in row.values()), default=1.0)
    step = next((one for one in (0.5, 1, 2, 5, 10) if top_value / one <= 6), 20.0)
    ticks = int(top_value / step) + 1
    end = ticks * step
    height = _DOT_ROW * len(rows) + 26
    parts = []
    for tick in range(ticks + 1):
        x = 100 * tick * step / end
        anchor = "start" if tick == 0 else "end" if tick == ticks else "middle"
        parts.append(
            f'<line class="grid" x1="{x:.2f}%" x2="{x:.2f}%" y1="20" y2="{height}"/>'
            f'<text class="value" x="{x:.2f}%" y="12" text-anchor="{anchor}">{tick * step:g}x</text>'
        )
    parts.append(f'<line class="one" x1="{100 / end:.2f}%" x2="{100 / end:.2f}%" y1="20" y2="{height}"/>')
    if step > 1:
        parts.append(f'<text class="value" x="{100 / end:.2f}%" y="12" dx="3" text-anchor="middle">1x</text>')
    for place, (name, row) in enumerate(rows.items()):
        middle = 26 + _DOT_ROW * place + _DOT_ROW // 2
        parts.append(f'<text class="name" x="0" y="{middle + 5}">{escape(name)}</text>')
        for number, one in enumerate(series):
            if one in row:
                tip = f"{name}, {one}: {row[one]:.2f}x English"
                parts.append(
                    f'<svg x="{100 * row[one] / end:.2f}%" y="{middle}">'
                    f'<g class="mark s{number % SERIES}"><title>{escape(tip)}</title>{_SHAPES[number % SERIES]}</g></svg>'
                )
    return frame(title, "".join(parts), height=height)


def legend(series: Sequence[str]) -> str:
    """List each series with its mark."""
    items = (
        f'<li><svg viewBox="-7 -7 14 14" aria-hidden="true"><g class="s{number % SERIES}">'
        f"{_SHAPES[number % SERIES]}</g></svg>{escape(name)}</li>"
        for number, name in enumerate(series)
    )
    return f'<ul class="legend">{"".join(items)}</ul>'
