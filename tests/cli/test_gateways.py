"""Gateways as targets: their own options reach them, and what they say they did reaches the record and the log."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deepsel.catalog import Catalog
from deepsel.health.sqlite_state import SqliteState
from deepsel.values import Gateway
from deepsel.wires.gateways import read_gateway

CATALOG = Catalog()

Deepsel = Callable[..., Any]
LITELLM = {
    "x-litellm-call-id": "call-1", "x-litellm-attempted-retries": "1", "x-litellm-attempted-fallbacks": "2",
    "x-litellm-response-cost": "0.00012",
}  # fmt: skip
PORTKEY = {"x-portkey-cache-status": "HIT", "x-portkey-trace-id": "trace-1", "x-portkey-retry-attempt-count": "3"}


@pytest.mark.parametrize(
    ("headers", "gateway"),
    [
        ({}, None),
        ({"x-request-id": "1", "server": "any"}, None),
        (LITELLM, Gateway(Decimal("0.00012"), None, 3, "call-1")),
        ({"x-litellm-cache-key": "abc"}, Gateway(Decimal(0), "HIT")),
        (PORTKEY, Gateway(Decimal(0), "HIT", 3, "trace-1")),
        ({"x-portkey-cache-status": "MISS"}, Gateway(cache_status="MISS")),
        ({"x-openrouter-cache-status": "HIT"}, Gateway(cache_status="HIT")),
        ({"x-portkey-retry-attempt-count": "-1", "x-portkey-trace-id": "t"}, Gateway(trace_id="t")),
        ({"x-openrouter-cache-status": "MISS", "x-generation-id": "gen-1"}, Gateway(None, "MISS", None, "gen-1")),
        ({"x-litellm-response-cost": "-1", "x-portkey-retry-attempt-count": "many"}, Gateway(odd_cost="x-litellm-response-cost")),
        ({"x-portkey-retry-attempt-count": "many"}, None),
    ],
)
def test_headers_are_read(headers: dict[str, str], gateway: Gateway | None) -> None:
    """Each gateway's words become one record; junk and silence are unknown."""
    assert read_gateway(headers) == gateway


@pytest.mark.parametrize(("headers", "retries"), [(LITELLM, 3), (PORTKEY, 3)])
def test_what_a_gateway_did_is_on_record(
    deepsel: Deepsel, simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path, headers: Any, retries: int
) -> None:
    """Retries, cache status and trace id stand in the answer's record and in the log."""
    profiles(one=simulate(headers=headers))
    attempt = deepsel("ask", "Hi", "--json").record()["attempts"][0]
    assert attempt["gateway"]["retries"] == retries
    (row,) = SqliteState(home / "data").since(0).value or []
    assert (row.gateway_retries, row.trace_id) == (retries, attempt["gateway"]["trace_id"])
    assert row.gateway_cache == headers.get("x-portkey-cache-status")
    assert row.host.startswith("127.0.0.1:")


def test_stated_cost_of_a_whole_answer_is_the_bill(
    deepsel: Deepsel, simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """What LiteLLM states for an answer that was not streamed is its cost; of a stream it is only noted."""
    profiles(one=simulate(headers=LITELLM))
    whole = deepsel("ask", "Hi", "--no-cache", "--json", "--no-stream").record()
    assert Decimal(whole["cost_usd"]) == Decimal("0.00012")
    streamed = deepsel("ask", "Hi", "--no-cache", "--json").record()
    assert Decimal(streamed["cost_usd"]) != Decimal("0.00012")
    assert streamed["attempts"][0]["gateway"]["cost_usd"] == "0.00012"


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
@pytest.mark.parametrize(
    ("headers", "cost"),
    [
        ({"x-litellm-cache-key": "abc", "x-litellm-response-cost": "0.0"}, "0"),
        ({"x-litellm-cache-key": "abc"}, "0"),
        ({"x-litellm-cache-key": "abc", "x-litellm-response-cost": "1.2300000000000002e-05"}, "0.0000123"),
        ({"x-portkey-cache-status": "HIT"}, "0"),
        ({"x-portkey-cache-status": "SEMANTIC HIT"}, "0"),
        ({"x-openrouter-cache-status": "HIT"}, "0"),
        ({"x-portkey-cache-status": "SEMANTIC MISS"}, None),
        ({"x-portkey-cache-status": "DISABLED"}, None),
        ({"x-openrouter-cache-status": "MISS"}, None),
    ],
)
def test_an_answer_from_a_gateways_cache_costs_what_it_charged(
    deepsel: Deepsel, simulate: Callable[..., Any], profiles: Callable[..., Path], headers: Any, cost: str | None, stream: str
) -> None:
    """What came out of a gateway's cache asked no model: nothing, or what the gateway states; a miss costs the list price."""
    profiles(one=simulate(headers=headers))
    record = deepsel("ask", "Hi", "--no-cache", "--json", stream).record()
    assert Decimal(record["cost_usd"]) == Decimal(cost) if cost is not None else Decimal(record["cost_usd"]) > 0
    assert "E" not in record["cost_usd"].upper()


def test_a_cost_that_is_a_bound_is_said_to_be_one(
    deepsel: Deepsel, simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """Behind a server that caches prefixes, and whose cached price nobody stated, the cost is known: at most."""
    path = profiles(one=simulate(cached_prefix=True))
    path.write_text(path.read_text().replace('cached_input = "0.1", ', ""))
    question = " ".join(["word"] * 400)
    first, second = (deepsel("ask", question, "--no-cache", "--no-stream") for _ in range(2))
    assert (first.code, second.code) == (0, 0), first.err
    assert "at most" not in first.err
    assert "(384 cached), 64 out · at most $0.000" in second.err
    record = deepsel("ask", question, "--no-cache", "--json").record()
    assert record["usage"]["cached_input_tokens"] > 0
    assert Decimal(record["cost_usd"]) > 0
    assert record["price"]["rule"] == "standard; cached input at most, at the price of input"


def test_openrouter_options_reach_it(deepsel: Deepsel, simulate: Callable[..., Any], home: Path) -> None:
    """Fall-back list, provider preferences and the suffixes of an id are sent word for word; the profile's too."""
    server = simulate()
    (home / "profiles.toml").write_text(
        f'[providers.openrouter]\nbase_url = "{server.base_url}"\napi_key_env = "TEST_KEY"\n'
        'extra_body = { provider = { sort = "latency", require_parameters = true } }\n'
        '[profiles.main]\nmodels = ["openrouter/deepseek/deepseek-flash:floor"]\n'
    )
    ran = deepsel("ask", "Hi", "--param", 'models=["deepseek/deepseek-flash", "mistralai/mistral-large-4"]', "--json")
    assert ran.code == 0, ran.err
    body = server.calls[0].body
    assert body["model"] == "deepseek/deepseek-flash:floor"
    assert body["models"] == ["deepseek/deepseek-flash", "mistralai/mistral-large-4"]
    assert body["provider"] == {"sort": "latency", "require_parameters": True}
    deepsel("ask", "Hi", "--no-cache", "--param", 'provider={"order": ["deepseek"]}', "-m", "openrouter/x/y:nitro")
    assert (server.calls[1].body["model"], server.calls[1].body["provider"]) == ("x/y:nitro", {"order": ["deepseek"]})


def test_a_suffix_keeps_the_limits_and_not_the_price() -> None:
    """`:floor` and `:nitro` choose among hosts: the model behind is known, its price is not."""
    for suffix in (":floor", ":nitro", ""):
        model = CATALOG.find_model(f"openrouter/deepseek/deepseek-flash{suffix}")
        assert model.context_window == 1048576
        assert model.prices == ()
