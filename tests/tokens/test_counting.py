"""What a count says of itself, what messages add, and what stands in where a vocabulary is missing or a text is extreme."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from deepsel.tokens import NAMES, claude, count, count_messages, encoding, estimating, vocabulary
from deepsel.values import Image, Message, Model, Source

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


@pytest.mark.parametrize(("name", "further"), [("claude48", 3), ("o200k_base", 4), ("deepseek", 2), ("tekken", 2), ("qwen", 5)])
def test_messages_add_framing(name: str, further: int) -> None:
    """A conversation is its contents, the model's framing once, and a constant for each message after the first."""
    one, two, three = (Message.of("user", text) for text in ("hello there", "how are you?", "fine"))
    contents = [count(message.text, name).tokens for message in (one, two, three)]
    assert count_messages([one], _model(name, 7)).tokens == contents[0] + 7
    assert count_messages([one, two, three], _model(name, 7)).tokens == sum(contents) + 7 + 2 * further


def test_messages_keep_the_source() -> None:
    """Exact contents make an exact count; no message at all is the framing alone."""
    assert count_messages([Message.of("user", "hi")], _model("deepseek", 3)).source is Source.COUNTED
    assert count_messages([], _model("deepseek", 3)).tokens == 3


def test_pictures_make_an_estimate_of_unknown_error() -> None:
    """A picture's tokens are a guess: the count is estimated and its error not known."""
    message = Message.of("user", "what is this?", Image("image/png", "data:image/png;base64,AA=="))
    found = count_messages([message], _model("o200k_base", 6))
    assert (found.source, found.error_pct) == (Source.ESTIMATED, None)
    assert found.tokens > count_messages([Message.of("user", "what is this?")], _model("o200k_base", 6)).tokens


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
