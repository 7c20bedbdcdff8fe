"""What goes to the transport and what it tells back: one HTTP call, its time limits, the facts of its response."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from deepsel.providers.hosts import host_name, host_of, is_loopback
from deepsel.records import NamedTuple
from deepsel.secret import KnownSecrets, Secret
from deepsel.values import Gateway, JsonObject, Provider
from deepsel.wires.waits import Allowance

if TYPE_CHECKING:
    from deepsel.providers.exchange import Exchange


class Trust(NamedTuple):
    """Whom one provider's connections trust, and how it knows its clients; paths of files, empty: as everywhere."""

    ca_file: str = ""
    client_cert: str = ""

    @classmethod
    def of(cls, provider: Provider) -> Trust | None:
        """Return what a provider's row says; None where it says nothing, as nearly always."""
        return cls(provider.ca_file, provider.client_cert) if provider.ca_file or provider.client_cert else None


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. Its repr shows neither headers nor body: a user's own header may be a key, too."""

    method: str
    url: str
    headers: Mapping[str, str | Secret] = field(default_factory=dict, repr=False)
    """Names in lower case."""
    body: bytes = field(default=b"", repr=False)
    on_wait: Callable[[], None] | None = field(default=None, repr=False)
    """Called before each wait for bytes, and once a second in it; may raise Abandoned, and nothing else."""
    trust: Trust | None = None
    """None: as the environment and the system say."""
    may_repeat: bool = True
    """Whether it may be sent once more where a kept connection has ended without an answer; False: it gets a new connection."""

    @property
    def target(self) -> str:
        """Name the host, and the port where one is written, for messages."""
        return host_of(self.url)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request as a provider is sent it. Its repr does not show the body."""

    provider: Provider
    """As it is really reached."""
    key: Secret | None
    """None: the provider needs none."""
    body: JsonObject = field(repr=False)
    is_stream: bool = True
    """Whether the body asks for an answer in pieces."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What goes with the body, under the wire's own and the provider's."""
    passes_on: bool = False
    """Whether what comes is wanted as it is, too."""
    on_wait: Callable[[], None] | None = field(default=None, repr=False)
    """As of a Call."""


class Timeouts(NamedTuple):
    """How long each phase of a call may take, in seconds; None: only `deadline` bounds it."""

    connect_s: float | None = 10.0
    first_token_s: float | None = 30.0
    """From the start of the call to the first piece of content; keep-alives do not count."""
    progress_s: float | None = 60.0
    """From one piece of content to the next."""
    idle_s: float | None = 60.0
    """Between any two bytes, once one has come."""
    deadline: float | None = None
    """The instant on the monotonic clock by which everything has to be over."""


class ResponseFacts(NamedTuple):
    """What is known of a call once its response has begun, whatever its status. Instants are on the monotonic clock."""

    http_status: int
    allowance: Allowance
    """What the provider says is left, for pacing."""
    request_id: str | None
    connect_s: float | None
    """Name look-up, TCP and TLS together; None: an open connection was used again."""
    started_at: float
    sent_at: float | None
    """When the last byte of the request had been handed over."""
    first_byte_at: float | None
    gateway: Gateway | None = None
    """What a gateway on the way says it did."""
    sent_bytes: int | None = None
    """Of the request's body."""


class Response(Protocol):
    """A response whose headers have come. Its bytes are read once, by whichever method."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; without secrets."""
    exchange: Exchange
    """The call's limits and time stamps."""
    secrets: KnownSecrets
    """What nothing that is read of it may hold."""

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the decoded body as it comes; raises AttemptFailed (stream_cut, stalled, malformed)."""

    def read_start(self, limit: int) -> bytes:
        """Return at most `limit` bytes of the body."""

    def drain(self) -> None:
        """Read what is left if it is little, so that the connection can be used again."""


class Transport(Protocol):
    """Sends calls and gives what comes back, byte by byte; knows nothing of providers."""

    def open(self, call: Call, *, timeouts: Timeouts) -> AbstractContextManager[Response]:
        """Send `call` and wait for the head of its response; raises AttemptFailed, ConfigError where nothing can be sent.

        What fails within the context leaves it as one of these, without secrets.
        """


def sends_key_in_clear(url: str, key: Secret | None) -> bool:
    """Tell whether `key` would travel unencrypted to another machine."""
    if not key or not url.lower().startswith("http://"):
        return False
    return not is_loopback(host_name(url))
