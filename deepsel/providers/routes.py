"""How an address is reached: taken apart, through which proxy, by which pool, with which certificates. The only importer of httpx.

httpx reads addresses, proxies and certificates as its users know it; the calls themselves go past it (`transport`). It is
imported when an HttpTransport is made, since a cached answer needs none.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.request import getproxies

from deepsel import __version__
from deepsel.errors import ConfigError
from deepsel.providers.calls import Call, Trust
from deepsel.providers.exchange import Watch
from deepsel.providers.proxies import Proxy, read_proxies
from deepsel.records import NamedTuple
from deepsel.secret import KnownSecrets, secrets_in

if TYPE_CHECKING:
    import httpx

KEEP_ALIVE_S = 55.0
"""How long an unused connection is kept: a little less than the minute after which most servers close it."""
_MOST_ROUTES = 256


class Route(NamedTuple):
    """How calls to one address are sent."""

    url: tuple[bytes, bytes, int | None, bytes]
    """Scheme, host, port and path with query, as they stand on the wire."""
    pool: Any
    """Makes connections, through a proxy where there is one; they are kept elsewhere."""
    origin: Hashable
    """Which pool's connections to whom can be used for it."""
    headers: Mapping[str, str]
    """What is sent with every call that does not say otherwise."""
    authorization: str
    """Of the name and password in the address; empty where it has none."""
    proxy: str
    """The proxy on the way, without its password; empty where there is none."""


class Routes:
    """The routes of one transport, each found out once."""

    def __init__(self, watch: Watch, secrets: KnownSecrets) -> None:
        """Read the proxies of the environment; `watch` puts the limits under every connection, `secrets` learns passwords."""
        # httpx tries to load its own command line, and with it rich: 50 ms that no request needs.
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: not to be imported
        import httpx

        self._watch = watch
        self._direct = _pool_of(httpx.HTTPTransport(**_options()), watch)
        self._secrets = secrets
        self._proxies = read_proxies(getproxies())
        for address in self._proxies.by_scheme.values():
            self._learn(address)
        self._proxy_pools: dict[str, Any] = {}
        self._found: dict[str, Route] = {}

    def close(self) -> None:
        """Close the pools."""
        for pool in (self._direct, *self._proxy_pools.values()):
            pool.close()

    def find(self, call: Call) -> Route:
        """Return the route of a call's address; raises ConfigError where it is none, or its proxy cannot be used."""
        route = self._found.get(call.url)
        if route is None:
            self._learn(call.url)
            if len(self._found) >= _MOST_ROUTES:
                self._found.clear()
            route = self._found[call.url] = self._make(call)
        return route

    def _learn(self, address: str) -> None:
        for secret in secrets_in(address):
            self._secrets.add(secret)

    def _make(self, call: Call) -> Route:
        import httpx

        try:
            url = httpx.URL(call.url)
            if url.scheme not in ("http", "https") or not url.host:
                raise httpx.InvalidURL("not an address of HTTP")
        except (httpx.InvalidURL, ValueError) as error:  # of the codec for names, too
            raise ConfigError(
                f"`{call.target}` is not an address requests can be sent to", "a base URL starts with https://"
            ) from error
        pool = self._pool_for(url)
        headers = {
            "host": url.netloc.decode("ascii"),
            "accept": "*/*",
            "accept-encoding": "gzip",
            "connection": "keep-alive",
            "user-agent": f"deepsel/{__version__}",
        }
        authorization = ""
        if url.username or url.password:
            from base64 import b64encode  # hardly any address has one

            authorization = f"Basic {b64encode(f'{url.username}:{url.password}'.encode()).decode('ascii')}"
        origin = (id(pool), url.scheme, url.host, url.port)
        raw = (url.raw_scheme, url.raw_host, url.port, url.raw_path)
        return Route(raw, pool, origin, headers, authorization, _proxy_of(pool))

    def _pool_for(self, url: httpx.URL) -> Any:
        """Give the pool that reaches an address, through a proxy or not."""
        proxy = self._proxies.find(url.scheme, url.host, url.port or {"https": 443}.get(url.scheme, 80))
        if proxy is None:
            return self._direct
        if proxy.url not in self._proxy_pools:
            self._proxy_pools[proxy.url] = _make_proxy_pool(proxy, self._watch, url.host)
        return self._proxy_pools[proxy.url]


def bundle(env: Mapping[str, str]) -> ssl.SSLContext:
    """Load the certificates of SSL_CERT_FILE or SSL_CERT_DIR, else those that httpx brings."""
    if named := env.get("SSL_CERT_FILE"):
        return ssl.create_default_context(cafile=named)
    if named := env.get("SSL_CERT_DIR"):
        return ssl.create_default_context(capath=named)
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def own_bundle(trust: Trust, env: Mapping[str, str]) -> ssl.SSLContext:
    """Load the certificates that a provider's row names, and its client's own; raises ConfigError where that cannot be."""
    if not trust.ca_file:
        context = bundle(env)
    else:
        try:
            context = ssl.create_default_context(cafile=trust.ca_file)
        except OSError as error:
            raise _unloaded("ca_file", trust.ca_file, error) from error
    if trust.client_cert:
        try:
            context.load_cert_chain(trust.client_cert, password=_no_password)
        except (OSError, ValueError) as error:
            raise _unloaded("client_cert", trust.client_cert, error) from error
    return context


def _no_password() -> str:
    """Refuse to ask for a password on the terminal."""
    raise ValueError("its key has a password")


def _unloaded(key: str, path: str, error: Exception) -> ConfigError:
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return ConfigError(f"`{path}`, the `{key}` of a provider, cannot be loaded: {reason}", "it has to be a file in PEM form")


def _options() -> dict[str, Any]:
    """Give what every pool has. The context trusts nobody: certificates take long to load and are not needed for plain http."""
    import httpx

    limits = httpx.Limits(keepalive_expiry=KEEP_ALIVE_S)
    return {"verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "trust_env": False, "limits": limits}


def _make_proxy_pool(proxy: Proxy, watch: Watch, host: str) -> Any:
    """Make the pool that goes through a proxy; raises ConfigError where it cannot be used."""
    import httpx

    try:
        transport = httpx.HTTPTransport(proxy=proxy.url, **_options())
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        needs = "a SOCKS proxy needs `pip install 'deepsel[socks]'`; " if isinstance(error, ImportError) else ""
        raise ConfigError(
            f"the proxy that {proxy.variable} names cannot be used",
            f"{needs}correct {proxy.variable}, or name {host} in NO_PROXY to reach it without one",
        ) from error
    return _pool_of(transport, watch)


def _proxy_of(pool: Any) -> str:
    """Name the proxy that a pool goes through; httpcore has no public word for it."""
    url = getattr(pool, "_proxy_url", None)
    return "" if url is None else f"{url.scheme.decode()}://{url.host.decode()}:{url.port or 80}"


def _pool_of(transport: httpx.HTTPTransport, watch: Watch) -> Any:
    """Take the connection pool out of httpx's transport, and put `watch` under it, which has no public way."""
    pool = transport._pool
    pool._network_backend = cast("Any", watch)
    return pool
