"""The server of `engine.py`: answers every POST after 50 ms with the same few words, and tells its port on stdout."""

from __future__ import annotations

import asyncio
import json

DELAY_S = 0.05
ANSWER = json.dumps(
    {
        "id": "1",
        "object": "chat.completion",
        "model": "gpt-x",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Fine."}}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
    }
).encode()


class Answers(asyncio.Protocol):
    """Answers each POST after a while, however large it is; knows just enough HTTP for one request at a time."""

    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " + str(len(ANSWER)).encode() + b"\r\n\r\n"
    )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self.head_bytes, self.left = b"", -1

    def data_received(self, data: bytes) -> None:
        """Count the body down; then answer."""
        if self.left < 0:
            self.head_bytes += data
            head, mark, data = self.head_bytes.partition(b"\r\n\r\n")
            if not mark:
                return
            lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            self.head_bytes, self.left = b"", int(lengths[0])
        self.left -= len(data)
        if self.left == 0:
            self.left = -1
            asyncio.get_running_loop().call_later(DELAY_S, self.answer)

    def answer(self) -> None:
        """Send it, where there still is somebody."""
        if isinstance(self.transport, asyncio.WriteTransport) and not self.transport.is_closing():
            self.transport.write(self.head + ANSWER)


async def serve() -> None:
    """Serve for ever; the port is told on stdout."""
    server = await asyncio.get_running_loop().create_server(Answers, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
