"""The server below the wires: what is ambiguous is refused, what is too much is bounded, and who is slow harms nobody else."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deepsel.http1.requests import HttpRequest, RequestBounds
from deepsel.http1.responses import Outgoings
from deepsel.http1.server import Http1Server, ServerLimits
from deepsel.serve import listening

BOUNDS = RequestBounds(4096, 10_000, 0.4, 0.6, 0.5)
QUICK = ServerLimits(connections=40, workers=8, queue=4, first_s=0.3, idle_s=0.3, stop_s=1, bounds=BOUNDS)


@contextmanager
def _server(handle: Callable[[HttpRequest, Outgoings], None], limits: ServerLimits = QUICK) -> Iterator[int]:
    listener = listening.on_port("127.0.0.1", 0)
    with Http1Server(listener, handle, lambda status, message: ({"content-type": "text/plain"}, message.encode()), limits=limits):
        yield listener.getsockname()[1]


def _echo(request: HttpRequest, out: Outgoings) -> None:
    out.whole(200, {}, json.dumps([request.method, request.path, request.body.decode("latin-1")]).encode())


def _raw(port: int, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """Send bytes and read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        found = b""
        try:
            for piece in pieces:
                sock.sendall(piece)
                time.sleep(pause_s)
            while data := sock.recv(65536):
                found += data
        except ConnectionError:
            pass
        return found


HEAD = b"POST /v1/x HTTP/1.1\r\nhost: a\r\n"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello", 400),
        (HEAD + b"content-length: 5, 5\r\n\r\nhello", 400),
        (HEAD + b"content-length: +5\r\n\r\nhello", 400),
        (HEAD + b"content-length: 0x5\r\n\r\nhello", 400),
        (HEAD + b"content-length : 5\r\n\r\nhello", 400),
        (HEAD + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"transfer-encoding:\x0bchunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /x HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n5;a=b\r\nhello!\r\n0\r\n\r\n", 400),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n-1\r\n\r\n", 400),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n5\nhello\n0\n\n", 408),
        (HEAD + b"x: a\nhost: b\r\n\r\n", 400),
        (HEAD + b"x: a\rhost: b\r\n\r\n", 400),
        (HEAD + b"x: a\x00b\r\n\r\n", 400),
        (HEAD + b" folded: line\r\n\r\n", 400),
        (b"POST http://evil.example/x HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        (b"POST /x y HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (HEAD + b"x: " + b"a" * 5000 + b"\r\n\r\n", 431),
        (HEAD + b"content-length: 10001\r\n\r\n", 413),
        (HEAD + b"content-length: 99999999999999999999999\r\n\r\n", 413),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n2711\r\n", 413),
        (HEAD + b"expect: 100-continue\r\ncontent-length: 20000\r\n\r\n", 413),
    ],
)
def test_what_two_readers_could_read_in_two_ways_is_refused(raw: bytes, status: int) -> None:
    """Smuggling, oversized heads and bodies: refused with a status, and the connection is closed."""
    with _server(_echo) as port:
        answer = _raw(port, raw)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close" in answer
    assert answer.count(b"HTTP/1.1 4") == 1


def test_bodies_in_chunks_after_100_continue_and_several_requests_at_once() -> None:
    """What is allowed works: chunks with extensions and trailers, `Expect`, pipelined requests in their order, HTTP/1.0."""
    chunked = HEAD + b"transfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nx: y\r\n\r\n"
    expecting = HEAD + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\nhi"
    last = b"GET /last?q=1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    with _server(_echo) as port:
        answer = _raw(port, chunked + expecting + last)
        old = _raw(port, b"GET / HTTP/1.0\r\n\r\n")
    bodies = [line for line in answer.split(b"\r\n") if line.startswith(b"[")]
    assert [json.loads(body.partition(b"HTTP/")[0])[1:] for body in bodies] == [["/v1/x", "abcde"], ["/v1/x", "hi"], ["/last", ""]]
    assert answer.index(b"100 Continue") < answer.index(b'"hi"')
    assert b"connection: close" in old


def test_slow_and_silent_clients_are_let_go() -> None:
    """Half a head, half a body and nothing at all end by themselves; meanwhile others are answered."""
    with _server(_echo) as port, ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20)) for _ in range(6)]
        for number, sock in enumerate(slow):
            sock.sendall((b"", b"POST /x HT", HEAD + b"content-length: 50\r\n\r\nhalf")[number % 3])
        assert httpx.get(f"http://127.0.0.1:{port}/ok", timeout=20).status_code == 200
        for sock in slow:
            assert sock.recv(1000)[:12] in (b"", b"HTTP/1.1 408")


def test_a_reader_that_takes_nothing_is_let_go() -> None:
    """Its answer is cut after a while, and its worker is free again."""
    ended = threading.Event()

    def pour(_request: HttpRequest, out: Outgoings) -> None:
        try:
            out.begin(200, {})
            for _ in range(1000):
                out.write(b"x" * 100_000)
        finally:
            ended.set()

    with _server(pour) as port, socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert ended.wait(20)


def test_many_idle_connections_are_bounded_and_harm_nobody() -> None:
    """The one that was silent longest gives its place to a new one."""
    with _server(_echo) as port, ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
        assert httpx.get(f"http://127.0.0.1:{port}/ok", timeout=20).status_code == 200


def test_one_too_many_is_told_to_come_again() -> None:
    """As many as there are workers are answered, as many as the queue holds wait, the others get 503 with `retry-after`."""
    go = threading.Event()

    def wait(_request: HttpRequest, out: Outgoings) -> None:
        go.wait(20)
        out.whole(200, {}, b"ok")

    found: list[tuple[int, str]] = []

    def ask(port: int) -> None:
        answer = httpx.get(f"http://127.0.0.1:{port}/", timeout=30)
        found.append((answer.status_code, answer.headers.get("retry-after", "")))
        if answer.status_code == 503:
            go.set()

    limits = QUICK._replace(workers=2, queue=2, first_s=20)
    with _server(wait, limits) as port:
        askers = [threading.Thread(target=ask, args=(port,)) for _ in range(8)]
        for one in askers:
            one.start()
        for one in askers:
            one.join(30)
    assert {status for status, _ in found} == {200, 503}
    assert sum(status == 200 for status, _ in found) >= 4
    assert {after for status, after in found if status == 503} == {"1"}


def test_it_ends_after_the_answers_under_way() -> None:
    """New clients are refused at once, the one under way gets its whole answer."""
    begun, go = threading.Event(), threading.Event()

    def slow(_request: HttpRequest, out: Outgoings) -> None:
        out.begin(200, {}, b"first ")
        begun.set()
        go.wait(20)
        out.end(b"last")

    got: list[str] = []
    with _server(slow, QUICK._replace(stop_s=20)) as port:
        asker = threading.Thread(target=lambda: got.append(httpx.get(f"http://127.0.0.1:{port}/", timeout=30).text))
        asker.start()
        assert begun.wait(20)
        threading.Timer(0.3, go.set).start()
    asker.join(20)
    assert got == ["first last"]
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()


def test_what_hangs_is_cut_at_the_end() -> None:
    """And never looks whole: the last chunk is missing."""
    begun = threading.Event()

    def hang(_request: HttpRequest, out: Outgoings) -> None:
        out.begin(200, {}, b"first")
        begun.set()
        while True:
            time.sleep(0.05)
            out.write(b".")

    failed: list[Exception] = []

    def ask(port: int) -> None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/", timeout=30)
        except httpx.HTTPError as error:
            failed.append(error)

    with _server(hang, QUICK._replace(stop_s=0.2)) as port:
        asker = threading.Thread(target=ask, args=(port,))
        asker.start()
        assert begun.wait(20)
    asker.join(20)
    assert len(failed) == 1


def test_a_unix_socket_is_its_owners_alone(simulate: Any, serve: Any, profiles: Any, tmp_path: Path) -> None:
    """Nobody else may open it, one that is dead is taken over, and it is gone at the end."""
    path = Path("/tmp") / f"deepsel-{tmp_path.name[-20:]}.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    serve(profiles(one=simulate()), socket=path)
    assert path.stat().st_mode & 0o077 == 0
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
        body = {"model": "one", "messages": [{"role": "user", "content": "Hi"}]}
        assert client.post("http://any.name/v1/chat/completions", json=body, timeout=30).status_code == 200
    with pytest.raises(Exception, match="another program"):
        serve(profiles(one=simulate()), socket=path)
    path.unlink()


def test_https_by_certificate_files(simulate: Any, serve: Any, profiles: Any, tmp_path: Path) -> None:
    """A client that trusts the certificate is answered over TLS; one that speaks plainly harms nobody."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl makes no certificate here")
    served = serve(profiles(one=simulate()), tls_cert=cert, tls_key=key)
    assert served.url.startswith("https://")
    _raw(served.port, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    with httpx.Client(verify=ssl.create_default_context(cafile=str(cert))) as client:
        assert [client.get(f"{served.url}/health", timeout=30).json() for _ in range(2)] == [{"status": "ok"}] * 2
