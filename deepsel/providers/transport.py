"""Sends a call, gives its bytes within limits of time and size, translates errors. The only importer of httpcore.

Knows nothing of providers. Redirects are refused, so that a key goes nowhere but to the host it was meant for. Calls go straight
to httpcore, which takes half the CPU of httpx; that finds the way (`routes`). It is imported when an HttpTransport is made,
since a cached answer needs none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from deepsel.clock import Clock
from deepsel.errors import AttemptFailed, ConfigError, DeepselError, ErrorClass
from deepsel.providers.boundary import boundary
from deepsel.providers.calls import Call, Timeouts, Trust
from deepsel.providers.certificates import CERTIFICATE_VARIABLES, Certificates, system_folder
from deepsel.providers.connections import KeptConnections
from deepsel.providers.exchange import Backend, Exchange, Watch
from deepsel.providers.headers import Headers, header_text
from deepsel.providers.inflate import inflated
from deepsel.providers.routes import KEEP_ALIVE_S, Route, Routes, bundle, own_bundle
from deepsel.providers.unconnected import is_untrusted, redirected, refused_by_proxy, unconnected, wants_certificate
from deepsel.secret import KnownSecrets, Secret

if TYPE_CHECKING:
    import httpcore

MAX_ANSWER_BYTES = 256 * 1024 * 1024
"""Decoded size of a whole response; the longest answers come as very many small events."""

_DRAIN_S, _DRAIN_BYTES = 0.1, 64 * 1024
_MOST_KEPT = 64


class HttpResponse:
    """A response whose headers have come. Its bytes are read once, by whichever method."""

    def __init__(
        self, response: httpcore.Response, exchange: Exchange, watch: Watch, call: Call, secrets: KnownSecrets
    ) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = Headers(response.headers, secrets)
        self.secrets = secrets
        """What nothing that is read of it may hold."""
        self.exchange = exchange
        """The call's limits and time stamps."""
        self._response = response
        self._watch = watch
        self._call = call
        encoding = self.headers.get("content-encoding", "")
        self._is_inflated = bool(encoding)
        self._chunks = inflated(self._raw(), encoding)

    def iter_bytes(self, *, limit: int = MAX_ANSWER_BYTES) -> Iterator[bytes]:
        """Yield the decoded body as it comes; raises AttemptFailed (stream_cut, stalled, malformed)."""
        size = 0
        for chunk in self._chunks:
            size += len(chunk)
            if size > limit:
                raise AttemptFailed(ErrorClass.MALFORMED, f"the answer is larger than {limit:,} bytes")
            yield chunk
            if self._is_inflated:
                self._ensure_in_time()  # one read may have brought a thousand times as much

    def read_start(self, limit: int) -> bytes:
        """Return at most `limit` bytes of the body, whatever happens to the rest: for the bodies of errors."""
        body = bytearray()
        with suppress(AttemptFailed):
            for chunk in self._chunks:
                body += chunk
                if len(body) >= limit:
                    break
        return bytes(body[:limit])

    def drain(self) -> None:
        """Read what is left if it is little and already there, so that the connection can be used again."""
        self.exchange.hurry(_DRAIN_S)
        self.read_start(_DRAIN_BYTES)

    def _ensure_in_time(self) -> None:
        try:
            self.exchange.begin("read")
        except TimeoutError as error:
            raise _translated(error, self._call, self.exchange, is_in_body=True) from error

    def _raw(self) -> Iterator[bytes]:
        """Yield the body as it is on the wire."""
        chunks = iter(self._response.iter_stream())
        while True:
            try:
                self._watch.exchange = self.exchange
                chunk = next(chunks, None)
            except _network_errors() as error:
                raise _translated(error, self._call, self.exchange, is_in_body=True) from error
            if chunk is None:
                return
            yield chunk


class HttpTransport:
    """Sends calls over kept connections; one serves all threads of a process. A context manager."""

    def __init__(
        self, clock: Clock, *, env: Mapping[str, str], secrets: KnownSecrets | None = None, trust: Trust | None = None
    ) -> None:
        """Connect to nobody yet; `env` may name certificates (SSL_CERT_FILE, SSL_CERT_DIR), before which `trust` goes.

        Proxies are those of the process's own environment. To `secrets` it adds those it sends.
        """
        self._clock = clock
        self._env = env
        self._apart: dict[Trust, HttpTransport] = {}
        """Those for calls with certificates of their own: whom one provider trusts no other one does."""
        self._apart_lock = Lock()
        self.secrets = secrets or KnownSecrets()
        if trust is None:
            self._certificates = Certificates(partial(bundle, env), system_folder(env))
            self._trust = next((name for name in CERTIFICATE_VARIABLES if env.get(name)), "")
        else:
            self._certificates = Certificates(partial(own_bundle, trust, env), None)
            self._trust = "ca_file" if trust.ca_file else ""
        self._watch = _make_watch(self._certificates)
        self._routes = Routes(self._watch, self.secrets)
        self._kept: KeptConnections[httpcore.ConnectionInterface] = KeptConnections(
            clock, most=_MOST_KEPT, longest_s=KEEP_ALIVE_S
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        for one in self._apart.values():
            one.close()
        self._kept.close()
        self._routes.close()

    def drop_connections(self) -> None:
        """Close every connection that is kept, so that the next call opens a new one; calls under way are cut."""
        for one in self._apart.values():
            one.drop_connections()
        self._kept.close()

    @contextmanager
    def open(self, call: Call, *, timeouts: Timeouts) -> Iterator[HttpResponse]:
        """Send `call` and give its response, of any status but a redirect.

        Raises AttemptFailed where no usable response came, ConfigError where the call itself cannot be sent.
        """
        if call.trust is not None:
            with self._for(call.trust).open(replace(call, trust=None), timeouts=timeouts) as apart:
                yield apart
            return
        for value in call.headers.values():
            if isinstance(value, Secret):
                self.secrets.add(value.reveal())
        exchange = Exchange(self._clock, timeouts)
        exchange.on_wait = call.on_wait
        route = self._routes.find(call)
        with boundary(call.target, self.secrets):
            connection, response = self._send(call, route, exchange)
            try:
                received = HttpResponse(response, exchange, self._watch, call, self.secrets)
                if 300 <= response.status < 400:
                    raise redirected(call, response.status, received.headers.get("location", ""))
                if response.status == 407:
                    raise refused_by_proxy(call, "407 Proxy Authentication Required", route.proxy)
                yield received
            finally:
                response.close()
                self._kept.give_back(route.origin, connection)

    def _for(self, trust: Trust) -> HttpTransport:
        """Give the transport whose connections trust so."""
        with self._apart_lock:
            if trust not in self._apart:
                self._apart[trust] = HttpTransport(self._clock, env=self._env, secrets=self.secrets, trust=trust)
            return self._apart[trust]

    def _send(
        self, call: Call, route: Route, exchange: Exchange
    ) -> tuple[httpcore.ConnectionInterface, httpcore.Response]:
        """Send, once more on a new connection where a kept one turns out to be closed and nothing has come."""
        request = _request(call, route)
        may_repeat = call.may_repeat
        while True:
            was_whole = self._certificates.is_whole
            connection = self._kept.take(route.origin) if may_repeat else None
            if connection is None:
                connection = route.pool.create_connection(request.url.origin)
                self._kept.add(connection)
            response = None
            try:
                self._watch.exchange = exchange
                response = connection.handle_request(request)
                return connection, response
            except _network_errors() as error:
                if is_untrusted(error) and not was_whole:
                    self._certificates.widen()
                    continue  # nothing has been sent
                is_stale = exchange.is_on_used_connection and not _is_timeout(error)
                if not (may_repeat and is_stale):
                    raise _translated(error, call, exchange, proxy=route.proxy, trust=self._trust) from error
                may_repeat = False
            finally:
                if response is None:
                    self._kept.give_back(route.origin, connection)


# --- sending -----------------------------------------------------------------------------------------------


def _make_watch(certificates: Certificates) -> Watch:
    """Put the limits over httpcore's plain sockets."""
    import httpcore

    unconnected = (httpcore.ConnectError, httpcore.ConnectTimeout)
    return Watch(cast("Backend", httpcore.SyncBackend()), certificates.context, unconnected=unconnected)


def _request(call: Call, route: Route) -> httpcore.Request:
    """Put together what is sent; raises ConfigError where a header cannot be."""
    import httpcore

    headers = {**route.headers, **{name: header_text(name, value) for name, value in call.headers.items()}}
    if route.authorization:
        headers["authorization"] = route.authorization
    if (call.body or call.method != "GET") and "transfer-encoding" not in headers:
        headers.setdefault("content-length", str(len(call.body)))
    raw = [(name.encode("utf-8"), value.encode("ascii")) for name, value in headers.items()]
    scheme, host, port, target = route.url
    url = httpcore.URL(scheme=scheme, host=host, port=port, target=target)
    return httpcore.Request(call.method, url, headers=raw, content=call.body)


# --- errors ----------------------------------------------------------------------------------------------------------


def _network_errors() -> tuple[type[Exception], ...]:
    """Return everything that sending and reading may raise."""
    import httpcore

    return (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ProxyError,
        httpcore.TimeoutException,
        httpcore.UnsupportedProtocol,
        OSError,
    )


def _is_timeout(error: Exception) -> bool:
    import httpcore

    return isinstance(error, TimeoutError | httpcore.TimeoutException)


def _translated(
    error: Exception, call: Call, exchange: Exchange, *, is_in_body: bool = False, proxy: str = "", trust: str = ""
) -> DeepselError:
    """Return our error for one of httpcore's or of the system's; `proxy` names the one the call goes through.

    `trust`: the variable that names whom to trust, if one does.
    """
    import httpcore

    host = call.target
    if isinstance(error, httpcore.LocalProtocolError):
        return ConfigError(f"the request to {host} cannot be sent: a header of its provider is not valid")
    if isinstance(error, httpcore.ProxyError):
        return refused_by_proxy(call, str(error), proxy)
    if exchange.phase == "connect":
        is_proxys = exchange.connect_s is None  # through it, the target's own encryption comes later
        reason = exchange.limit_words if _is_timeout(error) else ""
        return unconnected(error, call, reason=reason, proxy=proxy if is_proxys else "", trust=trust)
    if _is_timeout(error):
        return AttemptFailed(ErrorClass.STALLED, f"{host}: {exchange.limit_words}")
    if isinstance(error, httpcore.RemoteProtocolError) and not exchange.is_closed_by_peer:
        return AttemptFailed(ErrorClass.MALFORMED, f"{host} answered something that is not valid HTTP")
    if is_in_body:
        return AttemptFailed(ErrorClass.STREAM_CUT, f"{host} closed the connection in the middle of the answer")
    if wants_certificate(error):
        hint = "name one in `client_cert` of its provider"
        return AttemptFailed(ErrorClass.NETWORK, f"{host} wants a certificate of those who ask", should_retry=False, hint=hint)
    return AttemptFailed(ErrorClass.NETWORK, f"{host} closed the connection without an answer")
