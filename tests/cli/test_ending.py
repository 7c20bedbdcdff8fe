"""Calls that the user ends: what came is kept, what it cost is written down, and nobody sees a traceback."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

COUNTING = {"text": "one two three four five six seven eight nine ten " * 20, "itl_s": 0.05}
SENT = [
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGXCPU, signal.SIGUSR1, signal.SIGALRM),
    *(signal.SIGABRT, signal.SIGVTALRM, signal.SIGPROF, signal.SIGRTMAX),
]


@pytest.fixture(autouse=True)
def nothing_ignored() -> Iterator[None]:
    """Give the signals their usual meaning: a suite that runs in the background of a script is started without some of them."""
    ignored = [number for number in SENT if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def _start(*arguments: str, before: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*before, sys.executable, "-m", "deepsel", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )


def _until_text_flows(server: Any, process: subprocess.Popen[bytes], tokens: int = 5) -> None:
    """Wait until so many tokens were written, the first of which the command has surely read."""
    while not any(len(record.token_written_s) > tokens for record in server.records):
        assert process.poll() is None
        time.sleep(0.01)


def _log(home: Path) -> list[tuple[Any, ...]]:
    """Outcome and cost of each observation."""
    with sqlite3.connect(home / "data" / "observations.sqlite") as database:
        return database.execute("SELECT outcome, error_class, cost_picousd FROM observations").fetchall()


def _left(home: Path) -> tuple[int, int]:
    """How many reservations are held, and what the profile has spent."""
    with sqlite3.connect(home / "data" / "observations.sqlite") as database:
        (holds,), (spent,) = (
            database.execute(f"SELECT {what}").fetchone()
            for what in ("COUNT(*) FROM holds", "COALESCE(SUM(picousd), 0) FROM spend")
        )
    return holds, spent


@pytest.mark.parametrize("number", SENT, ids=lambda one: one.name)
def test_whatever_ends_a_call_keeps_text_and_bill(
    home: Path, simulate: Callable[..., Any], profiles: Callable[..., Path], number: signal.Signals
) -> None:
    """Each signal a process can take: the text that came is printed, its cost is in log and budget, exit 130."""
    server = simulate(**COUNTING)
    profiles(one=server, profile='daily_budget_usd = "1"')
    process = _start("ask", "--no-cache", "Count")
    _until_text_flows(server, process, tokens=30)
    process.send_signal(number)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 130, err
    assert out.startswith(b"one two")
    assert b"Traceback" not in err
    [(outcome, error_class, cost)] = _log(home)
    assert (outcome, error_class) == ("cancelled", None)
    assert cost > 0
    assert _left(home) == (0, cost)


def test_impatience_loses_nothing(home: Path, simulate: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """Ctrl-C many times in a row ends as one does: text and bill are kept, no traceback."""
    server = simulate(**COUNTING)
    profiles(one=server)
    process = _start("ask", "--no-cache", "Count")
    _until_text_flows(server, process)
    for _ in range(60):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        time.sleep(0.004)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 130, err
    assert out.startswith(b"one two")
    assert b"Traceback" not in err
    assert [outcome for outcome, *_ in _log(home)] == ["cancelled"]


def test_calls_that_were_ended_do_not_cool_an_endpoint_down(
    home: Path, simulate: Callable[..., Any], profiles: Callable[..., Path], deepsel: Callable[..., Any]
) -> None:
    """After six calls ended by the user, the seventh is asked at once and the provider has no errors."""
    server = simulate(**COUNTING)
    profiles(one=server)
    for number in range(6):
        process = _start("ask", "--no-cache", f"Count {number}")
        while sum(len(record.token_written_s) > 1 for record in server.records) <= number:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert b"Traceback" not in process.communicate(timeout=100)[1]
    plan = deepsel("ask", "--explain", "--json", "Hi").record()
    assert [choice["model"] for choice in plan["candidates"]] == ["one"]
    whole = deepsel("stats", "--json").record()["total"]
    assert (whole["cancelled"], whole["errors"]) == (6, {})


@pytest.mark.parametrize("after_ms", [0, 5, 15, 30, 60, 90, 120, 160, 200, 250, 300, 350, 400, 500])
def test_no_moment_of_a_run_shows_a_traceback(
    home: Path, simulate: Callable[..., Any], profiles: Callable[..., Path], after_ms: int
) -> None:
    """From its first line to its last a process that is interrupted says at most one line, and a paid call is in the log."""
    server = simulate(text="Hello.")
    profiles(one=server)
    code = "import os, sys\nfrom deepsel.__main__ import main\nsys.argv[0] = 'deepsel'\nos.write(2, b'.')\nmain()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "ask", "--no-cache", "-q", "Hi"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert process.stderr is not None
    process.stderr.read(1)
    time.sleep(after_ms / 1000)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=100)
    assert process.returncode in (0, 130, -signal.SIGINT)
    assert err in (b"", b"error: interrupted\n", b"\n", b"\nerror: interrupted\n")
    if any(record.token_written_s for record in server.records):
        assert [outcome for outcome, *_ in _log(home)] in (["ok"], ["cancelled"])
    if process.returncode == 0:
        assert out == b"Hello.\n"


def test_a_reader_that_goes_away_ends_the_call_and_pays_for_it(
    home: Path, simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """`| head -1`: exit 0, no word, and what came is in the log as ended by the user, with its cost."""
    server = simulate(text="first line\n" + COUNTING["text"], itl_s=0.02)
    profiles(one=server)
    command = f"{sys.executable} -m deepsel ask -q --no-cache --stream Count; echo code=$? >&2"
    done = subprocess.run(["bash", "-c", f"({command}) | head -1"], capture_output=True, text=True, timeout=100, check=False)
    assert (done.stdout, done.stderr) == ("first line\n", "code=0\n")
    [(outcome, error_class, cost)] = _log(home)
    assert (outcome, error_class) == ("cancelled", None)
    assert cost > 0


def test_what_is_ignored_stays_ignored(home: Path, simulate: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """Under `nohup` a hang-up does not end the call."""
    server = simulate(text="one two three four five six seven eight nine ten", itl_s=0.05)
    profiles(one=server)
    process = _start("ask", "-q", "--no-cache", "Count", before=["nohup"])
    _until_text_flows(server, process)
    process.send_signal(signal.SIGHUP)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    assert out == b"one two three four five six seven eight nine ten\n"


MADE_OF_IT = """
import os, signal, sys, time, typer
def interrupted(_):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    except KeyboardInterrupt:
        raise ImportError('PyCapsule_Import could not import module "_socket"') from None
typer.main.get_command = interrupted
sys.argv = ["deepsel", "stats"]
from deepsel.__main__ import main
main()
"""


def test_an_error_made_of_the_interruption_is_one() -> None:
    """C code that is being imported swallows the interruption and says that it could not be imported: still 130, no traceback."""
    done = subprocess.run([sys.executable, "-c", MADE_OF_IT], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (130, "error: interrupted\n")


SWALLOWED = """
import os, signal, sys, time, weakref
import typer.main
class Watched: pass
def interrupted(_):
    watched = Watched()
    heard = weakref.ref(watched, lambda _: (os.kill(os.getpid(), signal.SIGINT), time.sleep(0.2)))
    del watched
    time.sleep(20)
typer.main.get_command = interrupted
sys.argv = ["deepsel", "stats"]
from deepsel.__main__ import main
main()
"""


def test_an_interruption_that_python_swallows_comes_again() -> None:
    """Raised within a callback, as the import system has them, it would be printed as ignored, and nothing would end."""
    done = subprocess.run([sys.executable, "-c", SWALLOWED], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (130, "")
