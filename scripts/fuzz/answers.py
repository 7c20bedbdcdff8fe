"""Random answers of the wires, good, odd and broken, as bytes on a socket; each knows the text it means.

An answer is made from its seed alone, so that what failed once can be made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Any, TypeAlias

WIRES = ("openai-chat", "anthropic-messages", "openai-responses")
Document: TypeAlias = dict[str, Any]

_WORDS = (
    "the", "sky", "is", "blue", "a", "Rome", "żółć", "空は青い", "😀", "e\u0301", "\u2028", "0", "12", "\n", "\n\n", "  ", "\t", "**bold**",
    "- item", "# head", "x=1;", "\"quoted\"", "\\", "/path", "\u200b", "end.", "ha", "ha", "-", "|",
)  # fmt: skip
_JUNK: tuple[bytes, ...] = (
    b"data: {\n\n", b"data: []\n\n", b"\xff\xfe\n\n", b"data: {\"choices\": 7}\n\n", b"garbage\n\n", b"\x00" * 40,
    b"data: " + b"[" * 3000 + b"\n\n",
    b"event: error\ndata: {\"error\": {\"type\": \"overloaded_error\", \"message\": \"busy\"}}\n\n",
    b"data: {\"error\": {\"message\": \"broken\", \"code\": 500}}\n\n", b"data: {\"type\": \"content_block_delta\", \"delta\": 5}\n\n",
    b"data: 1e999\n\n", b"data: {\"usage\": {\"prompt_tokens\": " + b"9" * 400 + b"}}\n\n",
)  # fmt: skip
_NOISE = (
    ": keep-alive\n\n", "data: : still here\n\n", "data: null\n\n", "data:\n\n", "\n\n",
    "event: ping\ndata: {\"type\": \"ping\"}\n\n", "retry: 100\n\n",
)  # fmt: skip
_COMPLETE = {
    "openai-chat": ("stop", "STOP", "Stop", "eos", "end_turn"),
    "anthropic-messages": ("end_turn", "END_TURN", "stop_sequence"),
    "openai-responses": ("completed",),
}
_LENGTH = {
    "openai-chat": ("length", "MAX_TOKENS"),
    "anthropic-messages": ("max_tokens", "MAX_TOKENS"),
    "openai-responses": ("max_output_tokens",),
}


@dataclass
class MadeAnswer:
    """One answer: what it means, and the bytes that say so."""

    seed: int
    wire: str
    text: str = ""
    reasoning: str = ""
    is_stream: bool = True
    """What is asked for; the body may be the other form."""
    finish: str = ""
    ends: str = "complete"
    """`complete`, `length`, `unknown` or `cut`."""
    damage: str = ""
    """What was done to the bytes; empty: nothing."""
    least: str = ""
    """Of a cut one: text that came whole before the cut."""
    said: list[str] = field(default_factory=list)
    """The text in each piece of the body, where it is that alone."""
    forms: list[str] = field(default_factory=list)
    """What is odd about it."""
    head: bytes = b""
    chunks: list[bytes] = field(default_factory=list)
    """The body as it is written, framing included."""


def make(seed: int) -> MadeAnswer:
    """Make the answer of a seed."""
    rng = Random(seed)  # noqa: S311  # nothing secret
    made = MadeAnswer(seed, rng.choice(WIRES[:2]))
    if seed % 3 == 2:  # not drawn, so that the other seeds give what they gave
        made.wire = WIRES[2]
    made.is_stream = rng.random() < 0.8
    made.text = _text(rng, rng.choice((1, 3, 10, 60)))
    made.reasoning = _text(rng, 8) if rng.random() < 0.3 else ""
    made.ends = rng.choices(("complete", "length", "unknown"), (16, 2, 1))[0]
    if made.wire == WIRES[2] and made.ends == "unknown":
        made.ends = "complete"  # what nobody knows there is an answer that says itself that it is not whole
    words = {"complete": _COMPLETE[made.wire], "length": _LENGTH[made.wire], "unknown": ("novel_end",)}
    made.finish = rng.choice(words[made.ends])
    is_body = rng.random() < 0.25
    pieces = _whole(made, rng) if is_body else _events(made, rng)
    if rng.random() < 0.35:
        pieces = _damaged(made, rng, pieces)
    _put(made, rng, b"".join(pieces))
    return made


def _text(rng: Random, words: int) -> str:
    """Write some words that are not blank, whose first is no bracket and no tag."""
    text = "".join(rng.choice(_WORDS) + rng.choice(("", " ")) for _ in range(rng.randint(1, words)))
    return f"So {rng.randint(0, 999)} {text}"


def _cut(rng: Random, text: str) -> list[str]:
    """Cut a text anywhere, between halves of a character too as JSON allows."""
    places = sorted(rng.randint(1, len(text)) for _ in range(rng.choice((0, 1, 3, len(text) // 2))))
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True) if start < end]


def _usage(made: MadeAnswer, rng: Random) -> Document | None:
    """Report usage in some shape, or none."""
    names = ("prompt_tokens", "completion_tokens") if made.wire == WIRES[0] else ("input_tokens", "output_tokens")
    counts: Any = rng.choice(((7, 5), (7, 5), (0, 0), (10**9, 10**9), (-1, -5), ("7", "5"), (7.5, 5.5), (None, None), (7, 0)))
    usage: Document = dict(zip(names, counts, strict=True))
    if rng.random() < 0.2:
        usage["total_tokens"] = rng.choice((12, 400, 0, "12"))
    if rng.random() < 0.2:
        usage["cost"] = rng.choice((0.1, "0.1", {"total": 0.1}, -1, "1e999999", True, None, 1e30))
    if rng.random() < 0.1:
        usage["completion_tokens_details"] = {"reasoning_tokens": rng.choice((3, 300, -1, "x"))}
    return usage if rng.random() < 0.8 else None


# --- documents -------------------------------------------------------------------------------------------------------


def _with_thought(made: MadeAnswer, rng: Random) -> str:
    """Return the text, sometimes with the reasoning before it between tags."""
    if not made.reasoning or rng.random() >= 0.3:
        return made.text
    made.forms.append("think")
    return f"<think>\n{made.reasoning}</think>\n\n{made.text}"


def _whole(made: MadeAnswer, rng: Random) -> list[bytes]:
    """Write the answer as one document."""
    text = _with_thought(made, rng)
    in_place = "think" not in made.forms and made.reasoning
    if made.wire == WIRES[0]:
        message: Document = {"role": "assistant", "content": text}
        if in_place:
            message["reasoning_content"] = made.reasoning
        document: Document = {"choices": [{"index": 0, "message": message, "finish_reason": made.finish}]}
    elif made.wire == WIRES[2]:
        thinking = [{"type": "reasoning", "summary": [{"type": "summary_text", "text": made.reasoning}]}] if in_place else []
        said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
        document = {"object": "response", "output": [*thinking, said], **_status(made)}
    else:
        thinking = [{"type": "thinking", "thinking": made.reasoning}] if in_place else []
        document = {"type": "message", "content": [*thinking, {"type": "text", "text": text}], "stop_reason": made.finish}
    usage = _usage(made, rng)
    if usage is not None:
        document["usage"] = usage
    return [json.dumps(_odd(made, rng, document), ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")]


def _odd(made: MadeAnswer, rng: Random, document: Document) -> Document:
    """Add members that say nothing."""
    if rng.random() < 0.1:
        document["error"] = rng.choice((None, {}, "", {"message": "", "code": None}))
        made.forms.append("empty error")
    if rng.random() < 0.1:
        document["novel"] = {"nested": [1, {"deep": None}]}
    return document


def _events(made: MadeAnswer, rng: Random) -> list[bytes]:
    """Write the answer as a stream of events."""
    says: Callable[[str, str], Document] = dict(zip(WIRES, (_openai, _anthropic, _responses), strict=True))[made.wire]
    documents: list[Document] = []
    text = _with_thought(made, rng)
    if made.reasoning and "think" not in made.forms:
        documents += [says("reasoning", piece) for piece in _cut(rng, made.reasoning)]
    pieces = _cut(rng, text)
    form = rng.choices(("pieces", "snapshots", "repeated", "finish on every"), (10, 1, 1, 1))[0]
    if form == "snapshots" and len(pieces) > 2:
        made.forms.append(form)
        pieces = ["".join(pieces[: at + 1]) for at in range(len(pieces))]
    documents += [says("text", piece) for piece in pieces]
    if form == "finish on every" and made.wire != WIRES[2]:  # whose end is the end
        made.forms.append(form)
        documents = [one for piece in documents for one in _finishing(made, piece)]
    if form == "repeated" and len(pieces) > 1:
        made.forms.append(form)
        documents.append(_repeated(made, rng, text))
    return _written(made, rng, documents)


def _openai(kind: str, piece: str) -> Document:
    delta = {"content" if kind == "text" else "reasoning_content": piece}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def _anthropic(kind: str, piece: str) -> Document:
    name = "text" if kind == "text" else "thinking"
    return {"type": "content_block_delta", "index": int(kind == "text"), "delta": {"type": f"{name}_delta", name: piece}}


def _responses(kind: str, piece: str) -> Document:
    name = "output_text" if kind == "text" else "reasoning_summary_text"
    place = "content_index" if kind == "text" else "summary_index"
    return {"type": f"response.{name}.delta", "output_index": int(kind == "text"), place: 0, "delta": piece}


def _status(made: MadeAnswer) -> Document:
    """Say how a response ended."""
    if made.finish == "completed":
        return {"status": "completed", "error": None}
    return {"status": "incomplete", "incomplete_details": {"reason": made.finish}}


def _finishing(made: MadeAnswer, document: Document) -> list[Document]:
    """Put the finish value behind a piece."""
    if made.wire == WIRES[0]:
        document["choices"][0]["finish_reason"] = made.finish
        return [document]
    return [document, {"type": "message_delta", "delta": {"stop_reason": made.finish}}]


def _repeated(made: MadeAnswer, rng: Random, text: str) -> Document:
    """Say the whole text again."""
    if made.wire == WIRES[1]:
        return _anthropic("text", text)
    if made.wire == WIRES[2]:
        if rng.random() < 0.5:
            return _responses("text", text)
        return {"type": "response.output_text.done", "output_index": 1, "content_index": 0, "text": text}
    if rng.random() < 0.5:
        return _openai("text", text)
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": None}]}


def _text_of(document: Any) -> str:
    """Return the text of one document."""
    if not isinstance(document, dict):
        return ""
    if isinstance(document.get("delta"), str):
        return document["delta"] if "output_text" in document["type"] else ""
    places = [document, *(document.get("choices") or ())]
    return "".join(str(delta.get("content") or delta.get("text") or "") for one in places if (delta := one.get("delta")))


def _written(made: MadeAnswer, rng: Random, documents: list[Document]) -> list[bytes]:
    """Write events, with an end, usage, and noise between them."""
    usage = _usage(made, rng)
    if made.wire == WIRES[0]:
        ends: list[Any] = [{"choices": [{"index": 0, "delta": {}, "finish_reason": made.finish}]}]
        ends += [{"choices": [], "usage": usage}] if usage else []
        ends += ["[DONE]"] if rng.random() < 0.8 else []
    elif made.wire == WIRES[2]:
        whole = {"object": "response", "output": [], "usage": usage, **_status(made)}
        ends = [{"type": f"response.{whole['status']}", "response": whole}, *(["[DONE]"] if rng.random() < 0.2 else [])]
        documents = [{"type": "response.created", "response": {"status": "in_progress", "model": "r", "output": []}}, *documents]
    else:
        ends = [{"type": "message_delta", "delta": {"stop_reason": made.finish}, "usage": usage or {}}, {"type": "message_stop"}]
        documents = [{"type": "message_start", "message": {"model": "c", "content": []}}, *documents]
    prefix = "data: data: " if rng.random() < 0.05 else rng.choice(("data: ", "data:"))
    is_ascii, is_noisy = rng.random() < 0.5, rng.random() < 0.3
    events = []
    for document in [*documents, *ends]:
        if is_noisy and rng.random() < 0.3:
            events.append(rng.choice(_NOISE))
            made.said.append("")
        made.said.append(_text_of(document))
        if isinstance(document, str):
            events.append(f"{prefix}{document}\n\n")
            continue
        name = f"event: {document['type']}\n" if document.get("type") and rng.random() < 0.8 else ""
        events.append(f"{name}{prefix}{json.dumps(_odd(made, rng, document), ensure_ascii=is_ascii)}\n\n")
    if made.seed % 10 == 1:  # not drawn, so that the other seeds give what they gave
        made.forms.append("no blank lines")
        events = [event[:-1] if event.endswith("\n\n") else event for event in events]
    if rng.random() < 0.15:
        made.forms.append("unended")
        events[-1] = events[-1].rstrip("\n") + rng.choice(("", "\n"))
    end = rng.choices(("\n", "\r\n", "\r"), (8, 2, 1))[0]
    lead = b"\xef\xbb\xbf" if rng.random() < 0.05 else b""
    made.said.insert(0, "")
    return [lead, *(event.replace("\n", end).encode("utf-8", "surrogatepass") for event in events)]


# --- bytes -----------------------------------------------------------------------------------------------------------


def _damaged(made: MadeAnswer, rng: Random, pieces: list[bytes]) -> list[bytes]:
    """Cut the body, put junk into it, or change bytes."""
    made.damage = rng.choice(("cut", "cut", "junk", "flips"))
    if made.damage == "junk":
        at = rng.randint(0, len(pieces))
        return [*pieces[:at], rng.choice(_JUNK), *pieces[at:]]
    body = b"".join(pieces)
    if made.damage == "cut":
        made.ends = "cut"
        kept = rng.randint(0, max(0, len(body) - 1))
        if not set(made.forms) & {"think", "snapshots", "repeated"}:
            ends = accumulate(map(len, pieces))
            made.least = "".join(said for said, end in zip(made.said, ends, strict=False) if end <= kept)
        return [body[:kept]]
    changed = bytearray(body)
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return [bytes(changed)]


def _put(made: MadeAnswer, rng: Random, body: bytes) -> None:
    """Put the body into a response, written in random pieces."""
    kind = rng.choice(("text/event-stream", "application/json", "text/plain"))
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n"
    cuts = sorted(rng.randint(0, len(body)) for _ in range(rng.choice((0, 0, 2, 9))))
    parts = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True) if start < end]
    framing = rng.choice(("length", "chunked", "none"))
    if framing == "length":
        head += f"content-length: {len(body)}\r\n"
    elif framing == "chunked":
        head += "transfer-encoding: chunked\r\n"
        parts = [f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts]
        parts.append(b"0\r\n\r\n" if rng.random() < 0.95 else b"")
        if not parts[-1]:
            made.forms.append("broken off")
    made.head, made.chunks = head.encode() + b"\r\n", parts
