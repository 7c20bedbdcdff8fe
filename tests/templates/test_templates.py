"""Templates: found, filled, and refused with words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.errors import ConfigError, UsageError
from deepsel.templates.reading import find_template, folder_of, names
from deepsel.templates.records import AskTemplate


def _template(prompt: str, **fields: object) -> AskTemplate:
    return AskTemplate("t", Path("t.toml"), True, prompt, **fields)  # type: ignore[arg-type]  # of the tests below


def test_six_are_shipped(tmp_path: Path) -> None:
    """Each can be filled with its variables, and says what it is for."""
    found = [find_template(name, tmp_path / "profiles.toml") for name in names(tmp_path / "profiles.toml")]
    assert [one.name for one in found] == ["commit", "explain", "extract", "review", "summary", "translate"]
    for one in found:
        assert one.about
        prompt, _ = one.filled(dict.fromkeys(one.variables, "X"), "the words")
        assert "the words" in prompt
        assert "{" not in prompt


def test_variables_are_filled_once() -> None:
    """Defaults, values and the words; what a value holds is text, and braces can be written."""
    one = _template("In {lang}: {input} {{lang}} {a b} {}", system="For {who}.", defaults={"who": "all"})
    assert one.variables == ("lang", "who")
    assert one.filled({"lang": "{input}"}, "w") == ("In {input}: w {lang} {a b} {}", "For all.")
    assert _template("Sum up.").filled({}, "this") == ("Sum up.\n\nthis", "")


@given(st.text(), st.text())
def test_any_value_and_words_come_out_as_they_went_in(value: str, words: str) -> None:
    """No value is taken for a place."""
    prompt, _ = _template("<{a}|{input}>").filled({"a": value}, words)
    assert prompt == f"<{value}|{words}>".strip()


def test_what_is_missing_is_named() -> None:
    """So is what is not there."""
    with pytest.raises(UsageError, match="needs `a`, `b`") as told:
        _template("{a} {b}").filled({}, "")
    assert "--var a=... --var b=..." in told.value.hint
    with pytest.raises(UsageError, match="no variable `lnag`") as told:
        _template("{lang}").filled({"lnag": "x"}, "")
    assert "`lang`" in told.value.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prompt = 3", "`prompt` must be a string"),
        ("about = 'x'", "needs a `prompt`"),
        ("prompt = 'x'\npromt = 'y'", "unknown key `promt`"),
        ("prompt = 'x'\nextract = 3", "`extract` must be true"),
        ("prompt = 'x'\ndefaults = { a = 1 }", "`defaults` must be a table of texts"),
        ("prompt = ", "not valid TOML"),
    ],
)
def test_a_file_that_is_no_template(tmp_path: Path, text: str, words: str) -> None:
    """Each mistake is told with the file."""
    folder = folder_of(tmp_path / "profiles.toml")
    folder.mkdir(mode=0o700)
    (folder / "mine.toml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        find_template("mine", tmp_path / "profiles.toml")


def test_one_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    """A template decides what is sent, and to whom."""
    folder = folder_of(tmp_path / "profiles.toml")
    folder.mkdir(mode=0o700)
    path = folder / "commit.toml"
    path.write_text("prompt = 'x'")
    assert not find_template("commit", tmp_path / "profiles.toml").is_shipped
    path.chmod(0o666)
    with pytest.raises(ConfigError, match="changed by other users"):
        find_template("commit", tmp_path / "profiles.toml")


@pytest.mark.parametrize("name", ["nope", "../commit", "", "commit.toml"])
def test_no_such_name(tmp_path: Path, name: str) -> None:
    """A path is no name."""
    with pytest.raises(UsageError):
        find_template(name, tmp_path / "profiles.toml")
