"""The failures of connections that were not made: refused by the target, by a proxy, or for want of trust. Knows no HTTP library."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.providers.calls import Call
from deepsel.providers.hosts import host_name, host_of, is_loopback

_PROXY_HINT = "HTTP_PROXY, HTTPS_PROXY and ALL_PROXY name the proxy, NO_PROXY what is reached without it"


def unconnected(error: Exception, call: Call, *, reason: str, proxy: str, trust: str = "") -> AttemptFailed:
    """Make the failure of a connection that was never made; what is not trusted now will not be in a second either.

    `reason`: why, where the error does not say it; `proxy`: the one that could not be reached, empty where it was the target;
    `trust`: the variable that names whom to trust, if one does.
    """
    reason = reason or _reason(error)
    where = f"the proxy {proxy}" if proxy else call.target
    failure = AttemptFailed(
        ErrorClass.NETWORK,
        f"could not reach {where} ({reason})" + (f" on the way to {call.target}" if proxy else ""),
        should_retry=False if _is_refused_tls(error) else None,
        hint=_PROXY_HINT if proxy else _tls_hint(error, trust),
    )
    is_refused = any(isinstance(cause, ConnectionRefusedError) for cause in _causes(error))
    failure.is_loading = is_refused and not proxy and is_loopback(host_name(call.url))
    return failure


def refused_by_proxy(call: Call, answer: str, proxy: str) -> AttemptFailed:
    """Make the failure of a proxy that does not let a call through: asked again it would say the same, but for its own troubles."""
    status = int(answer[:3]) if answer[:3].isdigit() else None
    has_trouble = status is None or status >= 500 or status in (408, 429)
    return AttemptFailed(
        ErrorClass.NETWORK,
        f"could not reach {call.target} (the {f'proxy {proxy}'.strip()} answered {answer})",
        should_retry=None if has_trouble else False,
        hint=_PROXY_HINT,
    )


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


def _tls_hint(error: Exception, trust: str) -> str:
    if not is_untrusted(error):
        return ""
    if trust:
        return f"{trust} is set, and nothing it names has signed this certificate: add the authority that has"
    return "behind a proxy with its own certificates, name them in SSL_CERT_FILE"


def is_untrusted(error: Exception) -> bool:
    """Tell whether a certificate is trusted by nobody here."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def wants_certificate(error: Exception) -> bool:
    """Tell whether the other side broke off because it was shown no certificate that it trusts (RFC 8446, 6.2)."""
    reasons = (str(cause.reason or "") for cause in _causes(error) if isinstance(cause, ssl.SSLError))
    return any("ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason) for reason in reasons)


def _is_refused_tls(error: Exception) -> bool:
    """Tell whether the encryption itself was refused, by us or by them, and not only broken off."""
    broken_off = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
    return any(isinstance(cause, ssl.SSLError) and not isinstance(cause, broken_off) for cause in _causes(error))


def redirected(call: Call, status: int, location: str) -> AttemptFailed:
    """Make the failure of a redirect, which says where it pointed."""
    scheme, colon, _ = location.partition(":")
    is_path = not colon or "/" in scheme or not scheme
    is_address = scheme.lower() in ("http", "https")
    where = host_of(location)[:200] if is_address else "another path" if is_path else "what is no address of HTTP"
    return AttemptFailed(
        ErrorClass.MALFORMED,
        f"{call.target} redirects to {where}; this was not followed and the key was not sent on",
        http_status=status,
        should_retry=False,
        hint="correct the provider's `base_url` if the new address is right" if is_address or is_path else "",
    )
