"""Names of models, headers, the plan, falling back before the first thing is seen, and ends in the middle."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest
from serve_clients import anthropic_client, ask_chat, ask_messages, openai_client
from serve_sayings import SAYINGS, chat

Profiles = Callable[..., Path]
USER = [{"role": "user", "content": "Hi"}]


def _ask(url: str, model: str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{url}/v1/chat/completions", json={"model": model, "messages": USER}, headers=named, timeout=30)


EXTRA = """
[profiles.other]
models = ["two"]
[serve.aliases]
"gpt-4o" = "auto:cheapest"
"my-model" = "two-host/some-id"
"""


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("auto", "one"), ("auto:ordered", "one"), ("auto:cheapest", None), ("profile:other", "two"), ("one", "one"), ("two", "two"),
        ("two-host/any-id", "two-host/any-id"), ("gpt-4o", None), ("my-model", "two-host/some-id"), ("two-2026-10-01", "two"),
    ],
)  # fmt: skip
def test_names(name: str, model: str | None, simulate: Any, serve: Any, profiles: Profiles) -> None:
    """What a client may call a model."""
    served = serve(profiles(one=simulate(), two=simulate(), extra=EXTRA))
    answer = _ask(served.url, name)
    assert answer.status_code == 200, answer.text
    assert model is None or answer.headers["x-deepsel-model"] == model


@pytest.mark.parametrize("name", ["nobody", "auto:slowest", "profile:none", "nowhere/x"])
def test_an_unknown_model_is_404(name: str, simulate: Any, serve: Any, profiles: Profiles) -> None:
    """In each wire's own shape, as its SDK knows it."""
    served = serve(profiles(one=simulate()))
    with pytest.raises(openai.NotFoundError):
        ask_chat(served.url, name, stream=False)
    with pytest.raises(anthropic.NotFoundError):
        ask_messages(served.url, name, stream=False)


def test_headers_say_how_it_went(simulate: Any, serve: Any, profiles: Profiles) -> None:
    """Request id, model, provider, cache, attempts and cost; the plan with its reasons on request."""
    served = serve(profiles(one=simulate(), two=simulate(), extra=EXTRA))
    answer = _ask(served.url, "auto", x_deepsel_plan="1")
    head = answer.headers
    assert (head["x-deepsel-model"], head["x-deepsel-provider"], head["x-deepsel-attempts"]) == ("one", "one-host", "1")
    assert head["x-deepsel-cache"] == "off"
    assert float(head["x-deepsel-cost-usd"]) > 0
    assert head["x-request-id"] == served.logged(1)[0]["id"]
    plan = json.loads(head["x-deepsel-plan"])
    assert [one["model"] for one in plan["candidates"]] == ["one", "two"]
    assert "x-deepsel-plan" not in _ask(served.url, "auto").headers
    assert _ask(served.url, "auto", x_deepsel_profile="other").headers["x-deepsel-model"] == "two"
    assert _ask(served.url, "auto", x_deepsel_task="code").status_code == 200
    assert _ask(served.url, "auto", x_deepsel_task="magic").status_code == 400


@pytest.mark.parametrize("stream", [False, True])
def test_falling_back_before_the_first_word(stream: bool, simulate: Any, serve: Any, profiles: Profiles) -> None:
    """A provider that fails is not seen at all: the next one answers, and the head says two attempts."""
    served = serve(profiles(one=simulate(fault=("500",)), two=simulate(text="Fine.")))
    found = ask_chat(served.url, "auto", stream=stream)
    assert found.text == "Fine."
    line = served.logged(1)[0]
    assert (line["model"], line["attempts"], line["error"]) == ("two", 2, None)


def test_an_end_in_the_middle_is_an_error_and_nobody_else_is_asked(simulate: Any, serve: Any, profiles: Profiles) -> None:
    """What a client has begun to see is not gone on with by another model, and is never called whole."""
    second = simulate(text="Another answer.")
    served = serve(profiles(one=simulate(fault=("cut_mid_event",), output_tokens=40), two=second))
    with pytest.raises(openai.APIError):
        ask_chat(served.url, "auto", stream=True)
    with pytest.raises((anthropic.APIError, httpx.HTTPError)):
        ask_messages(served.url, "auto", stream=True)
    assert len(second.calls) == 0
    assert [line["error"] for line in served.logged(2)] == ["unavailable", "unavailable"]


@pytest.mark.parametrize("retries", [0, 2])
def test_unavailable_is_told_once(retries: int, simulate: Any, serve: Any, profiles: Profiles) -> None:
    """deepsel has tried already: the SDK does not multiply it by asking again."""
    server = simulate(fault=("500",))
    served = serve(profiles(one=server, profile="retries = 1"))
    with pytest.raises(openai.APIStatusError) as caught:
        openai_client(served.url, max_retries=retries).chat.completions.create(model="one", messages=USER)  # type: ignore[arg-type]
    assert caught.value.status_code == 502
    assert len(server.calls) == 2


def test_over_the_cap_is_402_and_nothing_is_sent(simulate: Any, serve: Any, profiles: Profiles) -> None:
    """An error that SDKs do not retry."""
    server = simulate()
    served = serve(profiles(one=server, profile='max_cost_usd = "0.0000001"'))
    with pytest.raises(openai.APIStatusError) as caught:
        openai_client(served.url).chat.completions.create(model="one", messages=USER)  # type: ignore[arg-type]
    assert (caught.value.status_code, caught.value.code) == (402, "insufficient_quota")
    with pytest.raises(anthropic.APIStatusError) as other:
        anthropic_client(served.url).messages.create(model="one", max_tokens=9, messages=USER)  # type: ignore[arg-type]
    assert other.value.status_code == 402
    assert len(server.calls) == 0
    assert len(served.logged(2)) == 2
    assert _ask(serve(profiles(one=server)).url, "one", x_deepsel_max_cost="0.0000001").status_code == 402


def test_n_answers_are_capped_as_n(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """The cap holds at the longest answer, times the number of answers."""
    server = scripted(chat(SAYINGS["text"]))
    served = serve(profiles(one=f"{server.url}/v1", profile='max_cost_usd = "0.001"'))
    body = {"model": "one", "messages": USER, "max_tokens": 300}
    found = [httpx.post(f"{served.url}/v1/chat/completions", json={**body, "n": n}, timeout=30).status_code for n in (1, 2)]
    assert found == [200, 402]


def test_the_cache_does_as_the_client_says(simulate: Any, serve: Any, profiles: Profiles) -> None:
    """`no-store` neither reads nor keeps, `no-cache` asks anew, `only-if-cached` asks nobody."""
    server = simulate(text="One.")
    served = serve(profiles(one=server))

    def ask(control: str) -> str:
        body = {"model": "one", "messages": USER, "temperature": 0}
        return httpx.post(f"{served.url}/v1/chat/completions", json=body, headers={"cache-control": control}, timeout=30).headers.get(
            "x-deepsel-cache", ""
        )

    assert [ask(one) for one in ("only-if-cached", "no-store", "", "", "no-cache", "only-if-cached")] == [
        "miss", "off", "stored", "hit", "stored", "hit",
    ]  # fmt: skip
    assert len(server.calls) == 3
    missed = httpx.post(
        f"{served.url}/v1/chat/completions", json={"model": "one", "messages": [{"role": "user", "content": "New"}], "temperature": 0},
        headers={"cache-control": "only-if-cached"}, timeout=30,
    )  # fmt: skip
    assert (missed.status_code, "--" in missed.text) == (504, False)


def test_models_are_listed_in_either_shape(simulate: Any, serve: Any, profiles: Profiles) -> None:
    """By the SDKs' own iterators, and one by one."""
    served = serve(profiles(one=simulate(), extra=EXTRA, two=simulate()))
    names = [one.id for one in openai_client(served.url).models.list()]
    assert {"auto", "auto:cheapest", "profile:other", "gpt-4o", "one"} <= set(names)
    assert [one.id for one in anthropic_client(served.url).models.list()] == names
    assert openai_client(served.url).models.retrieve("one").owned_by == "one-host"
    assert anthropic_client(served.url).models.retrieve("auto").id == "auto"
    with pytest.raises(openai.NotFoundError):
        openai_client(served.url).models.retrieve("nobody")


def test_tokens_are_counted(simulate: Any, serve: Any, profiles: Profiles) -> None:
    """Claude Code asks at its start; where the provider has no such endpoint they are counted here, exactly or above."""
    served = serve(profiles(one=simulate()))
    counted = anthropic_client(served.url).messages.count_tokens(model="one", messages=USER)  # type: ignore[arg-type]
    assert counted.input_tokens > 1


def test_embeddings_are_passed_on_and_metered(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """The body as it came with the model's id, the answer as it came, and what it cost."""

    def answer(request: Any, body: Any, out: Any) -> None:
        vector = {"object": "embedding", "index": 0, "embedding": [0.5, -0.5]}
        document = {"object": "list", "data": [vector], "model": body["model"], "usage": {"prompt_tokens": 2, "total_tokens": 2}}
        out.whole(200, {"content-type": "application/json"}, json.dumps(document).encode())

    server = scripted(answer)
    served = serve(profiles(one=f"{server.url}/v1"))
    found = openai_client(served.url).embeddings.create(model="one", input="Hi there", encoding_format="float", dimensions=2)
    assert found.data[0].embedding == [0.5, -0.5]
    assert server.requests[0].path == "/v1/embeddings"
    assert server.bodies[0] == {"input": "Hi there", "model": "one", "encoding_format": "float", "dimensions": 2}
    assert served.logged(1)[0]["cost_usd"] > 0
    with pytest.raises(openai.BadRequestError):
        openai_client(served.url).embeddings.create(model="auto", input="Hi")


def test_embeddings_that_are_not_sent_cost_nothing(simulate: Any, serve: Any, profiles: Profiles, deepsel: Any) -> None:
    """Without the provider's key nothing is sent: no call is counted, and the budget is whole."""
    served = serve(profiles(one=simulate(), profile='daily_budget_usd = "0.0001"'), env={"TEST_KEY": ""})
    for number in range(3):
        found = httpx.post(f"{served.url}/v1/embeddings", json={"model": "one", "input": "Hi there"}, timeout=30)
        assert "no key" in found.json()["error"]["message"]
        served.logged(number + 1)
    assert deepsel("stats", "--json").record()["groups"] == []


@pytest.mark.parametrize("value", [[[[1]]], [["a"]], {"a": 1}, [], "", [1, "a"], [True], json.loads("[" * 500 + "]" * 500)])
def test_inputs_nobody_embeds_are_refused(value: Any, simulate: Any, serve: Any, profiles: Profiles) -> None:
    """Text, texts, tokens, or lists of tokens; anything else is 400, however deep it is."""
    served = serve(profiles(one=simulate()))
    found = httpx.post(f"{served.url}/v1/embeddings", json={"model": "one", "input": value}, timeout=30)
    assert (found.status_code, found.json()["error"]["param"]) == (400, "input")


@pytest.mark.parametrize(("path", "shape"), [("/v1/files", "openai"), ("/v1/messages/batches", "anthropic"), ("/nowhere", "openai")])
def test_unknown_paths_are_404_in_shape(path: str, shape: str, simulate: Any, serve: Any, profiles: Profiles) -> None:
    """And a known path with another method is 405."""
    served = serve(profiles(one=simulate()))
    body = httpx.get(served.url + path, timeout=30).json()
    assert ("type" in body) is (shape == "anthropic")
    assert body["error"]["message"]
    assert httpx.get(f"{served.url}/v1/chat/completions", timeout=30).status_code == 405
    assert httpx.get(f"{served.url}/health", timeout=30).json() == {"status": "ok"}


def test_metrics_tell_what_happened(simulate: Any, serve: Any, profiles: Profiles) -> None:
    """Requests, tokens, cost, first sign, errors and what is left of a budget, in Prometheus' text."""
    served = serve(profiles(one=simulate(fault=("500",)), two=simulate(), profile='daily_budget_usd = "5"'))
    ask_chat(served.url, "auto", stream=True)
    served.logged(1)
    page = httpx.get(f"{served.url}/metrics", timeout=30).text
    assert 'deepsel_requests_total{path="/chat/completions",status="200",client=""} 1' in page
    assert 'deepsel_attempt_errors_total{model="one",provider="one-host",class="server"} 1' in page
    assert 'deepsel_ttft_seconds_count{model="two",provider="two-host"} 1' in page
    assert 'deepsel_budget_left_usd{profile="main",period="day"} 4.99' in page


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_ends_the_call(stream: bool, scripted: Any, serve: Any, profiles: Profiles) -> None:
    """Nobody pays for what nobody reads: the provider's connection is closed, and the call stands as cancelled, no fault of its own."""
    import socket
    import threading

    closed = threading.Event()

    def silent(request: Any, body: Any, out: Any) -> None:
        for _ in range(600):
            if out.is_gone():
                closed.set()
                return
            threading.Event().wait(0.05)

    server = scripted(silent)
    served = serve(profiles(one=f"{server.url}/v1", two=f"{server.url}/v1"))
    body = json.dumps({"model": "auto", "messages": USER, "stream": stream}).encode()
    with socket.create_connection(("127.0.0.1", served.port)) as sock:
        sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        while not server.requests:
            threading.Event().wait(0.02)
    assert closed.wait(30)
    line = served.logged(1)[0]
    assert (line["status"], line["error"], line["attempts"]) == (None, "client_left", 1)
    assert len(server.requests) == 1
    rows = served.session.state.since(0).value
    assert rows is not None
    assert [row.outcome for row in rows] == ["cancelled"]
