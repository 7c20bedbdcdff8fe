"""Holds the figures of `deepsel bench`, and of other tools, against the simulator's own record of when it wrote each token.

`python benchmarks/bench_accuracy.py [--python PYTHON] [--servebench PROGRAM] [--aiperf PROGRAM]`: PYTHON runs deepsel
where it is installed; the PROGRAMs come from environments of their own and are measured beside it, under the same load.
The simulator and the tools are processes of their own; all clocks are the system's monotonic one. Prints Markdown.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias
from urllib.request import urlopen

Row: TypeAlias = dict[str, Any]
LOAD = {"headers_s": 0.02, "ttft_s": 0.2, "itl_s": 0.01, "output_tokens": 32}
RUNS = ((1, 200), (8, 200), (1, 30))
"""Requests at once, and in all."""
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Of every child: compiled modules are kept, as they are where a program is installed."""


@dataclass(frozen=True)
class Timed:
    """One request as a tool saw it."""

    began: float
    """On a clock of the tool's own: good for the order of sending alone."""
    ttft_s: float
    tpot_s: float
    itl_s: tuple[float, ...] = ()
    """Empty where the tool tells none."""
    request_id: str | None = None
    """None where the tool tells none: then requests are paired by the order of sending."""


Tool: TypeAlias = Callable[[Path, str, int, int], tuple[list[Timed], float]]
"""Measures requests: folder for its files, URL, how many at once, how many in all; gives them and seconds of CPU."""


# --- the tools -------------------------------------------------------------------------------------------------------


def ran(folder: Path, *command: str, **environment: str) -> tuple[str, float]:
    """Run a program to its end; return its standard output and the seconds of CPU it and its children took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(  # noqa: S603 - named on the command line
        command, env={**ENVIRONMENT, **environment}, cwd=folder, capture_output=True, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def deepsel_record(python: str, folder: Path, url: str, *options: str) -> tuple[Row, float]:
    """Run `deepsel bench` on a model at `url`; return its record and the CPU time."""
    (folder / "profiles.toml").write_text(
        f'[providers.here]\nwire = "openai-chat"\nbase_url = "{url}"\n[models.m]\nprovider = "here"\n'
        'price = { input = "1", output = "2" }\n[profiles.main]\nmodels = ["m"]\n'
    )
    command = (python, "-m", "deepsel", "bench", *options, "--format", "json", "--quiet")
    out, cpu_s = ran(folder, *command, DEEPSEL_HOME=str(folder))
    return json.loads(out), cpu_s


def deepsel_tool(python: str) -> Tool:
    """Make the tool that deepsel is."""

    def measure(folder: Path, url: str, concurrency: int, requests: int) -> tuple[list[Timed], float]:
        """Read the record's samples."""
        record, cpu_s = deepsel_record(python, folder, url, "-n", str(requests), "-c", str(concurrency))
        samples = [sample for case in record["cases"] for sample in case["samples"]]
        return [
            Timed(one["at_s"], one["ttft_s"], one["tpot_s"], tuple(one["itl_s"]), one["request_id"]) for one in samples
        ], cpu_s

    return measure


def servebench_tool(program: str) -> Tool:
    """Make the tool that servebench is."""

    def measure(folder: Path, url: str, concurrency: int, requests: int) -> tuple[list[Timed], float]:
        """Read the sheet of requests."""
        _, cpu_s = ran(
            folder, program, "run", "--url", url, "--model", "m", "--concurrency", str(concurrency), "--num-requests",
            str(requests), "--input-len", "64", "--output-len", "64", "--csv-requests", "requests.csv",
        )  # fmt: skip
        with (folder / "requests.csv").open() as file:
            rows = list(csv.DictReader(file))
        return [
            Timed(float(one["start_s"]), float(one["ttft_ms"]) / 1000, float(one["tpot_ms"]) / 1000) for one in rows
        ], cpu_s

    return measure


def aiperf_tool(program: str) -> Tool:
    """Make the tool that aiperf is, with one warm-up request a worker as deepsel has it."""

    def measure(folder: Path, url: str, concurrency: int, requests: int) -> tuple[list[Timed], float]:
        """Read the export of requests."""
        tokenizer = character_tokenizer(folder)
        _, cpu_s = ran(
            folder, program, "profile", "--model", "m", "--url", url.removesuffix("/v1"), "--endpoint-type", "chat",
            "--streaming", "--concurrency", str(concurrency), "--request-count", str(requests), "--warmup-request-count",
            str(concurrency), "--isl", "64", "--osl", "64", "--tokenizer", str(tokenizer), "--use-server-token-count",
            "--no-gpu-telemetry", "--no-server-metrics", "--ui", "none", "--output-artifact-dir", str(folder / "aiperf"),
        )  # fmt: skip
        lines = (folder / "aiperf" / "profile_export.jsonl").read_text().splitlines()
        rows = [row for row in map(json.loads, lines) if row["metadata"]["benchmark_phase"] == "profiling"]
        return [_of_aiperf(row["metadata"], row["metrics"]) for row in rows], cpu_s

    return measure


def _of_aiperf(about: Row, metrics: Row) -> Timed:
    """Read one request, whose times are in milliseconds."""
    ttft, tpot = (metrics[name]["value"] / 1000 for name in ("time_to_first_token", "inter_token_latency"))
    gaps = tuple(value / 1000 for value in metrics["inter_chunk_latency"]["value"])
    return Timed(float(about["request_start_ns"]), ttft, tpot, gaps)


def character_tokenizer(folder: Path) -> Path:
    """Write a tokenizer of one character a token: aiperf makes its prompts with one and has none that needs no network."""
    found = folder / "tokenizer"
    found.mkdir(exist_ok=True)
    model = {"type": "BPE", "vocab": {chr(32 + number): number for number in range(95)}, "merges": []}
    whole = {"version": "1.0", "added_tokens": [], "model": model, "decoder": {"type": "Fuse"}}
    (found / "tokenizer.json").write_text(json.dumps(whole))
    (found / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    return found


def located(program: str) -> str:
    """Find a program, so that a relative path holds in any folder; links stay, since an environment's python is one."""
    found = shutil.which(program)
    if found is None:
        raise SystemExit(f"error: there is no program `{program}`")
    return str(Path(found).absolute())


def version(python: str, package: str) -> str:
    """Name a package and its version in an interpreter's environment."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - as above
    return f"{package} {done.stdout.strip() or 'of a checkout'}"


# --- the truth -------------------------------------------------------------------------------------------------------


@contextmanager
def simulated(python: str, folder: Path, **behaviour: float) -> Iterator[str]:
    """Run `deepsel simulate` with a behaviour and give its base URL."""
    scenario = folder / "scenario.json"
    scenario.write_text(json.dumps({"default": behaviour}))
    command = [python, "-m", "deepsel", "simulate", "--port", "0", "--scenario", str(scenario)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder, env=ENVIRONMENT) as server:  # noqa: S603
        assert server.stderr is not None
        url = next(line.split()[-1] for line in server.stderr if line.startswith("openai-chat"))
        try:
            yield url
        finally:
            server.terminate()


def records(url: str) -> list[Row]:
    """Return the simulator's own records."""
    with urlopen(url.removesuffix("/v1") + "/_simulator/records") as answer:  # noqa: S310 - loopback
        found: list[Row] = json.load(answer)["records"]
    return found


def paired(samples: Sequence[Timed], truth: Sequence[Row]) -> list[tuple[Timed, Row]]:
    """Pair each sample with the record of the same request, by its name or by the order of sending; warm-ups come first."""
    if all(sample.request_id for sample in samples):
        by_id = {one["request_id"]: one for one in truth}
        return [(sample, by_id[str(sample.request_id)]) for sample in samples]
    last = sorted(truth, key=lambda one: float(one["request_read_s"]))[-len(samples) :]
    return list(zip(sorted(samples, key=lambda one: one.began), last, strict=True))


# --- the tables ------------------------------------------------------------------------------------------------------


def load(name: str, tool: Tool, python: str, concurrency: int, requests: int) -> str:
    """Measure a load with a tool; return a row of errors."""
    with tempfile.TemporaryDirectory() as made, simulated(python, Path(made), **LOAD) as url:
        samples, cpu_s = tool(Path(made), url, concurrency, requests)
        pairs = paired(samples, records(url))
    assert len(pairs) == requests, f"{name} lost requests"
    ttft, itl, tpot = [], [], []
    for sample, true in pairs:
        written = true["token_written_s"]
        gaps = [later - earlier for earlier, later in pairwise(written)]
        ttft.append(abs(sample.ttft_s - (written[0] - true["request_read_s"])))
        tpot.append(abs(sample.tpot_s / ((written[-1] - written[0]) / len(gaps)) - 1) * 100)
        if len(sample.itl_s) == len(gaps):  # else two tokens came in one read
            itl += [abs(ours - theirs) for ours, theirs in zip(sample.itl_s, gaps, strict=True)]
    told = f"{median(itl) * 1000:.3f}" if itl else "-"
    return f"| {name} | {concurrency} | {requests} | {errors(ttft)} | {told} | {median(tpot):.3f} | {cpu_s:.2f} |"


def errors(seconds: list[float]) -> str:
    """Write two cells: median and p95 in milliseconds."""
    ordered = sorted(seconds)
    return f"{median(ordered) * 1000:.3f} | {ordered[int(len(ordered) * 0.95)] * 1000:.3f}"


def cold(python: str) -> str:
    """Measure cold starts whose penalty is known, with deepsel; return rows of errors."""
    known_s = 0.5
    behaviour = {"ttft_s": 0.1, "itl_s": 0.005, "output_tokens": 8, "cold_start_s": known_s, "idle_before_cold_s": 0.8}
    with tempfile.TemporaryDirectory() as made, simulated(python, Path(made), **behaviour) as url:
        record, _ = deepsel_record(python, Path(made), url, "--idle", "1", "--rounds", "6", "--warm-every", "0.4")
    rows = []
    for case in record["cases"]:
        how = f"{case['connection']} connection" + (f", warmed every {case['warm_every_s']:g} s" if case["warm_every_s"] else "")
        true_s = 0.0 if case["warm_every_s"] else known_s
        penalty, connect = case["cold_penalty_s"]["p50"], case["connect_s"]["p50"]
        shown = "-" if connect is None else f"{connect * 1000:.2f}"
        rows.append(f"| {how} | {true_s * 1000:.0f} | {penalty * 1000:.1f} | {shown} |")
    return "\n".join(rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="runs `-m deepsel` (default: this one)")
    parser.add_argument("--servebench", metavar="PROGRAM", help="is measured too")
    parser.add_argument("--aiperf", metavar="PROGRAM", help="is measured too")
    given = parser.parse_args()
    python = located(given.python)
    tools = {"deepsel": deepsel_tool(python)}
    versions = [version(python, "deepsel"), version(python, "httpx")]
    for name, make in (("servebench", servebench_tool), ("aiperf", aiperf_tool)):
        if program := getattr(given, name):
            tools[name] = make(located(program))
            versions.append(version(str(Path(located(program)).with_name("python")), name))
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(f"{machine}, {', '.join(versions)}\n")
    print("| tool | at once | requests | TTFT error, median ms | p95 ms | ITL error, median ms | TPOT error, median % | CPU s |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for concurrency, requests in RUNS:
        for name, tool in tools.items():
            print(load(name, tool, python, concurrency, requests), flush=True)
    print("\n| silence of 1 s | true penalty, ms | measured, ms | new connection, ms |\n|---|---:|---:|---:|")
    print(cold(python))


if __name__ == "__main__":
    main()
