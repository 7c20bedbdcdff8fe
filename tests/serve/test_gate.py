"""Who may come in: no page of a browser, nobody without a key where keys are set, and no key of ours goes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from serve_clients import anthropic_client, openai_client

from deepsel.errors import ConfigError

Profiles = Callable[..., Path]
USER = [{"role": "user", "content": "Hi"}]
BODY = {"model": "one", "messages": USER}
KEY, OTHER = "deepsel-client-key-0001", "deepsel-client-key-0002"
KEYS = """
[serve.keys.agent]
env = "AGENT_KEY"
daily_budget_usd = "{budget}"
models = ["one"]
[serve.keys.person]
env = "PERSON_KEY"
profile = "main"
"""
ENV = {"AGENT_KEY": KEY, "PERSON_KEY": OTHER}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:3000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-origin"},
        {"host": "evil.example"},
        {"host": "evil.example:8391"},
        {"host": "127.0.0.1.evil.example"},
        {"host": ""},
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_a_page_in_a_browser_spends_nothing(
    headers: dict[str, str], content_type: str, simulate: Any, serve: Any, profiles: Profiles
) -> None:
    """What a browser sends of a page, or a name made to point here, is refused before the body is looked at."""
    server = simulate()
    served = serve(profiles(one=server))
    answer = httpx.post(f"{served.url}/v1/chat/completions", json=BODY, headers={"content-type": content_type, **headers}, timeout=30)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert httpx.options(f"{served.url}/v1/chat/completions", headers=headers, timeout=30).status_code == 403
    assert len(server.calls) == 0


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8391", "127.0.0.2:80"])
def test_names_of_this_machine_are_let_in(host: str, simulate: Any, serve: Any, profiles: Profiles) -> None:
    """By whatever name of loopback, and what Node's fetch says of itself."""
    served = serve(profiles(one=simulate()))
    answer = httpx.post(f"{served.url}/v1/chat/completions", json=BODY, headers={"host": host, "sec-fetch-mode": "cors"}, timeout=30)
    assert answer.status_code == 200


def test_without_its_key_nobody_comes_in(simulate: Any, serve: Any, profiles: Profiles) -> None:
    """Where keys are set, another user's process cannot spend: not without, not with a wrong one, on no path."""
    server = simulate()
    served = serve(profiles(one=server, extra=KEYS.format(budget=1)), env=ENV)
    for headers in ({}, {"authorization": "Bearer wrong"}, {"x-api-key": KEY[:-1]}, {"authorization": KEY[:8]}):
        for path in ("/v1/chat/completions", "/v1/messages"):
            assert httpx.post(served.url + path, json=BODY, headers=headers, timeout=30).status_code == 401
        assert httpx.get(f"{served.url}/metrics", headers=headers, timeout=30).status_code == 401
    assert len(server.calls) == 0
    with pytest.raises(openai.AuthenticationError):
        openai_client(served.url, api_key="wrong-key").chat.completions.create(model="one", messages=USER)  # type: ignore[arg-type]
    assert openai_client(served.url, api_key=KEY).chat.completions.create(model="one", messages=USER).id  # type: ignore[arg-type]
    assert anthropic_client(served.url, api_key=OTHER).messages.create(model="one", max_tokens=9, messages=USER).id  # type: ignore[arg-type]
    assert {line["client"] for line in served.logged(14)} == {None, "agent", "person"}
    assert not any(secret in str((line, served.url)) for line in served.lines for secret in (KEY, OTHER))


def test_a_key_may_use_what_it_is_for(simulate: Any, serve: Any, profiles: Profiles) -> None:
    """Its models alone, and its profile alone."""
    extra = KEYS.format(budget=1) + '[profiles.other]\nmodels = ["two"]\n'
    served = serve(profiles(one=simulate(), two=simulate(), extra=extra), env=ENV)

    def status(key: str, model: str, **headers: str) -> int:
        head = {"authorization": f"Bearer {key}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        body = {"model": model, "messages": USER}
        return httpx.post(f"{served.url}/v1/chat/completions", json=body, headers=head, timeout=30).status_code

    assert [status(KEY, "one"), status(KEY, "auto"), status(KEY, "two"), status(KEY, "profile:other")] == [200, 200, 403, 403]
    assert [status(OTHER, "two"), status(OTHER, "profile:other"), status(OTHER, "auto", x_deepsel_profile="other")] == [200, 403, 403]


def test_a_client_has_a_budget_of_its_own(simulate: Any, serve: Any, profiles: Profiles, deepsel: Any) -> None:
    """What it may spend a day holds at the longest answer; another client goes on, and `stats --by client` tells who spent what."""
    server = simulate(output_tokens=900)
    served = serve(profiles(one=server, extra=KEYS.format(budget="0.0045")), env=ENV)

    def ask(key: str) -> int:
        head = {"authorization": f"Bearer {key}"}
        body = {**BODY, "max_tokens": 1000}
        return httpx.post(f"{served.url}/v1/chat/completions", json=body, headers=head, timeout=30).status_code

    found = []
    for number in range(4):
        found.append(ask(KEY))
        served.logged(number + 1)
    assert found == [200, 200, 402, 402]
    assert ask(OTHER) == 200
    served.logged(5)
    groups = {one["key"]: one for one in deepsel("stats", "--by", "client", "--json").record()["groups"]}
    assert (groups["agent"]["requests"], groups["person"]["requests"]) == (2, 1)
    page = httpx.get(f"{served.url}/metrics", headers={"x-api-key": OTHER}, timeout=30).text
    assert 'deepsel_budget_left_usd{client="agent",period="day"} 0.000' in page


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.com", "::"])
def test_an_address_that_others_reach_needs_keys(host: str, simulate: Any, serve: Any, profiles: Profiles) -> None:
    """Nothing is opened without."""
    with pytest.raises(ConfigError, match="can be reached by others"):
        serve(profiles(one=simulate()), host=host)


def test_with_keys_it_may_listen_elsewhere(simulate: Any, serve: Any, profiles: Profiles) -> None:
    """And is asked by whatever name."""
    served = serve(profiles(one=simulate(), extra=KEYS.format(budget=1)), env=ENV, host="0.0.0.0")
    head = {"x-api-key": KEY, "host": "box.example"}
    assert httpx.post(f"http://127.0.0.1:{served.port}/v1/chat/completions", json=BODY, headers=head, timeout=30).status_code == 200


@pytest.mark.parametrize("key", ["", "short"])
def test_a_missing_key_is_told(key: str, simulate: Any, serve: Any, profiles: Profiles) -> None:
    """By the variable's name, never the key."""
    with pytest.raises(ConfigError, match="AGENT_KEY") as caught:
        serve(profiles(one=simulate(), extra=KEYS.format(budget=1)), env={"PERSON_KEY": OTHER, "AGENT_KEY": key})
    assert "short" not in caught.value.message or key == "short"


def test_a_key_is_in_no_answer(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """A provider that says our key back has it taken out, in a body that is passed on and in an error."""

    def answer(request: Any, body: Any, out: Any) -> None:
        if body["messages"][0]["content"] == "fail":
            out.whole(401, {}, b'{"error":{"message":"bad key sk-test-0123456789"}}')
        else:
            out.whole(
                200,
                {"content-type": "application/json"},
                b'{"id":"sk-test-0123456789","model":"m","choices":[{"index":0,"finish_reason":"stop",'
                b'"message":{"role":"assistant","content":"Fine."}}]}',
            )

    served = serve(profiles(one=f"{scripted(answer).url}/v1"))
    for content in ("fail", "Hi"):
        body = {"model": "one", "messages": [{"role": "user", "content": content}]}
        told = httpx.post(f"{served.url}/v1/chat/completions", json=body, timeout=30)
        assert "0123456789" not in told.text + str(told.headers)
    assert told.json()["id"] == "[redacted]"
