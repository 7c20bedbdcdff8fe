"""Runs one command as a shell would and times it; starts the simulated provider. For `speed.py`; knows no row of its table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run of a command took."""

    wall_s: float
    """From before the process was started until it had ended."""
    first_s: float
    """Until the first byte on its standard output had been read."""
    first_at: float
    """The same moment on the clock of `time.perf_counter()`, which every process of the machine shares."""
    cpu_s: float
    """User and system time of the process and of what it waited for."""


@dataclass(slots=True)
class Row:
    """A command that is run again and again, and what it took."""

    key: str
    """For `--only`, and for the raw figures."""
    label: str
    """What it is, in Markdown."""
    argv: Callable[[int], list[str]]
    """Gives the command of run number 0, 1, ..."""
    env: Mapping[str, str]
    target: float | None = None
    """The largest ratio to the floor that is good enough; None: there is none."""
    is_to_first_byte: bool = False
    """Whether the time to the first byte counts, not the whole run."""
    expects: str = ""
    """Must be in what every run but the first wrote."""
    model: str = ""
    """The simulated model it asks, where its tokens are compared with the server's record."""
    samples: list[Sample] = field(default_factory=list)
    """One for each round, in order."""
    lags_s: list[float] = field(default_factory=list)
    """First byte on stdout minus the server's own stamp of the first token it wrote; one for each round."""

    def times_s(self) -> list[float]:
        """Return the times that count."""
        return [sample.first_s if self.is_to_first_byte else sample.wall_s for sample in self.samples]

    def median_s(self) -> float:
        """Return their median."""
        return median(self.times_s())

    def median_cpu_s(self) -> float:
        """Return the median of the CPU times."""
        return median(sample.cpu_s for sample in self.samples)


class Failed(Exception):
    """A command ended badly, or did not say what it should; the last lines are what it wrote to stderr."""


def environment(home: Path, **more: str) -> dict[str, str]:
    """Make a child's environment: a home of its own, no key, no setting of Python's or deepsel's."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(home), "TMPDIR": str(home), **more}


def run(argv: list[str], env: Mapping[str, str], *, expects: str = "", keeps_output: bool = True) -> Sample:
    """Run a command to its end, its output read through a pipe; raises Failed with its stderr where it ends badly."""
    wait_for_quiet()
    complaints = Path(env["HOME"]) / "stderr"
    output, first_at = b"", 0.0
    with complaints.open("wb") as stderr:
        sink = subprocess.PIPE if keeps_output else subprocess.DEVNULL
        began_at = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own commands, and tools named on the command line
            argv, env=dict(env), cwd=env["HOME"], stdin=subprocess.DEVNULL, stdout=sink, stderr=stderr
        )
        if process.stdout is not None:
            while piece := os.read(process.stdout.fileno(), 1 << 16):
                first_at = first_at or time.perf_counter()
                output += piece
            process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        ended_at = time.perf_counter()
    process.returncode = os.waitstatus_to_exitcode(status)
    said = complaints.read_text("utf-8", "replace")
    if process.returncode or expects not in output.decode("utf-8", "replace") + said:
        words = " ".join([Path(argv[0]).name, *argv[1:]])
        told = f"`{words}` ended with exit code {process.returncode} and should say `{expects}`\n{said}"
        raise Failed(told.replace(env["HOME"], "~"))
    return Sample(ended_at - began_at, first_at - began_at, first_at, usage.ru_utime + usage.ru_stime)


def wait_for_quiet(longest_s: float = 1.0) -> None:
    """Wait until nothing else on the machine wants a processor, three times in a row, but not for ever."""
    counts, give_up_at, in_a_row = Path("/proc/loadavg"), time.monotonic() + longest_s, 0
    while counts.exists() and in_a_row < 3 and time.monotonic() < give_up_at:
        time.sleep(0.01)
        is_quiet = counts.read_text().split()[3].startswith("1/")  # we ourselves
        in_a_row = in_a_row + 1 if is_quiet else 0


def measure(row: Row, number: int, url: str) -> None:
    """Run a row once more and keep its sample."""
    sample = run(row.argv(number), row.env, expects=row.expects)
    row.samples.append(sample)
    if row.model:
        row.lags_s.append(sample.first_at - first_token_at(url, row.model))


@contextmanager
def simulated(python: str, folder: Path, **behaviour: float | str) -> Iterator[str]:
    """Run `deepsel simulate` with a behaviour; give the base URL of its openai-chat wire, which ends in /v1."""
    scenario = folder / "scenario.json"
    scenario.write_text(json.dumps({"default": behaviour}))
    command = [python, "-m", "deepsel", "simulate", "--port", "0", "--scenario", str(scenario)]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, env=environment(folder), cwd=folder, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        said = ""
        while not (line := server.stderr.readline()).startswith("openai-chat"):
            said += line
            if not line:
                raise Failed(f"the simulator did not start\n{said}")
        try:
            yield line.split()[-1]
        finally:
            server.terminate()


def records(url: str, model: str) -> list[dict[str, Any]]:
    """Return the simulator's records of the answers of a model, oldest first."""
    with urlopen(url.removesuffix("/v1") + "/_simulator/records") as answer:  # noqa: S310 - loopback
        return [one for one in json.load(answer)["records"] if one["model"] == model]


def first_token_at(url: str, model: str) -> float:
    """Return when the simulator began to write the first token of its last answer."""
    return float(records(url, model)[-1]["token_written_s"][0])


def milliseconds(seconds: list[float]) -> str:
    """Write times in milliseconds, to three digits."""
    return " ".join(f"{one * 1000:.0f}" if one >= 1 else f"{one * 1000:.3g}" for one in seconds)


def progress(text: str) -> None:
    """Say on stderr what is being done."""
    print(text, file=sys.stderr, flush=True)
