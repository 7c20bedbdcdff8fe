"""A real redis-server on a free port, which a test may stop, pause and starve."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import redis

BINARY = shutil.which("redis-server")
IS_CI = bool(os.environ.get("CI"))  # read before the tests' environment is swept


class RedisProcess:
    """One server; `options` are those of its command line."""

    def __init__(self, folder: Path, *options: str, scheme: str = "redis", user: str = "", query: str = "") -> None:
        if BINARY is None and not IS_CI:
            pytest.skip("there is no redis-server on this machine")
        self.folder = folder
        self.options = options
        self.port = free_port()
        self.url = f"{scheme}://{user}127.0.0.1:{self.port}/0{query}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def client(self) -> Any:
        """A client of the test's own, which waits as long as it takes."""
        return redis.Redis.from_url(self.url, socket_timeout=30)

    def start(self) -> None:
        """Start, and wait until it listens."""
        assert BINARY is not None, "CI has to install redis-server"
        ports = () if "--tls-port" in self.options else ("--port", str(self.port))
        options = [option.replace("PORT", str(self.port)) for option in self.options]
        self._process = subprocess.Popen(
            [BINARY, *ports, "--save", "", "--bind", "127.0.0.1", "--dir", str(self.folder), *options],
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if b"Ready to accept connections" in line:
                return
        raise AssertionError("redis-server did not start")

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.communicate(timeout=30)
            self._process = None

    def pause(self) -> None:
        """Leave it as it is, but deaf."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
