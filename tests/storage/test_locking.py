"""A file system without locks, as some network homes are: found out once, told once, waited for by nobody."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepsel.simulator import Simulator

IS_CI = bool(os.environ.get("CI"))  # read before the tests' environment is swept
COMPILER = shutil.which("cc")
# Every lock fails, and leaves a byte in the file that TRIES names.
NO_LOCKS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
static int refuse(void) {
  int file = open(getenv("TRIES"), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (write(file, "x", 1) < 0) abort();
  close(file); errno = ENOLCK; return -1; }
int flock(int file, int how) { (void)file; (void)how; return refuse(); }
static int hook(const char *name, int file, int what, void *more) {
  if (what == F_SETLK || what == F_SETLKW) return refuse();
  int (*real)(int, int, ...) = dlsym(RTLD_NEXT, name); return real(file, what, more); }
int fcntl(int file, int what, ...) {
  va_list a; va_start(a, what); void *more = va_arg(a, void *); va_end(a); return hook("fcntl", file, what, more); }
int fcntl64(int file, int what, ...) {
  va_list a; va_start(a, what); void *more = va_arg(a, void *); va_end(a); return hook("fcntl64", file, what, more); }
"""
ONE_LONG_WAIT = 60
"""SQLite tries a lock more often than that in the 5 s it waits for another process."""


@pytest.fixture
def no_locks(tmp_path: Path) -> dict[str, str]:
    """The environment of a process on such a file system."""
    if COMPILER is None or not Path("/proc").exists():
        assert not IS_CI or not Path("/proc").exists(), "CI has to have a C compiler"
        pytest.skip("there is no C compiler, or another loader than Linux has")
    (tmp_path / "no_locks.c").write_text(NO_LOCKS)
    library = tmp_path / "no_locks.so"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", library, tmp_path / "no_locks.c", "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "TRIES": str(tmp_path / "tries")}


def _tries(env: dict[str, str]) -> int:
    path = Path(env["TRIES"])
    tries = path.stat().st_size
    path.unlink()
    return tries


def test_an_answer_comes_at_once(
    deepsel: Callable[..., Any], profiles: Callable[..., Path], simulate: Callable[..., Simulator], no_locks: dict[str, str]
) -> None:
    """On a new home and on one that is there, the answer comes with one warning, and no lock is waited for."""
    profiles(m=simulate(text="The answer."))
    for home in ("new", "there already"):
        ran = deepsel("ask", "Hi", env=no_locks)
        assert (ran.code, ran.out) == (0, "The answer.\n"), home
        assert ran.err.count("warning:") == 1
        assert "its file system has no locks" in ran.err
        assert 0 < _tries(no_locks) < ONE_LONG_WAIT


def test_a_budget_is_refused_at_once(
    deepsel: Callable[..., Any], profiles: Callable[..., Path], simulate: Callable[..., Simulator], no_locks: dict[str, str]
) -> None:
    """What was spent cannot be known there, so nothing is sent."""
    server = simulate(text="The answer.")
    profiles(m=server, profile='daily_budget_usd = "5"')
    for _ in range(2):
        assert deepsel("ask", "Hi", env=no_locks).code == 7
        assert _tries(no_locks) < ONE_LONG_WAIT
    assert len(server.calls) == 0


@pytest.mark.parametrize("words", [("stats",), ("cache", "stats"), ("cache", "verify"), ("cache", "prune")])
def test_commands_say_so_at_once(deepsel: Callable[..., Any], no_locks: dict[str, str], words: tuple[str, ...]) -> None:
    """Who asks about the files is told in one line."""
    assert deepsel("ask", "-p", "demo", "Hi").code == 0
    ran = deepsel(*words, env=no_locks)
    assert ran.code == 3
    assert "its file system has no locks" in ran.err
    assert _tries(no_locks) < ONE_LONG_WAIT
