"""Answers as real servers have sent them, each by its report, through the whole command: text, exit code, cache and bill."""

from __future__ import annotations

import json
import socketserver
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

Deepsel = Callable[..., Any]
BLUE = "The sky is blue."
USAGE = {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}}
DONE = "data: [DONE]\n\n"


class _Script(BaseHTTPRequestHandler):
    """Answers every call with the same bytes."""

    body = b""
    calls = 0

    def do_POST(self) -> None:
        type(self).calls += 1
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Write nothing to stderr."""


@pytest.fixture
def answering(profiles: Callable[..., Path]) -> Iterator[Callable[[str], type[_Script]]]:
    """Serve an answer, and have the model `m` asked there."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Script)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def serve(body: str) -> type[_Script]:
        script = type("Script", (_Script,), {"body": body.encode(), "calls": 0})
        server.RequestHandlerClass = script
        profiles(m=f"http://127.0.0.1:{server.server_address[1]}/v1")
        return script

    yield serve
    server.shutdown()
    server.server_close()


def said(content: str | None = None, finish: str | None = None, **members: Any) -> dict[str, Any]:
    delta = {} if content is None else {"content": content}
    return {"choices": [{"index": 0, "delta": {**delta, **members.pop("delta", {})}, "finish_reason": finish, **members}]}


def stream(*documents: Any) -> str:
    return "".join(f"data: {one if isinstance(one, str) else json.dumps(one)}\n\n" for one in documents)


STOP = said(finish="stop")
GOOD: dict[str, str] = {
    "open-webui#16377: a finish value on every chunk": stream(*(said(word, "stop") for word in ("The sky", " is", " blue.")), USAGE) + DONE,
    "hermes-browser-extension#11: the message again in the last chunk": stream(
        said("The sky"), said(" is blue."), {"choices": [{"index": 0, "finish_reason": "stop", "message": {"content": BLUE}}]}, USAGE
    ) + DONE,
    "GoModel#1068: the message again after the end": stream(
        said("The sky"), said(" is blue."), STOP, {"choices": [{"index": 0, "finish_reason": "stop", "message": {"content": BLUE}}]},
        USAGE,
    ) + DONE,
    "aichat#1241: thinking in the text": stream(
        said("<think>\nA colo"), said("ur.\n</thi"), said("nk>\n\nThe sky is blue."), STOP, USAGE
    ) + DONE,
    "openai-node#2725: one line end at the end": stream(said(BLUE), USAGE, STOP)[:-1],
    "qwen-code#9884: STOP": stream(said(BLUE), said(finish="STOP"), USAGE) + DONE,
    "llm-gateway#2053: comments as data": stream(": PROCESSING", ": PROCESSING", said(BLUE), STOP, USAGE) + DONE,
    "llm#294: a first chunk without choices": stream({"choices": [], "prompt_filter_results": []}, said(BLUE), STOP, USAGE) + DONE,
    "pi#2017: usage in the choice": stream(said(BLUE), said(finish="stop", usage=USAGE["usage"])) + DONE,
    "CLIProxyAPI#4053: zeros before usage": stream(
        {**said(BLUE), "usage": {"prompt_tokens": 0, "completion_tokens": 0}}, STOP, USAGE) + DONE,
    "no blank lines": "".join(f"data: {json.dumps(one)}\n" for one in (said("The sky"), said(" is blue."), STOP, USAGE)) + "data: [DONE]\n",
    "two documents in one event": f"data: {json.dumps(said('The sky'))}{json.dumps(said(' is blue.'))}\n\n" + stream(STOP, USAGE) + DONE,
    "names in capitals and blanks": stream(said("The sky"), said(" is blue."), STOP, USAGE).replace("data:", " Data :") + DONE,
    "a channel's marks": stream(
        said("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>The sky is blue."), STOP, USAGE
    ) + DONE,
    "no event lines": "".join(f"{json.dumps(one)}\n" for one in (said("The sky"), said(" is blue."), STOP, USAGE)),
}  # fmt: skip


@pytest.mark.parametrize("case", GOOD)
def test_a_good_answer_is_whole_and_once(case: str, answering: Callable[[str], type[_Script]], deepsel: Deepsel) -> None:
    """Whatever the form, the text is given whole and once, billed as reported, without a warning, and stored."""
    script = answering(GOOD[case])
    ran = deepsel("ask", "--cache", "--json", "What colour is the sky?")
    assert ran.code == 0, ran.err
    record = ran.record()
    assert (record["text"], record["finish"], record["warnings"]) == (BLUE, "complete", [])
    assert (record["usage"]["input_tokens"], record["usage"]["output_tokens"], record["usage"]["source"]) == (12, 5, "reported")
    assert record["cache"]["status"] == "stored"
    assert deepsel("ask", "--cache", "--stream", "What colour is the sky?").out == BLUE + "\n"
    assert script.calls == 1


DOUBTED: dict[str, tuple[str, str, str]] = {
    "text after the finish value": (stream(said("The sky"), STOP, said(" is blue."), USAGE) + DONE, BLUE, "two_readings"),
    "a finish value nobody knows": (stream(said(BLUE), said(finish="novel"), USAGE) + DONE, BLUE, "two_readings"),
    "another message in the last chunk": (
        stream(said(BLUE), {"choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "No."}}]}, USAGE) + DONE,
        BLUE, "two_readings",
    ),
    "a prompt that was dropped": (
        stream(said(BLUE), STOP, {"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 5}}) + DONE, BLUE, "prompt_dropped",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DOUBTED)
def test_what_can_be_read_in_two_ways(case: str, answering: Callable[[str], type[_Script]], deepsel: Deepsel) -> None:
    """The likelier reading is given with a warning, exit 0, and never stored."""
    body, text, code = DOUBTED[case]
    script = answering(body)
    prompt = "word " * 400 if code == "prompt_dropped" else "What colour is the sky?"
    for calls in (1, 2):
        ran = deepsel("ask", "--cache", "--json", "-", stdin=prompt)
        assert ran.code == 0, ran.err
        assert ran.record()["text"] == text
        assert [notice["code"] for notice in ran.record()["warnings"]] == [code]
        assert script.calls == calls


def test_reasoning_alone_is_no_answer(answering: Callable[[str], type[_Script]], deepsel: Deepsel) -> None:
    """vllm#17357: an answer that stands in the reasoning alone fails as empty, after one call, and is not stored."""
    script = answering(stream(said(delta={"reasoning_content": BLUE}), STOP, USAGE) + DONE)
    for calls in (1, 2):
        ran = deepsel("ask", "--cache", "--json", "What colour is the sky?")
        assert (ran.code, ran.record()["attempts"][0]["error_class"], ran.record()["reasoning"]) == (5, "empty", BLUE)
        assert script.calls == calls


def test_blanks_are_no_answer(answering: Callable[[str], type[_Script]], deepsel: Deepsel) -> None:
    """An answer of nothing but blanks is empty, and none that is only not whole."""
    answering(stream(said("\n \u200b"), STOP, USAGE) + DONE)
    ran = deepsel("ask", "--json", "--no-cache", "What colour is the sky?")
    assert (ran.code, ran.record()["attempts"][0]["error_class"]) == (5, "empty")


def test_words_without_a_frame_in_a_stream_are_told(answering: Callable[[str], type[_Script]], deepsel: Deepsel) -> None:
    """toolhive#6085: an error that a server writes into its stream as it stands is read, and not repeated."""
    script = answering(stream(said("The sky")) + '{"error": {"message": "Insufficient credits", "code": 402}}\n')
    ran = deepsel("ask", "--no-cache", "What colour is the sky?")
    assert (ran.code, ran.err.count("Insufficient credits"), script.calls) == (8, 1, 1)


def test_a_limit_in_another_spelling(answering: Callable[[str], type[_Script]], deepsel: Deepsel) -> None:
    """qwen-code#9884: MAX_TOKENS is the limit, and the answer cut."""
    answering(stream(said("The sky"), said(finish="MAX_TOKENS"), USAGE) + DONE)
    ran = deepsel("ask", "--json", "What colour is the sky?")
    assert (ran.code, ran.record()["finish"]) == (8, "length")


BILLS: dict[str, tuple[dict[str, Any], str | None, list[str]]] = {
    "inspect_ai#5528: reasoning beside": (
        {"prompt_tokens": 14, "completion_tokens": 2, "total_tokens": 333, "completion_tokens_details": {"reasoning_tokens": 317}},
        "0.000652", []),
    "reasoning in the total alone": ({"prompt_tokens": 14, "completion_tokens": 2, "total_tokens": 333}, "0.000652", []),
    "reasoning inside": (
        {"prompt_tokens": 14, "completion_tokens": 20, "total_tokens": 34, "completion_tokens_details": {"reasoning_tokens": 15}},
        "0.000054", []),
    "a stated charge": ({"prompt_tokens": 14, "completion_tokens": 5, "cost": "0.25"}, "0.25", []),
    "a stated charge in parts": ({"prompt_tokens": 14, "completion_tokens": 5, "cost": {"input": 0.1, "total": 0.25}}, "0.25", []),
    "a charge in another unit": ({"prompt_tokens": 14, "completion_tokens": 5, "cost": 3100}, "0.000024", ["cost_odd"]),
    "auto_ai_router#142: nothing read": ({"prompt_tokens": 0, "completion_tokens": 5}, None, ["usage_counted"]),
    "nothing written": ({"prompt_tokens": 14, "completion_tokens": 0}, None, ["usage_counted"]),
    "900 million": ({"prompt_tokens": 900_000_000, "completion_tokens": 900_000_000}, None, ["usage_counted", "usage_counted"]),
    "negative": ({"prompt_tokens": -14, "completion_tokens": -5}, None, ["usage_counted", "usage_counted"]),
    "text": ({"prompt_tokens": "14", "completion_tokens": "5"}, None, ["usage_counted", "usage_counted"]),
    "parts of tokens": ({"prompt_tokens": 14.5, "completion_tokens": 5.5}, None, ["usage_counted", "usage_counted"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BILLS)
def test_the_bill(case: str, answering: Callable[[str], type[_Script]], deepsel: Deepsel) -> None:
    """Usage is billed as it was meant; what cannot be is counted, at a few millionths of a dollar, and said."""
    usage, cost_usd, codes = BILLS[case]
    answering(stream(said(BLUE), STOP, {"choices": [], "usage": usage}) + DONE)
    ran = deepsel("ask", "--no-cache", "--json", "What colour is the sky?")
    assert ran.code == 0, ran.err
    record = ran.record()
    assert [notice["code"] for notice in record["warnings"]] == codes
    assert record["usage"]["source"] == ("counted" if "usage_counted" in codes else "reported")
    if cost_usd is None:
        assert Decimal("0.00001") < Decimal(record["cost_usd"]) < Decimal("0.00004")
    else:
        assert Decimal(record["cost_usd"]) == Decimal(cost_usd)


DOCUMENTS: dict[str, tuple[list[str], str | None]] = {
    "ollama#8875: thinking before it": (["<think>\nJSON it is.\n</think>\n\n", '{"colour":"blue"}'], '{"colour":"blue"}'),
    "llm#1200: in a fence in prose": (['Here:\n```json\n{"colour": "blue"}\n```\nHope that helps!'], '{"colour": "blue"}'),
    "in a fence that nobody closed": (['```json\n{"colour": "blue"}\n'], '{"colour": "blue"}'),
    "in prose": (['Sure, {"colour": "blue"}.'], '{"colour": "blue"}'),
    "jaq#253: NaN": (['{"colour": NaN}'], None),
    "two of them": (['{"colour": "blue"} or {"colour": "red"}'], None),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_the_document_of_an_answer(
    case: str, answering: Callable[[str], type[_Script]], deepsel: Deepsel, tmp_path: Path
) -> None:
    """With a schema the text is the one document that satisfies it, wherever that stands; NaN is none."""
    pieces, document = DOCUMENTS[case]
    answering(stream(*map(said, pieces), STOP, USAGE) + DONE)
    (tmp_path / "schema.json").write_text('{"type": "object", "required": ["colour"]}')
    ran = deepsel("ask", "--no-cache", "--schema", str(tmp_path / "schema.json"), "What colour is the sky?")
    assert ran.code == (8 if document is None else 0), ran.err
    if document is not None:
        assert ran.out == document + "\n"
