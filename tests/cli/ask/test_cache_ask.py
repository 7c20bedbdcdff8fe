"""What `ask` shows of the cache: replays that may not spend, and what a key is made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepsel.cache import cache_key


def test_a_replay_needs_no_key_and_sends_nothing(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """`--only-cached` answers what was asked before without a key, within no budget, and exits 6 for the rest."""
    server = simulate(text="The answer.")
    profiles(one=server)
    assert deepsel("ask", "Hi").code == 0
    hit = deepsel("ask", "Hi", "--only-cached", "--json", env={"TEST_KEY": ""})
    assert (hit.code, hit.record()["cache"]["status"], hit.record()["cost_usd"]) == (0, "hit", "0")
    for as_json in ([], ["--json"]):
        miss = deepsel("ask", "Hello", "--only-cached", *as_json)
        assert miss.code == 6
        assert (miss.record()["error"]["class"] if as_json else miss.out) == ("no_route" if as_json else "")
        assert "one: not in the cache" in miss.err
    assert len(server.calls) == 1
    stats = deepsel("cache", "stats", "--json").record()
    assert (stats["hits"], stats["bought"]) == (1, 1)


@pytest.mark.parametrize("other", ["--no-cache", "--refresh"])
def test_a_replay_reads_the_cache(deepsel: Callable[..., Any], other: str) -> None:
    """`--only-cached` cannot be had together with what does not read the cache."""
    ran = deepsel("ask", "-p", "demo", "Hi", "--only-cached", other)
    assert ran.code == 2


def test_explain_shows_what_the_key_is_made_of(deepsel: Callable[..., Any]) -> None:
    """The key document is in the record and, with -v, in the text; the key is its hash."""
    explained = deepsel("ask", "-p", "demo", "Hi", "--explain", "--json").record()["cache"]
    assert explained["key"] == cache_key(explained["document"])
    assert explained["document"]["body"]["messages"][-1]["content"] == "Hi"
    text = deepsel("ask", "-p", "demo", "Hi", "--explain", "-v").out
    assert f"key {explained['key']} of\n{{\n" in text
    assert deepsel("ask", "-p", "demo", "Hi", "--explain").out.endswith("cache miss\nnothing was sent\n")


def test_the_redis_password_is_in_no_output(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """A server that cannot be reached is one warning without its password; the answer comes all the same."""
    profiles("[cache]\nredis_url = 'redis://me:hush-hush@127.0.0.1:1/0'", one=simulate(text="The answer."))
    ran = deepsel("ask", "Hi", "-v")
    assert (ran.code, ran.out) == (0, "The answer.\n")
    assert ran.err.count("redis://[redacted]@127.0.0.1:1/0") == 1
    stats = deepsel("cache", "list", "-v")
    assert (stats.code, stats.err.count("redis://[redacted]@127.0.0.1:1/0"), len(stats.out.splitlines())) == (0, 1, 2)
    assert "hush" not in ran.err + stats.err
