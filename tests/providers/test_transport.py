"""The transport against servers that answer, refuse, stall, drip and cut, on real sockets."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import threading
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpcore
import pytest

from deepsel.clock import SystemClock
from deepsel.errors import AttemptFailed, ConfigError, ErrorClass
from deepsel.providers.calls import Call, Timeouts, sends_key_in_clear
from deepsel.providers.connections import FRESH_S, KeptConnections
from deepsel.providers.inflate import inflated
from deepsel.providers.transport import HttpTransport
from deepsel.secret import Secret

Make = Callable[..., Any]
PATIENT = Timeouts(connect_s=60, first_token_s=60, progress_s=60, idle_s=60)
NONE = Timeouts(connect_s=None, first_token_s=None, progress_s=None, idle_s=None)


@pytest.fixture
def transport(clock: Any) -> Iterator[HttpTransport]:
    with HttpTransport(clock, env={}) as made:
        yield made


def get(transport: HttpTransport, url: str, timeouts: Timeouts = PATIENT, **headers: str | Secret) -> bytes:
    with transport.open(Call("POST", url, headers, b"{}"), timeouts=timeouts) as response:
        return b"".join(response.iter_bytes())


def failed(transport: HttpTransport, url: str, timeouts: Timeouts = PATIENT, **headers: str | Secret) -> AttemptFailed:
    with pytest.raises(AttemptFailed) as caught:
        get(transport, url, timeouts, **headers)
    return caught.value


def test_a_call_arrives_and_its_answer_comes_back(transport: HttpTransport, serve: Make, reply: Make) -> None:
    """Headers and body arrive as given, under our name; status, lower-case headers and body come back."""
    server = serve(["read", reply("hello", "201 Created", X_Request_Id="r-1")])
    call = Call("POST", server.url + "/v1/x?y=1", {"authorization": Secret("Bearer k")}, b'{"a":1}')
    with transport.open(call, timeouts=PATIENT) as response:
        assert (response.status, response.headers["x-request-id"]) == (201, "r-1")
        assert b"".join(response.iter_bytes()) == b"hello"
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/x?y=1 HTTP/1.1")
    assert b"authorization: Bearer k" in head.replace(b"Authorization", b"authorization")
    assert b"deepsel/" in head
    assert body == b'{"a":1}'


def test_call_hides_its_key() -> None:
    """A call can be printed: neither its headers nor its body show."""
    call = Call("POST", "http://h", {"x": Secret("sk-key"), "y": "other-key"}, b"prompt")
    assert not any(word in repr(call) for word in ("sk-key", "other-key", "prompt"))


def test_connections_are_kept_and_watched(transport: HttpTransport, serve: Make, reply: Make) -> None:
    """The second call uses the first one's connection, and the stamps of each say what happened on the socket.

    Notices an httpx whose pools no longer take our network backend.
    """
    server = serve(["read", reply("a"), "read", reply("b"), "hang"])
    exchanges = []
    for expected in (b"a", b"b"):
        with transport.open(Call("POST", server.url, {}, b"x" * 200_000), timeouts=PATIENT) as response:
            assert b"".join(response.iter_bytes()) == expected
            exchanges.append(response.exchange)
    first, second = exchanges
    assert server.connections == 1
    assert first.connect_s is not None
    assert second.connect_s is None
    for exchange in exchanges:
        assert exchange.started_at <= exchange.sent_at <= exchange.first_byte_at


def test_every_pool_is_watched(monkeypatch: pytest.MonkeyPatch, serve: Make, reply: Make) -> None:
    """Direct connections and those through a proxy get the limits; httpx keeps its backend under a known name."""
    assert isinstance(httpcore.ConnectionPool()._network_backend, httpcore.SyncBackend)
    monkeypatch.setenv("HTTP_PROXY", serve(["read", "hang"]).url)
    with HttpTransport(SystemClock(), env={}) as transport:
        for url in (serve(["read", "hang"]).url, "http://models.example/v1"):
            failure = failed(transport, url, Timeouts(first_token_s=0.3))
            assert failure.error_class is ErrorClass.STALLED


def test_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch, serve: Make, reply: Make) -> None:
    """A proxy is used as httpx users know it, but never for this machine's own servers."""
    proxy, own = serve(["read", reply("proxied")]), serve(["read", reply("direct")])
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    with HttpTransport(SystemClock(), env={}) as transport:
        assert get(transport, "http://models.example/v1") == b"proxied"
        assert get(transport, own.url) == b"direct"
    assert proxy.requests[0].startswith(b"POST http://models.example/v1 HTTP/1.1")


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:1", "socks://127.0.0.1:1/", "ftp://127.0.0.1:1", "http://h:port"])
def test_unusable_proxy(monkeypatch: pytest.MonkeyPatch, serve: Make, reply: Make, value: str) -> None:
    """A proxy that cannot be used stops what needs it, with words that name the variable, and nothing else."""
    monkeypatch.setenv("ALL_PROXY", value)
    monkeypatch.setitem(sys.modules, "socksio", None)  # as where the extra is not installed
    own = serve(["read", reply("direct")])
    with HttpTransport(SystemClock(), env={}) as transport:
        assert get(transport, own.url) == b"direct"
        with pytest.raises(ConfigError) as caught:
            get(transport, "http://models.example/v1")
    assert "ALL_PROXY" in caught.value.message
    assert "NO_PROXY" in caught.value.hint


@pytest.mark.parametrize(
    ("answer", "may_retry"),
    [("407 Proxy Authentication Required", False), ("403 Forbidden", False), ("502 Bad Gateway", None), ("503 Busy", None)],
)
def test_a_proxy_that_refuses(monkeypatch: pytest.MonkeyPatch, serve: Make, answer: str, may_retry: bool | None) -> None:
    """A proxy that lets nobody through is named with its answer, without its password; only its troubles pass by themselves."""
    proxy = serve(["read", f"HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n".encode()])
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//me:hush-hush@"))
    with HttpTransport(SystemClock(), env={}) as transport:
        failure = failed(transport, "https://models.example/v1")
    assert (failure.error_class, failure.should_retry) == (ErrorClass.NETWORK, may_retry)
    assert failure.message == f"could not reach models.example (the proxy {proxy.url.rstrip('/')} answered {answer})"
    assert "NO_PROXY" in failure.hint


def test_a_proxy_that_wants_a_password_of_a_plain_request(monkeypatch: pytest.MonkeyPatch, serve: Make) -> None:
    """A 407 is the proxy's word, never the provider's."""
    proxy = serve(["read", b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"])
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    with HttpTransport(SystemClock(), env={}) as transport:
        failure = failed(transport, "http://models.example/v1")
    assert (failure.error_class, failure.should_retry) == (ErrorClass.NETWORK, False)
    assert f"the proxy {proxy.url.rstrip('/')} answered 407" in failure.message


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the proxy cannot be reached, it is the proxy that is named, and nobody waits for it as for a server that starts."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("HTTPS_PROXY", url)
    with HttpTransport(SystemClock(), env={}) as transport:
        failure = failed(transport, "https://models.example/v1")
    assert failure.message == f"could not reach the proxy {url} (connection refused) on the way to models.example"
    assert not failure.is_loading


# --- no answer -------------------------------------------------------------------------------------------------------


def test_refused(transport: HttpTransport) -> None:
    """A port nobody listens on is a network failure that says so."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    failure = failed(transport, f"http://127.0.0.1:{port}")
    assert failure.error_class is ErrorClass.NETWORK
    assert failure.message == f"could not reach 127.0.0.1:{port} (connection refused)"
    assert failure.is_loading, "a server of this machine's own may be starting"


def test_unknown_name(transport: HttpTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without an address is a network failure."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    failure = failed(transport, "https://nowhere.example/v1")
    assert (failure.error_class, failure.message) == (
        ErrorClass.NETWORK, "could not reach nowhere.example (the name is not known)")  # fmt: skip


def test_a_name_server_that_does_not_answer(transport: HttpTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up takes no longer than a connection may, or the whole call."""
    never = threading.Event()

    def silent(*_: object, **__: object) -> list[Any]:
        never.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    try:
        failure = failed(transport, "http://silent.example/v1", NONE._replace(connect_s=0.05))
        assert (failure.error_class, failure.message) == (
            ErrorClass.NETWORK, "could not reach silent.example (no connection within 0.05 s)")  # fmt: skip
        deadline = transport._clock.monotonic() + 0.05
        failure = failed(transport, "http://silent.example/v1", NONE._replace(deadline=deadline))
        assert "time limit" in failure.message
    finally:
        never.set()


def test_a_body_that_grows_when_it_is_inflated_ends_in_time(
    transport: HttpTransport, clock: Any, serve: Make, reply: Make
) -> None:
    """One read may bring minutes of work: the limits hold between the pieces of it, too."""
    bomb = gzip.compress(b": x\n" * 8_000_000)
    server = serve(["read", reply(bomb, content_encoding="gzip")])
    deadline = clock.count() + 0.1
    failure = failed(transport, server.url, NONE._replace(deadline=deadline))
    assert failure.error_class is ErrorClass.STALLED
    assert clock.monotonic() < deadline + 0.2


def test_a_name_that_cannot_be_one(transport: HttpTransport) -> None:
    """What the codec for names refuses is the configuration's fault, in one line."""
    for host in ("a..b", "xn--", "x" * 70):
        with pytest.raises(ConfigError):
            get(transport, f"http://{host}/v1")


@pytest.mark.parametrize("error", [UnicodeEncodeError("ascii", "é", 0, 1, "no"), ValueError("no"), OverflowError("no"), RecursionError()])
def test_what_a_library_raises_is_the_providers_failure(
    transport: HttpTransport, serve: Make, reply: Make, error: Exception
) -> None:
    """Whatever goes wrong over foreign bytes, the request goes on with the next provider."""
    server = serve(["read", reply("hello")])
    with pytest.raises(AttemptFailed) as caught, transport.open(Call("POST", server.url, {}, b"{}"), timeouts=PATIENT):
        raise error
    assert caught.value.error_class is ErrorClass.MALFORMED
    assert caught.value.message.endswith("answered something that cannot be read")


def test_cookies_are_not_kept(transport: HttpTransport, serve: Make, reply: Make) -> None:
    """What one server sets, of any byte, is sent neither to it nor to another one."""
    one = serve(["read", reply("a", Set_Cookie="sid=TRACKME; Path=/"), "read", reply("b", Set_Cookie="s\xe9=\xff")])
    other = serve(["read", reply("c")])
    for url in (one.url, one.url, other.url):
        get(transport, url)
    assert not [sent for sent in (*one.requests, *other.requests) if b"ookie" in sent]


def test_a_proxy_that_gives_its_password_back(clock: Any, serve: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason of its refusal is told without name and password, in no encoding."""
    pair = b64encode(b"me:hush-hush").decode()
    server = serve(["read", f"HTTP/1.1 403 not Basic {pair} nor me:hush-hush nor hush-hush\r\n\r\n".encode()])
    monkeypatch.setenv("HTTPS_PROXY", server.url.replace("//", "//me:hush-hush@"))
    with HttpTransport(clock, env={}) as through:
        failure = failed(through, "https://api.example/v1")
    assert b"CONNECT api.example:443" in server.requests[0]
    assert f"Basic {pair}".encode() in server.requests[0]
    assert "403 not" in failure.message
    assert not [part for part in (pair, pair[4:12], "hush") if part in failure.message]


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://other.example/v1?key=x", "redirects to other.example;"),
        ("/elsewhere", "redirects to another path;"),
        ("elsewhere/x:y", "redirects to another path;"),
        ("javascript:alert(1)", "redirects to what is no address of HTTP;"),
        ("file:///etc/passwd", "redirects to what is no address of HTTP;"),
        ("http://xn--/", "redirects to xn--;"),
        ("http://[::1/", "redirects to http://[::1/;"),
        ("http://\xff\xfe/", "redirects to "),
        ("", "redirects to another path;"),
    ],
)
def test_a_redirect_of_any_kind_is_told(transport: HttpTransport, serve: Make, reply: Make, location: str, told: str) -> None:
    """It is the provider's, whatever stands in it, and nothing of it is followed."""
    failure = failed(transport, serve(["read", reply("", "302 Found", Location=location)]).url)
    assert failure.error_class is ErrorClass.MALFORMED
    assert told in failure.message


def test_headers_and_failures_hold_no_secret(transport: HttpTransport, serve: Make, reply: Make) -> None:
    """What is sent as a secret comes back in no header and in no failure."""
    key = "sk-CANARY0123456789xyz"
    server = serve(["read", reply("hello", X_Request_Id=f"id of {key}")], ["read", reply("", content_encoding=key)])
    with transport.open(Call("POST", server.url, {"authorization": Secret(f"Bearer {key}")}, b"{}"), timeouts=PATIENT) as response:
        assert response.headers["x-request-id"] == "id of [redacted]"
        assert dict(response.headers)["content-length"] == "5"
    assert "CANARY" not in failed(transport, server.url).message


@pytest.mark.parametrize(
    ("script", "error_class"),
    [
        ([], ErrorClass.NETWORK),
        (["read"], ErrorClass.NETWORK),
        (["read", "reset"], ErrorClass.NETWORK),
        (["read", b"HTTP/1.1 200 OK\r\ncontent-ty"], ErrorClass.NETWORK),
        (["read", b"SSH-2.0-OpenSSH\r\n\r\n"], ErrorClass.MALFORMED),
        (["read", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n\r\n"], ErrorClass.MALFORMED),
        (["read", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"], ErrorClass.STREAM_CUT),
        (["read", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", "reset"], ErrorClass.STREAM_CUT),
        (["read", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"], ErrorClass.STREAM_CUT),
        (["read", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"], ErrorClass.MALFORMED),
    ],
)
def test_broken_responses(transport: HttpTransport, serve: Make, script: list[Any], error_class: ErrorClass) -> None:
    """Each way to break off or to speak no HTTP has its class, is asked once, and names the host."""
    server = serve(script, ["read", b"HTTP/1.1 200 OK\r\n\r\n"])
    failure = failed(transport, server.url)
    assert failure.error_class is error_class
    assert "127.0.0.1" in failure.message
    assert server.connections == 1


def test_tls_to_a_plain_server(transport: HttpTransport, serve: Make, reply: Make) -> None:
    """A server that does not encrypt is a network failure over https."""
    server = serve([b"HTTP/1.1 400 Bad Request\r\n\r\n"])
    failure = failed(transport, server.url.replace("http", "https"))
    assert failure.error_class is ErrorClass.NETWORK
    assert "no encrypted connection is possible" in failure.message



# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["deadline", "first_token_s"])
@pytest.mark.parametrize(
    "script", [["hang"], ["read", "hang"], ["read", b"HTTP/1.1 200 OK\r\n", "hang"],
               ["read", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "hang"],
               ["read", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "drip"]],
)  # fmt: skip
def test_limits_hold_wherever_it_hangs(
    transport: HttpTransport, serve: Make, clock: Any, script: list[Any], where: str
) -> None:
    """Silence anywhere, and keep-alives without end, stall at the deadline or at the limit for the first token."""
    began = clock.count()
    limit = began + 0.05 if where == "deadline" else 0.05
    timeouts = Timeouts(**{"first_token_s": None, "idle_s": None, where: limit})
    failure = failed(transport, serve(script).url, timeouts)
    assert failure.error_class is ErrorClass.STALLED
    assert ("time limit" if where == "deadline" else "no first token") in failure.message


def test_idle_limit(transport: HttpTransport, serve: Make, stream: Make) -> None:
    """No byte at all for too long stalls, once a byte has come."""
    server = serve(["read", stream(b"a", ended=False), "hang"])
    failure = failed(transport, server.url, Timeouts(idle_s=0.05))
    assert (failure.error_class, "nothing came for 0.05 s" in failure.message) == (ErrorClass.STALLED, True)


def test_progress_limit(transport: HttpTransport, serve: Make, stream: Make) -> None:
    """After a piece of content the next one has its own limit, which keep-alives do not move."""
    server = serve(["read", stream(b"a", ended=False), "drip"])
    call = Call("POST", server.url)
    with transport.open(call, timeouts=Timeouts(progress_s=0.05)) as response:
        chunks = response.iter_bytes()
        assert next(chunks) == b"a"
        response.exchange.progress()
        with pytest.raises(AttemptFailed, match="no more of the answer") as caught:
            list(chunks)
    assert caught.value.error_class is ErrorClass.STALLED


def test_deadline_that_has_passed(transport: HttpTransport, serve: Make, clock: Any) -> None:
    """Nothing is sent after the deadline."""
    server = serve(["read"])
    failed(transport, server.url, Timeouts(deadline=clock.monotonic() - 1))
    assert server.connections == 0


def test_threads_have_their_own_limits(transport: HttpTransport, serve: Make, reply: Make, clock: Any) -> None:
    """One call's limit does not touch another's on the same transport."""
    clock.count()
    slow, quick = serve(["read", "hang"]), serve(["read", reply("ok")])
    failures: list[AttemptFailed] = []
    url = slow.url
    thread = threading.Thread(target=lambda: failures.append(failed(transport, url, Timeouts(first_token_s=0.2))))
    thread.start()
    assert get(transport, quick.url, NONE) == b"ok"
    thread.join()
    assert [failure.error_class for failure in failures] == [ErrorClass.STALLED]


# --- kept connections, redirects, sizes ------------------------------------------------------------------------------


def test_calls_at_once_have_a_connection_each_and_later_ones_share_them(
    transport: HttpTransport, serve: Make, reply: Make
) -> None:
    """As many connections are opened as there are calls at once, and none for calls that come after."""
    server = serve(*[["read", reply("ok")] * 20 + ["hang"]] * 20)
    for at_once in (1, 8, 3):
        together = threading.Barrier(at_once)

        def ask(together: threading.Barrier = together) -> bytes:
            with transport.open(Call("POST", server.url, {}, b"{}"), timeouts=PATIENT) as response:
                together.wait(5)  # nobody gives his connection back before each has one
                return b"".join(response.iter_bytes())

        with ThreadPoolExecutor(at_once) as pool:
            assert {one.result() for one in [pool.submit(ask) for _ in range(at_once)]} == {b"ok"}
    assert server.connections == 8


def test_a_call_after_the_connections_were_dropped_opens_a_new_one(
    transport: HttpTransport, serve: Make, reply: Make
) -> None:
    """What waits is closed, what is under way is cut, and the transport goes on."""
    server = serve(["read", reply("a"), "hang"], ["read", reply("b"), "hang"], ["read", reply("c"), "hang"])
    assert get(transport, server.url) == b"a"
    transport.drop_connections()
    with transport.open(Call("POST", server.url, {}, b"{}"), timeouts=PATIENT):
        transport.drop_connections()
    assert get(transport, server.url) == b"c"


class Ticking(SystemClock):
    """A monotonic clock that is set by hand."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


def test_too_many_unused_connections_are_closed() -> None:
    """Of those that wait the newest are kept and used first; one that has expired is closed when it is met."""

    class Plain:
        def __init__(self) -> None:
            self.is_old, self.is_shut = False, False

        def is_closed(self) -> bool:
            return self.is_shut

        def is_idle(self) -> bool:
            return True

        def has_expired(self) -> bool:
            return self.is_old

        def close(self) -> None:
            self.is_shut = True

    clock = Ticking()
    kept: KeptConnections[Plain] = KeptConnections(clock, most=2, longest_s=50)
    made = [Plain() for _ in range(4)]
    for one in made:
        kept.add(one)
    for one in made:
        kept.give_back("here", one)
    assert [one.is_shut for one in made] == [True, True, False, False]
    assert kept.take("there") is None
    made[3].is_old = True
    clock.seconds += FRESH_S
    assert kept.take("here") is made[2]
    assert made[3].is_shut
    kept.give_back("here", made[2])
    clock.seconds += 51
    late = Plain()
    kept.add(late)
    kept.give_back("here", late)
    assert made[2].is_shut
    assert kept.take("here") is late
    kept.close()
    assert late.is_shut  # although it is in use
    kept.give_back("here", late)
    assert kept.take("here") is None


def test_name_and_password_of_an_address_are_sent(transport: HttpTransport, serve: Make, reply: Make) -> None:
    """They go into the header for them, before a key, and stand neither in the request's target nor in its host."""
    server = serve(["read", reply("ok")])
    get(transport, server.url.replace("//", "//me:p%40ss@") + "/v1?x=%C3%BC", authorization="Bearer k")
    head = server.requests[0].lower()
    assert b"authorization: basic " + b64encode(b"me:p@ss").lower() in head
    assert head.startswith(b"post /v1?x=%c3%bc http/1.1\r\nhost: 127.0.0.1:")
    assert b"bearer" not in head


@pytest.mark.parametrize("end", ["close", "reset"])
def test_stale_connection_is_replaced_once(transport: HttpTransport, serve: Make, reply: Make, end: str) -> None:
    """A kept connection that turns out to be closed is replaced by a new one, unseen."""
    server = serve(["read", reply("a"), "read", *(["reset"] if end == "reset" else [])], ["read", reply("b")])
    assert get(transport, server.url) == b"a"
    assert get(transport, server.url) == b"b"
    assert server.connections == 2


def test_stale_connection_is_replaced_only_once(transport: HttpTransport, serve: Make, reply: Make) -> None:
    """A new connection that breaks as well is a failure."""
    server = serve(["read", reply("a"), "read"], ["read"], ["read", reply("c")])
    assert get(transport, server.url) == b"a"
    assert failed(transport, server.url).error_class is ErrorClass.NETWORK
    assert server.connections == 2


def test_answer_begun_on_a_kept_connection_is_not_asked_again(transport: HttpTransport, serve: Make, reply: Make) -> None:
    """Once a byte has come, a broken kept connection is a failure like any other."""
    server = serve(["read", reply("a"), "read", b"HTTP/1.1 2"], ["read", reply("b")])
    assert get(transport, server.url) == b"a"
    assert failed(transport, server.url).error_class is ErrorClass.NETWORK
    assert server.connections == 1


@pytest.mark.parametrize("status", ["301 Moved", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_redirects_are_refused(transport: HttpTransport, serve: Make, reply: Make, status: str) -> None:
    """A redirect is a failure that says where it pointed, and the other host is never asked."""
    other = serve(["read", reply("b")])
    server = serve(["read", reply("", status, location=other.url + "/x?token=t")])
    failure = failed(transport, server.url, authorization=Secret("Bearer k"))
    assert other.connections == 0
    assert other.url.removeprefix("http://") in failure.message
    assert "token" not in failure.message
    assert failure.should_retry is False


def test_body_is_bounded(transport: HttpTransport, serve: Make, reply: Make) -> None:
    """A body over the limit is malformed; the start of an error's body is had whatever its size."""
    server = serve(["read", reply("x" * 5000)], ["read", reply("x" * 5000)])
    with transport.open(Call("POST", server.url), timeouts=PATIENT) as response, pytest.raises(AttemptFailed) as caught:
        list(response.iter_bytes(limit=1000))
    assert caught.value.error_class is ErrorClass.MALFORMED
    with transport.open(Call("POST", server.url), timeouts=PATIENT) as response:
        assert response.read_start(1000) == b"x" * 1000


def test_compressed_bodies(transport: HttpTransport, serve: Make, reply: Make) -> None:
    """Gzip is undone as it comes, and a bomb stops at the limit."""
    bomb = gzip.compress(b"\0" * 50_000_000)
    packed = [reply(data, content_encoding="gzip") for data in (gzip.compress(b"hello"), bomb)]
    server = serve(["read", packed[0], "read", packed[1]])
    with transport.open(Call("POST", server.url), timeouts=PATIENT) as response:
        assert b"".join(response.iter_bytes()) == b"hello"

    call = Call("POST", server.url)
    with transport.open(call, timeouts=PATIENT) as response, pytest.raises(AttemptFailed, match="larger"):
        list(response.iter_bytes(limit=1_000_000))


@pytest.mark.parametrize(
    ("data", "encoding", "error_class"),
    [
        (gzip.compress(b"hello" * 99, mtime=0)[:-9], "gzip", ErrorClass.STREAM_CUT),
        (b"not gzip at all", "gzip", ErrorClass.MALFORMED),
        (b"", "br", ErrorClass.MALFORMED),
        (zlib.compress(b"hello")[:-5], "deflate", ErrorClass.STREAM_CUT),
    ],
)
def test_bad_compression(data: bytes, encoding: str, error_class: ErrorClass) -> None:
    """Compressed data that ends early, is wrong or was not asked for has its class."""
    with pytest.raises(AttemptFailed) as caught:
        list(inflated(iter([data]), encoding))
    assert caught.value.error_class is error_class


@pytest.mark.parametrize("size", [1, 7, 10**6])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity", ""])
def test_compression_by_pieces(encoding: str, size: int) -> None:
    """However compressed data is cut, and however much it holds, it comes out whole."""
    plain = bytes(range(256)) * 3000
    packed = {"gzip": gzip.compress, "deflate": zlib.compress}.get(encoding, bytes)(plain)
    if size == 1:
        plain, packed = plain[:500], {"gzip": gzip.compress, "deflate": zlib.compress}.get(encoding, bytes)(plain[:500])
    chunks = [packed[start : start + size] for start in range(0, len(packed), size)]
    assert b"".join(inflated(iter(chunks), encoding)) == plain


# --- what cannot be sent ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["", "127.0.0.1:9/v1", "ftp://127.0.0.1/v1", "http://h:port/v1", "http:///v1"])
def test_addresses_that_are_none(transport: HttpTransport, url: str) -> None:
    """An address requests cannot be sent to is a configuration error."""
    with pytest.raises(ConfigError):
        get(transport, url)


@pytest.mark.parametrize("key", ["sk-\nbreak", "sk-“quoted”", " sk-space", "sk-tab\t"])
def test_keys_that_are_none(transport: HttpTransport, serve: Make, key: str) -> None:
    """A key that cannot stand in a header is a configuration error that does not show it."""
    with pytest.raises(ConfigError) as caught:
        get(transport, serve().url, authorization=Secret(key))
    assert key.strip() not in str(caught.value)
    assert "authorization" in caught.value.message
    with pytest.raises(ConfigError, match="not valid"):
        get(transport, serve().url, **{"bad name": "x"})


@pytest.mark.parametrize(
    ("url", "is_clear"),
    [
        ("https://models.example/v1", False),
        ("http://models.example/v1", True),
        ("HTTP://models.example/v1", True),
        ("http://10.0.0.5:8000", True),
        ("http://127.0.0.1:8000", False),
        ("http://127.9.9.9", False),
        ("http://[::1]:8000", False),
        ("http://localhost:8000", False),
        ("http://api.localhost", False),
        ("http://localhost.example", True),
        ("http://[bad", True),
    ],
)
def test_keys_in_clear(url: str, is_clear: bool) -> None:
    """A key is in clear where it leaves the machine unencrypted, and nothing is without a key."""
    assert sends_key_in_clear(url, Secret("k")) is is_clear
    assert not sends_key_in_clear(url, None)


def test_import_is_light() -> None:
    """Importing the transport loads neither httpx nor httpcore."""
    code = "import sys, deepsel.providers.transport; print(sorted({'httpx', 'httpcore'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
