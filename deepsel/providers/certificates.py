"""Whom an encrypted connection trusts: the system's certificates, read one by one as they are needed, and a whole bundle.

Loading a bundle takes 25 ms, longer than anything else between a prompt and the first byte sent; OpenSSL's folder of
certificates by hash takes none, where the system has one. So the bundle is added where the folder was not enough, at the
second try. It is only ever added: whom a process trusts does not depend on whom it has met before.

Whom it trusts does not depend on Python's version either: since 3.13 its own contexts refuse certificates whose form is not
that of RFC 5280 to the letter, as those of many companies' proxies are not (python/cpython#138193), although their signature
holds, and other programs on the machine take them.
"""

from __future__ import annotations

import os
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from deepsel.errors import ConfigError

CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""By which the environment names whom to trust, and nobody else."""
_BY_HASH = re.compile(r"[0-9a-f]{8}\.\d+")


def system_folder(env: Mapping[str, str]) -> str | None:
    """Return OpenSSL's folder of certificates; None where it holds none by hash, or the environment names others."""
    if any(env.get(name) for name in CERTIFICATE_VARIABLES):
        return None
    folder = ssl.get_default_verify_paths().capath
    return folder if _by_hash(folder) else None


class Certificates:
    """Makes the context of a process's connections, once one is needed."""

    def __init__(self, load_bundle: Callable[[], ssl.SSLContext], folder: str | None) -> None:
        """Take what loads the whole bundle, and the folder to try before; None: there is none."""
        self._load_bundle = load_bundle
        self._folder = folder
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self.is_whole = folder is None
        """Whether the context trusts everybody it ever will."""

    def context(self) -> ssl.SSLContext:
        """Return the context; raises ConfigError where the certificates named by the environment cannot be loaded."""
        with self._lock:
            if self._context is None:
                self._context = self._make()
                self._context.set_alpn_protocols(["http/1.1"])
            return self._context

    def widen(self) -> None:
        """Trust the whole bundle as well from now on, on the same context; raises ConfigError where it cannot be loaded."""
        context = self.context()
        with self._lock:
            if self.is_whole:
                return
            bundle = b"".join(self._bundle().get_ca_certs(binary_form=True))
            # One that is loaded hides another of its name that is not: what the folder has is loaded too.
            for path in _by_hash(self._folder):
                with suppress(ssl.SSLError, OSError):
                    context.load_verify_locations(cafile=path)
            if bundle:
                context.load_verify_locations(cadata=bundle)
            self.is_whole = True

    def _make(self) -> ssl.SSLContext:
        if self._folder is None:
            return self._bundle()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificates and names
        context.load_verify_locations(capath=self._folder)
        return context

    def _bundle(self) -> ssl.SSLContext:
        try:
            context = self._load_bundle()
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            return context
        except OSError as error:
            raise ConfigError("the certificates named by SSL_CERT_FILE or SSL_CERT_DIR cannot be loaded") from error


def _by_hash(folder: str | None) -> list[str]:
    """List a folder's certificates as OpenSSL finds them; none where it cannot be read."""
    with suppress(OSError), os.scandir(folder or "") as entries:
        return sorted(entry.path for entry in entries if _BY_HASH.fullmatch(entry.name))
    return []
