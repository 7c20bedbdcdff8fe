"""Each pair of a client's wire and a provider's says the same, whole and streamed, by the makers' own SDKs over real sockets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from serve_clients import Understood
from serve_responses import ALL_CLIENTS, ALL_PROVIDERS
from serve_sayings import CACHED, READ, SAYINGS, WROTE, Saying

Profiles = Callable[..., Path]


def _expected(saying: Saying) -> Understood:
    calls = tuple((i, n, json.loads(a)) for i, n, a in saying.calls)
    return Understood(saying.text, "".join(saying.reasoning), calls, saying.finish, (READ + CACHED, CACHED, WROTE))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", SAYINGS)
@pytest.mark.parametrize("provider", ALL_PROVIDERS)
@pytest.mark.parametrize("client", ALL_CLIENTS)
def test_a_pair_says_the_same(
    client: str, provider: str, name: str, stream: bool, scripted: Any, serve: Any, profiles: Profiles
) -> None:
    """Text, thinking, tool calls, finish and usage are those of the provider, whatever wire the client speaks."""
    saying = SAYINGS[name]
    server = scripted(ALL_PROVIDERS[provider](saying))
    base = server.url if provider == "anthropic-messages" else f"{server.url}/v1"
    served = serve(profiles(one=(base, provider)))
    assert ALL_CLIENTS[client](served.url, "one", stream=stream, tools=bool(saying.calls)) == _expected(saying)
    assert len(server.requests) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("client", ALL_CLIENTS)
def test_an_answer_from_the_cache_says_the_same(client: str, stream: bool, simulate: Any, serve: Any, profiles: Profiles) -> None:
    """What asks for the same answer each time is asked once; the second one is told so in the head."""
    server = simulate(text="Once and for all.")
    served = serve(profiles(one=server))
    found = [ALL_CLIENTS[client](served.url, "one", stream=stream, extra_body={"temperature": 0}) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0].text == "Once and for all."
    assert len(server.calls) == 1
    lines = served.logged(2)
    assert [line["cache"] for line in lines] == ["stored", "hit"]
    assert lines[1]["cost_usd"] == 0
