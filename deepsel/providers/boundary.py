"""The edge of a call: what goes wrong within it leaves as our own errors, and nothing that passes holds a secret but the answer itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.secret import KnownSecrets
from deepsel.values import FinishReport, Identity, Passed, UsageReport, WireEvent
from deepsel.wires.failures import MAX_CODE_CHARS, MAX_ID_CHARS

_MESSAGE_CHARS = 800
# What libraries raise over foreign bytes beside their own errors: codecs, names of hosts, numbers, depth.
_FOREIGN = (ValueError, ArithmeticError, LookupError, RecursionError)


@contextmanager
def boundary(target: str, secrets: KnownSecrets) -> Iterator[None]:
    """Make AttemptFailed (malformed) of whatever a library raises over what `target` sent, and take secrets out of every failure."""
    try:
        yield
    except AttemptFailed as failure:
        failure.message = secrets.clean(failure.message, _MESSAGE_CHARS)
        failure.args = (failure.message,)
        failure.code = failure.code and secrets.clean(failure.code, MAX_ID_CHARS)
        failure.request_id = failure.request_id and secrets.clean(failure.request_id, MAX_ID_CHARS)
        raise
    except _FOREIGN as error:
        raise AttemptFailed(ErrorClass.MALFORMED, f"{target} answered something that cannot be read") from error


def cleaned(event: WireEvent, secrets: KnownSecrets) -> WireEvent:
    """Give an event whose names and ids are fit to be shown and stored; the answer's own words stay as they were bought."""
    match event:
        case Identity():
            return Identity(*(text and secrets.clean(text, MAX_ID_CHARS) for text in event))
        case FinishReport(finish, raw):
            return FinishReport(finish, secrets.clean(raw, MAX_CODE_CHARS))
        case Passed(data):
            clean = secrets.without(data)
            return event if clean is data else event._replace(data=clean)
        case UsageReport(odd=odd) if odd:
            return event._replace(odd=tuple(secrets.clean(name, MAX_CODE_CHARS) for name in odd))
        case _:
            return event
