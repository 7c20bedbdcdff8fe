"""What hosts refuse of what nobody asked for, in the whole program: the cache, other providers' parameters, forms of schemas, seeds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Make = Callable[..., Any]


def test_the_key_is_that_of_the_body_that_was_sent(deepsel: Make, simulate: Make, profiles: Make) -> None:
    """An answer is found again by what its host really takes, without a word of the refusal that was paid once."""
    host = simulate(text="Fine.", refused_members=("max_tokens", "stream_options"))
    profiles(one=host)
    first = deepsel("ask", "Hi")
    assert (first.code, first.out, len(host.calls)) == (0, "Fine.\n", 3)
    assert first.err.count("warning: one ") == 2
    again = deepsel("ask", "--json", "Hi").record()
    assert (again["cache"]["status"], again["text"], again["warnings"], len(host.calls)) == ("hit", "Fine.", [], 3)


def test_what_asks_for_another_answer_each_time_is_not_kept(deepsel: Make, simulate: Make, profiles: Make) -> None:
    """Without the temperature and the seed that its host refuses, an answer is not the answer the next time."""
    profiles(one=simulate(text="Fine.", refused_members=("temperature", "seed")))
    assert [deepsel("ask", "--json", "Hi").record()["cache"]["status"] for _ in range(2)] == ["miss", "off"]


@pytest.mark.parametrize(
    ("options", "seed", "status"),
    [
        (["--temperature", "0.8"], None, "off"),
        (["--param", "temperature=0.8"], None, "off"),
        (["--temperature", "0.8", "--seed", "5"], 5, "stored"),
        (["--temperature", "0"], 7, "stored"),
        ([], 7, "stored"),
    ],
)
def test_a_temperature_sends_no_seed_by_itself(
    deepsel: Make, simulate: Make, profiles: Make, options: list[str], seed: int | None, status: str
) -> None:
    """Who wants another answer each time gets one: no seed is added, and nothing is cached, unless a seed is asked for."""
    host = simulate(text="Fine.")
    profiles(one=host)
    assert deepsel("ask", "--json", *options, "Hi").record()["cache"]["status"] == status
    assert host.calls[0].body.get("seed") == seed


def test_a_provider_s_own_parameter_goes_only_there(deepsel: Make, simulate: Make, home: Path) -> None:
    """What the catalog knows as one provider's member is not sent to a fall-back, which is said."""
    first, second = simulate(fault=("503",)), simulate(text="Fine.")
    rows = "".join(
        f'[providers.{name}]\nbase_url = "{host.base_url}"\napi_key_env = "TEST_KEY"\n'
        for name, host in (("deepseek", first), ("mistral", second))
    )
    models = '[profiles.main]\nmodels = ["deepseek-flash", "mistral-small-2603"]\nstrategy = "ordered"\n'
    (home / "profiles.toml").write_text(rows + models)
    ran = deepsel("ask", "--param", 'thinking={"type":"enabled"}', "--param", "top_p=0.5", "Hi")
    assert (ran.code, ran.out) == (0, "Fine.\n")
    assert first.calls[0].body["thinking"] == {"type": "enabled"}
    assert "thinking" not in second.calls[0].body
    assert second.calls[0].body["top_p"] == 0.5
    assert "`thinking` belongs to another provider; mistral-small-2603 is not sent it" in ran.err


def test_an_answer_whose_schema_has_no_object_at_its_root(deepsel: Make, simulate: Make, profiles: Make, home: Path) -> None:
    """The host is asked for an object, the reader gets what was asked for, checked against the user's own schema."""
    (home / "schema.json").write_text('{"type": "array", "items": {"type": "string"}}')
    host = simulate(text='{"answer": ["a", "b"]}')
    path = profiles(one=host)
    path.write_text(path.read_text().replace("[models.one]\n", '[models.one]\nfeatures = ["json_schema"]\n'))
    ran = deepsel("ask", "-q", "--schema", "schema.json", "Two letters")
    assert (ran.code, json.loads(ran.out)) == (0, ["a", "b"])
    form = host.calls[0].body["response_format"]["json_schema"]
    assert (form["schema"]["type"], form["strict"]) == ("object", True)
