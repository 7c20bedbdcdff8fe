"""What a count says of itself, what messages add, and what stands in where a vocabulary is missing or a text is extreme."""

from __future__ import annotations

import math
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from deepsel.tokens import NAMES, Count, claude, count, count_request, encoding, estimating, reader_of, vocabulary
from deepsel.values import Document, Image, Message, Model, Request, Source, ToolResult

ENGLISH = "All human beings are born free and equal in dignity and rights.\n" * 20


@pytest.fixture
def fresh() -> Iterator[None]:
    """Caches emptied before and after, for tests that change what is to be found."""
    caches = (encoding, claude.counter)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def _count(messages: list[Message], one: Model) -> Count:
    return count_request(Request(tuple(messages)), reader_of(one))


def _model(name: str | None, framing_tokens: int = 0) -> Model:
    return Model(name="m", provider="p", id="m", vocabulary=name, framing_tokens=framing_tokens)


@pytest.mark.parametrize("name", NAMES)
def test_exact_count_says_so(name: str) -> None:
    """A vocabulary at hand gives a counted number without error."""
    found = count("hello world", name)
    assert (found.source, found.error_pct, found.method) == (Source.COUNTED, 0.0, name)


@pytest.mark.parametrize("text", ["<|endoftext|>", "<|im_start|>", "<｜User｜>", "[INST]"])
@pytest.mark.parametrize("name", NAMES)
def test_special_tokens_are_ordinary_text(name: str, text: str) -> None:
    """What looks like a special token is counted as the characters it is."""
    assert count(text, name).tokens > 1


@pytest.mark.parametrize("name", ["claude3", "claude48", None, "no-such-vocabulary"])
@pytest.mark.usefixtures("fresh")
def test_estimate_states_its_error(name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without vocabulary or reconstruction a count is estimated, with an error above zero."""
    monkeypatch.setitem(sys.modules, "ctok", None)
    found = count(ENGLISH, name)
    assert found.source is Source.ESTIMATED
    assert found.error_pct is not None
    assert found.error_pct > 0
    assert "estimate" in found.method


@pytest.mark.parametrize(("name", "tokens"), [("claude3", 2025), ("claude47", 2947), ("claude48", 2947)])
@pytest.mark.usefixtures("fresh")
def test_claude_estimate_is_above_the_exact_neighbour(
    name: str, tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fits keep the measured order: Claude reads English as more tokens than o200k, from 4.7 on as many more."""
    monkeypatch.setitem(sys.modules, "ctok", None)
    neighbour = count(ENGLISH, "o200k_base").tokens
    recorded_ratio = tokens / 1888  # the same document, English declaration
    found = count(ENGLISH, name)
    assert found.error_pct is not None
    assert abs(found.tokens / neighbour / recorded_ratio - 1) * 100 < 2 * found.error_pct


@pytest.mark.usefixtures("fresh")
def test_reconstruction_is_used_where_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ctok at hand its count, less the frame it counts in, is given as a reconstruction within 1 %."""
    asked: list[tuple[str, str]] = []

    def token_count(text: str, version: str) -> int:
        asked.append((text, version))
        return 6 + 41

    package = ModuleType("ctok")
    vars(package)["token_count"] = token_count
    monkeypatch.setitem(sys.modules, "ctok", package)
    found = count("hello", "claude48")
    assert (found.tokens, found.source, found.error_pct) == (41, Source.ESTIMATED, 1.0)
    assert found.method == "ctok reconstruction"
    assert asked == [("hello", "4.8")]


@pytest.mark.parametrize("damage", ["missing", "flipped", "cut", "empty"])
@pytest.mark.usefixtures("fresh")
def test_damaged_file_gives_an_estimate(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vocabulary file that is missing or not as it was made is never read; the count is a labelled estimate."""
    whole = (vocabulary._DATA / "cl100k_base.vocab").read_bytes()
    content = {"flipped": whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:], "cut": whole[:-1], "empty": b""}
    if damage in content:
        (tmp_path / "cl100k_base.vocab").write_bytes(content[damage])
    monkeypatch.setattr(vocabulary, "_DATA", tmp_path)
    found = count(ENGLISH, "cl100k_base")
    assert found.source is Source.ESTIMATED
    assert found.error_pct is not None
    assert found.tokens == pytest.approx(260, rel=2 * found.error_pct / 100)  # 13 tokens a line


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("unit", ["a", " ", "\n", "\x00", "中", "\u0378", "e\u0301", "\u3000", "กา"])
def test_a_long_run_is_counted_within_the_stated_error(name: str, unit: str) -> None:
    """300,000 characters without a place to cut are counted in parts, labelled, and as far off as the label says at most."""
    text = unit * (300_000 // len(unit))
    loaded = encoding(name)
    assert loaded is not None
    found = count(text, name)
    assert found.source is Source.ESTIMATED
    assert found.error_pct is not None
    assert found.tokens == pytest.approx(len(loaded.encode(text)), rel=found.error_pct / 100)


@pytest.mark.parametrize("name", NAMES)
def test_a_long_text_is_counted_exactly_in_parts(name: str) -> None:
    """A text over the encoder's limit that has lines, or one line with words, has the exact count of the whole."""
    loaded = encoding(name)
    assert loaded is not None
    for text in (ENGLISH * 130, ENGLISH.replace("\n", " ") * 130):
        assert len(text) > vocabulary.MAX_CHARS
        found = count(text, name)
        assert (found.tokens, found.source) == (len(loaded.encode(text)), Source.COUNTED)


def test_surrogates_count_as_what_is_sent() -> None:
    """A lone surrogate counts as U+FFFD, a pair as the character it stands for."""
    assert count("a\ud800b", "o200k_base") == count("a\ufffdb", "o200k_base")
    assert count("\ud83d\ude00", "o200k_base") == count("\U0001f600", "o200k_base")


def test_messages_keep_the_source() -> None:
    """Exact contents make an exact count; no message at all is the framing alone."""
    assert _count([Message.of("user", "hi")], _model("deepseek", 3)).source is Source.COUNTED
    assert _count([], _model("deepseek", 4)).tokens == 3  # no mark of a user


PNG = Image("image/png", "data:image/png;base64," + b64encode(
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (1024).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00" + bytes(4)
).decode())  # fmt: skip
LINK = Image("", "https://example.org/a.png")
PDF = Document("application/pdf", "data:application/pdf;base64,AAAA")


def _with(*parts: Image | Document, vocabulary: str = "o200k_base", pictures: str | None = "openai-tiles-4o-mini") -> Count:
    one = _model(vocabulary)._replace(pictures=pictures)
    return _count([Message.of("user", "what is this?", *parts)], one)


def test_a_picture_counts_by_its_makers_rule() -> None:
    """The text and what the rule makes of the size; what is only billed takes no room in the window."""
    text = _with().tokens
    found = _with(PNG)
    assert (found.tokens, found.source, found.error_pct) == (text + 25_501, Source.RULE, 0.0)
    assert (found.most, found.is_exact, found.in_window) == (text + 25_501, True, text)
    claude = _with(PNG, PNG, vocabulary="claude48", pictures="claude-high")
    assert (claude.source, claude.in_window) == (Source.ESTIMATED, claude.tokens)
    assert claude.most == math.ceil((claude.tokens - 2 * 1369) * (1 + claude.error_pct / 100)) + 2 * 1369


def test_a_link_counts_with_the_most_it_can_be() -> None:
    """A size that is not known makes a bound, not a count."""
    text = _with().tokens
    found = _with(LINK)
    assert (found.tokens, found.source, found.most) == (text + 48_169, Source.AT_MOST, text + 48_169)
    assert not found.is_exact


@pytest.mark.parametrize(
    ("parts", "pictures", "words"),
    [((PNG,), None, "pictures"), ((PNG, PDF), "claude-high", "files"), ((LINK, PDF), None, "pictures and files")],
)
def test_what_nobody_knows_has_no_bound(parts: tuple[Image | Document, ...], pictures: str | None, words: str) -> None:
    """Pictures without a rule, and files, are expected to be something, and bounded by nothing."""
    found = _with(*parts, pictures=pictures)
    assert (found.source, found.error_pct, found.most, found.unbounded) == (Source.ESTIMATED, None, None, words)
    assert found.tokens > _with().tokens


def test_pictures_of_a_tools_result_count() -> None:
    """A picture that a tool brought costs what any picture does."""
    result = Message("tool", (ToolResult("1", (PNG,)),))
    one = _model("o200k_base")._replace(pictures="openai-tiles-4o")
    assert _count([result], one).pictures == 765


def test_fits_are_whole() -> None:
    """Each fit has a weight for letters it does not know, errors above zero, and a base that is a vocabulary of ours."""
    assert set(estimating.fits()) == {*claude.VERSIONS, estimating.GENERAL, estimating.BARE}
    for fit in estimating.fits().values():
        assert fit.per_char["other"] > 0
        assert min(fit.per_char.values()) >= 0
        assert fit.error_pct > 0
        assert fit.base is None or fit.base in NAMES


@pytest.mark.parametrize(
    ("text", "script"), [("hello", "ascii"), ("größe", "LATIN"), ("привет", "CYRILLIC"), ("你好", "CJK"), ("12 !", "ascii")]
)
def test_main_script(text: str, script: str) -> None:
    """The script with most letters decides which error is stated."""
    assert estimating.main_script(estimating.classify(text)) == script


def test_a_million_times_the_same_letter() -> None:
    """A text without a place to cut is counted exactly, and soon (tiktoken#195)."""
    assert count("a" * 1_000_000, "o200k_base").tokens in range(125_000, 125_100)
