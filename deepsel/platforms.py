"""Where deepsel runs: Linux and macOS. Locks (flock), modes of files, opening without following links and select need POSIX."""

from __future__ import annotations

import sys

from deepsel.errors import ConfigError


def ensure_supported() -> None:
    """Raise ConfigError on a system that lacks what is needed, before anything of it is used."""
    is_posix = sys.platform not in ("win32", "cygwin", "emscripten", "wasi")
    try:
        import fcntl  # noqa: F401 - whether it is there is the question
    except ImportError:
        is_posix = False
    if not is_posix:
        raise ConfigError("deepsel runs on Linux and macOS, and not on this system", "on Windows use it within WSL")
