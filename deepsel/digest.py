"""SHA-256 of what is short without OpenSSL, whose library takes 3 ms to load: more than all the hashing a short command does."""

from __future__ import annotations

import sys

try:
    if sys.version_info >= (3, 12):
        from _sha2 import sha256  # type: ignore[import-not-found]
    else:
        from _sha256 import sha256  # type: ignore[import-not-found]
except ImportError:
    from hashlib import sha256

_SHORT_BYTES = 64 * 1024
"""Above it OpenSSL, which hashes nearly four times as fast, is worth its loading."""


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal digits."""
    if len(data) > _SHORT_BYTES:
        import hashlib

        return hashlib.sha256(data).hexdigest()
    return str(sha256(data).hexdigest())
