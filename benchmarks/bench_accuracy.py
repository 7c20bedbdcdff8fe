"""Holds the figures of `deepsel bench` against the simulator's own record of when it wrote each token.

Run from a checkout: `python benchmarks/bench_accuracy.py [SERVEBENCH]`, where SERVEBENCH is the program of that name from
an environment of its own, measured beside. The simulator and the tools are processes of their own; all clocks are the
system's monotonic one. Prints Markdown.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

Row = dict[str, Any]
LOAD = {"headers_s": 0.02, "ttft_s": 0.2, "itl_s": 0.01, "output_tokens": 32}


@contextmanager
def simulated(folder: Path, **behaviour: float) -> Iterator[str]:
    """Run `deepsel simulate` with a behaviour and give its base URL."""
    scenario = folder / "scenario.json"
    scenario.write_text(json.dumps({"default": behaviour}))
    command = [sys.executable, "-m", "deepsel", "simulate", "--port", "0", "--scenario", str(scenario)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own program
        assert server.stderr is not None
        url = next(line.split()[-1] for line in server.stderr if line.startswith("openai-chat"))
        try:
            yield url
        finally:
            server.terminate()


def measured(folder: Path, url: str, *options: str) -> tuple[Row, float]:
    """Run the tool on a model at `url`; return its record and the seconds of CPU it took."""
    (folder / "profiles.toml").write_text(
        f'[providers.here]\nwire = "openai-chat"\nbase_url = "{url}"\n[models.m]\nprovider = "here"\n'
        'price = { input = "1", output = "2" }\n[profiles.main]\nmodels = ["m"]\n'
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "deepsel", "bench", *options, "--format", "json", "--quiet"],
        env={**os.environ, "DEEPSEL_HOME": str(folder)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return json.loads(done.stdout), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def records(url: str) -> list[Row]:
    """Return the simulator's own records."""
    with urlopen(url.removesuffix("/v1") + "/_simulator/records") as answer:  # noqa: S310 - loopback
        found: list[Row] = json.load(answer)["records"]
    return found


def paired(record: Row, url: str) -> list[tuple[Row, Row]]:
    """Pair each sample with the simulator's record of the same request."""
    truth = {one["request_id"]: one for one in records(url)}
    return [(sample, truth[sample["request_id"]]) for case in record["cases"] for sample in case["samples"]]


def gaps(times: list[float]) -> list[float]:
    """Return the distances of neighbours."""
    return [later - earlier for earlier, later in pairwise(times)]


def true_ttft(truth: Row) -> float:
    """Return when the first token was written, from when the request had been read."""
    return float(truth["token_written_s"][0] - truth["request_read_s"])


def load(folder: Path, concurrency: int, requests: int) -> str:
    """Measure a load; return a row of errors."""
    with simulated(folder, **LOAD) as url:
        record, cpu_s = measured(folder, url, "-n", str(requests), "-c", str(concurrency))
        pairs = paired(record, url)
    ttft = [abs(sample["ttft_s"] - true_ttft(truth)) for sample, truth in pairs]
    itl = [
        abs(ours - theirs)
        for sample, truth in pairs
        if len(sample["itl_s"]) == len(truth["token_written_s"]) - 1  # else two tokens came in one read
        for ours, theirs in zip(sample["itl_s"], gaps(truth["token_written_s"]), strict=True)
    ]
    tpot = []
    for sample, truth in pairs:
        written = truth["token_written_s"]
        theirs = (written[-1] - written[0]) / (len(written) - 1)
        tpot.append(abs(sample["tpot_s"] / theirs - 1) * 100)
    return f"| deepsel | {concurrency} | {len(pairs)} | {errors(ttft)} | {median(itl) * 1000:.3f} | {median(tpot):.3f} | {cpu_s:.2f} |"


def errors(seconds: list[float]) -> str:
    """Write two cells: median and p95 in milliseconds."""
    ordered = sorted(seconds)
    return f"{median(ordered) * 1000:.3f} | {ordered[int(len(ordered) * 0.95)] * 1000:.3f}"


def servebench(folder: Path, program: str, concurrency: int, requests: int) -> str:
    """Measure the same load with servebench; return a row of errors. It names no request: pairs are by the time of sending."""
    sheet = folder / "requests.csv"
    with simulated(folder, **LOAD) as url:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(  # noqa: S603 - named on the command line
            [program, "run", "--url", url, "--model", "m", "--concurrency", str(concurrency), "--num-requests", str(requests),
             "--input-len", "64", "--output-len", "64", "--csv-requests", str(sheet)],
            capture_output=True, cwd=folder, check=True,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        truth = sorted(records(url), key=lambda one: one["request_read_s"])[-requests:]
    with sheet.open() as file:
        samples = sorted(csv.DictReader(file), key=lambda one: float(one["start_s"]))
    ttft, tpot = [], []
    for sample, true in zip(samples, truth, strict=True):
        written = true["token_written_s"]
        ttft.append(abs(float(sample["ttft_ms"]) / 1000 - true_ttft(true)))
        tpot.append(abs(float(sample["tpot_ms"]) / 1000 * (len(written) - 1) / (written[-1] - written[0]) - 1) * 100)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"| servebench | {concurrency} | {requests} | {errors(ttft)} | - | {median(tpot):.3f} | {cpu_s:.2f} |"


def cold(folder: Path) -> str:
    """Measure cold starts whose penalty is known; return a row of errors."""
    known_s = 0.5
    with simulated(folder, ttft_s=0.1, itl_s=0.005, output_tokens=8, cold_start_s=known_s, idle_before_cold_s=0.8) as url:
        record, _ = measured(folder, url, "--idle", "1", "--rounds", "6", "--warm-every", "0.4")
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
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}\n")
    print("| tool | at once | requests | TTFT error, median ms | p95 ms | ITL error, median ms | TPOT error, median % | CPU s |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for concurrency, requests in ((1, 200), (8, 200), (1, 30)):
        with tempfile.TemporaryDirectory() as folder:
            print(load(Path(folder), concurrency, requests), flush=True)
            for program in sys.argv[1:]:
                print(servebench(Path(folder), program, concurrency, requests), flush=True)
    print("\n| silence of 1 s | true penalty, ms | measured, ms | new connection, ms |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        print(cold(Path(folder)))


if __name__ == "__main__":
    main()
