"""Looks names up within a time limit, which the system's own look-up has none of. Knows no HTTP library."""

from __future__ import annotations

import socket
from queue import Empty, SimpleQueue
from threading import Thread

from deepsel.errors import ConfigError


def look_up(host: str, port: int, timeout_s: float | None) -> list[str]:
    """Return a host's addresses, as the system lists them.

    Raises TimeoutError where they did not come in time (None: there is no limit), OSError where there are none, ConfigError
    for what cannot be a name.
    """
    if timeout_s is None or _is_address(host):
        return _addresses(host, port)
    found: SimpleQueue[list[str] | Exception] = SimpleQueue()
    # One that is never answered is left behind: nothing ends it before the system gives up.
    Thread(target=_ask, args=(host, port, found), name="look-up", daemon=True).start()
    try:
        answer = found.get(timeout=timeout_s)
    except Empty:
        raise TimeoutError(f"`{host}` was not looked up in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _ask(host: str, port: int, found: SimpleQueue[list[str] | Exception]) -> None:
    try:
        found.put(_addresses(host, port))
    except (OSError, ConfigError) as error:
        found.put(error)


def _addresses(host: str, port: int) -> list[str]:
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except ValueError as error:  # of the codec for names, and of those with a NUL
        raise ConfigError(f"`{host[:80]}` cannot be the name of a host", "correct the provider's `base_url`") from error
    return list(dict.fromkeys(str(found[4][0]) for found in answers))


def _is_address(host: str) -> bool:
    """Tell whether there is nothing to be looked up."""
    if ":" in host:
        return True
    try:
        socket.inet_pton(socket.AF_INET, host)
    except (OSError, ValueError):
        return False
    return True
