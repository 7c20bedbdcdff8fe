"""Opens where clients come in: a port or a Unix socket, with the certificate where one is given."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel.errors import ConfigError

if TYPE_CHECKING:
    import ssl

_BACKLOG = 512


def on_port(host: str, port: int) -> socket.socket:
    """Listen on an address; raises ConfigError where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ConfigError(
            f"cannot listen on {host}, port {port}: {reason}", "choose another port with `--port`; `--port 0` takes a free one"
        ) from error
    return listener


def on_socket(path: Path) -> socket.socket:
    """Listen on a Unix socket that its owner alone may open; one that nobody listens on any more is taken over. Raises ConfigError."""
    _remove_dead(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError(f"cannot listen on `{path}`: {(error.strerror or str(error)).lower()}") from error
    finally:
        os.umask(before)
    return listener


def _remove_dead(path: Path) -> None:
    """Remove a socket that nobody listens on; raises ConfigError where somebody does, or it is something else."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ConfigError(f"`{path}` is there already, and is no socket")
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"cannot look at `{path}`: {(error.strerror or str(error)).lower()}") from error
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise ConfigError(f"another program listens on `{path}`")


def tls_context(cert: Path, key: Path) -> ssl.SSLContext:
    """Read a certificate and its key; raises ConfigError."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"the certificate `{cert}` and its key `{key}` cannot be used: {error}") from error
    return context
