"""`deepsel config`: what is in force and from where, and changes that leave the rest of the file as it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepsel import config
from deepsel.catalog import Catalog

FILE = """\
# mine
default_profile = "main"   # the usual one

[profiles.main]
models = ["deepseek-flash", "gpt-6-luna"]  # in this order
# a cap
max_cost_usd = "0.05"
"""


def _values(ran: Any) -> dict[str, tuple[Any, str]]:
    return {row["key"]: (row["value"], row["source"]) for row in ran.record()["values"]}


def test_each_value_has_its_source(deepsel: Callable[..., Any], home: Path) -> None:
    """Default, file, option and variable are told apart, and of a key only that it is set."""
    (home / "profiles.toml").write_text(FILE)
    env = {"DEEPSEL_MODEL": "luna", "OPENAI_API_KEY": "sk-secret-1234567", "DEEPSEL_PROFILE": "main"}
    values = _values(deepsel("config", "show", "--json", env=env))
    assert values["profile"] == ("main", "DEEPSEL_PROFILE")
    assert values["profiles.main.max_cost_usd"] == ("0.05", "profiles.toml")
    assert values["profiles.main.retries"] == (3, "default")
    assert values["DEEPSEL_MODEL"] == ("luna", "environment")
    assert values["OPENAI_API_KEY"] == ("(set)", "environment")
    shown = deepsel("config", "show", "-p", "demo", env=env).out
    assert "--profile" in shown
    assert "sk-secret" not in shown


def test_passwords_are_not_shown(deepsel: Callable[..., Any], home: Path) -> None:
    """An address with a password is said to be set."""
    (home / "profiles.toml").write_text('[cache]\nredis_url = "redis://:hunter2@127.0.0.1:6379/0"\n')
    ran = deepsel("config", "show")
    assert "hunter2" not in ran.out + ran.err
    assert "(set)" in ran.out


def test_set_and_unset_leave_every_comment(deepsel: Callable[..., Any], home: Path) -> None:
    """A value that is set and removed again leaves the file byte for byte as it was, and its mode."""
    path = home / "profiles.toml"
    path.write_text(FILE)
    path.chmod(0o640)
    assert deepsel("config", "set", "daily_budget_usd", "2.50").code == 0
    assert 'daily_budget_usd = "2.50"' in path.read_text()
    assert "# in this order" in path.read_text()
    assert deepsel("config", "unset", "daily_budget_usd").code == 0
    assert path.read_text() == FILE
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("models", "gpt-6-luna,deepseek-flash", 'models = ["gpt-6-luna", "deepseek-flash"]'),
        ("models", "gpt-6-luna", 'models = ["gpt-6-luna"]'),
        ("max_cost_usd", "1", "max_cost_usd = 1"),
        ("content_policy_fallback", "true", "content_policy_fallback = true"),
        ("cache.ttl_s", "60", "ttl_s = 60"),
        ("models.own.price", '{ input = "1", output = "2" }', "price = "),
    ],
)
def test_a_value_is_read_as_what_the_key_takes(
    deepsel: Callable[..., Any], home: Path, key: str, value: str, line: str
) -> None:
    """Numbers, words, truth and lists are told apart by what the file may hold."""
    path = home / "profiles.toml"
    path.write_text(FILE + '\n[models.own]\nprovider = "openai"\n')
    ran = deepsel("config", "set", key, value)
    assert ran.code == 0, ran.err
    assert line in path.read_text()


def test_what_the_file_may_not_hold_is_not_written(deepsel: Callable[..., Any], home: Path) -> None:
    """A wrong value or key is exit 3 or 2 with the reason, and the file stays as it was."""
    path = home / "profiles.toml"
    path.write_text(FILE)
    wrong = deepsel("config", "set", "strategy", "cheap")
    assert (wrong.code, "one of balanced" in wrong.err) == (3, True)
    slip = deepsel("config", "set", "cache.ttls", "5")
    assert (slip.code, "`ttl_s`" in slip.err) == (3, True)
    assert deepsel("config", "set", "a..b", "5").code == 2
    assert deepsel("config", "unset", "retries").code == 2
    assert path.read_text() == FILE


def test_the_first_value_makes_the_file(deepsel: Callable[..., Any], home: Path) -> None:
    """Without a file one is made, private, that works as before but for the value."""
    before = _values(deepsel("config", "show", "--json"))
    assert deepsel("config", "set", "strategy", "cheapest").code == 0
    after = _values(deepsel("config", "show", "--json"))
    assert after["profiles.default.strategy"] == ("cheapest", "profiles.toml")
    assert after["profiles.default.models"][0] == before["profiles.default.models"][0]
    assert (home / "profiles.toml").stat().st_mode & 0o777 == 0o600
    assert deepsel("config", "path").out == f"{home / 'profiles.toml'}\n"


def test_a_link_stays_a_link(deepsel: Callable[..., Any], home: Path) -> None:
    """Who keeps the file elsewhere keeps it there."""
    real = home / "dotfiles.toml"
    real.write_text(FILE)
    (home / "profiles.toml").symlink_to(real)
    assert deepsel("config", "set", "retries", "1").code == 0
    assert (home / "profiles.toml").is_symlink()
    assert "retries = 1" in real.read_text()


def test_an_env_file_gives_keys(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path
) -> None:
    """A profile's file of variables stands behind the environment; one that others may write is not believed."""
    server = simulate(text="Hello.")
    path = profiles(one=server, profile='env_file = "keys.env"')
    path.write_text(path.read_text().replace("TEST_KEY", "OTHER_KEY"))
    keys = home / "keys.env"
    assert deepsel("ask", "Hi").code == 3
    keys.write_text("# mine\nexport OTHER_KEY='sk-from-file-123456'\n")
    keys.chmod(0o600)
    ran = deepsel("ask", "Hi", "--no-cache")
    assert ran.code == 0, ran.err
    keys.chmod(0o666)
    refused = deepsel("ask", "Hi", "--no-cache")
    assert (refused.code, "changed by other users" in refused.err) == (3, True)
    assert "sk-from" not in refused.out + refused.err


def test_the_environment_comes_before_the_file(home: Path) -> None:
    """What is set in the environment stands, what is not comes from the file as it is written there."""
    (home / "my.env").write_text("A=1\nB='two $A'\nC=\n")
    settings = config.parse_settings(
        b'[profiles.main]\nmodels = ["gpt-6-luna"]\nenv_file = "my.env"\n', home / "profiles.toml", Catalog()
    )
    env = config.with_env_file({"A": "own"}, settings, settings.profiles["main"])
    assert dict(env) == {"A": "own", "B": "two $A", "C": ""}


def test_an_env_file_moves_a_provider(deepsel: Callable[..., Any], simulate: Callable[..., Any], home: Path) -> None:
    """An address in the file is heeded as one in the environment: a key goes nowhere else."""
    server = simulate(text="Hello.")
    (home / "profiles.toml").write_text('[profiles.main]\nmodels = ["gpt-6-luna"]\nenv_file = "my.env"\n')
    (home / "my.env").write_text(f"OPENAI_API_KEY=sk-from-file-123456\nOPENAI_BASE_URL={server.base_url}\n")
    ran = deepsel("ask", "Hi", "--no-cache")
    assert ran.code == 0, ran.err
    assert len(server.calls) == 1
    assert os.environ.get("OPENAI_BASE_URL") is None
