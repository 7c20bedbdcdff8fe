"""Whom an encrypted connection trusts: the system's certificates, read one by one as they are needed, else a whole bundle.

Loading a bundle takes 25 ms, longer than anything else between a prompt and the first byte sent; OpenSSL's folder of
certificates by hash takes none, where the system has one. What only the bundle trusts is still trusted, at the second try.
"""

from __future__ import annotations

import os
import re
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress

from deepsel.errors import ConfigError

_BY_HASH = re.compile(r"[0-9a-f]{8}\.\d+")


def system_folder() -> str | None:
    """Return OpenSSL's folder of certificates; None where it holds none by hash, or the environment names others."""
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return None
    folder = ssl.get_default_verify_paths().capath
    with suppress(OSError), os.scandir(folder or "") as entries:
        return folder if any(_BY_HASH.fullmatch(entry.name) for entry in entries) else None
    return None


class Certificates:
    """Makes the context of a process's connections, once one is needed."""

    def __init__(self, load_bundle: Callable[[], ssl.SSLContext], folder: str | None) -> None:
        """Take what loads the whole bundle, and the folder to try before; None: there is none."""
        self._load_bundle = load_bundle
        self._folder = folder
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def context(self) -> ssl.SSLContext:
        """Return the context; raises ConfigError where the certificates named by the environment cannot be loaded."""
        with self._lock:
            if self._context is None:
                self._context = self._make()
                self._context.set_alpn_protocols(["http/1.1"])
            return self._context

    def widen(self) -> bool:
        """Trust the whole bundle from now on; False where that is so already."""
        with self._lock:
            if self._folder is None:
                return False
            self._folder = self._context = None
            return True

    def _make(self) -> ssl.SSLContext:
        if self._folder is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificates and names
            context.load_verify_locations(capath=self._folder)
            return context
        try:
            return self._load_bundle()
        except OSError as error:
            raise ConfigError("the certificates named by SSL_CERT_FILE or SSL_CERT_DIR cannot be loaded") from error
