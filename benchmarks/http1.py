"""Compares our reader and writer of HTTP/1.1 with h11's over a socket pair: a request of 1 KB, an answer whole or of 100 events.

    python benchmarks/http1.py [--requests N]
"""

from __future__ import annotations

import argparse
import socket
import time
from collections.abc import Callable

import h11

from deepsel.http1.requests import Incoming
from deepsel.http1.responses import Outgoings

BODY = b'{"model":"auto","messages":[{"role":"user","content":"' + b"word " * 180 + b'"}]}'
RAW = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:8391\r\ncontent-type: application/json\r\nauthorization: Bearer sk-local\r\n"
    b"user-agent: client/1.0\r\naccept: application/json\r\naccept-encoding: identity\r\ncontent-length: %d\r\n\r\n" % len(BODY)
) + BODY
HEADERS = {"content-type": "application/json", "x-request-id": "1234", "x-deepsel-model": "deepseek-flash"}
WHOLE = b"x" * 600
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]}\n\n'


def _ours(server: socket.socket, *, stream: bool) -> Callable[[], None]:
    incoming = Incoming(server)

    def answer() -> None:
        request = incoming.next()
        assert request is not None
        out = Outgoings(server, version=request.version, keeps_alive=True)
        if not stream:
            out.whole(200, HEADERS, WHOLE)
            return
        out.begin(200, HEADERS)
        for _ in range(100):
            out.write(EVENT)
        out.end()

    return answer


def _h11(server: socket.socket, *, stream: bool) -> Callable[[], None]:
    connection = h11.Connection(h11.SERVER)

    def answer() -> None:
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                connection.receive_data(server.recv(65536))
        framing = ("transfer-encoding", "chunked") if stream else ("content-length", str(len(WHOLE)))
        head = connection.send(h11.Response(status_code=200, headers=[*HEADERS.items(), framing])) or b""
        if stream:
            server.sendall(head)
            for _ in range(100):
                server.sendall(connection.send(h11.Data(data=EVENT)) or b"")
            server.sendall(connection.send(h11.EndOfMessage()) or b"")
        else:
            server.sendall(head + (connection.send(h11.Data(data=WHOLE)) or b"") + (connection.send(h11.EndOfMessage()) or b""))
        connection.start_next_cycle()

    return answer


def _seconds(make: Callable[..., Callable[[], None]], number: int, *, stream: bool) -> float:
    """Return the processor's time a request."""
    client, server = socket.socketpair()
    with client, server:
        answer = make(server, stream=stream)
        began = time.process_time()
        for _ in range(number):
            client.sendall(RAW)
            answer()
            while len(client.recv(1 << 20)) == 1 << 20:
                pass
        return (time.process_time() - began) / number


def main() -> None:
    """Print the ratios of one run, the best of five rounds each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=1000)
    number = parser.parse_args().requests
    for kind in ("whole", "stream"):
        many = number if kind == "whole" else number // 10
        ours, theirs = (min(_seconds(make, many, stream=kind == "stream") for _ in range(5)) for make in (_ours, _h11))
        print(f"{kind}: ours {ours * 1e6:.0f} us of processor time a request, h11 {theirs * 1e6:.0f} us, {theirs / ours:.1f} times as much")


if __name__ == "__main__":
    main()
