"""Names of models as people type them: a part, a name of the environment or the profile, one that has retired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deepsel import config
from deepsel.catalog import Catalog, is_available
from deepsel.errors import ConfigError

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
CATALOG = Catalog()


def _settings(text: str = "") -> config.Settings:
    return config.parse_settings(text.encode(), Path("profiles.toml"), CATALOG)


def test_a_whole_name_is_itself() -> None:
    """A name, an alias or a provider's id is taken as it is, though others contain it."""
    names = ["gpt-6-sol", "mistral-small", "openrouter/some/model", "gpt-5"]
    assert config.models_called(_settings(), names, at=NOW) == tuple(names)


def test_a_part_is_all_that_contain_it_cheapest_first() -> None:
    """`haiku` stands for the current ones, ordered by price; none of a gateway where makers have one."""
    found = config.models_called(_settings(), ["haiku"], at=NOW)
    assert found == ("claude-haiku-5-5", "claude-haiku-4-5")
    assert config.models_called(_settings(), ["LUNA"], at=NOW)[0] == "gpt-6-luna"
    assert not any("/" in name for name in config.models_called(_settings(), ["deepseek"], at=NOW))


@pytest.mark.parametrize("part", ["claude", "gpt", "qwen", "e", "-"])
def test_what_a_part_finds_answers(part: str) -> None:
    """Every model found is one that is there, contains the part, and stands once."""
    found = config.models_called(_settings(), [part], at=NOW)
    assert len(found) == len(set(found)) > 1
    rows = [CATALOG.find_model(name) for name in found]
    assert all(is_available(row, on=NOW.date()) for row in rows)
    assert all(any(part in one.lower() for one in (row.name, row.id, *row.aliases)) for row in rows)


def test_own_models_count_and_the_demo_does_not() -> None:
    """The user's rows are found by a part too."""
    own = _settings('[models.my-haiku]\nprovider = "openai"\nprice = { input = "0", output = "0" }\n')
    assert config.models_called(own, ["haiku"], at=NOW)[0] == "my-haiku"
    assert not any("demo" in name for name in config.models_called(own, ["gpt-6"], at=NOW))


def test_a_name_nobody_has_is_an_error_that_suggests_nothing_retired() -> None:
    """Near names are offered, but none that goes."""
    with pytest.raises(ConfigError) as told:
        config.models_called(_settings(), ["gpt-4o-minii"], at=NOW)
    assert "gpt-4o-mini`" not in told.value.hint
    for name, row in CATALOG.model_rows.items():
        if "retires" in row:
            assert row["successor"] in CATALOG.model_rows, name
            assert "retires" not in CATALOG.model_rows[row["successor"]], name


def test_a_retired_name_says_when_and_what_follows(deepsel: Callable[..., Any]) -> None:
    """The reason names the day and the successor."""
    ran = deepsel("ask", "-m", "deepseek-coder", "Hi", env={"DEEPSEEK_API_KEY": "sk-1234567890"})
    assert ran.code == 6
    assert "retired on 2024-12-01; use `-m deepseek-flash`" in ran.err


def test_the_variable_and_the_profile_name_a_model(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """`-m` before `DEEPSEL_MODEL` before the profile's `model` before its candidates; each may be a part."""
    server = simulate(text="Hello.")
    profiles(first=server, second=server, third=server, profile='model = "seco"')

    def asked(*options: str, **env: str) -> str:
        return str(deepsel("ask", "Hi", "--json", "--no-cache", *options, env=env).record()["model"])

    assert asked() == "second"
    assert asked(DEEPSEL_MODEL="third") == "third"
    assert asked(DEEPSEL_MODEL=" ") == "second"
    assert asked("-m", "fir", DEEPSEL_MODEL="third") == "first"


def test_the_variable_leaves_the_demo_alone(deepsel: Callable[..., Any]) -> None:
    """The demo needs no key, whatever is usually asked."""
    assert deepsel("ask", "-p", "demo", "Hi", env={"DEEPSEL_MODEL": "haiku"}).code == 0


def test_models_says_where_there_is_a_key(deepsel: Callable[..., Any]) -> None:
    """The list has a column, one model a line, the record a member; no key is printed."""
    env = {"OPENAI_API_KEY": "sk-secret-9876543"}
    listed = deepsel("models", env=env)
    rows = {line.split()[0]: line.split()[1] for line in listed.out.splitlines() if line.strip()}
    assert (rows["MODEL"], rows["gpt-6-luna"], rows["claude-opus-5-5"]) == ("KEY", "yes", "no")
    known = {row["model"]: row["has_key"] for row in deepsel("models", "--json", env=env).record()["models"]}
    assert (known["gpt-6-luna"], known["claude-opus-5-5"]) == (True, False)
    assert "OPENAI_API_KEY\n" in deepsel("models", "gpt-6-luna", env=env).out
    assert "sk-secret" not in listed.out


@pytest.mark.parametrize("name", ["openrouter/openrouter/auto", "anthropic/claude-haiku-5-5", "openai/gpt-6-luna"])
def test_a_row_by_its_provider_and_id(deepsel: Callable[..., Any], name: str) -> None:
    """`PROVIDER/ID` of a row that has a name of its own plans as that row."""
    keys = dict.fromkeys(("OPENROUTER_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_API_KEY"), "sk-test-0123456789")
    ran = deepsel("ask", "--explain", "--json", "-m", name, "Hi", env=keys)
    assert ran.code == 0, ran.err
    assert len(ran.record()["candidates"]) == 1
