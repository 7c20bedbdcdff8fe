"""Clients of the Responses API: what goes on as it came, what is translated, and what only their own wire can carry."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from serve_clients import openai_client
from serve_responses import ALL_PROVIDERS, responses
from serve_sayings import SAYINGS, Saying, chat, messages

Profiles = Callable[..., Path]
WIRE = "openai-responses"
PATH = "/v1/responses"
ASKED: dict[str, Any] = {"model": "one", "input": "Hi"}
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object"}}


def post(url: str, body: Any, path: str = PATH) -> httpx.Response:
    return httpx.post(url + path, json=body, timeout=30)


def test_a_body_of_its_own_wire_goes_on_as_it_came(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """Items, tools and members that nobody here knows reach the provider; the bound is never over what was judged."""
    server = scripted(responses(SAYINGS["text"]))
    served = serve(profiles(one=(f"{server.url}/v1", WIRE)))
    body = {
        **ASKED,
        "input": [{"type": "item_reference", "id": "msg_1"}, {"role": "user", "content": "Hi"}],
        "tools": [{"type": "web_search"}],
        "previous_response_id": "resp_0",
        "include": ["web_search_call.results"],
        "tomorrows_member": {"deep": [None]},
    }
    answer = post(served.url, body)
    assert answer.json()["new_member"] == {"kept": True}
    assert server.bodies == [{**body, "max_output_tokens": 4096}]
    post(served.url, {**body, "max_output_tokens": 9_999})
    assert server.bodies[1]["max_output_tokens"] == 4096


def test_translated_reasoning_goes_back_to_none(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """What another provider thought came with an id that no host of this wire knows; its own goes back as it came."""
    thinker, server = scripted(chat(SAYINGS["thinking"])), scripted(responses(SAYINGS["text"]))
    served = serve(profiles(one=(f"{server.url}/v1", WIRE), two=f"{thinker.url}/v1"))
    first = post(served.url, {**ASKED, "model": "two"}).json()["output"]
    assert [item["type"] for item in first] == ["reasoning", "message"]
    own = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "xyz"}
    said = {"role": "user", "content": "And?"}
    post(served.url, {**ASKED, "input": [*first, own, said]})
    assert server.bodies[0]["input"] == [first[1], own, said]


def test_a_streams_events_come_as_they_are(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """Every event of the provider's stream reaches the client word for word, and it is metered."""
    server = scripted(responses(SAYINGS["two calls after words"]))
    served = serve(profiles(one=(f"{server.url}/v1", WIRE)))
    body = {**ASKED, "stream": True}
    assert post(served.url, body).text == post(server.url, body).text
    assert served.logged(1)[0]["cost_usd"] is not None


AGENTS_BODY: dict[str, Any] = {
    "model": "one",
    "instructions": "Be brief.",
    "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Weather in Rome?"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "xyz"},
        {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
         "content": [{"type": "output_text", "text": "Let me see.", "annotations": []}]},
        {"type": "function_call", "id": "fc_1", "status": "completed", "call_id": "c1", "name": "look", "arguments": '{"city":"Rome"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "Sun."},
    ],
    "tools": [TOOL],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "reasoning": {"effort": "high", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "store": False,
    "stream": False,
    "max_output_tokens": 77,
    "prompt_cache_key": "k",
    "client_metadata": {"installation": "i"},
}  # fmt: skip
"""As a coding agent sends its second turn."""


def test_an_agents_turn_reaches_chat(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """Instructions, items, tools and wishes are a chat's own; what was encrypted for another provider is left out."""
    server = scripted(chat(SAYINGS["one call"]))
    served = serve(profiles(one=f"{server.url}/v1"))
    answer = post(served.url, AGENTS_BODY).json()
    assert [item["type"] for item in answer["output"]] == ["function_call"]
    body = server.bodies[0]
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"city":"Rome"}'}}
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Rome?"},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "Sun."},
    ]
    assert body["tools"] == [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    assert (body["tool_choice"], body["parallel_tool_calls"], body["reasoning_effort"]) == ("required", False, "high")
    assert body["max_tokens"] == 77
    assert not {"include", "client_metadata", "store", "reasoning", "input", "instructions"} & body.keys()


def test_an_agents_turn_reaches_messages(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """The same turn in Anthropic's form."""
    server = scripted(messages(SAYINGS["text"]))
    served = serve(profiles(one=(server.url, "anthropic-messages")))
    assert post(served.url, AGENTS_BODY).status_code == 200
    body = server.bodies[0]
    assert (body["system"], body["max_tokens"]) == ("Be brief.", 77)
    assert [block["type"] for block in body["messages"][1]["content"]] == ["text", "tool_use"]
    assert body["messages"][2]["content"] == [{"type": "tool_result", "tool_use_id": "c1", "content": "Sun."}]
    assert body["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert body["output_config"] == {"effort": "high"}


def test_chat_and_messages_reach_responses(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """Conversations of the other two wires become items, their wishes this wire's members; nothing is stored there."""
    server = scripted(responses(SAYINGS["text"]))
    served = serve(profiles(one=(f"{server.url}/v1", WIRE)))
    openai_client(served.url).chat.completions.create(
        model="one",
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        max_completion_tokens=77,
        reasoning_effort="low",
        tools=[{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
        tool_choice={"type": "function", "function": {"name": "look"}},
        parallel_tool_calls=False,
        safety_identifier="u-1",
    )
    assert server.bodies[0] == {
        "model": server.bodies[0]["model"],
        "input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "stream": False,
        "store": False,
        "max_output_tokens": 77,
        "reasoning": {"effort": "low"},
        "tools": [{**TOOL, "strict": False}],
        "tool_choice": {"type": "function", "name": "look"},
        "parallel_tool_calls": False,
        "user": "u-1",
    }
    thinking = {"model": "one", "max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024},
                "messages": [{"role": "user", "content": "Hi"}]}  # fmt: skip
    assert post(served.url, thinking, "/v1/messages").status_code == 200
    assert (server.bodies[1]["reasoning"], server.bodies[1]["max_output_tokens"]) == ({"effort": "low"}, 2000)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"previous_response_id": "resp_0"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"tools": [{"type": "web_search"}]}, "web_search"),
        ({"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}}, "tool_choice"),
        ({"include": ["message.output_text.logprobs"]}, "include"),
        ({"truncation": "auto"}, "truncation"),
        ({"input": None}, "input"),
        ({"text": {"verbosity": "low"}}, "text"),
        ({"text": {"format": {"type": "json_object"}}}, "text.format"),
        ({"input": [{"type": "computer_call", "id": "x"}, {"role": "user", "content": "Hi"}]}, "computer_call"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file_1"}]}]}, "file_id"),
    ],
)
@pytest.mark.parametrize("wire", ["openai-chat", "anthropic-messages"])
def test_what_another_wire_cannot_carry_is_refused_by_name(
    more: dict[str, Any], named: str, wire: str, scripted: Any, serve: Any, profiles: Profiles
) -> None:
    """Nothing is dropped in silence: 400 names it, and nobody is asked."""
    server = scripted(ALL_PROVIDERS[wire](SAYINGS["text"]))
    served = serve(profiles(one=(server.url if wire == "anthropic-messages" else f"{server.url}/v1", wire)))
    answer = post(served.url, {**ASKED, **more})
    assert answer.status_code == 400
    assert named in answer.json()["error"]["message"]
    assert server.requests == []


@pytest.mark.parametrize(("edit", "status"), [("clear_thinking_20251015", 200), ("clear_tool_uses_20250919", 400)])
def test_clearing_of_thinking_binds_nothing(edit: str, status: int, scripted: Any, serve: Any, profiles: Profiles) -> None:
    """A coding agent's wish about thinking, which goes to no other wire anyway, is no reason to refuse; one about tools is."""
    served = serve(profiles(one=f"{scripted(chat(SAYINGS['text'])).url}/v1"))
    asked = {"model": "one", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}],
             "context_management": {"edits": [{"type": edit, "keep": "all"}]}}  # fmt: skip
    assert post(served.url, asked, "/v1/messages").status_code == status


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/v1/chat/completions", {"model": "one", "messages": [{"role": "user", "content": "Hi"}], "stop": "END"}, "`stop`"),
        ("/v1/messages", {"model": "one", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "stop_sequences": ["E"]},
         "`stop_sequences`"),
    ],
)  # fmt: skip
def test_stop_texts_have_no_form_there(
    path: str, body: Any, named: str, scripted: Any, serve: Any, profiles: Profiles
) -> None:
    """A candidate that cannot be told where to stop is refused; another one on a wire that can is asked."""
    server, other = scripted(responses(SAYINGS["text"])), scripted(chat(SAYINGS["text"]))
    served = serve(profiles(one=(f"{server.url}/v1", WIRE), two=f"{other.url}/v1"))
    answer = post(served.url, body, path)
    assert (answer.status_code, named in answer.text) == (400, True)
    assert post(served.url, {**body, "model": "auto"}, path).headers["x-deepsel-model"] == "two"
    assert server.requests == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": 5, "input": "Hi"}, "model"),
        ({**ASKED, "max_output_tokens": 0}, "max_output_tokens"),
        ({**ASKED, "input": 5}, "input"),
        ({**ASKED, "instructions": ["a"]}, "instructions"),
        ({**ASKED, "background": True}, "background"),
        ({**ASKED, "reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({**ASKED, "text": {"format": {"type": "json_schema"}}}, "text.format"),
    ],
)
def test_a_bad_body_is_told_in_the_wires_shape(
    body: Any, param: str, scripted: Any, serve: Any, profiles: Profiles
) -> None:
    """400 with the member it is about."""
    server = scripted(responses(SAYINGS["text"]))
    served = serve(profiles(one=(f"{server.url}/v1", WIRE)))
    answer = post(served.url, body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert server.requests == []


def test_a_schema_is_kept_to(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """The form that was asked for is held against the answer of a model that has none of its own."""
    server = scripted(chat(Saying(('{"n": ', "1}"))))
    served = serve(profiles(one=f"{server.url}/v1"))
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
    form = {"format": {"type": "json_schema", "name": "x", "schema": schema, "strict": True}}
    answer = post(served.url, {**ASKED, "text": form}).json()
    assert json.loads(answer["output"][0]["content"][0]["text"]) == {"n": 1}


def test_counts(simulate: Any, serve: Any, profiles: Profiles) -> None:
    """A prompt's tokens are told, of nothing too, on the path of the SDK."""
    served = serve(profiles(one=simulate()))
    client = openai_client(served.url)
    some = client.responses.input_tokens.count(model="one", input="Tell me about the sea.", instructions="Be brief.").input_tokens
    assert some > client.responses.input_tokens.count(model="one").input_tokens


def test_a_provider_that_counts_is_asked(simulate: Any, serve: Any, profiles: Profiles) -> None:
    """Where the provider's wire has a count endpoint the number is the provider's own, for clients of each wire that asks."""
    server = simulate()
    served = serve(profiles(one=(server, WIRE)))
    assert post(served.url, {**ASKED, "input": "x" * 400}, f"{PATH}/input_tokens").json()["input_tokens"] == 100
    said = {"model": "one", "messages": [{"role": "user", "content": "x" * 400}]}
    assert post(served.url, said, "/v1/messages/count_tokens").json() == {"input_tokens": 100}
    assert [call.path for call in server.calls] == ["/v1/responses/input_tokens"] * 2


def test_an_error_in_the_middle_reaches_the_sdk(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """A stream that breaks off is an error for the client, after what has come; it is never shown as whole."""

    def broken(_request: Any, _body: Any, out: Any) -> None:
        out.begin(200, {"content-type": "text/event-stream"})
        out.write(b'data: {"choices": [{"index": 0, "delta": {"content": "Half of"}}]}\n\n')
        out.end(b"")

    served = serve(profiles(one=f"{scripted(broken).url}/v1"))
    pieces = []
    with pytest.raises(openai.APIError, match="without a finish value"):  # noqa: PT012 - it comes while the pieces are read
        for event in openai_client(served.url, max_retries=0).responses.create(model="one", input="Hi", stream=True):
            pieces += [event.delta] if event.type == "response.output_text.delta" else []
    assert pieces == ["Half of"]
