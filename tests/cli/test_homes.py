"""Homes that cannot be used: a warning or one clear error that names the way out, never a traceback and never a folder `~`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from deepsel.config import find_paths
from deepsel.errors import ConfigError

Run = Callable[..., Any]
COMMANDS = [
    ("ask", "-p", "demo", "Hi"),
    ("ask", "-p", "demo", "--no-cache", "--json", "Hi"),
    ("ask", "-p", "demo", "--explain", "Hi"),
    ("stats",),
    ("cache", "list"),
    ("cache", "stats"),
    ("cache", "clear", "--all"),
    ("cache", "verify"),
    ("cache", "prune"),
    ("cache", "path"),
    ("models", "gpt"),
    ("estimate", "-m", "gpt-4o", "-"),
    ("init",),
    ("warm", "-m", "demo-gpt-6-luna", "--for", "1s"),
    ("bench", "-p", "demo", "-m", "demo-gpt-6-luna", "-n", "1", "--warmup", "0"),
]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Run:
    """Run deepsel in an empty folder without DEEPSEL_HOME."""

    def run(*arguments: str, env: Mapping[str, str], before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("DEEPSEL_HOME", "HOME")}
        here = tmp_path / "here"
        here.mkdir(exist_ok=True)
        return subprocess.run(
            [*before, sys.executable, "-m", "deepsel", *arguments],
            env=kept | dict(env),
            cwd=here,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return run


def _homes(tmp_path: Path) -> dict[str, dict[str, str]]:
    """Homes of several kinds of no use, also for root, whom permissions do not stop."""
    file = tmp_path / "file"
    file.touch()
    link = tmp_path / "loop"
    link.symlink_to(link)
    return {
        "a file": {"HOME": str(file)},
        "nowhere": {"HOME": "/proc/nowhere"},
        "a loop": {"HOME": str(link)},
        "folders of XDG": {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(file), "XDG_DATA_HOME": "/proc/nowhere"},
    }


@pytest.mark.parametrize("kind", ["a file", "nowhere", "a loop", "folders of XDG"])
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_home_of_no_use_is_told_once(tmp_path: Path, elsewhere: Run, kind: str, arguments: tuple[str, ...]) -> None:
    """Each command works without, or says in one error which folder it cannot use; the way out is named."""
    ran = elsewhere(*arguments, env=_homes(tmp_path)[kind])
    assert "Traceback" not in ran.stderr
    assert ran.returncode in ((0,) if arguments[0] in ("ask", "models", "estimate", "warm", "bench") else (0, 3))
    assert ran.stderr.count("warning: ") <= 1
    if ran.returncode or "warning: " in ran.stderr:
        assert "DEEPSEL_HOME" in ran.stderr
    if arguments == COMMANDS[0]:
        assert ran.stdout.startswith("[simulated answer")
        assert ran.stderr.count("warning: ") == 1
    assert not list((tmp_path / "here").iterdir())


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="becomes a user without rights over others")
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_the_home_of_another_user(tmp_path: Path, elsewhere: Run, arguments: tuple[str, ...]) -> None:
    """A container's `--user` with the home of root: what lies in a folder nobody lets us look into is done without."""
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    os.chown(other, 12345, 12345)
    without_rights = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    ran = elsewhere(*arguments, env={"HOME": str(other)}, before=without_rights)
    assert "Traceback" not in ran.stderr
    assert ran.returncode in ((0,) if arguments[0] in ("ask", "models", "estimate", "warm", "bench") else (0, 3))
    assert ran.stderr.count("warning: ") <= 1
    assert "DEEPSEL_HOME" in ran.stderr


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="becomes a user without an entry")
def test_no_home_and_no_entry_is_refused(tmp_path: Path, elsewhere: Run) -> None:
    """A user whom the system does not know is told to name a folder; a `~` of the working directory is neither read nor made."""
    planted = tmp_path / "here" / "~" / ".config" / "deepsel"
    planted.mkdir(parents=True)
    (planted / "profiles.toml").write_text('default_profile = "demo"\n')
    (tmp_path / "here").chmod(0o777)
    caps = "+dac_override,+dac_read_search"  # to read the interpreter, wherever it lies
    unknown = ("setpriv", "--reuid", "4000123", "--regid", "4000123", "--clear-groups")
    ran = elsewhere("ask", "Hi", env={}, before=(*unknown, f"--inh-caps={caps}", f"--ambient-caps={caps}"))
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "DEEPSEL_HOME" in ran.stderr
    assert [path.name for path in (tmp_path / "here" / "~").iterdir()] == [".config"]


@pytest.mark.parametrize("name", ["DEEPSEL_HOME", "DEEPSEL_CONFIG"])
def test_a_tilde_is_a_home_or_an_error(name: str) -> None:
    """`~` in a variable stands for HOME; an unknown user's is an error that names the way out."""
    assert str(find_paths({name: "~/x", "HOME": "/u"}).config_file).startswith("/u/x")
    with pytest.raises(ConfigError) as caught:
        find_paths({name: "~nobody-of-that-name/x", "HOME": "/u"})
    assert "DEEPSEL_HOME" in caught.value.hint


@pytest.mark.parametrize("env", [{}, {"HOME": ""}, {"HOME": "~"}, {"HOME": "x"}, {"HOME": "", "XDG_CACHE_HOME": "y"}])
def test_only_absolute_folders_count(env: dict[str, str]) -> None:
    """A home that is empty or relative is not one: the system knows better, and nothing depends on the working directory."""
    assert all(path.is_absolute() for path in find_paths(env))


def test_a_working_folder_that_is_gone(home: Path, tmp_path: Path) -> None:
    """A question in a folder that was deleted meanwhile is answered."""
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"rmdir '{gone}'; {sys.executable} -m deepsel ask -q -p demo Hi < /dev/null"
    ran = subprocess.run(["sh", "-c", command], cwd=gone, capture_output=True, text=True, timeout=100, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("[simulated answer")


def test_a_file_that_cannot_be_read_is_an_error_but_for_the_demo(home: Path, deepsel: Run) -> None:
    """A profiles.toml that is there and cannot be read stops what it decides; the demo needs none."""
    (home / "profiles.toml").mkdir()
    ran = deepsel("ask", "Hi")
    assert (ran.code, "DEEPSEL_HOME" in ran.err) == (3, True)
    ran = deepsel("ask", "-p", "demo", "Hi")
    assert (ran.code, ran.err.count("warning: ")) == (0, 1)
