"""What a run needs from outside; one set serves every request of a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from deepsel.records import NamedTuple

if TYPE_CHECKING:
    from typing import Protocol

    from deepsel.cache import Cache
    from deepsel.chance import Rng
    from deepsel.clock import Clock
    from deepsel.config import Settings
    from deepsel.engine.limiter import Limiter
    from deepsel.health.state import SharedState
    from deepsel.providers.calls import Outgoing, ResponseFacts, Timeouts, Transport
    from deepsel.providers.exchange import Exchange
    from deepsel.secret import KnownSecrets, Secret
    from deepsel.values import Provider, WireEvent

    class AnswerStream(Protocol):
        """Makes one call; `providers.complete.stream_answer` is the one that does."""

        def __call__(
            self,
            transport: Transport,
            outgoing: Outgoing,
            *,
            timeouts: Timeouts,
            clock: Clock,
            on_response: Callable[[ResponseFacts], None] | None = None,
            on_open: Callable[[Exchange], None] | None = None,
        ) -> Iterator[WireEvent]:
            """Yield what the answer says; raises AttemptFailed for every bad end."""


def stream_from_provider(*arguments: object, **named: object) -> Iterator[WireEvent]:
    """Make the call, whose code is loaded by the first one."""
    from deepsel.providers.complete import stream_answer

    return stream_answer(*arguments, **named)  # type: ignore[arg-type]  # handed on as they came


def _as_it_is(_: Provider) -> None:
    """Keep a refused key."""


def _as_named(provider: Provider) -> Provider:
    return provider


class Resources(NamedTuple):
    """What a run needs from outside; safe to use from many threads."""

    settings: Settings
    env: Mapping[str, str]
    transport: Callable[[], Transport]
    """Gives the process's transport, made on first use."""
    cache: Cache
    state: SharedState
    clock: Clock
    rng: Rng
    key_of: Callable[[Provider, float], Secret | None]
    """Gives a provider's key within so many seconds; raises ConfigError where it is missing."""
    secrets: KnownSecrets
    """What is not to be stored."""
    limiter: Limiter
    forget_key: Callable[[Provider], None] = _as_it_is
    """Told of a provider that has refused its key."""
    locate: Callable[[Provider], Provider] = _as_named
    """Gives the provider as it is really reached (the demo's simulator has no fixed port)."""
    stream: AnswerStream = stream_from_provider

    def __repr__(self) -> str:
        """Show nothing of it: the environment has keys."""
        return "Resources(...)"
