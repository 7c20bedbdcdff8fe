"""Processes beside this one, one a core: they work through lists of jobs, and share what was loaded before they were forked.

Owns how they begin and end: Ctrl-C is left to this process, and however it ends, they end with it. Threads stand in for them
where forking is not safe. Knows nothing of what a job does.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

T = TypeVar("T")


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """Some processes that take lists of jobs."""

    def __init__(self, number: int) -> None:
        self._executor = _executor(number)

    def submit(self, jobs: Sequence[Callable[[], T]]) -> Future[list[T]]:
        """Have a list of jobs done in order by one process; the future raises BrokenExecutor once a process was killed."""
        from concurrent.futures import BrokenExecutor, Future

        # Ctrl-C goes to all processes of a terminal. Forked while it is held back, the workers never see it.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return self._executor.submit(do, jobs)
        except BrokenExecutor as error:
            failed: Future[list[T]] = Future()
            failed.set_exception(error)
            return failed
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)

    def stop(self) -> None:
        """End every process once it has done the list it is at; what waits is not done."""
        self._executor.shutdown(cancel_futures=True)


def do(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Do a list of jobs in order."""
    return [job() for job in jobs]


def _executor(number: int) -> Executor:
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
    from multiprocessing import get_context

    if _may_fork():
        # Some containers have no shared memory for its locks, which Python says in one of these ways.
        with suppress(OSError, ImportError, NotImplementedError):
            return ProcessPoolExecutor(number, get_context("fork"), _end_with_parent)
    return ThreadPoolExecutor(number)


def _may_fork() -> bool:
    """Whether there is one thread: a lock that another one holds would never be released in the new process."""
    try:
        return sys.platform == "linux" and len(list(Path("/proc/self/task").iterdir())) == 1
    except OSError:
        return False


def _end_with_parent() -> None:
    """Watch, on a thread, for the end of the process that forked this one."""
    threading.Thread(target=_watch_parent, daemon=True).start()


def _watch_parent() -> None:
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    if parent:
        wait([parent.sentinel])
        os._exit(1)
