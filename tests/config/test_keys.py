"""Keys: found in the environment or by a command, never shown."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from deepsel.clock import Clock, SystemClock
from deepsel.config import Keys, find_paths, has_key, resolve_key
from deepsel.config.keys import KEPT_S
from deepsel.errors import ConfigError
from deepsel.secret import MASK, KnownSecrets, Secret
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
    secrets = KnownSecrets(lambda: ["sk-0123456789abcdef"])
    text = secrets.redacted("Incorrect key sk-0123456789abcdef (****cdef), Bearer abcdefghijkl, other sk-zzzzzzzz")
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


class Instants:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def monotonic(self) -> float:
        return self.at_s


def counting(folder: Path, words: str = "print('from-command-123')") -> tuple[Provider, Callable[[], int]]:
    """Make a provider whose command leaves a line each time it runs; returns it and what counts them."""
    runs = folder / "runs"
    told = f"open({str(runs)!r}, 'a').write('x'); {words}"
    host = HOST._replace(api_key_command=(sys.executable, "-c", told))
    return host, lambda: len(runs.read_text()) if runs.exists() else 0


def test_a_command_runs_once_for_all(tmp_path: Path) -> None:
    """Threads, retries and the shared cache use one key; it is asked for again when it is old, or was refused."""
    host, runs = counting(tmp_path)
    clock, secrets = Instants(), KnownSecrets()
    keys = Keys({}, cast("Clock", clock), secrets)
    with ThreadPoolExecutor(8) as pool:
        assert {key.reveal() for key in pool.map(keys.find, [host] * 8) if key} == {"from-command-123"}
    assert runs() == 1
    assert secrets.redacted("it was from-command-123") == f"it was {MASK}"
    clock.at_s = KEPT_S
    keys.find(host)
    assert runs() == 2
    keys.forget(host)
    keys.find(host._replace(name="other"))
    assert runs() == 3


def test_a_command_that_fails_is_not_run_again_at_once(tmp_path: Path) -> None:
    """Each who asks is told, by an error of its own."""
    host, runs = counting(tmp_path, "raise SystemExit(1)")
    keys = Keys({}, cast("Clock", Instants()))
    told = []
    for _ in range(3):
        with pytest.raises(ConfigError, match="failed with exit code 1") as caught:
            keys.find(host)
        told.append(caught.value)
    assert runs() == 1
    assert len({id(error) for error in told}) == 3


def test_a_command_has_the_time_that_is_left(tmp_path: Path) -> None:
    """One that waits for ever ends with the request, and so does who waits for it."""
    host = HOST._replace(api_key_command=(sys.executable, "-c", "import time; time.sleep(600)"))
    with pytest.raises(ConfigError, match=r"gave no key within 0\.2 s"):
        Keys({}, SystemClock()).find(host, 0.2)
