"""A body of the provider's own wire goes on as it came and its answer comes back as it is; another wire is translated or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from serve_clients import anthropic_client, openai_client
from serve_sayings import PROVIDERS, SAYINGS, chat, messages

Profiles = Callable[..., Path]
CHAT = {"model": "one", "messages": [{"role": "user", "content": "Hi"}]}
MESSAGES = {"model": "one", "max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]}


def _post(url: str, path: str, body: Any, **headers: str) -> httpx.Response:
    return httpx.post(url + path, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()}, timeout=30)


def test_unknown_members_go_and_come(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """A member that nobody here knows reaches the provider, and one of the answer reaches the client; only what is ours is written anew."""
    server = scripted(chat(SAYINGS["text"]))
    served = serve(profiles(one=f"{server.url}/v1"))
    body = {**CHAT, "max_tokens": 50, "tomorrows_member": {"deep": [1, None, "ü"]}, "logprobs": True, "n": 1, "temperature": 0.3}
    answer = _post(served.url, "/v1/chat/completions", body)
    assert answer.json()["new_member"] == {"kept": True}
    assert server.bodies == [body]


def test_a_streams_events_come_as_they_are(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """Every event of the provider's stream reaches the client word for word; the usage it has not asked for does not."""
    server = scripted(chat(SAYINGS["one call"]))
    served = serve(profiles(one=f"{server.url}/v1"))
    own = _post(server.url, "/v1/chat/completions", {**CHAT, "stream": True})
    assert _post(served.url, "/v1/chat/completions", {**CHAT, "stream": True}).text == own.text
    assert server.bodies[1]["stream_options"] == {"include_usage": True}
    served.logged(1)
    assert served.lines[0]["cost_usd"] is not None


def test_the_anthropic_beta_header_goes_with_the_body(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """What switches a provider's new ways on goes to it; the client's key does not, and our own key stands in its place."""
    server = scripted(messages(SAYINGS["text"]))
    served = serve(profiles(one=(server.url, "anthropic-messages")))
    answer = _post(served.url, "/v1/messages?beta=true", MESSAGES, anthropic_beta="tools-2099", x_api_key="sk-client-1234", cookie="a=b")
    assert answer.status_code == 200
    sent = server.requests[0].headers
    assert sent["anthropic-beta"] == "tools-2099"
    assert "sk-client-1234" not in str(sent)
    assert "cookie" not in sent
    assert "sk-test-0123456789" in str(sent)
    assert "sk-test" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    ("path", "body", "wire", "param"),
    [
        ("/v1/chat/completions", {**CHAT, "n": 2}, "anthropic-messages", "n"),
        ("/v1/chat/completions", {**CHAT, "logprobs": True}, "anthropic-messages", "logprobs"),
        ("/v1/chat/completions", {**CHAT, "prediction": {"type": "content", "content": "x"}}, "anthropic-messages", "prediction"),
        ("/v1/messages", {**MESSAGES, "top_k": 5}, "openai-chat", "top_k"),
        ("/v1/messages", {**MESSAGES, "tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "openai-chat", None),
    ],
)
def test_what_another_wire_cannot_carry_is_refused_by_name(
    path: str, body: Any, wire: str, param: str | None, scripted: Any, serve: Any, profiles: Profiles
) -> None:
    """Nothing is dropped in silence: 400 names the member, and nobody is asked."""
    server = scripted(PROVIDERS[wire](SAYINGS["text"]))
    base = f"{server.url}/v1" if wire == "openai-chat" else server.url
    served = serve(profiles(one=(base, wire)))
    answer = _post(served.url, path, body)
    assert answer.status_code == 400
    assert (param or "web_search") in answer.text
    assert answer.headers["x-should-retry"] == "false"
    assert server.requests == []


def test_it_goes_to_who_can_carry_it(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """Of two candidates the one of the client's own wire is asked where only it can take a member, though it is the second."""
    other, own = scripted(messages(SAYINGS["text"])), scripted(chat(SAYINGS["text"]))
    served = serve(profiles(other=(other.url, "anthropic-messages"), own=f"{own.url}/v1"))
    assert _post(served.url, "/v1/chat/completions", {**CHAT, "model": "auto"}).headers["x-deepsel-model"] == "other"
    assert _post(served.url, "/v1/chat/completions", {**CHAT, "model": "auto", "n": 2}).headers["x-deepsel-model"] == "own"


def test_a_conversation_with_everything_is_translated(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """System, tools, calls, results, a picture, stop texts and marks of a cache reach a provider of the other wire in its own form."""
    server = scripted(chat(SAYINGS["text"]))
    served = serve(profiles(one=f"{server.url}/v1", extra='[models.seeing]\nprovider = "one-host"\nfeatures = ["tools", "images"]'))
    mark = {"cache_control": {"type": "ephemeral"}}
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    anthropic_client(served.url).messages.create(
        model="seeing",
        max_tokens=60,
        system=[{"type": "text", "text": "Be brief.", **mark}],
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "Look.", **mark}, picture]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look", "input": {"city": "Rome"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "Sun.", **mark}]},
        ],
        tools=[{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}, **mark}],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        stop_sequences=["END"],
        metadata={"user_id": "u-1"},
    )
    body = server.bodies[0]
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert body["messages"][1]["content"][1] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    assert body["messages"][2]["tool_calls"][0]["function"] == {"name": "look", "arguments": '{"city":"Rome"}'}
    assert body["messages"][3] == {"role": "tool", "tool_call_id": "t1", "content": "Sun."}
    assert (body["tool_choice"], body["parallel_tool_calls"], body["stop"], body["user"]) == ("required", False, ["END"], "u-1")
    assert body["tools"] == [{"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}}]
    assert "cache_control" not in json.dumps(body)


def test_wishes_of_chat_are_translated(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """Effort, stop texts, the user and a named tool reach Anthropic's wire in its words; the bound is the client's."""
    server = scripted(messages(SAYINGS["text"]))
    served = serve(profiles(one=(server.url, "anthropic-messages")))
    openai_client(served.url).chat.completions.create(
        model="one",
        messages=[{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        max_completion_tokens=77,
        reasoning_effort="high",
        stop="END",
        safety_identifier="u-1",
        tools=[{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
        tool_choice={"type": "function", "function": {"name": "look"}},
        parallel_tool_calls=False,
    )
    body = server.bodies[0]
    assert (body["system"], body["max_tokens"], body["stop_sequences"]) == ("Be brief.", 77, ["END"])
    assert (body["thinking"], body["output_config"]) == ({"type": "adaptive"}, {"effort": "high"})
    assert body["tool_choice"] == {"type": "tool", "name": "look", "disable_parallel_tool_use": True}
    assert body["metadata"] == {"user_id": "u-1"}


def test_the_bound_is_never_over_what_was_judged(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """A client that names no bound gets the model's own; one over it is cut to it, in the body that goes on."""
    server = scripted(chat(SAYINGS["text"]))
    served = serve(profiles(one=f"{server.url}/v1"))
    _post(served.url, "/v1/chat/completions", CHAT)
    _post(served.url, "/v1/chat/completions", {**CHAT, "max_completion_tokens": 9_999})
    assert [body.get("max_tokens") or body.get("max_completion_tokens") for body in server.bodies] == [4096, 4096]


def test_nothing_is_set_that_the_client_has_not_asked_for(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """Unlike `ask`, no temperature and no seed of the profile's: a client gets the provider's own."""
    chats, others = scripted(chat(SAYINGS["text"])), scripted(messages(SAYINGS["text"]))
    served = serve(profiles(one=f"{chats.url}/v1", two=(others.url, "anthropic-messages")))
    _post(served.url, "/v1/chat/completions", {**CHAT, "model": "one"})
    _post(served.url, "/v1/chat/completions", {**CHAT, "model": "two"})
    assert not {"temperature", "seed"} & (chats.bodies[0].keys() | others.bodies[0].keys())


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"model": 3}', b'{"model": "one"}', b'{"model":"one","messages":"Hi"}', b"\xff"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/messages"])
def test_a_bad_body_is_told_in_the_wires_shape(path: str, body: bytes, scripted: Any, serve: Any, profiles: Profiles) -> None:
    """400, the member where there is one, and nobody is asked."""
    server = scripted(chat(SAYINGS["text"]))
    served = serve(profiles(one=f"{server.url}/v1"))
    answer = httpx.post(served.url + path, content=body, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert server.requests == []


def test_a_schema_is_kept_to(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """A model without schemas of its own is asked in words, and its answer is held against the schema all the same."""
    from serve_sayings import Saying

    server = scripted(chat(Saying(('{"n": ', "1}"))))
    served = serve(profiles(one=f"{server.url}/v1"))
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    answer = openai_client(served.url).chat.completions.create(
        model="one", messages=[{"role": "user", "content": "Hi"}], response_format=form  # type: ignore[arg-type]
    )
    assert json.loads(answer.choices[0].message.content or "") == {"n": 1}
    assert "response_format" not in server.bodies[0]
    assert "JSON Schema" in server.bodies[0]["messages"][0]["content"]
    wrong = {**schema, "required": ["m"]}
    with pytest.raises(openai.APIStatusError) as caught:
        openai_client(served.url, max_retries=0).chat.completions.create(
            model="one",
            messages=[{"role": "user", "content": "Hi"}],
            response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": wrong}},  # type: ignore[typeddict-item]
        )
    assert caught.value.status_code == 502


@pytest.mark.parametrize("wire", PROVIDERS)
def test_each_piece_is_there_before_the_next_is_made(wire: str, scripted: Any, serve: Any, profiles: Profiles) -> None:
    """What has come at once is written at once, but nothing waits for what comes later: the provider goes on when the client has read."""
    import threading

    seen = threading.Semaphore(0)

    def answer(request: Any, body: Any, out: Any) -> None:
        write = out.write

        def patient(data: bytes) -> None:
            write(data)
            if b"Hel" in data or b"lo " in data:
                assert seen.acquire(timeout=30)

        out.write = patient
        PROVIDERS[wire](SAYINGS["text"])(request, body, out)

    base = scripted(answer).url
    served = serve(profiles(one=(f"{base}/v1" if wire == "openai-chat" else base, wire)))
    text = ""
    for chunk in openai_client(served.url).chat.completions.create(model="one", messages=CHAT["messages"], stream=True):  # type: ignore[call-overload]
        if chunk.choices and (piece := chunk.choices[0].delta.content):
            text += piece
            seen.release()
    assert text == SAYINGS["text"].text


def test_thinking_of_another_provider_goes_back_to_none(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """What bears no signature was translated, and would be refused; what bears one goes on as it came."""
    server = scripted(messages(SAYINGS["text"]))
    served = serve(profiles(one=(server.url, "anthropic-messages")))
    text, signed = {"type": "text", "text": "Four."}, {"type": "thinking", "thinking": "2+2", "signature": "sig"}
    unsigned = {**signed, "signature": ""}
    said = {"role": "assistant", "content": [unsigned, signed, text]}
    turns = [{"role": "user", "content": "2+2?"}, said, {"role": "user", "content": "Sure?"}]
    assert _post(served.url, "/v1/messages", {**MESSAGES, "messages": turns}).status_code == 200
    assert [turn["content"] for turn in server.bodies[0]["messages"]] == ["2+2?", [signed, text], "Sure?"]
