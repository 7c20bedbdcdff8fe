"""The shape of a wire: what its folder has to hand on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from deepsel.records import NamedTuple
from deepsel.secret import Secret
from deepsel.values import JsonObject, Model, Provider, Request, WireEvent

if TYPE_CHECKING:
    from deepsel.wires.failures import Fail
    from deepsel.wires.sse import Event


class Decoder(Protocol):
    """Reads one answer."""

    is_whole: bool
    """Everything that makes an answer whole has been seen, so that it may break off here."""
    is_sure: bool
    """No more of the answer is to come, though its usage and end marker may be."""
    is_ended: bool
    """The end marker has been seen; nothing that follows counts."""

    def feed(self, event: Event) -> Iterable[WireEvent]:
        """Give what one event of a stream says."""

    def read(self, document: JsonObject) -> Iterator[WireEvent]:
        """Yield what a whole answer says."""

    def rest(self, *, is_clean: bool) -> Iterable[WireEvent]:
        """Give what was held back until the end, once, however the answer ended; `is_clean`: nothing broke off."""

    def close(self) -> None:
        """Accept the end; raises AttemptFailed (stream_cut) where the answer is not whole."""


class CountRequest(NamedTuple):
    """How a provider is asked what a request counts; the call itself is posted with the wire's headers."""

    url: Callable[[Provider], str]
    """Where it is posted."""
    encode: Callable[[Request, Model, Provider], JsonObject]
    """Make the body from the request that is asked about."""
    read: Callable[[JsonObject], int]
    """Read the tokens from the answer; raises AttemptFailed (malformed)."""


class Wire(Protocol):
    """A protocol: pure functions from requests to bodies, a reader of answers, and what others have to know of it."""

    FORMAT: int
    """Version of how answers are read; part of every cache key, so that a corrected reader retires its entries."""
    END_MARKS: tuple[bytes, ...]
    """What stands in the last bytes of a stream."""
    LENGTH_FIELDS: frozenset[str]
    """Members of a body that bound the length of an answer."""
    count_request: CountRequest | None
    """None: the providers of this wire count for nobody."""

    def url(self, provider: Provider, /) -> str:
        """Return where requests are posted."""

    def headers(self, provider: Provider, key: Secret | None, /) -> dict[str, str | Secret]:
        """Return the request's headers."""

    def encode(self, request: Request, model: Model, provider: Provider, /, *, max_tokens: int) -> JsonObject:
        """Return the request's body."""

    def withheld(self, request: Request, model: Model, provider: Provider, /) -> tuple[str, ...]:
        """Name what is asked for and not sent."""

    def is_deterministic(self, body: JsonObject, model: Model, provider: Provider, /) -> bool:
        """Tell whether a body asks for the same answer each time."""

    def may_think(self, body: JsonObject, model: Model, /) -> bool:
        """Tell whether the model may think before it answers, in silence where the host shows nothing of it."""

    def Decoder(self, fail: Fail, /) -> Decoder:
        """Make the reader of one answer."""
