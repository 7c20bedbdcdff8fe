"""Measures what `deepsel serve` adds to a request, beside other gateways where they are named; prints Markdown.

    python benchmarks/serve.py [--requests N] [--rounds N] [--portkey FOLDER] [--litellm PROGRAM] [--raw PATH]

`FOLDER` is one in which `npm i @portkey-ai/gateway` was run, `PROGRAM` the `litellm` of an environment with `litellm[proxy]`. Each
round asks the provider itself and then each gateway, so that all meet the same machine; a client is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
CASES = [(clients, kind) for kind in ("whole", "stream") for clients in (1, 16)]


@dataclass
class Gateway:
    """One way to the provider."""

    name: str
    address: str
    path: str = "/v1/chat/completions"
    headers: tuple[str, ...] = ()
    pid: int | None = None
    start_s: float | None = None
    times: dict[tuple[int, str], list[float]] = field(default_factory=dict)
    rates: dict[tuple[int, str], list[float]] = field(default_factory=dict)
    memory_mb: float | None = None
    failures: list[str] = field(default_factory=list)


def main() -> None:
    """Run everything and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--portkey", type=Path)
    parser.add_argument("--litellm", type=Path)
    parser.add_argument("--raw", type=Path)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(_process([sys.executable, str(HERE / "serve_upstream.py")]))
        assert upstream.stdout is not None
        port = int(upstream.stdout.readline())
        gateways = [Gateway("none", f"127.0.0.1:{port}"), stack.enter_context(_deepsel(port, folder))]
        if given.portkey:
            gateways.append(stack.enter_context(_portkey(port, given.portkey)))
        if given.litellm:
            gateways.append(stack.enter_context(_litellm(port, given.litellm, folder)))
        for gateway in gateways:
            _ask(gateway, 4, 40, "whole")
            _ask(gateway, 4, 40, "stream")
        for _ in range(given.rounds):
            for case in CASES:
                for gateway in gateways:
                    _measure(gateway, case, given.requests)
        for gateway in gateways:
            gateway.memory_mb = None if gateway.pid is None else _memory_mb(gateway.pid)
    _print(gateways, given.requests * given.rounds)
    if given.raw:
        rows = [{"name": one.name, "times": {f"{c} {k}": t for (c, k), t in one.times.items()}} for one in gateways]
        given.raw.write_text(json.dumps(rows))


def _measure(gateway: Gateway, case: tuple[int, str], requests: int) -> None:
    clients, kind = case
    found = _ask(gateway, clients, requests, kind)
    gateway.times.setdefault(case, []).extend(found["total_s"])
    gateway.rates.setdefault(case, []).append(len(found["total_s"]) / found["wall_s"])


def _ask(gateway: Gateway, clients: int, requests: int, kind: str) -> dict[str, Any]:
    """Run the client."""
    command = [sys.executable, str(HERE / "serve_client.py"), gateway.address, gateway.path, str(clients), str(requests), kind, "bench"]
    done = subprocess.run([*command, *gateway.headers], capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        gateway.failures.append(f"{clients}, {kind}: {done.stderr.strip()[-300:]}")
        return {"total_s": [], "wall_s": 1.0}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def _process(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)  # noqa: S603 - our own commands
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _deepsel(port: int, folder: Path) -> Iterator[Gateway]:
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / "profiles.toml").write_text(
        f'[providers.host]\nwire = "openai-chat"\nbase_url = "http://127.0.0.1:{port}/v1"\n'
        '[models.bench]\nprovider = "host"\nid = "gpt-x"\ncontext_window = 200000\nmax_output = 4000\nvocabulary = "o200k_base"\n'
        'price = { input = "0.15", cached_input = "0.01", output = "0.60" }\n[profiles.main]\nmodels = ["bench"]\n'
    )
    began = time.perf_counter()
    command = [sys.executable, "-m", "deepsel", "serve", "--port", "0", "--quiet"]
    with _process(command, env={**os.environ, "DEEPSEL_HOME": str(home)}) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        yield Gateway("deepsel serve", url.removeprefix("http://"), pid=process.pid, start_s=time.perf_counter() - began)


@contextmanager
def _portkey(port: int, folder: Path) -> Iterator[Gateway]:
    own = _free_port()
    began = time.perf_counter()
    server = folder / "node_modules/@portkey-ai/gateway/build/start-server.js"
    with _process(["node", str(server), f"--port={own}", "--headless"], cwd=server.parents[1], stderr=subprocess.DEVNULL) as process:
        _wait_for(own)
        start_s = time.perf_counter() - began
        headers = ("x-portkey-provider: openai", f"x-portkey-custom-host: http://127.0.0.1:{port}/v1")
        yield Gateway("Portkey gateway", f"127.0.0.1:{own}", headers=headers, pid=process.pid, start_s=start_s)


@contextmanager
def _litellm(port: int, program: Path, folder: Path) -> Iterator[Gateway]:
    own = _free_port()
    file = folder / "litellm.yaml"
    model = {"model": "openai/gpt-x", "api_base": f"http://127.0.0.1:{port}/v1", "api_key": "sk-x"}
    file.write_text(json.dumps({"model_list": [{"model_name": "bench", "litellm_params": model}]}))
    began = time.perf_counter()
    command = [str(program), "--config", str(file), "--port", str(own), "--host", "127.0.0.1"]
    env = {**os.environ, "LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
    env["LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"] = "true"  # it asks for keys otherwise, even on loopback
    with _process(command, stderr=subprocess.DEVNULL, env=env) as process:
        _wait_for(own, 180)
        start_s = time.perf_counter() - began
        yield Gateway("LiteLLM proxy", f"127.0.0.1:{own}", pid=process.pid, start_s=start_s)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, seconds: float = 60) -> None:
    """Wait until somebody listens."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"nobody listens on {port}")


def _memory_mb(pid: int) -> float:
    """Return the resident memory of a process and of its children."""
    total = 0.0
    for one in [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]:
        status = Path(f"/proc/{one}/status").read_text()
        total += int(status.partition("VmRSS:")[2].split()[0]) / 1024
    return total


def _at(times: list[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


def _bare_s() -> float:
    found = []
    for _ in range(7):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        found.append(time.perf_counter() - began)
    return median(found)


def _print(gateways: list[Gateway], number: int) -> None:
    none = gateways[0]
    print(f"{number} requests a cell; milliseconds added to the provider's own (median, p99), and requests a second\n")
    print("| | " + " | ".join(f"{clients} client{'s' if clients > 1 else ''}, {kind}" for clients, kind in CASES) + " |")
    print("|---|" + "---|" * len(CASES))
    for one in gateways:
        cells = []
        for case in CASES:
            if not one.times[case]:
                cells.append("fails")
                continue
            mid, late = (_at(one.times[case], share) for share in (0.5, 0.99))
            base = _at(none.times[case], 0.5), _at(none.times[case], 0.99)
            own = f"{mid:.2f}, {late:.2f}" if one is none else f"+{mid - base[0]:.2f}, +{late - base[1]:.2f}"
            cells.append(f"{own}; {median(one.rates[case]):.0f}/s")
        print(f"| {one.name} | " + " | ".join(cells) + " |")
    for one in gateways:
        print("".join(f"\n{one.name} failed with {failure}" for failure in dict.fromkeys(one.failures)))
    bare = _bare_s()
    print("\n| | memory after it, MB | up after, s | over `python -c pass` |\n|---|---|---|---|")
    for one in gateways[1:]:
        print(f"| {one.name} | {one.memory_mb:.0f} | {one.start_s:.2f} | {one.start_s / bare:.0f}x |")


if __name__ == "__main__":
    main()
