"""Pictures by their makers' rules: the makers' own worked examples, bills that people measured, and what always holds."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deepsel.catalog import Catalog, picture_rule, picture_rule_names
from deepsel.tokens import Picture, TokenBounds, count_picture

CATALOG = Catalog()
OPENAI = "https://developers.openai.com/api/docs/guides/images-vision"
CLAUDE = "https://platform.claude.com/docs/en/build-with-claude/vision"
CLAUDE_SIZES = "https://platform.claude.com/docs/en/build-with-claude/vision-coordinates"
MISTRAL = "https://mistralai.github.io/mistral-common/usage/images"
QWEN = "https://help.aliyun.com/zh/model-studio/vision"
MEASURED = "https://huggingface.co/datasets/JOHNISKING/image-token-cost"

GOLDEN = [
    # maker's page or measurement, model, width, height, detail, tokens
    (OPENAI, "gpt-4o", 1024, 1024, "high", 765),
    (OPENAI, "gpt-4o", 2048, 4096, "high", 1105),
    (OPENAI, "gpt-4o", 4096, 8192, "low", 85),
    (OPENAI, "gpt-4o-mini", 1024, 1024, "", 2833 + 4 * 5667),
    (OPENAI, "gpt-4o-mini", 4096, 8192, "low", 2833),
    (OPENAI, "gpt-4.1", 1024, 1024, "", 765),
    (OPENAI, "gpt-5", 1024, 1024, "", 70 + 4 * 140),
    (OPENAI, "gpt-4.1-mini", 1024, 1024, "", 1659),  # 1,024 patches x 1.62
    (OPENAI, "gpt-6-astra", 1024, 1024, "high", 1229),
    (OPENAI, "gpt-6-astra", 2048, 2048, "high", 3000),
    (OPENAI, "gpt-6-astra", 4096, 512, "high", 2458),
    (MEASURED, "gpt-6-astra", 256, 256, "", 77),
    (MEASURED, "gpt-6-astra", 1920, 1080, "", 2448),
    (MEASURED, "gpt-6-astra", 4032, 3024, "", 14364),
    (MEASURED, "gpt-6-astra", 2560, 1440, "high", 2931),
    (MEASURED, "gpt-6-astra", 4032, 3024, "high", 2942),
    (MEASURED, "gpt-5.5", 3840, 2160, "", 9792),
    (MEASURED, "gpt-5.5", 4032, 3024, "", 11868),
    (CLAUDE, "claude-sonnet-4-6", 200, 200, "", 64),
    (CLAUDE, "claude-sonnet-4-6", 1000, 1000, "", 1296),
    (CLAUDE, "claude-sonnet-4-6", 1092, 1092, "", 1521),
    (CLAUDE_SIZES, "claude-sonnet-4-6", 3840, 2160, "", 1560),  # 1456 x 819
    (CLAUDE_SIZES, "claude-sonnet-4-6", 1075, 1520, "", 1551),  # 924 x 1307
    (CLAUDE, "claude-opus-5-5", 1920, 1080, "", 2691),
    (CLAUDE_SIZES, "claude-opus-5-5", 3840, 2160, "", 4784),  # 2576 x 1449
    (MEASURED, "claude-haiku-4-5", 1280, 720, "", 1196),
    (MEASURED, "claude-haiku-4-5", 1920, 1080, "", 1560),
    (MISTRAL, "mistral-small-2603", 1540, 1540, "", 55 * 56),
    (MISTRAL, "mistral-small-2603", 3080, 1540, "", 28 * 56),
]
RULES = st.sampled_from(picture_rule_names()).map(picture_rule)
SIDES = st.integers(1, 2**31 - 1) | st.integers(1, 10_000)
DETAILS = st.sampled_from(["", "auto", "low", "high", "original", "unheard of"])


def _count(model: str, width: int | None, height: int | None, detail: str = "") -> TokenBounds:
    name = CATALOG.models[model].pictures
    return count_picture(Picture(width, height, detail), picture_rule(name) if name else None)


@pytest.mark.parametrize(("page", "model", "width", "height", "detail", "expected"), GOLDEN)
def test_worked_examples(page: str, model: str, width: int, height: int, detail: str, expected: int) -> None:
    """What makers work out on their pages, and what bills showed, is what the rule makes of the size."""
    assert _count(model, width, height, detail) == (expected, expected), page


def test_pixtral_as_its_own_encoder_does() -> None:
    """The maker's documented 64 x 64 picture is four rows of four patches and a mark each."""
    assert count_picture(Picture(64, 64), picture_rule("pixtral-16")) == (20, 20)


def test_a_published_example_that_shrinks() -> None:
    """1800 x 2400 is 1,452 patches of the budget of 1,536; the newer budget of 6,144 leaves it as it is."""
    found = _count("gpt-4.1-mini", 1800, 2400)
    assert found == (-(-1452 * 162 // 100), -(-48 * 64 * 162 // 100))


def test_qwen_as_its_maker_estimates() -> None:
    """A token for 32 x 32 pixels and two marks; how large a picture may be is the request's choice, so that both ends are told."""
    assert count_picture(Picture(1024, 1024), picture_rule("qwen-32")) == (1026, 1026), QWEN
    assert count_picture(Picture(5000, 5000), picture_rule("qwen-32")) == (50 * 50 + 2, 128 * 128 + 2)
    assert count_picture(Picture(1, 1), picture_rule("qwen-32")).low >= 4


@pytest.mark.parametrize(
    ("model", "most"),
    [
        ("gpt-4o-mini", 2833 + 8 * 5667),
        ("gpt-4o", 85 + 8 * 170),
        ("gpt-5.4", 3000),
        ("gpt-6-astra", 36_000),
        ("claude-opus-5-5", 4784),
        ("claude-haiku-4-5", 1568),
        ("mistral-large-2512", 56 * 55),
        ("deepseek-flash", 1024),
    ],
)
def test_a_picture_of_unknown_size_has_a_bound(model: str, most: int) -> None:
    """A link can be no more than what the rule scales any picture down to, or refuses."""
    found = _count(model, None, None)
    assert found.high == most
    assert found.low < most


def test_without_a_rule_nobody_knows() -> None:
    """A row that names no rule has no bound, and is never nothing."""
    assert _count("gpt-6-luna", 100, 100) == (1, None)
    assert _count("litellm/deepseek-flash", 100, 100) == (1, None)


@given(RULES, SIDES, SIDES, DETAILS)
def test_no_size_is_over_the_bound(rule: object, width: int, height: int, detail: str) -> None:
    """Of every rule, size and detail: at least one token, no more than a picture of unknown size, ends in order."""
    found = count_picture(Picture(width, height, detail), rule)  # type: ignore[arg-type]
    bound = count_picture(Picture(None, None, detail), rule)  # type: ignore[arg-type]
    assert found.high is not None
    assert bound.high is not None
    assert 1 <= found.low <= found.high <= bound.high


@given(RULES, st.integers(1, 350), st.integers(1, 350), st.integers(1, 4), DETAILS)
def test_more_pixels_never_cost_less_below_the_limits(rule: object, width: int, height: int, times: int, detail: str) -> None:
    """Where nothing is scaled down, a picture whose sides are multiples of another's costs no less."""
    assume(max(width, height) * times <= 700)
    small = count_picture(Picture(width, height, detail), rule)  # type: ignore[arg-type]
    large = count_picture(Picture(width * times, height * times, detail), rule)  # type: ignore[arg-type]
    if detail != "low":  # scales to 512 pixels, where rounding may lose a row
        assert large.low >= small.low


@given(RULES, SIDES, SIDES, DETAILS)
def test_turning_a_picture_changes_little(rule: object, width: int, height: int, detail: str) -> None:
    """A picture on its side costs the same, a mark at each row's end aside."""
    one = count_picture(Picture(width, height, detail), rule)  # type: ignore[arg-type]
    other = count_picture(Picture(height, width, detail), rule)  # type: ignore[arg-type]
    if getattr(rule, "kind", "") != "rows":
        assert one == other


def test_bounds_add_up() -> None:
    """Ends are added as often as asked; what nobody knows makes a sum nobody knows."""
    assert TokenBounds(1, 2).plus(TokenBounds(10, 20), 3) == (31, 62)
    assert TokenBounds(1, 2).plus(TokenBounds(10, None)) == (11, None)
