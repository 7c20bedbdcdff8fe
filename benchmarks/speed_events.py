"""CPU time for each event of a long stream: `deepsel ask --stream` beside loops somebody would write with httpx. For `speed.py`.

A process reads a long answer and a shorter one of the same kind; the difference of their user and system times, by the difference of
their lengths, is what an event costs: start and end cancel out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from speed_process import Failed, environment, milliseconds, progress, records, run, simulated
from speed_rows import QUESTION, prepare_home

MOST_RATIO = 1.3
"""What issue 8 allows."""
READ, PRINT, ASK = "httpx, lines alone", "httpx, prints each piece", "`deepsel ask --stream`"
CLIENTS = (READ, PRINT, ASK)

_LOOP = """
import json, sys
import httpx
url, what = sys.argv[1:]
body = {
    "model": "m", "messages": [{"role": "user", "content": "What is DNS?"}], "max_tokens": 900000, "stream": True,
    "stream_options": {"include_usage": True},
}
with httpx.Client(timeout=300) as client, client.stream("POST", url + "/chat/completions", json=body) as response:
    for line in response.iter_lines():
        if what == "lines" or not line.startswith("data: "):
            continue
        data = line[6:]
        if data == "[DONE]":
            break
        for choice in json.loads(data)["choices"]:
            text = choice["delta"].get("content")
            if text:
                sys.stdout.write(text)
                sys.stdout.flush()
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """How the events of a stream come."""

    label: str
    few: int
    """Events of the shorter answer."""
    many: int
    """Events of the longer one."""
    itl_s: float
    """Between two events."""


PACES = (
    Pace("as fast as they can be written, many in one read", 2_000, 20_000, 0.0),
    Pace("0.5 ms apart, each in a read of its own", 500, 3_000, 0.0005),
)


@dataclass(slots=True)
class Stream:
    """What a client took for the events of one pace."""

    pace: Pace
    client: str
    few_s: list[float] = field(default_factory=list)
    """Seconds of CPU for the shorter answer, one for each round."""
    many_s: list[float] = field(default_factory=list)
    """The same for the longer one."""

    def event_s(self) -> float:
        """Return the CPU time of one event: the median of the rounds' differences."""
        more_s = [many_s - few_s for few_s, many_s in zip(self.few_s, self.many_s, strict=True)]
        return median(more_s) / (self.pace.many - self.pace.few)


def measure_streams(python: str, folder: Path, samples: Path, repeats: int) -> list[Stream]:
    """Measure every client at every pace, round by round."""
    return [stream for pace in PACES for stream in _measure_pace(python, folder, samples, repeats, pace)]


def _measure_pace(python: str, folder: Path, samples: Path, repeats: int, pace: Pace) -> list[Stream]:
    """Measure every client at one pace."""
    streams = [Stream(pace, client) for client in CLIENTS]
    for number in range(repeats):
        progress(f"events {pace.label}: round {number + 1} of {repeats}")
        for events in (pace.few, pace.many):
            home = folder / f"{pace.itl_s:g}-{events}-{number}"
            home.mkdir()
            with simulated(python, home, output_tokens=events, itl_s=pace.itl_s) as url:
                prepare_home(home, url, samples)
                for stream in streams:
                    _run_once(python, home, url, stream, events)
    return streams


def _run_once(python: str, home: Path, url: str, stream: Stream, events: int) -> None:
    """Let a client read one answer; its output goes nowhere, so that nobody else needs the processor."""
    env = environment(home)
    cpu_s = run(_command(python, url, stream.client), env, keeps_output=False).cpu_s
    written = len(records(url, "m")[-1]["token_written_s"])
    if written != events:
        raise Failed(f"{stream.client} was sent {written} events instead of {events}")
    (stream.few_s if events == stream.pace.few else stream.many_s).append(cpu_s)


def _command(python: str, url: str, client: str) -> list[str]:
    """Give a client's command."""
    if client == ASK:
        program = str(Path(python).with_name("deepsel"))
        return [program, "ask", "--stream", "--no-cache", "--max-tokens", "900000", QUESTION]
    return [python, "-c", _LOOP, url, "lines" if client == READ else "print"]


def table(streams: list[Stream]) -> list[str]:
    """Write the result as lines of Markdown."""
    bare = {stream.pace: stream.event_s() for stream in streams if stream.client == PRINT}
    lines = ["| events come | client | CPU an event, µs | ratio | reach | |", "|---|---|---:|---:|---:|---|"]
    for stream in streams:
        ratio = stream.event_s() / bare[stream.pace]
        judged = f"<= {MOST_RATIO} | {'met' if ratio <= MOST_RATIO else 'missed'}" if stream.client == ASK else " | "
        lines.append(f"| {stream.pace.label} | {stream.client} | {stream.event_s() * 1e6:.1f} | {ratio:.2f} | {judged} |")
    return lines


def raw(streams: list[Stream]) -> list[str]:
    """Write every sample, in milliseconds of CPU."""
    return [
        f"{stream.client}, {events:,} events {stream.pace.itl_s * 1000:g} ms apart: {milliseconds(times)}"
        for stream in streams
        for events, times in ((stream.pace.few, stream.few_s), (stream.pace.many, stream.many_s))
    ]
