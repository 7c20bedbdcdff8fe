"""The one place that knows httpx: sends a call, gives its bytes within limits of time and size, translates errors.

Knows nothing of providers. Redirects are refused, so that a key goes nowhere but to the host it was meant for. httpx is
imported when an HttpTransport is made, since a cached answer needs none.
"""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from deepsel import __version__
from deepsel.clock import Clock
from deepsel.errors import AttemptFailed, ConfigError, DeepselError, ErrorClass
from deepsel.providers.calls import Call, Timeouts, host_of
from deepsel.providers.certificates import Certificates, system_folder
from deepsel.providers.exchange import Backend, Exchange, Watch
from deepsel.providers.inflate import inflated
from deepsel.secret import Secret

if TYPE_CHECKING:
    import httpcore
    import httpx

MAX_ANSWER_BYTES = 256 * 1024 * 1024
"""Decoded size of a whole response; the longest answers come as very many small events."""

KEEP_ALIVE_S = 55.0
"""How long an unused connection is kept: a little less than the minute after which most servers close it."""

_DRAIN_S, _DRAIN_BYTES = 0.1, 64 * 1024
# No proxy can reach this machine's own servers.
_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")


class HttpResponse:
    """A response whose headers have come. Its bytes are read once, by whichever method."""

    def __init__(self, response: httpx.Response, exchange: Exchange, watch: Watch, call: Call) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
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
        chunks = self._response.iter_raw()
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

    def __init__(self, clock: Clock, *, env: Mapping[str, str]) -> None:
        """Connect to nobody yet; `env` may name certificates (SSL_CERT_FILE, SSL_CERT_DIR).

        The client finds proxies by itself, as its users know it. Raises ConfigError where the one it finds cannot be used.
        """
        self._clock = clock
        self._certificates = Certificates(partial(_bundle, env), system_folder(env))
        self._watch = _make_watch(self._certificates)
        self._client = _make_client(self._watch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def drop_connections(self) -> None:
        """Close every connection that is kept, so that the next call opens a new one; calls under way are cut."""
        for pool in _pools(self._client):
            pool.close()

    @contextmanager
    def open(self, call: Call, *, timeouts: Timeouts) -> Iterator[HttpResponse]:
        """Send `call` and give its response, of any status but a redirect.

        Raises AttemptFailed where no usable response came, ConfigError where the call itself cannot be sent.
        """
        exchange = Exchange(self._clock, timeouts)
        response = self._send(call, exchange)
        try:
            if 300 <= response.status_code < 400:
                raise _redirected(call, response.status_code, response.headers.get("location", ""))
            yield HttpResponse(response, exchange, self._watch, call)
        finally:
            response.close()

    def _send(self, call: Call, exchange: Exchange) -> httpx.Response:
        """Send, once more on a new connection where a kept one turns out to be closed and nothing has come."""
        headers = {name: _header_text(name, value) for name, value in call.headers.items()}
        may_repeat = True
        while True:
            was_whole = self._certificates.is_whole
            try:
                request = self._client.build_request(call.method, call.url, headers=headers, content=call.body)
                self._watch.exchange = exchange
                return self._client.send(request, stream=True)
            except _network_errors() as error:
                if _is_untrusted(error) and not was_whole:
                    self._certificates.widen()
                    continue  # nothing has been sent
                is_stale = exchange.is_on_used_connection and not _is_timeout(error)
                if not (may_repeat and is_stale):
                    raise _translated(error, call, exchange, is_in_body=False) from error
                may_repeat = False


# --- making the client -----------------------------------------------------------------------------------------------


def _make_watch(certificates: Certificates) -> Watch:
    """Put the limits over httpcore's plain sockets."""
    import httpcore

    unconnected = (httpcore.ConnectError, httpcore.ConnectTimeout)
    return Watch(cast("Backend", httpcore.SyncBackend()), certificates.context, unconnected=unconnected)


def _bundle(env: Mapping[str, str]) -> ssl.SSLContext:
    """Load the certificates of SSL_CERT_FILE or SSL_CERT_DIR, else those that httpx brings."""
    if named := env.get("SSL_CERT_FILE"):
        return ssl.create_default_context(cafile=named)
    if named := env.get("SSL_CERT_DIR"):
        return ssl.create_default_context(capath=named)
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def _make_client(watch: Watch) -> httpx.Client:
    """Make the client, with proxies from the environment as httpx users know them."""
    # httpx tries to load its own command line, and with it rich: 50 ms that no request needs.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: not to be imported
    import httpx

    try:
        client = httpx.Client(
            # Only a stand-in, trusting nobody: the certificates take long to load and are not needed for plain http.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            headers={"user-agent": f"deepsel/{__version__}", "accept-encoding": "gzip"},
            mounts=dict.fromkeys(_LOOPBACK),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=KEEP_ALIVE_S),
            timeout=None,  # noqa: S113 - the watch has the time-outs
            follow_redirects=False,
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise ConfigError(
            "the proxy named in the environment cannot be used",
            "see HTTP_PROXY, HTTPS_PROXY and ALL_PROXY; a SOCKS proxy needs the package `socksio`",
        ) from error
    watch_connections(client, watch)
    return client


def watch_connections(client: httpx.Client, watch: Watch) -> None:
    """Put `watch` under each connection pool of a client; httpx has no public way that keeps its proxies."""
    for pool in _pools(client):
        pool._network_backend = cast("httpcore.NetworkBackend", watch)


def _pools(client: httpx.Client) -> list[httpcore.ConnectionPool]:
    """List the connection pools of a client: the plain one, and one for each proxy."""
    transports = filter(None, (client._transport, *client._mounts.values()))
    return [cast("httpx.HTTPTransport", transport)._pool for transport in transports]


def _header_text(name: str, value: str | Secret) -> str:
    """Return what is sent; raises ConfigError, without the value, where it cannot stand in a header."""
    words = value.reveal() if isinstance(value, Secret) else value
    if not (words.isascii() and words.isprintable() and words == words.strip()):
        raise ConfigError(
            f"the value for the header `{name}` holds characters that cannot be sent",
            "look for a line break, a space or a typographic sign in the key" if isinstance(value, Secret) else "",
        )
    return words


# --- errors ----------------------------------------------------------------------------------------------------------


def _network_errors() -> tuple[type[Exception], ...]:
    """Return everything that sending and reading may raise."""
    import httpx

    return (httpx.HTTPError, httpx.InvalidURL, OSError)


def _is_timeout(error: Exception) -> bool:
    import httpx

    return isinstance(error, TimeoutError | httpx.TimeoutException)


def _is_untrusted(error: Exception) -> bool:
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def _translated(error: Exception, call: Call, exchange: Exchange, *, is_in_body: bool) -> DeepselError:
    """Return our error for one of httpx's or of the system's."""
    import httpx

    host = call.target
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return ConfigError(f"`{host}` is not an address requests can be sent to", "a base URL starts with https://")
    if isinstance(error, httpx.LocalProtocolError):
        return ConfigError(f"the request to {host} cannot be sent: a header of its provider is not valid")
    if _is_timeout(error):
        if exchange.phase == "connect":
            return AttemptFailed(ErrorClass.NETWORK, f"could not reach {host} ({exchange.limit_words})")
        return AttemptFailed(ErrorClass.STALLED, f"{host}: {exchange.limit_words}")
    if isinstance(error, httpx.ProxyError):
        return AttemptFailed(ErrorClass.NETWORK, f"could not reach {host} (the proxy answered {error})")
    if exchange.phase == "connect":
        return AttemptFailed(ErrorClass.NETWORK, f"could not reach {host} ({_reason(error)})", hint=_tls_hint(error))
    if isinstance(error, httpx.RemoteProtocolError) and not exchange.is_closed_by_peer:
        return AttemptFailed(ErrorClass.MALFORMED, f"{host} answered something that is not valid HTTP")
    if is_in_body:
        return AttemptFailed(ErrorClass.STREAM_CUT, f"{host} closed the connection in the middle of the answer")
    return AttemptFailed(ErrorClass.NETWORK, f"{host} closed the connection without an answer")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what is behind it; httpcore keeps the system's error as an argument."""
    current: BaseException | None = error
    while current is not None:
        yield current
        inner = current.args[0] if current.args else None
        current = inner if isinstance(inner, BaseException) else current.__cause__


def _reason(error: Exception) -> str:
    """Say in a few words why there is no connection."""
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return f"its certificate is not trusted: {cause.verify_message}"
            case ssl.SSLError():
                return "no encrypted connection is possible"
            case socket.gaierror():
                return "the name is not known"
            case OSError(strerror=str(words)):
                return words.lower()
    return "no connection"


def _tls_hint(error: Exception) -> str:
    if _is_untrusted(error):
        return "behind a proxy with its own certificates, name them in SSL_CERT_FILE"
    return ""


def _redirected(call: Call, status: int, location: str) -> AttemptFailed:
    """Make the failure of a redirect, which says where it pointed."""
    where = host_of(location)[:200] if "://" in location else "another path"
    return AttemptFailed(
        ErrorClass.MALFORMED,
        f"{call.target} redirects to {where}; this was not followed and the key was not sent on",
        http_status=status,
        should_retry=False,
        hint="correct the provider's `base_url` if the new address is right",
    )
