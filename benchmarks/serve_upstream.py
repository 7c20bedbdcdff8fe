"""The provider of `serve.py`: answers every POST at once with the same words, whole or in 100 events, and tells its port on stdout."""

from __future__ import annotations

import asyncio
import json

EVENTS = 100
_FRAME = {"id": "1", "object": "chat.completion", "created": 1, "model": "gpt-x"}
_USAGE = {"prompt_tokens": 12, "completion_tokens": EVENTS, "total_tokens": 12 + EVENTS}
_WHOLE = json.dumps(
    {
        **_FRAME,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "word " * EVENTS}}],
        "usage": _USAGE,
    }
).encode()


def _event(choices: list[dict[str, object]], **more: object) -> bytes:
    data = json.dumps({**_FRAME, "object": "chat.completion.chunk", "choices": choices, **more}).encode()
    return b"data: " + data + b"\n\n"


_PIECES = [
    *(_event([{"index": 0, "delta": {"content": f"w{number} "}, "finish_reason": None}]) for number in range(EVENTS)),
    _event([{"index": 0, "delta": {}, "finish_reason": "stop"}]),
    _event([], usage=_USAGE),
    b"data: [DONE]\n\n",
]
_STREAM = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in _PIECES) + b"0\r\n\r\n"


class Answers(asyncio.Protocol):
    """Answers each POST; knows just enough HTTP for one request at a time."""

    whole = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " + str(len(_WHOLE)).encode() + b"\r\n\r\n" + _WHOLE
    stream = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + _STREAM

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self.data = b""

    def data_received(self, data: bytes) -> None:
        """Answer once the body is whole."""
        self.data += data
        head, mark, body = self.data.partition(b"\r\n\r\n")
        if not mark:
            return
        lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        if len(body) >= int(lengths[0]):
            self.data = b""
            is_stream = b'"stream":true' in body.replace(b" ", b"")
            self.transport.write(self.stream if is_stream else self.whole)  # type: ignore[attr-defined]


async def serve() -> None:
    """Serve for ever; the port is told on stdout."""
    server = await asyncio.get_running_loop().create_server(Answers, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
