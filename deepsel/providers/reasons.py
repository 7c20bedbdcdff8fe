"""Why there is no connection, or no answer, in words for a person; knows no HTTP library, only the system's errors."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.providers.calls import Call, host_of


def is_untrusted(error: Exception) -> bool:
    """Tell whether the other side's certificate is not trusted."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what is behind it; httpcore keeps the system's error as an argument."""
    current: BaseException | None = error
    while current is not None:
        yield current
        inner = current.args[0] if current.args else None
        current = inner if isinstance(inner, BaseException) else current.__cause__


def reason(error: Exception) -> str:
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


def tls_hint(error: Exception) -> str:
    """Say what may help; empty where nothing is known to."""
    if is_untrusted(error):
        return "behind a proxy with its own certificates, name them in SSL_CERT_FILE"
    return ""


def redirected(call: Call, status: int, location: str) -> AttemptFailed:
    """Make the failure of a redirect, which says where it pointed."""
    where = host_of(location)[:200] if "://" in location else "another path"
    return AttemptFailed(
        ErrorClass.MALFORMED,
        f"{call.target} redirects to {where}; this was not followed and the key was not sent on",
        http_status=status,
        should_retry=False,
        hint="correct the provider's `base_url` if the new address is right",
    )
