"""What drawing an answer on a terminal costs beside a pipe: time, CPU and bytes, for one answer of 16 kB.

python benchmarks/terminal.py [--python PATH] [--repeats N] [--output PATH]
"""

from __future__ import annotations

import argparse
import fcntl
import os
import platform
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

from speed_process import environment, simulated

COLUMNS, ROWS = 80, 24
PARAGRAPH = (
    "A resolver asks the **root servers** first, which know who answers for `org`, and goes on to the next until one "
    "has *authority* over the name; see [the specification](https://www.rfc-editor.org/rfc/rfc1035) for the messages.\n\n"
)
BLOCK = (
    f"## How a name is found\n\n{PARAGRAPH}- `A` records hold an address of version 4, of **32 bits**\n"
    "- `AAAA` records hold one of version 6\n- `CNAME` records hold another name, which is looked up in turn\n\n"
    '```python\nimport socket\n\n\ndef addresses(name: str) -> set[str]:\n    """Return all addresses of a name."""\n'
    "    return {found[4][0] for found in socket.getaddrinfo(name, None)}  # may raise gaierror\n```\n\n"
    "| kind | holds | seconds |\n|---|---|---:|\n| A | an address | 300 |\n| NS | the server that has **authority** | 86400 |\n\n"
)
TEXT = BLOCK * round(16_000 / len(BLOCK))
PACES = {"at once": 0.0, "1,000 tokens a second": 0.001}


class Sample(NamedTuple):
    """One run."""

    wall_s: float
    cpu_s: float
    size: int
    """Bytes read from its standard output."""


def measure(argv: Sequence[str], home: Path, *, on_terminal: bool) -> Sample:
    """Run a command to its end, its standard output a pseudo-terminal or a pipe."""
    if on_terminal:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    else:
        ours, theirs = os.pipe()
    env = environment(home, DEEPSEL_HOME=str(home), TERM="xterm-256color", KEY="sk-none")
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own program
        argv, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL, env=env
    )
    os.close(theirs)
    size = sum(map(len, _read(ours)))
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(argv)} ended with {process.returncode}")
    return Sample(wall_s, usage.ru_utime + usage.ru_stime, size)


def _read(file: int) -> Iterator[bytes]:
    """Yield what comes until the other side is closed."""
    with os.fdopen(file, "rb", buffering=0) as stream:
        while True:
            try:
                data = stream.read(65536)
            except OSError:  # a pseudo-terminal's way of saying so
                return
            if not data:
                return
            yield data


def profile(url: str) -> str:
    """Write the profiles.toml that asks the simulator."""
    return (
        f'[providers.host]\nwire = "openai-chat"\nbase_url = "{url}"\napi_key_env = "KEY"\n'
        '[models.one]\nprovider = "host"\ncontext_window = 64000\nmax_output = 16000\nvocabulary = "o200k_base"\n'
        'price = { input = "1", output = "2" }\n[profiles.main]\nmodels = ["one"]\nmax_tokens = 16000\n'
    )


def report(python: str, repeats: int) -> str:
    """Measure all, the two in turn, and return the page."""
    rows = []
    for pace, itl_s in PACES.items():
        with tempfile.TemporaryDirectory() as folder, simulated(python, Path(folder), text=TEXT, itl_s=itl_s) as url:
            (Path(folder) / "profiles.toml").write_text(profile(url), "utf-8")
            argv = [python, "-m", "deepsel", "ask", "-q", "--no-cache", "--stream", "What is DNS?"]
            samples: dict[bool, list[Sample]] = {False: [], True: []}
            for number in range(repeats + 1):
                for on_terminal in (False, True):
                    sample = measure(argv, Path(folder), on_terminal=on_terminal)
                    if number:  # the first compiles
                        samples[on_terminal].append(sample)
            rows.append(_row(pace, samples[False], samples[True]))
    head = "| the answer comes | | ms | ratio | CPU ms | ratio | bytes |\n|---|---|---:|---:|---:|---:|---:|\n"
    return head + "".join(rows)


def _row(pace: str, piped: Sequence[Sample], drawn: Sequence[Sample]) -> str:
    """Write the medians of both, and the ratio of the drawing to the pipe."""
    (wall, cpu, size), (wall_2, cpu_2, size_2) = (map(median, zip(*samples, strict=True)) for samples in (piped, drawn))
    return (
        f"| {pace} | pipe | {1000 * wall:.0f} | 1 | {1000 * cpu:.0f} | 1 | {size:,.0f} |\n"
        f"| | terminal | {1000 * wall_2:.0f} | {wall_2 / wall:.2f} | {1000 * cpu_2:.0f} | {cpu_2 / cpu:.2f} | {size_2:,.0f} |\n"
    )


def main() -> None:
    """Measure and print, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    table = report(given.python, given.repeats)
    if not given.output:
        print(table)
        return
    load = os.getloadavg()[0]
    given.output.write_text(
        "# What drawing on a terminal costs\n\n"
        f"Made by `python benchmarks/terminal.py --repeats {given.repeats} --output benchmarks/terminal.md` in one run on "
        f"{datetime.now(UTC):%Y-%m-%d}: {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, "
        f"Python {platform.python_version()}, load {load:.1f} when it ended.\n\n"
        f"One answer of {len(TEXT.encode()):,} bytes of Markdown (headings, prose, lists, code in colours, tables) from "
        "`deepsel simulate`, asked with `deepsel ask -q --no-cache --stream`, standard output a pipe or a pseudo-terminal of "
        f"{COLUMNS} columns and {ROWS} rows, in turn. Medians of {given.repeats} runs, from before the process was started until "
        "it had ended; CPU is user and system time of the process.\n"
        "Reach: at most 1.5 times the time and 3 times the CPU of the pipe, at most 100 kB written.\n\n" + table,
        "utf-8",
    )


if __name__ == "__main__":
    main()
