"""The installed program with a careless umask, and on files that another user could have written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepsel.simulator import Simulator

STRANGER = 12345
ANSWER = {"text": "The answer."}


@pytest.fixture
def careless() -> Any:
    """Everything is made for everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def _modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in [folder, *folder.rglob("*")]}


@pytest.mark.usefixtures("careless")
def test_whatever_is_made_is_private(deepsel: Callable[..., Any], tmp_path: Path) -> None:
    """Folders, those above them, files, and what holds prompts belong to the user alone, whatever the umask."""
    env = {"DEEPSEL_HOME": str(tmp_path / "new" / "a" / "b")}
    assert deepsel("init", env=env).code == 0
    assert deepsel("ask", "-p", "demo", "Hi", env=env).code == 0
    (tmp_path / "old").touch()
    for name in ("fresh", "old"):
        assert deepsel("cache", "export", str(tmp_path / name), env=env).code == 0
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        assert "Hi" in (tmp_path / name).read_text()
    assert _modes(tmp_path / "new") == {0o700, 0o600}


def _open_it(path: Path) -> None:
    path.chmod(path.stat().st_mode | 0o022)


def _give_away(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, STRANGER, -1)


@pytest.mark.parametrize("spoil", [_open_it, _give_away])
@pytest.mark.parametrize("name", ["profiles.toml", "."])
def test_a_file_of_others_says_nothing_about_keys(
    deepsel: Callable[..., Any], profiles: Callable[..., Path], simulate: Callable[..., Simulator], home: Path, spoil: Any, name: str
) -> None:
    """Where another user could have written the settings, or exchange them, no command goes on, and one line says what mends it."""
    server = simulate(**ANSWER)
    profiles(m=server)
    spoil(home / name)
    for words in (("ask", "Hi"), ("ask", "--explain", "Hi"), ("models",), ("cache", "stats")):
        ran = deepsel(*words)
        assert ran.code == 3
        assert ran.err.count("error:") == 1
        assert f"`{home / name}`".replace("/.`", "`") in ran.err
        assert "`chmod go-w " in ran.err or "`chown " in ran.err
    assert len(server.calls) == 0


def test_a_named_file_is_looked_at_too(deepsel: Callable[..., Any], profiles: Callable[..., Path], tmp_path: Path) -> None:
    """`--config` and `DEEPSEL_CONFIG` name any file, in any folder; the file itself has to be the user's own."""
    path = profiles(m="http://127.0.0.1:1/v1").rename(tmp_path / "team.toml")
    tmp_path.chmod(0o777)
    assert deepsel("models", "--config", str(path)).code == 0
    _open_it(path)
    assert deepsel("models", "--config", str(path)).code == 3
    assert deepsel("models", env={"DEEPSEL_CONFIG": str(path)}).code == 3


@pytest.mark.parametrize("spoil", [_open_it, _give_away])
@pytest.mark.parametrize(
    "name", ["cache", "cache/answers", "cache/answers/cache.db", "data", "data/observations.sqlite", "data/prices.json"]
)
def test_what_others_could_have_stored_is_not_used(
    deepsel: Callable[..., Any], profiles: Callable[..., Path], simulate: Callable[..., Simulator], home: Path, spoil: Any, name: str
) -> None:
    """An answer still comes, from the provider, with one warning that names the path and what mends it."""
    server = simulate(**ANSWER)
    profiles(m=server)
    assert deepsel("ask", "Hi").code == 0
    (home / "data" / "prices.json").write_text(json.dumps({"as_of": "2999-01-01", "models": {}}))
    spoil(home / name)
    ran = deepsel("ask", "Hi, again")
    assert (ran.code, ran.out) == (0, "The answer.\n")
    assert ran.err.count("warning:") == 1
    assert f"`{home / name}`" in ran.err
    assert "`chmod go-w " in ran.err or "`chown " in ran.err
    assert len(server.calls) == 2


def test_a_forged_answer_is_not_served(
    deepsel: Callable[..., Any], profiles: Callable[..., Path], simulate: Callable[..., Simulator], home: Path
) -> None:
    """Neither the entry nor the memo of an answer is repeated once others may write to it."""
    server = simulate(**ANSWER)
    profiles(m=server)
    for _ in range(2):
        assert deepsel("ask", "-q", "Hi").out == "The answer.\n"
    assert len(server.calls) == 1
    memos = [path for path in (home / "cache" / "answers" / "memo").iterdir() if path.name != "hits"]
    assert memos
    for path in memos:
        path.write_bytes(path.read_bytes().replace(b"The answer.", b"The forgery"))
        path.chmod(0o666)
    (home / "cache" / "answers" / "cache.db").chmod(0o666)
    assert deepsel("ask", "Hi").out == "The answer.\n"
    assert len(server.calls) == 2
