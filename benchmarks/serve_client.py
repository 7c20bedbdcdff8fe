"""The client of `serve.py`: posts one request after the other over kept connections and prints seconds each as JSON.

Arguments: host:port, path, threads, requests in all, `whole` or `stream`, a model's name. Raw sockets, so that the client's own time
is small and the same for everybody.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time

_WHOLE_END = b"\r\n\r\n"


def _ask(sock: socket.socket, raw: bytes) -> tuple[float, float]:
    """Post once; return seconds to the first byte of the body and to its end."""
    started = time.perf_counter()
    sock.sendall(raw)
    data, first = b"", 0.0
    while True:
        piece = sock.recv(65536)
        if not piece:
            raise SystemExit(f"closed: {data[:300]!r}")
        data += piece
        head, mark, body = data.partition(_WHOLE_END)
        if not mark:
            continue
        if body and not first:
            first = time.perf_counter() - started
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"refused: {data[:600]!r}")
        lowered = head.lower()
        if b"transfer-encoding: chunked" in lowered:
            if body.endswith(b"0\r\n\r\n"):
                break
        else:
            length = int(lowered.partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(body) >= length:
                break
    return first, time.perf_counter() - started


def main() -> None:
    """Ask as the arguments say."""
    address, path, threads, requests, kind, model = sys.argv[1:7]
    host, _, port = address.partition(":")
    messages = [{"role": "system", "content": "Be brief. " * 40}, {"role": "user", "content": "Say something about words."}]
    body = json.dumps({"model": model, "messages": messages, "max_tokens": 200, **({"stream": True} if kind == "stream" else {})}).encode()
    extra = "".join(f"{header}\r\n" for header in sys.argv[7:])
    raw = (
        f"POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nauthorization: Bearer sk-local\r\n"
        f"{extra}content-length: {len(body)}\r\n\r\n"
    ).encode() + body
    times: list[tuple[float, float]] = []

    failures: list[str] = []

    def work(count: int) -> None:
        try:
            converse(count)
        except SystemExit as failure:
            failures.append(str(failure))

    def converse(count: int) -> None:
        with socket.create_connection((host, int(port))) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            times.extend([_ask(sock, raw) for _ in range(count)])

    workers = [threading.Thread(target=work, args=(int(requests) // int(threads),)) for _ in range(int(threads))]
    began = time.perf_counter()
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    if failures:
        raise SystemExit(failures[0])
    print(json.dumps({"wall_s": time.perf_counter() - began, "first_s": [one[0] for one in times], "total_s": [one[1] for one in times]}))


if __name__ == "__main__":
    main()
