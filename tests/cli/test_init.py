"""`deepsel init` writes a first profiles.toml that works, for its owner alone, and replaces nothing."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deepsel.catalog import Catalog
from deepsel.config import CacheSettings, Profile

CATALOG = Catalog()

KEYS = {"DEEPSEEK_API_KEY": "sk-written-nowhere-1", "MISTRAL_API_KEY": "sk-written-nowhere-2"}


@pytest.fixture
def _open_umask() -> Iterator[None]:
    """Let files be made as open as their maker asks."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_open_umask")
def test_the_file_is_the_owners_alone(deepsel: Callable, home: Path) -> None:
    """Whatever the umask, nobody else can read the file or look into a folder that had to be made."""
    path = home / "new" / "profiles.toml"
    assert deepsel("init", "--config", str(path)).code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_it_writes_the_defaults_for_the_keys_it_finds(deepsel: Callable, home: Path) -> None:
    """The profile lists the default models of the providers that have a key, and shows every default as it is; keys stay out."""
    ran = deepsel("init", env=KEYS)
    assert (ran.code, ran.out) == (0, "")
    text = (home / "profiles.toml").read_text("utf-8")
    names = [name for name in CATALOG.default_models if CATALOG.find_model(name).provider in ("deepseek", "mistral")]
    defaults = Profile(name="main", models=tuple(names))
    assert tomllib.loads(text) == {
        "default_profile": "main",
        "profiles": {
            "main": {
                "models": names,
                "strategy": "balanced",
                "larger_context": [max(names, key=lambda name: CATALOG.find_model(name).context_window or 0)],
                "max_cost_usd": "0.50",
                "retries": defaults.retries,
                "timeout_s": defaults.timeout_s,
            }
        },
        "cache": {"ttl_s": CacheSettings().ttl_s},
    }
    assert "sk-written" not in text
    assert ran.err.splitlines()[0] == f"wrote {home / 'profiles.toml'} with DEEPSEEK_API_KEY, MISTRAL_API_KEY"


def test_every_member_is_explained(deepsel: Callable, home: Path) -> None:
    """Above each member of a table stands a comment that says what it is."""
    deepsel("init", env=KEYS)
    lines = (home / "profiles.toml").read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        if " = " in line and not line.startswith(("#", "default_profile")):
            assert lines[number - 1].startswith("# "), line


def test_what_it_writes_is_used(deepsel: Callable) -> None:
    """The next command reads the file: its profile is the default one, and what it plans with are that profile's models."""
    deepsel("init", env=KEYS)
    explained = deepsel("ask", "--explain", "--json", "Hi", env=KEYS)
    assert explained.code == 0, explained.err
    record = explained.record()
    assert record["profile"] == "main"
    own = [name for name in CATALOG.default_models if CATALOG.find_model(name).provider in ("deepseek", "mistral")]
    considered = [one["model"] for one in (*record["candidates"], *record["refused"])]
    assert sorted(considered) == sorted(own)


def test_without_a_key_the_demo_works(deepsel: Callable, home: Path) -> None:
    """Where no key is found no profile is written, which is said, and the demo answers."""
    ran = deepsel("init")
    assert ran.code == 0
    assert "without a key: the demo works at once" in ran.err
    assert tomllib.loads((home / "profiles.toml").read_text("utf-8")) == {"cache": {"ttl_s": CacheSettings().ttl_s}}
    answered = deepsel("ask", "-p", "demo", "-q", "What is DNS?")
    assert (answered.code, bool(answered.out)) == (0, True)


def test_it_never_replaces_a_file(deepsel: Callable, home: Path) -> None:
    """A file that is there stays as it is, and that is an error with the way out."""
    path = home / "profiles.toml"
    path.write_text("# mine\n")
    ran = deepsel("init", env=KEYS)
    assert (ran.code, ran.out) == (2, "")
    assert "is already there and was left as it is" in ran.err
    assert path.read_text() == "# mine\n"


def test_quiet_says_nothing(deepsel: Callable, home: Path) -> None:
    """With `-q` the file is all there is."""
    ran = deepsel("init", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert (home / "profiles.toml").is_file()
