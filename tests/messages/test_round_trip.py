"""What is read is what is sent: a list of messages comes out of its own wire as it went into the reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.messages.chat import read_messages
from deepsel.messages.forms import wires_needed
from deepsel.messages.lines import read_line
from deepsel.messages.responses import read_input
from deepsel.messages.tools import read_tool_choice, read_tools
from deepsel.values import Message, Model, Provider, Request
from deepsel.wires.table import wire_names, wire_of

words = st.text(max_size=6)
names = st.text("abcdef", min_size=1, max_size=4)
values = st.none() | st.booleans() | st.integers(-5, 5) | words | st.lists(st.integers(), max_size=2)
unknown = st.dictionaries(st.sampled_from(["x_new", "cache_control", "citations"]), values, max_size=2)
urls = st.sampled_from(["data:image/png;base64,AAAA", "https://example.org/a.png"])


def made(**members: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of these members and some that nobody knows."""
    fixed = {name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in members.items()}
    return st.tuples(unknown, st.fixed_dictionaries(fixed)).map(lambda both: both[0] | both[1])


def content(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Any]:
    """A text, or a list that is not one bare text, which is sent as the text it is."""
    listed = st.lists(st.one_of(*parts), min_size=1, max_size=4)
    return words | listed.filter(lambda made: len(made) > 1 or set(made[0]) != {"type", "text"})


text = made(type="text", text=words)
picture = made(type="image_url", image_url=st.fixed_dictionaries({"url": urls}, optional={"detail": words}))
file = made(
    type="file",
    file=st.fixed_dictionaries(
        {"file_data": st.just("data:application/pdf;base64,AA==")}, optional={"filename": names}
    ),
)
chunk = made(type="thinking", thinking=st.lists(made(type="text", text=words), max_size=2))
function = st.fixed_dictionaries({"name": names, "arguments": words}, optional={"x_new": values})
call = made(id=names, type="function", function=function)
openai = st.one_of(
    made(role=st.sampled_from(["system", "developer", "user"]), content=content(text, picture, file), name=names),
    made(role="user", content=content(text, picture)),
    made(role="assistant", content=content(text, chunk), refusal=st.none()),
    made(role="assistant", content=words, reasoning_content=words.filter(bool)),
    made(role="assistant", content=words, reasoning=words.filter(bool), reasoning_details=st.just([{"data": "x"}])),
    made(role="assistant", content=st.none() | content(text), tool_calls=st.lists(call, min_size=1, max_size=3)),
    made(role="assistant", content=st.none() | words, function_call=function),
    made(role="tool", tool_call_id=names, content=content(text)),
    st.fixed_dictionaries({"role": st.just("function"), "name": names, "content": words}),
)

base64 = st.fixed_dictionaries(
    {"type": st.just("base64"), "media_type": st.just("image/png"), "data": words}, optional={"x_new": values}
)
link = st.fixed_dictionaries({"type": st.just("url"), "url": st.just("https://example.org/a")})
plain = st.fixed_dictionaries({"type": st.just("text"), "media_type": st.just("text/plain"), "data": words})
image = made(type="image", source=base64 | link)
document = made(type="document", source=base64 | link | plain, title=names)
inputs = st.dictionaries(names, values, max_size=2)
result = made(type="tool_result", tool_use_id=names, content=content(text, image, document), is_error=st.booleans())
bare_result = st.fixed_dictionaries({"type": st.just("tool_result"), "tool_use_id": names})
thought = st.fixed_dictionaries({"type": st.just("thinking"), "thinking": words, "signature": words})
redacted = st.fixed_dictionaries({"type": st.just("redacted_thinking"), "data": words})
anthropic = st.one_of(
    made(role="user", content=content(text, image, document, result, bare_result)),
    made(
        role="assistant",
        content=content(text, made(type="tool_use", id=names, name=names, input=inputs), thought, redacted),
    ),
)

said = made(type=st.sampled_from(["input_text", "output_text"]), text=words)
shown = made(type="input_image", image_url=urls, detail=st.sampled_from(["auto", "low"]))
given_file = made(type="input_file", file_data=st.just("data:application/pdf;base64,AA=="), filename=names)
files = given_file | made(type="input_file", file_url=st.just("https://example.org/a.pdf"))
output = made(type="output_text", text=words, annotations=st.just([])) | made(type="refusal", refusal=words)
responses = st.one_of(
    made(role=st.sampled_from(["system", "developer", "user"]), content=words | st.lists(said | shown | files, min_size=1)),
    made(role="assistant", content=words | st.lists(output, min_size=1, max_size=3)),
    made(type="message", role="assistant", id=names, status="completed", content=st.lists(output, min_size=1, max_size=3)),
    made(type="reasoning", id=names, summary=st.lists(made(type="summary_text", text=words), max_size=2), encrypted_content=words),
    made(type="function_call", call_id=names, name=names, arguments=words, id=names),
    made(type="function_call_output", call_id=names, output=words | st.lists(said | shown, min_size=1, max_size=2)),
)
FORMS = {"openai-chat": openai, "anthropic-messages": anthropic, "openai-responses": responses}


def read(listed: Any, wire: str) -> tuple[Message, ...]:
    """Read a list of the wire's own form."""
    return read_input(listed, "the list") if wire == "openai-responses" else read_messages(listed, "the list")


def turns(body: dict[str, Any]) -> Any:
    """What of a body was said."""
    return body.get("messages") or body["input"]


def sent(messages: tuple[Message, ...], wire: str, **fields: Any) -> dict[str, Any]:
    """The body in which a wire sends them."""
    provider = Provider(name="host", wire=wire, base_url="http://127.0.0.1:1")  # type: ignore[arg-type]  # a wire's name
    model = Model(name="m", provider="host", id="m")
    return wire_of(wire).encode(Request(messages, **fields), model, provider, max_tokens=9)


@pytest.mark.parametrize("wire", wire_names())
@given(data=st.data())
def test_a_list_comes_back_as_it_was(wire: str, data: st.DataObject) -> None:
    """Every member of a list, known or not, is sent on the wire of its form, the parts in the order given."""
    listed = data.draw(st.lists(FORMS[wire], min_size=1, max_size=4))
    assert turns(sent(read(listed, wire), wire)) == listed


@pytest.mark.parametrize("wire", wire_names())
@given(data=st.data())
def test_what_another_wire_cannot_carry_is_known_before(wire: str, data: st.DataObject) -> None:
    """A request that names no wire as the only one can be written on each, and every text of it is there."""
    messages = read(data.draw(st.lists(FORMS[wire], min_size=1, max_size=4)), wire)
    if wires_needed(Request(messages)):
        return
    for other in wire_names():
        body = json.dumps(sent(messages, other), ensure_ascii=False)
        for message in messages:
            for written in filter(None, (part.text for part in message.parts if type(part).__name__ == "Text")):
                assert json.dumps(written, ensure_ascii=False)[1:-1] in body


BOUND = [
    ({"role": "user", "content": "Hi", "name": "Ann"}, "openai-chat", "`name` of message 1"),
    (
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        "openai-chat",
        "`function_call` of message 1",
    ),
    (
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}],
        },
        "openai-chat",
        "`arguments` of message 1",
    ),
    (
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y", "detail": "low"}}]},
        "openai-chat",
        "`image_url`",
    ),
    (
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "x", "is_error": True}]},
        "anthropic-messages",
        "`is_error`",
    ),
    (
        {"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": "https://x/y"}}]},
        "anthropic-messages",
        "`document`",
    ),
]


@pytest.mark.parametrize(("message", "wire", "said"), BOUND)
def test_what_binds_a_request_is_named(message: dict[str, Any], wire: str, said: str) -> None:
    """A member only one form has makes its wire the only one, and is named with the message's number."""
    needed = wires_needed(Request(read_messages([message], "the list")))
    assert list(needed) == [wire]
    assert needed[wire].startswith(said)


FREE = [
    {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]},
    {"role": "assistant", "content": "Hi", "refusal": None, "annotations": []},
    {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Hm", "signature": "s"}, {"type": "text", "text": "Hi"}],
    },
    {"role": "tool", "tool_call_id": "c", "name": "f", "content": "x"},
]


@pytest.mark.parametrize("message", FREE)
def test_what_binds_nothing(message: dict[str, Any]) -> None:
    """What both forms have, what says nothing and what a model thought leave every wire free."""
    assert not wires_needed(Request(read_messages([message], "the list")))


def test_thinking_goes_back_to_its_own_wire_alone() -> None:
    """A signature and encrypted thinking are sent to the wire they came from; on the other the thinking is left out."""
    blocks = [
        {"type": "thinking", "thinking": "Hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "text", "text": "Hi"},
    ]
    messages = read_messages([{"role": "assistant", "content": blocks}], "the list")
    assert sent(messages, "anthropic-messages")["messages"] == [{"role": "assistant", "content": blocks}]
    assert sent(messages, "openai-chat")["messages"] == [{"role": "assistant", "content": "Hi"}]
    messages = read_messages([{"role": "assistant", "content": "Hi", "reasoning_content": "Hm"}], "the list")
    assert sent(messages, "anthropic-messages")["messages"] == [
        {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}
    ]


TALK = [
    {"role": "user", "content": "Weather in Rome and Oslo?"},
    {
        "role": "assistant",
        "content": "Looking.",
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}},
            {"id": "b", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}},
        ],
    },
    {"role": "tool", "tool_call_id": "a", "content": "warm"},
    {"role": "tool", "tool_call_id": "b", "content": "cold"},
    {"role": "user", "content": "And Bonn?"},
]
SAME_TALK = [
    {"role": "user", "content": "Weather in Rome and Oslo?"},
    {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "Looking."},
            {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Rome"}},
            {"type": "tool_use", "id": "b", "name": "weather", "input": {"city": "Oslo"}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": "warm"},
            {"type": "tool_result", "tool_use_id": "b", "content": "cold"},
        ],
    },
    {"role": "user", "content": "And Bonn?"},
]


ITEMS = [
    {"role": "user", "content": "Weather in Rome and Oslo?"},
    {"role": "assistant", "content": "Looking."},
    {"type": "function_call", "call_id": "a", "name": "weather", "arguments": '{"city":"Rome"}'},
    {"type": "function_call", "call_id": "b", "name": "weather", "arguments": '{"city":"Oslo"}'},
    {"type": "function_call_output", "call_id": "a", "output": "warm"},
    {"type": "function_call_output", "call_id": "b", "output": "cold"},
    {"role": "user", "content": "And Bonn?"},
]


def test_a_conversation_with_tools_is_the_same_on_all_wires() -> None:
    """Calls and their results are written in each wire's form, whichever they were read in."""
    written = {"openai-chat": TALK, "anthropic-messages": SAME_TALK, "openai-responses": ITEMS}
    for form, listed in written.items():
        for wire, expected in written.items():
            assert turns(sent(read(listed, form), wire)) == expected


def test_what_a_client_sends_back_of_a_response_binds_nothing() -> None:
    """Ids, statuses and annotations of an answer's items say nothing to a model: the next turn may be asked elsewhere, as text."""
    listed = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "xyz"},
        {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
         "content": [{"type": "output_text", "text": "Ho", "annotations": [], "logprobs": []}]},
        {"type": "function_call", "id": "fc_1", "status": "completed", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
    ]  # fmt: skip
    messages = read(listed, "openai-responses")
    assert not wires_needed(Request(messages))
    assert turns(sent(messages, "openai-responses")) == listed
    assert turns(sent(messages, "openai-chat")) == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Ho",
         "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "x"},
    ]  # fmt: skip
    listed[0]["content"][0] = {"type": "input_image", "image_url": "https://x/y", "detail": "low"}  # type: ignore[index]
    assert wires_needed(Request(read(listed, "openai-responses"))) == {"openai-responses": "`detail` of message 1"}


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = {
    "openai-chat": [
        {
            "type": "function",
            "function": {"name": "weather", "description": "Tell it.", "parameters": SCHEMA, "strict": True},
        }
    ],
    "anthropic-messages": [{"name": "weather", "description": "Tell it.", "input_schema": SCHEMA, "strict": True}],
    "openai-responses": [{"type": "function", "name": "weather", "description": "Tell it.", "parameters": SCHEMA, "strict": True}],
}
CHOICES = {
    "openai-chat": ["auto", "none", "required", {"type": "function", "function": {"name": "weather"}}],
    "anthropic-messages": [{"type": "auto"}, {"type": "none"}, {"type": "any"}, {"type": "tool", "name": "weather"}],
    "openai-responses": ["auto", "none", "required", {"type": "function", "name": "weather"}],
}


def test_an_unsaid_strictness_keeps_its_meaning() -> None:
    """On the Responses wire a tool is strict by default, on the others it is not: what was not said is said there."""
    tools = read_tools([{"type": "function", "function": {"name": "f"}}], "the tools")
    written = sent((Message.of("user", "Hi"),), "openai-responses", tools=tools)["tools"]
    assert written == [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False}]
    listed = [{"type": "function", "name": "f", "parameters": {"type": "object"}}]
    assert sent((Message.of("user", "Hi"),), "openai-responses", tools=read_tools(listed, "the tools"))["tools"] == listed


@pytest.mark.parametrize("form", wire_names())
@pytest.mark.parametrize("wire", wire_names())
def test_tools_are_written_in_each_wires_form(form: str, wire: str) -> None:
    """A definition of a tool and the choice among tools mean the same on all wires, whichever form they were read in."""
    tools = read_tools(TOOLS[form], "the tools")
    for number, choice in enumerate(CHOICES[form]):
        body = sent((Message.of("user", "Hi"),), wire, tools=tools, tool_choice=read_tool_choice(choice, "the choice"))
        assert body["tools"] == TOOLS[wire]
        assert body["tool_choice"] == CHOICES[wire][number]


@pytest.mark.parametrize("wire", wire_names())
def test_a_body_on_a_line_comes_back_whole(wire: str) -> None:
    """System blocks, tools and other members of a line are sent or handed on; none is lost."""
    said = "input" if wire == "openai-responses" else "messages"
    body: dict[str, Any] = {"model": "m", "temperature": 0.5, said: TALK[:1], "tools": TOOLS[wire]}
    if wire == "anthropic-messages":
        body["system"] = [
            {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "Be brief."},
        ]
    line = read_line(json.dumps({"custom_id": "a", "params" if "system" in body else "body": body}), "line 1")
    written = sent(line.messages, wire, tools=line.tools)
    assert {name: written[name] for name in ("system", "messages", "input", "tools") if name in body} | line.members == body
    assert line.id == "a"
