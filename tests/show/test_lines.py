"""Lines, columns and bars keep within the columns they are given, whatever the characters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deepsel.show.bars import bar, histogram, sparkline
from deepsel.show.columns import aligned, text_table
from deepsel.show.lines import clipped, cut, padded, padded_left, printable, width, wrapped

WIDE = "長い名前のファイル"
TEXT = st.text(st.characters() | st.sampled_from("長い\u0301\u200b\u0e31e\n\t\x1b한🙂"), max_size=60)
CELLS = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("長い\u0301\u200b한🙂"), max_size=30)
ROWS = st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=6))


def test_wide_characters_take_two_columns_and_combining_ones_none() -> None:
    """As a terminal draws them."""
    assert (width("abc"), width("長い"), width("e\u0301"), width("한🙂"), width("a\u200bb")) == (3, 4, 1, 4, 2)


@given(TEXT, st.integers(0, 100))
def test_a_cut_line_is_never_wider_than_asked(text: str, columns: int) -> None:
    """Wide, combining and control characters included; what fits is left as it is."""
    assert width(cut(text, columns)) <= columns
    assert width(clipped(text, columns)) <= columns
    if width(printable(text)) <= columns:
        assert cut(text, columns) == printable(text)


@given(TEXT, st.integers(8, 100))
def test_wrapping_keeps_within_the_columns_and_loses_no_word(text: str, columns: int) -> None:
    """Words that fit stand in the lines in their order."""
    lines = wrapped(text, columns, indent="  ", first="- ")
    assert all(width(line) <= columns for line in lines)
    assert lines[0].startswith("- ")
    assert " ".join(lines)[2:].split() == [word if width(word) <= columns - 2 else cut(word, columns - 2) for word in text.split()]


def test_a_cut_keeps_the_end() -> None:
    """A path's end tells more than its beginning."""
    assert (cut("folder/file.md", 8), cut(WIDE, 6), cut("a/b", 4)) == ("…file.md", "…イル", "a/b")


@given(TEXT, st.integers(0, 80))
def test_padding_fills_up_to_the_columns(text: str, columns: int) -> None:
    """On either side, and never shortens."""
    assert width(padded(text, columns)) == width(padded_left(text, columns)) == max(columns, width(text))


@given(ROWS, st.none() | st.integers(10, 100), st.sets(st.integers(0, 4)), st.booleans())
def test_aligned_lines_are_of_one_width(rows: list[list[str]], columns: int | None, right: set[int], is_flexible: bool) -> None:
    """Whatever is in the cells, each line takes as many columns, and no more than there are."""
    lines = aligned(rows, right=right, columns=columns, flexible=0 if is_flexible else None)
    assert len(lines) == len(rows)
    assert len({width(line) for line in lines}) == 1
    assert columns is None or width(lines[0]) <= columns


def test_columns_line_up_under_wide_names() -> None:
    """Figures to the right, names to the left, the flexible column cut so that the rest is whole."""
    rows = [("NAME", "COST"), (WIDE, "$1.00"), ("x", "$12.00")]
    assert text_table(rows, right=(1,)) == f"NAME{' ' * 18}COST\n{WIDE}   $1.00\nx{' ' * 19}$12.00\n"
    assert aligned(rows, right=(1,), columns=18, flexible=0, spare=2) == ["NAME        COST", "…ァイル    $1.00", "x         $12.00"]


@given(st.floats(-1, 2), st.integers(1, 60), st.booleans())
def test_a_bar_fits_and_shows_what_is_not_nothing(share: float, columns: int, has_blocks: bool) -> None:
    """Never wider than its room, empty only for nothing, whole for the whole, ASCII where there are no blocks."""
    drawn = bar(share, columns, has_blocks=has_blocks)
    assert width(drawn) <= columns
    assert bool(drawn) is (share > 0)
    assert share < 1 or width(drawn) == columns
    assert has_blocks or drawn.isascii()


@given(st.lists(st.integers(0, 1000) | st.floats(0, 1000), max_size=30), st.booleans())
def test_a_sparkline_has_one_character_for_each_value(values: list[float], has_blocks: bool) -> None:
    """The largest is the highest, and nothing is drawn only for nothing."""
    drawn = sparkline(values, has_blocks=has_blocks)
    assert len(drawn) == len(values)
    assert [char == " " for char in drawn] == [value == 0 for value in values]
    assert has_blocks or drawn.isascii()
    if any(values):
        assert drawn[values.index(max(values))] == ("█" if has_blocks else "#")


def test_sparklines_and_histograms() -> None:
    """Heights follow the values, `nothing` stands for zero, and a histogram counts everything."""
    assert sparkline([0, 1, 4, 8], has_blocks=True, nothing=".") == ".▂▅█"
    assert sparkline([0, 1, 4, 8], has_blocks=False) == " :+#"
    assert (sparkline([], has_blocks=True), sparkline([0, 0], has_blocks=True, nothing=".")) == ("", "..")
    assert histogram([1, 1, 2, 3], 2) == [2, 2]
    assert histogram([5, 5], 10) == [2]
    assert sparkline(histogram([1.0] * 1000 + [2.0], 4), has_blocks=True) == "█  ▁"
