"""Measures how near deepsel comes to the floor, `python -c pass`, and writes benchmarks/speed.md: the table of issue 8 and more.

    python -m venv VENV && VENV/bin/pip install .
    python benchmarks/speed.py --python VENV/bin/python [--llm PROGRAM] [--sgpt PROGRAM] [--ttok PROGRAM] [--aiperf PROGRAM]
        [--tokencost PYTHON] [--litellm PYTHON]

The tools beside are programs, or Pythons, of environments of their own. `--only cached` measures single rows and writes nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import speed_events
from speed_process import Failed, Row, environment, measure, milliseconds, progress, records, run, simulated
from speed_rows import deepsel_rows, floor_row, peer_rows, prepare_home

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "benchmarks" / "speed.md"
PEERS = {"llm": "program", "sgpt": "program", "ttok": "program", "aiperf": "program", "tokencost": "Python", "litellm": "Python"}
# What is named with its version: the package, and what decides how fast it starts.
PACKAGES = {name: [name] for name in PEERS} | {
    "deepsel": ["deepsel", "typer", "httpx", "tiktoken", "pip"],  # pip writes the script that starts it
    "sgpt": ["shell-gpt", "typer"],
}
MOST_LAG_S = 0.005
WARM_UPS = 2
"""Runs that are not counted: the first leaves compiled modules and a cached answer, the second finds them."""
_SEED = 8

HEAD = """# How near to the floor

Made by `{command}` in one run on {when}: {machine}. {versions}.

deepsel is installed with pip in a venv; its answers come from `deepsel simulate`, a process of its own on loopback. Each round runs
every command once, in random order, so that drift hits all alike: {repeats} rounds, after {warm_ups} runs of each that do not count.
Before each, the script waits up to a second for other work on the machine to pause. A command finds a home with one `profiles.toml`,
nothing on standard input and a pipe on standard output. Milliseconds are medians, from before the process is started until it has
ended, or until the first byte of its output has been read where that is said; ratios are to the median of the floor. CPU is user and
system time, which other work disturbs less. Every run is checked: a hit must say `from the cache`, and each wording is used once.

"""
BUSY = """The machine was busy with other work: the floor took {share:.0%} more time than CPU. That makes ratios of time look better than
they are; believe those of CPU.

"""
MOST_IDLE_SHARE = 0.1
_VERSIONS = """
import importlib.metadata, platform, sys
first, *rest = [f"{name} {importlib.metadata.version(name)}" for name in sys.argv[1:]]
print(f"{first} ({', '.join([*rest, f'Python {platform.python_version()}'])})")
"""


def main() -> None:
    """Measure, print and write the tables."""
    options = _options()
    programs = {name: given for name in PEERS if (given := getattr(options, name))}
    try:
        head, lines = measured(options, programs)
    except Failed as error:
        raise SystemExit(str(error)) from error
    print("\n".join(lines))
    if not options.only:
        TARGET.write_text(head + "\n".join(lines) + "\n", "utf-8")


def measured(options: argparse.Namespace, programs: Mapping[str, str]) -> tuple[str, list[str]]:
    """Measure everything that is wanted; return the head of the page and the lines of its tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, missing = measured_rows(options.python, folder, programs, options.repeats, options.only)
        streams = []
        if not options.only or "events" in options.only:
            streams = speed_events.measure_streams(options.python, folder, ROOT / "samples", options.repeats)
        if not options.only:
            missing |= {name: "not given" for name in PEERS if name not in programs}
        lines = [*tables(rows), *event_lines(streams), *missing_lines(missing), *raw_lines(rows, streams)]
        head = HEAD.format(
            command=_command(programs, options.repeats), when=f"{datetime.now(UTC):%Y-%m-%d}", machine=_machine(),
            versions=_versions(options.python, programs, folder), repeats=options.repeats, warm_ups=WARM_UPS,
        )  # fmt: skip
    share = rows[0].median_s() / rows[0].median_cpu_s() - 1
    return head + (BUSY.format(share=share) if share > MOST_IDLE_SHARE else ""), lines


def _options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="of the venv deepsel is installed in")
    parser.add_argument("--repeats", type=int, default=20, metavar="N")
    parser.add_argument("--only", action="append", metavar="NAME", help="a key of the raw figures, or `events`; repeatable")
    for name, what in PEERS.items():
        parser.add_argument(f"--{name}", metavar=what.upper())
    return parser.parse_args()


# --- measuring -------------------------------------------------------------------------------------------------------


def measured_rows(
    python: str, folder: Path, programs: Mapping[str, str], repeats: int, only: list[str] | None
) -> tuple[list[Row], dict[str, str]]:
    """Measure every wanted row; return them, and of the tools' rows that do not run the reason by label."""
    home = folder / "home"
    home.mkdir()
    with simulated(python, folder) as url:
        prompt = prepare_home(home, url, ROOT / "samples")
        rows = [floor_row(python, home), *deepsel_rows(python, home, prompt)]
        peers = peer_rows(programs, home, prompt, url)
        if {"ttok", "tokencost"} & programs.keys():
            _give_vocabularies(home)
        if only:
            if unknown := set(only) - {"events", *(row.key for row in [*rows, *peers])}:
                raise SystemExit(f"no such row: {', '.join(sorted(unknown))}")
            rows, peers = [rows[0], *_named(rows[1:], only)], _named(peers, only)
        for row in rows:
            _warm(row)
        missing = {row.label: reason for row in peers if (reason := _reason_not_to_run(row))}
        rows += [row for row in peers if row.label not in missing]
        source = random.Random(_SEED)  # noqa: S311 - an order, not a secret
        for number in range(repeats):
            progress(f"round {number + 1} of {repeats}")
            for row in source.sample(rows, len(rows)):
                measure(row, WARM_UPS + number, url)
        if any(row.key == "sgpt-cached" for row in rows) and len(records(url, "sgpt")) != 1:
            raise Failed("shell_gpt asked again instead of using its cache")
    return rows, missing


def _named(rows: list[Row], only: list[str]) -> list[Row]:
    """Return the rows that are asked for."""
    return [row for row in rows if row.key in only]


def _warm(row: Row) -> None:
    """Run a row without counting; what it should say, it says from the second time on."""
    for number in range(WARM_UPS):
        run(row.argv(number), row.env, expects=row.expects if number else "")


def _reason_not_to_run(row: Row) -> str:
    """Warm a tool's row; return why it does not run, empty where it does."""
    try:
        _warm(row)
    except (Failed, OSError) as error:
        return str(error).strip().splitlines()[-1][:120]
    return ""


def _give_vocabularies(home: Path) -> None:
    """Put OpenAI's vocabularies where tiktoken keeps what it downloads."""
    from estimate import seed_tiktoken  # needs deepsel itself, which the rest of this script does not

    folder = home / "tiktoken"
    folder.mkdir()
    seed_tiktoken(folder)


# --- the result ------------------------------------------------------------------------------------------------------


def tables(rows: list[Row]) -> Iterator[str]:
    """Yield the tables of what was timed, in Markdown."""
    floor = rows[0]
    yield "| what | ms | ratio | reach | | CPU ms | CPU ratio |"
    yield "|---|---:|---:|---:|---|---:|---:|"
    yield from (_line(row, floor) for row in rows if row.target or row is floor)
    yield "| `deepsel estimate` of a 100 MB tree | | | | see [estimate.md](estimate.md) | | |"
    if lagging := [row for row in rows if row.lags_s and row.target]:
        yield from _lag_lines(lagging, rows)
    if peers := [row for row in rows if not row.target and row is not floor]:
        yield from ("", "## Other tools, in the same rounds", "", "| what | ms | ratio | CPU ms | CPU ratio |", "|---|---:|---:|---:|---:|")
        yield from ("| {} | {:.0f} | {:.0f} | {:.0f} | {:.0f} |".format(row.label, *_figures(row, floor)) for row in peers)


def _line(row: Row, floor: Row) -> str:
    """Write a row with its target."""
    wall_ms, ratio, cpu_ms, cpu_ratio = _figures(row, floor)
    judged = f"<= {row.target:g} | {'met' if ratio <= row.target else 'missed'}" if row.target else " | the floor"
    return f"| {row.label} | {wall_ms:.1f} | {ratio:.2f} | {judged} | {cpu_ms:.1f} | {cpu_ratio:.2f} |"


def _figures(row: Row, floor: Row) -> tuple[float, float, float, float]:
    """Return the median in milliseconds and its ratio to the floor, then the same of CPU time."""
    cpu_s, floor_cpu_s = row.median_cpu_s(), floor.median_cpu_s()
    return row.median_s() * 1000, row.median_s() / floor.median_s(), cpu_s * 1000, cpu_s / floor_cpu_s


def _lag_lines(lagging: list[Row], rows: list[Row]) -> Iterator[str]:
    """Yield the table of first tokens: what a reader sees behind what the server says."""
    yield from ("", "## The first token, behind the server's own record", "")
    yield "From the server's stamp before it wrote the first token until that token had been read from the command's output."
    yield from ("", "| what | median ms | worst ms | reach | |", "|---|---:|---:|---:|---|")
    for row in [*lagging, *(row for row in rows if row.lags_s and not row.target)]:
        lag_s = median(row.lags_s)
        judged = f"<= {MOST_LAG_S * 1000:g} | {'met' if lag_s <= MOST_LAG_S else 'missed'}" if row.target else " | "
        yield f"| {row.label} | {lag_s * 1000:.2f} | {max(row.lags_s) * 1000:.2f} | {judged} |"


def event_lines(streams: list[speed_events.Stream]) -> Iterator[str]:
    """Yield the part on long streams."""
    if streams:
        yield from ("", "## Each event of a long stream", "")
        yield "What one costs in CPU: a long answer less a shorter one, by the difference of their events. Output goes to the null device."
        yield ""
        yield from speed_events.table(streams)


def missing_lines(missing: Mapping[str, str]) -> Iterator[str]:
    """Yield the list of what was not measured, and why."""
    if missing:
        yield from ("", "## Not measured", "")
        yield from (f"- {label}: {reason}" for label, reason in missing.items())


def raw_lines(rows: list[Row], streams: list[speed_events.Stream]) -> Iterator[str]:
    """Yield every sample."""
    yield from ("", "## Raw figures", "", "Milliseconds, in the order of the rounds.", "", "```text")
    for row in rows:
        yield f"{row.key}: {milliseconds(row.times_s())}"
        yield f"{row.key}, CPU: {milliseconds([sample.cpu_s for sample in row.samples])}"
        if row.lags_s:
            yield f"{row.key}, first token: {milliseconds(row.lags_s)}"
    yield from speed_events.raw(streams)
    yield "```"


# --- where it was measured -------------------------------------------------------------------------------------------


def _command(programs: Mapping[str, str], repeats: int) -> str:
    """Write the command without this machine's paths."""
    given = "".join(f" --{name} {PEERS[name].upper()}" for name in programs)
    return f"python benchmarks/speed.py --python VENV/bin/python --repeats {repeats}{given}"


def _machine() -> str:
    """Say what the machine is."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs ({model}), load {os.getloadavg()[2]:.1f} when it ended"


def _versions(python: str, programs: Mapping[str, str], folder: Path) -> str:
    """List the versions of what was measured, each with what it runs on."""
    found = []
    for name, program in {"deepsel": python, **programs}.items():
        is_python = name == "deepsel" or PEERS[name] == "Python"
        interpreter = program if is_python else str(Path(program).with_name("python"))
        command = [interpreter, "-c", _VERSIONS, *PACKAGES[name]]
        done = subprocess.run(  # noqa: S603 - named on the command line
            command, env=environment(folder), capture_output=True, text=True, check=False
        )
        found.append(done.stdout.strip() or f"{name} (version unknown)")
    return ", ".join(found)


if __name__ == "__main__":
    main()
