"""The one place that knows httpx and httpcore: sends a call, gives its bytes within limits of time and size, translates errors.

Knows nothing of providers. Redirects are refused, so that a key goes nowhere but to the host it was meant for. httpx reads
addresses and makes the pools, one for each proxy; calls go straight to httpcore, which takes half the CPU. Both are imported when an
HttpTransport is made, since a cached answer needs none.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast
from urllib.request import getproxies

from deepsel import __version__
from deepsel.clock import Clock
from deepsel.errors import AttemptFailed, ConfigError, DeepselError, ErrorClass
from deepsel.providers.calls import Call, Timeouts
from deepsel.providers.certificates import Certificates, system_folder
from deepsel.providers.connections import KeptConnections
from deepsel.providers.exchange import Backend, Exchange, Watch
from deepsel.providers.headers import header_text, read_headers
from deepsel.providers.inflate import inflated
from deepsel.providers.proxies import Proxy, read_proxies
from deepsel.providers.reasons import is_untrusted, reason, redirected, tls_hint

if TYPE_CHECKING:
    import httpcore
    import httpx

MAX_ANSWER_BYTES = 256 * 1024 * 1024
"""Decoded size of a whole response; the longest answers come as very many small events."""

KEEP_ALIVE_S = 55.0
"""How long an unused connection is kept: a little less than the minute after which most servers close it."""

_DRAIN_S, _DRAIN_BYTES = 0.1, 64 * 1024
_MOST_KEPT, _MOST_ROUTES = 64, 256


class _Route(NamedTuple):
    """How calls to one address are sent."""

    url: httpcore.URL
    pool: httpcore.ConnectionPool
    """Makes connections, through a proxy where there is one; they are kept elsewhere."""
    origin: Hashable
    """Which pool's connections to whom can be used for it."""
    headers: Mapping[str, str]
    """What is sent with every call that does not say otherwise."""
    authorization: str
    """Of the name and password in the address; empty where it has none."""


class HttpResponse:
    """A response whose headers have come. Its bytes are read once, by whichever method."""

    def __init__(self, response: httpcore.Response, exchange: Exchange, watch: Watch, call: Call) -> None:
        self.status = response.status
        self.headers = read_headers(response.headers)
        self.exchange = exchange
        """The call's limits and time stamps."""
        self._response = response
        self._watch = watch
        self._call = call
        self._chunks = inflated(self._raw(), self.headers.get("content-encoding", ""))

    def iter_bytes(self, *, limit: int = MAX_ANSWER_BYTES) -> Iterator[bytes]:
        """Yield the decoded body as it comes; raises AttemptFailed (stream_cut, stalled, malformed)."""
        size = 0
        for chunk in self._chunks:
            size += len(chunk)
            if size > limit:
                raise AttemptFailed(ErrorClass.MALFORMED, f"the answer is larger than {limit:,} bytes")
            yield chunk

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

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._certificates = Certificates(_bundle, system_folder())
        self._watch = _make_watch(self._certificates)
        self._client = _make_client()
        self._direct = _pool_of(self._client._transport, self._watch)
        self._proxies = read_proxies(getproxies())
        self._proxy_pools: dict[str, httpcore.ConnectionPool] = {}
        self._kept: KeptConnections[httpcore.ConnectionInterface] = KeptConnections(_MOST_KEPT)
        self._routes: dict[str, _Route] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._kept.close()
        self._client.close()

    def drop_connections(self) -> None:
        """Close every connection that is kept, so that the next call opens a new one; calls under way are cut."""
        self._kept.close()

    @contextmanager
    def open(self, call: Call, *, timeouts: Timeouts) -> Iterator[HttpResponse]:
        """Send `call` and give its response, of any status but a redirect.

        Raises AttemptFailed where no usable response came, ConfigError where the call itself cannot be sent.
        """
        exchange = Exchange(self._clock, timeouts)
        route = self._route(call)
        connection, response = self._send(call, route, exchange)
        try:
            received = HttpResponse(response, exchange, self._watch, call)
            if 300 <= response.status < 400:
                raise redirected(call, response.status, received.headers.get("location", ""))
            yield received
        finally:
            response.close()
            self._kept.give_back(route.origin, connection)

    def _route(self, call: Call) -> _Route:
        """Find out how the call's address is reached, once for each; raises ConfigError where it is none."""
        route = self._routes.get(call.url)
        if route is None:
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
            route = self._routes[call.url] = _find_route(call, self._client.headers, self._pool_for)
        return route

    def _pool_for(self, url: httpx.URL) -> httpcore.ConnectionPool:
        """Give the pool that reaches an address, through a proxy or not; raises ConfigError where its proxy cannot be used."""
        proxy = self._proxies.find(url.scheme, url.host, url.port or {"https": 443}.get(url.scheme, 80))
        if proxy is None:
            return self._direct
        if proxy.url not in self._proxy_pools:
            self._proxy_pools[proxy.url] = _make_proxy_pool(proxy, self._watch, url.host)
        return self._proxy_pools[proxy.url]

    def _send(
        self, call: Call, route: _Route, exchange: Exchange
    ) -> tuple[httpcore.ConnectionInterface, httpcore.Response]:
        """Send, once more on a new connection where a kept one turns out to be closed and nothing has come."""
        request = _request(call, route)
        may_repeat = True
        while True:
            was_whole = self._certificates.is_whole
            connection = self._kept.take(route.origin) if may_repeat else None
            if connection is None:
                connection = route.pool.create_connection(route.url.origin)
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
                    raise _translated(error, call, exchange, is_in_body=False) from error
                may_repeat = False
            finally:
                if response is None:
                    self._kept.give_back(route.origin, connection)


# --- making the client -----------------------------------------------------------------------------------------------


def _make_watch(certificates: Certificates) -> Watch:
    """Put the limits over httpcore's plain sockets."""
    import httpcore

    return Watch(cast("Backend", httpcore.SyncBackend()), certificates.context)


def _bundle() -> ssl.SSLContext:
    """Load the certificates httpx trusts: SSL_CERT_FILE's or SSL_CERT_DIR's, else its own."""
    import httpx

    return httpx.create_ssl_context()


def _make_client() -> httpx.Client:
    """Make the client, which knows no proxy."""
    # httpx tries to load its own command line, and with it rich: 50 ms that no request needs.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: not to be imported
    import httpx

    return httpx.Client(
        headers={"user-agent": f"deepsel/{__version__}", "accept-encoding": "gzip"},
        timeout=None,  # noqa: S113 - the watch has the time-outs
        follow_redirects=False,
        **_options(),
    )


def _options() -> dict[str, Any]:
    """Give what every pool has. The context trusts nobody: certificates take long to load and are not needed for plain http."""
    import httpx

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=KEEP_ALIVE_S)
    return {"verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "trust_env": False, "limits": limits}


def _make_proxy_pool(proxy: Proxy, watch: Watch, host: str) -> httpcore.ConnectionPool:
    """Make the pool that goes through a proxy; raises ConfigError where it cannot be used."""
    import httpx

    try:
        transport = httpx.HTTPTransport(proxy=proxy.url, **_options())
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        needs = "a SOCKS proxy needs the package `socksio`; " if isinstance(error, ImportError) else ""
        raise ConfigError(
            f"the proxy that {proxy.variable} names cannot be used",
            f"{needs}correct {proxy.variable}, or name {host} in NO_PROXY to reach it without one",
        ) from error
    return _pool_of(transport, watch)


def _find_route(
    call: Call, common: Mapping[str, str], pool_for: Callable[[httpx.URL], httpcore.ConnectionPool]
) -> _Route:
    """Take an address apart, and find the pool that reaches it; `common` is sent with every call. Raises ConfigError."""
    import httpcore
    import httpx

    try:
        url = httpx.URL(call.url)
        if url.scheme not in ("http", "https") or not url.host:
            raise httpx.InvalidURL("not an address of HTTP")
    except httpx.InvalidURL as error:
        raise ConfigError(
            f"`{call.target}` is not an address requests can be sent to", "a base URL starts with https://"
        ) from error
    pool = pool_for(url)
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    headers = {"host": url.netloc.decode("ascii"), **common}
    authorization = ""
    if url.username or url.password:
        from base64 import b64encode  # hardly any address has one

        authorization = f"Basic {b64encode(f'{url.username}:{url.password}'.encode()).decode('ascii')}"
    return _Route(target, pool, (id(pool), url.scheme, url.host, url.port), headers, authorization)


def _request(call: Call, route: _Route) -> httpcore.Request:
    """Put together what is sent; raises ConfigError where a header cannot be."""
    import httpcore

    headers = {**route.headers, **{name: header_text(name, value) for name, value in call.headers.items()}}
    if route.authorization:
        headers["authorization"] = route.authorization
    if (call.body or call.method != "GET") and "transfer-encoding" not in headers:
        headers.setdefault("content-length", str(len(call.body)))
    raw = [(name.encode("utf-8"), value.encode("ascii")) for name, value in headers.items()]
    return httpcore.Request(call.method, route.url, headers=raw, content=call.body)


def _pool_of(transport: object, watch: Watch) -> httpcore.ConnectionPool:
    """Take the connection pool out of httpx's transport, and put `watch` under it, which has no public way."""
    pool = cast("httpx.HTTPTransport", transport)._pool
    pool._network_backend = cast("httpcore.NetworkBackend", watch)
    return pool


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


def _translated(error: Exception, call: Call, exchange: Exchange, *, is_in_body: bool) -> DeepselError:
    """Return our error for one of httpcore's or of the system's."""
    import httpcore

    host = call.target
    if isinstance(error, httpcore.LocalProtocolError):
        return ConfigError(f"the request to {host} cannot be sent: a header of its provider is not valid")
    if _is_timeout(error):
        if exchange.phase == "connect":
            return AttemptFailed(ErrorClass.NETWORK, f"could not reach {host} ({exchange.limit_words})")
        return AttemptFailed(ErrorClass.STALLED, f"{host}: {exchange.limit_words}")
    if isinstance(error, httpcore.ProxyError):
        return AttemptFailed(ErrorClass.NETWORK, f"could not reach {host} (the proxy answered {error})")
    if exchange.phase == "connect":
        return AttemptFailed(ErrorClass.NETWORK, f"could not reach {host} ({reason(error)})", hint=tls_hint(error))
    if isinstance(error, httpcore.RemoteProtocolError) and not exchange.is_closed_by_peer:
        return AttemptFailed(ErrorClass.MALFORMED, f"{host} answered something that is not valid HTTP")
    if is_in_body:
        return AttemptFailed(ErrorClass.STREAM_CUT, f"{host} closed the connection in the middle of the answer")
    return AttemptFailed(ErrorClass.NETWORK, f"{host} closed the connection without an answer")
