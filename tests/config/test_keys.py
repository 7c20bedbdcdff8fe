"""Keys: found in the environment or by a command, never shown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deepsel.config import find_paths, has_key, resolve_key
from deepsel.errors import ConfigError
from deepsel.secret import MASK, Secret, redact
from deepsel.values import Provider

HOST = Provider(name="host", wire="openai-chat", base_url="http://127.0.0.1:1", api_key_env="HOST_KEY")


@pytest.mark.parametrize("end", ["", "\n", "\r\n", " \r\n"])
def test_key_from_the_environment(end: str) -> None:
    """The variable's value is the key, without the line break a file left behind."""
    key = resolve_key(HOST, {"HOST_KEY": f"sk-abc{end}"})
    assert key is not None
    assert key.reveal() == "sk-abc"


def test_missing_key_names_its_variable() -> None:
    """Without the variable the error says which one is looked for."""
    assert not has_key(HOST, {"HOST_KEY": "  "})
    with pytest.raises(ConfigError) as caught:
        resolve_key(HOST, {})
    assert "`HOST_KEY`" in caught.value.hint


def test_a_key_that_cannot_be_one_is_refused_without_quoting_it() -> None:
    """Quotes, spaces and line breaks inside a key are told, the key is not."""
    with pytest.raises(ConfigError) as caught:
        resolve_key(HOST, {"HOST_KEY": "sk-a b\nc"})
    assert "sk-a" not in caught.value.message + caught.value.hint


def test_key_from_a_command() -> None:
    """A key command wins over the variable."""
    host = HOST._replace(api_key_command=(sys.executable, "-c", "print('from-command')"))
    key = resolve_key(host, {"HOST_KEY": "from-env"})
    assert key is not None
    assert key.reveal() == "from-command"


@pytest.mark.parametrize(
    "command",
    [("/nowhere/at-all", "sk-in-arguments"), (sys.executable, "-c", "import sys; sys.exit('sk-in-arguments')")],
)
def test_failing_key_command_is_one_clear_error(command: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    """A command that is missing or fails is told by name, its arguments are not."""
    with pytest.raises(ConfigError) as caught:
        resolve_key(HOST._replace(api_key_command=command), {})
    assert "sk-in-arguments" not in caught.value.message + caught.value.hint


def test_a_secret_shows_nothing() -> None:
    """No way of printing a Secret prints the key."""
    secret = Secret("sk-verysecret1234")
    assert "verysecret" not in f"{secret} {secret!r} {secret:>30} {[secret]}"


def test_redact_takes_out_keys_and_their_tails() -> None:
    """A provider's error that quotes the key, masked or not, is shown without it."""
    secret = Secret("sk-0123456789abcdef")
    text = redact("Incorrect key sk-0123456789abcdef (****cdef), Bearer abcdefghijkl, other sk-zzzzzzzz", secret)
    for part in ("0123456789", "cdef", "abcdefghijkl", "zzzz"):
        assert part not in text
    assert MASK in text


def test_paths_follow_the_environment() -> None:
    """DEEPSEL_HOME moves everything, DEEPSEL_CONFIG and --config name the file, XDG is the default."""
    assert find_paths({"DEEPSEL_HOME": "/h"}).config_file == Path("/h/profiles.toml")
    assert find_paths({"DEEPSEL_HOME": "/h", "DEEPSEL_CONFIG": "/c.toml"}).config_file == Path("/c.toml")
    assert find_paths({"DEEPSEL_CONFIG": "/c.toml", "HOME": "/u"}, Path("/o.toml")).config_file == Path("/o.toml")
    xdg = find_paths({"HOME": "/u", "XDG_CACHE_HOME": "/x"})
    assert (xdg.config_file, xdg.answers_dir) == (Path("/u/.config/deepsel/profiles.toml"), Path("/x/deepsel/answers"))


@pytest.mark.parametrize("text", ['"sk-abc"', "'sk-abc'", '"sk-abc', "sk-abc'", "\u201csk-abc\u201d", " `sk-abc` "])
def test_quotes_around_a_key_are_refused(text: str) -> None:
    """What a file of variables leaves around a key is told with the variable's name, and not sent."""
    with pytest.raises(ConfigError) as caught:
        resolve_key(HOST, {"HOST_KEY": text})
    assert "`HOST_KEY`" in caught.value.message
    assert "sk-abc" not in caught.value.message + caught.value.hint


def test_a_command_that_prints_more_gives_its_first_line() -> None:
    """Password stores keep notes below the key."""
    told = "print(); print('from-command'); print('user: me')"
    key = resolve_key(HOST._replace(api_key_command=(sys.executable, "-c", told)), {})
    assert key is not None
    assert key.reveal() == "from-command"
