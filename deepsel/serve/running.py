"""Runs the server from its settings to its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from deepsel.config import Profile, ServeSettings
from deepsel.errors import UsageError
from deepsel.http1.requests import RequestBounds
from deepsel.http1.server import Http1Server, ServerLimits
from deepsel.records import NamedTuple
from deepsel.serve import listening
from deepsel.serve.app import App
from deepsel.serve.completing import Completions
from deepsel.serve.conversations import HeldConversations
from deepsel.serve.gate import Gate
from deepsel.serve.tracing import tracing
from deepsel.session.open import Session

_HEAD_S, _BODY_S, _WRITE_S = 10.0, 60.0, 60.0
_MOST_WORKERS = 128


class Address(NamedTuple):
    """Where clients come in."""

    host: str
    port: int
    socket: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None


@contextmanager
def serving(
    session: Session, profile: Profile, settings: ServeSettings, place: Address, log: Callable[[dict[str, Any]], None]
) -> Iterator[str]:
    """Serve within the context; gives the address. At its end answers under way are waited for. Raises ConfigError, UsageError."""
    if (place.tls_cert is None) != (place.tls_key is None):
        raise UsageError("`--tls-cert` and `--tls-key` go together", "give both")
    gate = Gate(settings, session.env, host=place.host, is_socket=place.socket is not None)
    tls = listening.tls_context(place.tls_cert, place.tls_key) if place.tls_cert is not None and place.tls_key is not None else None
    listener = listening.on_socket(place.socket) if place.socket is not None else listening.on_port(place.host, place.port)
    limits = ServerLimits(
        connections=settings.max_connections,
        workers=min(_MOST_WORKERS, settings.max_connections),
        queue=settings.queue,
        bounds=RequestBounds(body_bytes=settings.request_bytes, head_s=_HEAD_S, body_s=_BODY_S, write_s=_WRITE_S),
    )
    name = listener.getsockname()
    try:
        with tracing(session.env) as trace, _warm(settings, profile, session, log):
            app = App(Completions(session, profile, HeldConversations(session.clock)), gate, session.clock, log, trace)
            with Http1Server(listener, app.handle, app.refuse, limits=limits, tls=tls, clock=session.clock):
                threading.Thread(target=_load, name="serve-load", daemon=True).start()
                yield _url(place, name)
    finally:
        listener.close()
        if place.socket is not None:
            place.socket.unlink(missing_ok=True)


def _warm(
    settings: ServeSettings, profile: Profile, session: Session, log: Callable[[dict[str, Any]], None]
) -> AbstractContextManager[None]:
    """Keep models warm, where some are to be."""
    if not settings.warm:
        return nullcontext()
    from deepsel.serve.warming import keeping_warm

    return keeping_warm(settings.warm, profile, session, log)


def _load() -> None:
    """Load what the first request needs, so that it need not wait for that."""
    import deepsel.engine.calls
    import deepsel.engine.run
    import deepsel.providers.complete
    import deepsel.providers.transport  # noqa: F401 - loaded, not used


def until_told() -> None:
    """Wait for the signal that ends the command, which comes as KeyboardInterrupt."""
    threading.Event().wait()


def _url(place: Address, name: Any) -> str:
    if place.socket is not None:
        return f"unix://{place.socket}"
    scheme = "https" if place.tls_cert is not None else "http"
    host = f"[{place.host.strip('[]')}]" if ":" in place.host else place.host
    return f"{scheme}://{host}:{name[1]}"
