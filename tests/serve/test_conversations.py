"""A conversation stays with the model that has its prompt in its cache; how it is known, and what the plan says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from serve_sayings import SAYINGS, chat

Profiles = Callable[..., Path]
EXTRA = """
[models.dear]
provider = "one-host"
price = { input = "10", cached_input = "0.1", output = "1" }
features = ["tools"]
context_window = 32000
[models.cheap]
provider = "two-host"
price = { input = "1", cached_input = "1", output = "1" }
features = ["tools"]
context_window = 32000
[profiles.both]
models = ["dear", "cheap"]
strategy = "cheapest"
[profiles.first]
models = ["dear"]
"""
LONG = "All work and no play makes Jack a dull boy. " * 300


PINNED = EXTRA.replace('models = ["dear", "cheap"]', 'models = ["dear", "cheap"]\ntasks = { code = ["dear"] }')


@pytest.fixture
def served(scripted: Any, serve: Any, profiles: Profiles) -> Any:
    """Two hosts, the first of which reports nearly all of each prompt as cached; code is pinned to its model."""

    def cached(request: Any, body: Any, out: Any) -> None:
        usage = {"prompt_tokens": 3100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 3000}}
        message = {"role": "assistant", "content": "Fine."}
        document = {"model": body["model"], "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
        out.whole(200, {"content-type": "application/json"}, json.dumps(document).encode())

    one, two = scripted(cached), scripted(chat(SAYINGS["text"]))
    return serve(profiles(one=f"{one.url}/v1", two=f"{two.url}/v1", extra=PINNED))


def _turn(served: Any, *, profile: str = "both", messages: Any = None, **headers: str) -> tuple[str, str]:
    """Ask one turn; return who answered and why."""
    body = {"model": f"profile:{profile}", "messages": messages or [{"role": "user", "content": LONG}]}
    head = {"x-deepsel-plan": "1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = httpx.post(f"{served.url}/v1/chat/completions", json=body, headers=head, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.headers["x-deepsel-model"], " ".join(json.loads(answer.headers["x-deepsel-plan"])["stay"])


def test_a_single_question_is_no_conversation(served: Any) -> None:
    """It goes where this very prompt is cheapest."""
    assert _turn(served) == ("cheap", "")


def test_by_the_sessions_name(served: Any) -> None:
    """Whoever began it goes on with it while its cache is worth it, and both sums are said; another session begins anew."""
    assert _turn(served, x_deepsel_session="a", x_deepsel_task="code")[0] == "dear"
    model, why = _turn(served, x_deepsel_session="a")
    assert model == "dear"
    assert why.startswith("stays with dear: this turn costs $")
    assert why.count("$") == 2
    assert _turn(served, x_deepsel_session="b")[0] == "cheap"


def test_by_what_does_not_change(served: Any) -> None:
    """System text and first words: the next turn of the same conversation is known, another one is not."""
    first = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": LONG}]
    said = [{"role": "assistant", "content": "Fine."}, {"role": "user", "content": "And now?"}]
    tool = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    body = {"model": "profile:both", "messages": first, "tools": tool}
    head = {"x-deepsel-plan": "1"}

    def why(messages: Any) -> str:
        answer = httpx.post(f"{served.url}/v1/chat/completions", json={**body, "messages": messages}, headers=head, timeout=30)
        return " ".join(json.loads(answer.headers["x-deepsel-plan"])["stay"])

    assert why(first).startswith("begins here")
    assert why(first + said).startswith(("stays with", "moves to"))
    assert why([{"role": "user", "content": "Something else."}, *said]).startswith("begins here")
    call = {"id": "t1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    result = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "t1", "content": "Sun."},
    ]
    assert "just answered" in why(first + result)


def test_the_second_turn_finds_the_first(served: Any) -> None:
    """A first question is judged by itself; who has answered it is known when the conversation goes on."""
    first = [{"role": "user", "content": LONG}]
    assert _turn(served, messages=first) == ("cheap", "")
    said = [{"role": "assistant", "content": "Fine."}, {"role": "user", "content": "And now?"}]
    assert _turn(served, messages=first + said)[1].startswith("stays with cheap")


def test_by_the_id_of_the_answer_before(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """A turn that names the last answer, as the Responses API has it, belongs to its conversation."""

    def answer(request: Any, body: Any, out: Any) -> None:
        usage = {"input_tokens": 3100, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 3000}}
        item = {"type": "message", "id": "m1", "role": "assistant", "status": "completed", "content": [
            {"type": "output_text", "text": "Fine.", "annotations": []}]}  # fmt: skip
        number = len(server.requests)
        head = {"id": f"resp_p{number}", "object": "response", "status": "completed", "model": body["model"]}
        document = {**head, "output": [item], "usage": usage}
        out.whole(200, {"content-type": "application/json"}, json.dumps(document).encode())

    server = scripted(answer)
    place = (f"{server.url}/v1", "openai-responses")
    served = serve(profiles(one=place, two=place, extra=EXTRA))

    def turn(previous: str | None) -> tuple[str, str]:
        body = {"model": "profile:both", "input": LONG, "previous_response_id": previous}
        answered = httpx.post(f"{served.url}/v1/responses", json=body, headers={"x-deepsel-plan": "1"}, timeout=30)
        assert answered.status_code == 200, answered.text
        return answered.json()["id"], " ".join(json.loads(answered.headers["x-deepsel-plan"])["stay"])

    first, none = turn(None)
    assert none == ""
    second, why = turn(first)
    assert why.startswith("stays with")
    assert turn(second)[1].startswith("stays with")
    assert turn("resp_other")[1].startswith("begins here")
