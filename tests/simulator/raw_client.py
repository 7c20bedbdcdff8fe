"""A client that shows every byte of a response; no parser of ours, and not httpx."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deepsel.simulator import Simulator

PATHS = {"openai-chat": "/v1/chat/completions", "anthropic-messages": "/v1/messages", "openai-responses": "/v1/responses"}


RESPONSES_DELTAS = {"response.output_text.delta": "text", "response.reasoning_summary_text.delta": "thinking"}


@dataclass(frozen=True)
class Raw:
    """What a client saw of one response."""

    head: bytes
    body: bytes
    """Without the chunked framing."""
    is_whole: bool
    """Whether the framing was completed."""
    was_reset: bool = False

    @property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines if line)}

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The data of each event; text where it is no JSON."""
        found: list[Any] = []
        for block in self.body.decode().split("\n\n"):
            for line in block.split("\n"):
                if line.startswith("data: "):
                    text = line.removeprefix("data: ")
                    found.append(json.loads(text) if text.startswith("{") else text)
        return found

    @property
    def deltas(self) -> list[dict[str, Any]]:
        """What the events of a stream say that could each carry a token; the opening one, with the role, is left out."""
        found = []
        for event in self.events:
            if isinstance(event, dict) and event.get("type") == "content_block_delta":
                found.append(event["delta"])
            elif isinstance(event, dict) and event.get("choices") and not event["choices"][0]["finish_reason"]:
                found.append(event["choices"][0]["delta"])
            elif isinstance(event, dict) and event.get("type") in RESPONSES_DELTAS:
                found.append({RESPONSES_DELTAS[event["type"]]: event["delta"]})
        return [delta for delta in found if "role" not in delta]

    @property
    def text(self) -> str:
        """The answer's text, of either wire, streamed or not."""
        if self.headers["content-type"].startswith("application/json"):
            body = self.json
            if "choices" in body:
                return body["choices"][0]["message"]["content"] or ""
            if "output" in body:
                parts = [part for item in body["output"] for part in item.get("content", [])]
                return "".join(part.get("text") or part.get("refusal") or "" for part in parts)
            return "".join(block.get("text", "") for block in body["content"])
        parts = []
        for event in self.events:
            if isinstance(event, dict):
                choices = event.get("choices") or [{}]
                if event.get("type") == "response.output_text.delta":
                    parts.append(event["delta"])
                    continue
                if str(event.get("type")).startswith("response."):
                    continue
                parts.append(choices[0].get("delta", {}).get("content") or event.get("delta", {}).get("text") or "")
        return "".join(parts)


def is_empty(delta: dict[str, Any]) -> bool:
    """Say whether a delta holds no piece of answer, reasoning or signature."""
    return not any(delta.get(name) for name in ("content", "text", "reasoning_content", "thinking", "signature"))


def split_response(data: bytes, *, was_reset: bool = False) -> Raw:
    """Cut the bytes of one response into head and body, as far as they came."""
    head, _, rest = data.partition(b"\r\n\r\n")
    raw = Raw(head, rest, False, was_reset)
    if b"\r\n\r\n" not in data:
        return Raw(data, b"", False, was_reset)
    if "transfer-encoding" not in raw.headers:
        length = int(raw.headers.get("content-length", 0))
        return Raw(head, rest, len(rest) == length, was_reset)
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        if size == b"0":
            return Raw(head, body, rest == b"\r\n", was_reset)
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return Raw(head, body, False, was_reset)


def request_bytes(path: str, body: Any, *, close: bool = True, headers: str = "") -> bytes:
    """Write a POST request."""
    data = json.dumps(body).encode()
    ending = "connection: close\r\n" if close else ""
    head = f"POST {path} HTTP/1.1\r\nhost: simulated\r\ncontent-length: {len(data)}\r\n{ending}{headers}\r\n"
    return head.encode() + data


def prompt(*, stream: bool = False, text: str = "Tell me about the sea.", **members: Any) -> dict[str, Any]:
    """Give a body that the wires take, each after its names."""
    return {
        "model": "m",
        "messages": [{"role": "user", "content": text}],
        "max_tokens": 500,
        "stream": stream,
        "stream_options": {"include_usage": True},
        **members,
    }


def in_the_form_of(wire: str, body: dict[str, Any]) -> dict[str, Any]:
    """Give a body's members the names they have on a wire."""
    if wire != "openai-responses":
        return body
    names = {"messages": "input", "max_tokens": "max_output_tokens"}
    return {names.get(name, name): value for name, value in body.items() if name != "stream_options" and value is not None}


def connect(simulator: Simulator) -> socket.socket:
    """Open a connection whose reads end in an error rather than never."""
    return socket.create_connection(("127.0.0.1", simulator.port), timeout=20)


def read_to_end(connection: socket.socket) -> tuple[bytes, bool]:
    """Read until the peer closes; say whether it was a reset."""
    data = bytearray()
    try:
        while part := connection.recv(1 << 20):
            data += part
    except ConnectionResetError:
        return bytes(data), True
    return bytes(data), False


Ask = Callable[..., Raw]
