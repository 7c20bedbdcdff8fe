"""Measures what the engine costs beside a bare httpx loop: many requests at once, and one with a large picture. Figures: engine.md.

    python benchmarks/engine.py [--rounds 5] [--only batch|picture] [--write]

Run from the root of the repository. The server is a process of its own, and so is each client, which does its work twice: the first
time it also imports and builds what it needs. CPU is user and system time of the client. Each round runs every client once, one after
the other; ratios are taken within a round, and their median is told.
"""

from __future__ import annotations

import argparse
import base64
import gc
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import httpx

    from deepsel.engine.ask import CacheMode

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

REQUESTS, AT_ONCE = 300, 64
PICTURE_BYTES = 8_000_000
PROFILES = """
[providers.host]
wire = "openai-chat"
base_url = "{url}"
max_concurrency = {at_once}
[models.one]
provider = "host"
id = "gpt-x"
context_window = 32000
vocabulary = "o200k_base"
features = ["images"]
price = {{ input = "1", output = "2" }}
[profiles.main]
models = ["one"]
"""


class Taken(NamedTuple):
    """What one piece of work took, in seconds."""

    wall_s: float
    cpu_s: float


TURNS = ("first", "again")
Found: TypeAlias = dict[tuple[str, str], list[Taken]]
"""By client and turn, one for each round."""


class Target(NamedTuple):
    """The largest ratios that are good enough; None: there is none."""

    cpu: float | None = None
    wall: float | None = None
    turns: tuple[str, ...] = TURNS
    """When they hold."""


TARGETS = {
    "Session, cache off": Target(2.5, 1.8),
    "Session, cache auto": Target(2.5, 1.8),
    "Session, 8 MB picture": Target(1.3, turns=("again",)),  # one request, beyond the start of the process
}


# --- the server ------------------------------------------------------------------------------------------------------


@contextmanager
def served() -> Iterator[str]:
    """Run the server in a process of its own; gives its base URL."""
    program = Path(__file__).with_name("engine_server.py")
    with subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.terminate()


# --- what is measured ------------------------------------------------------------------------------------------------


def bare_client() -> httpx.Client:
    """Make a client that loads no certificates: nothing here is encrypted, and loading them takes as long as 20 requests."""
    import ssl

    import httpx

    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    return httpx.Client(limits=limits, timeout=30, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def bare_loop(url: str, turn: str) -> None:
    """Ask with httpx alone, as somebody would who needs nothing but the answers."""
    with bare_client() as client:

        def one(place: int) -> object:
            body = {
                "model": "gpt-x",
                "messages": [{"role": "user", "content": f"question {turn} {place}"}],
                "max_tokens": 100,
                "temperature": 0.0,
                "seed": 7,
            }
            answer = client.post(f"{url}/chat/completions", json=body)
            answer.raise_for_status()
            return answer.json()["choices"][0]["message"]["content"]

        with ThreadPoolExecutor(AT_ONCE) as pool:
            assert list(pool.map(one, range(REQUESTS))) == ["Fine."] * REQUESTS


def session_loop(cache_mode: CacheMode, turn: str) -> None:
    """Ask the same through a session, opened for it and closed again."""
    from deepsel.engine.ask import Ask
    from deepsel.session.open import Session, choose_profile
    from deepsel.values import Message, Request

    with Session.from_environment(os.environ) as session:
        profile = choose_profile(session.settings, os.environ)

        def one(place: int) -> str:
            words = f"question {turn} {place}"
            request = Request((Message.of("user", words),), max_tokens=100, temperature=0.0, seed=7, stream=False)
            run = session.ask(Ask(request, words, profile, cache_mode=cache_mode))
            for _ in run.events():
                pass
            answer = run.answer()
            assert not answer.warnings, answer.warnings
            assert answer.cache.status == ("off" if cache_mode == "off" else "stored"), answer.cache
            return answer.text

        with ThreadPoolExecutor(AT_ONCE) as pool:
            assert list(pool.map(one, range(REQUESTS))) == ["Fine."] * REQUESTS


def bare_picture(url: str) -> None:
    """Send a picture with httpx alone, hashed as a cache key would be."""
    link = "data:image/png;base64," + base64.b64encode(_picture()).decode("ascii")
    hashlib.sha256(link.encode("ascii")).hexdigest()
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": link}}]
    with bare_client() as client:
        body = {"model": "gpt-x", "messages": [{"role": "user", "content": content}], "max_tokens": 100}
        assert client.post(f"{url}/chat/completions", json=body).json()["id"] == "1"


def session_picture() -> None:
    """Ask about the picture through a session; the cache may keep the answer, so that there is a key to be made."""
    from deepsel.engine.ask import Ask
    from deepsel.session.open import Session, choose_profile
    from deepsel.values import Image, Message, Request

    with Session.from_environment(os.environ) as session:
        link = "data:image/png;base64," + base64.b64encode(_picture()).decode("ascii")
        request = Request((Message.of("user", "What is this?", Image("image/png", link)),), max_tokens=100, stream=False)
        run = session.ask(Ask(request, "What is this?", choose_profile(session.settings, os.environ), cache_mode="refresh"))
        for _ in run.events():
            pass
        assert run.answer().text == "Fine.", run.failure()
        assert run.answer().cache.status == "stored"


@cache
def _picture() -> bytes:
    return b"\x89PNG\r\n\x1a\n" + os.urandom(PICTURE_BYTES)


CLIENTS: dict[str, Callable[[str, str], None]] = {
    "bare httpx loop": bare_loop,
    "Session, cache off": lambda _, turn: session_loop("off", turn),
    "Session, cache auto": lambda _, turn: session_loop("auto", turn),
    "bare httpx, 8 MB picture": lambda url, _: bare_picture(url),
    "Session, 8 MB picture": lambda *_: session_picture(),
}


def be_client(name: str, url: str, number: int) -> None:
    """Do a client's work twice and write what each time took, as JSON; in a process that does nothing else."""
    if "picture" in name:
        _picture()  # making it up is nobody's work
    taken = []
    for turn in TURNS:
        gc.collect()
        began, spent = time.perf_counter(), time.process_time()
        CLIENTS[name](url, f"{name} {number} {turn}")
        taken.append((time.perf_counter() - began, time.process_time() - spent))
    print(json.dumps(taken))


def rounds_of(wanted: str, url: str, rounds: int) -> Found:
    """Run every client once a round, after one that does not count; results by client and turn."""
    names = [name for name in CLIENTS if not wanted or ("picture" in name) == (wanted == "picture")]
    # Compiled modules are kept, as they are by every installation, in a place of their own.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": os.environ["DEEPSEL_HOME"]}
    found: Found = {(name, turn): [] for turn in TURNS for name in names}
    for number in range(-1, rounds):
        for name in names:
            command = [sys.executable, __file__, "--client", name, "--url", url, "--number", str(number)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)  # noqa: S603 - this very program
            print(f"round {number + 1} {name}: {done.stdout.strip()}", file=sys.stderr)
            for turn, taken in zip(TURNS, json.loads(done.stdout), strict=True):
                if number >= 0:
                    found[name, turn].append(Taken(*taken))
    return found


# --- what is told ----------------------------------------------------------------------------------------------------


def _ratio(found: Found, name: str, turn: str, of: Callable[[Taken], float]) -> float:
    base = found["bare httpx, 8 MB picture" if "picture" in name else "bare httpx loop", turn]
    return median(of(one) / of(other) for one, other in zip(found[name, turn], base, strict=True))


def table(found: Found) -> Iterator[str]:
    """Yield the lines of the report's table."""
    yield "| what | | ms | ratio | reach | CPU ms | CPU ratio | reach | |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---|"
    for (name, turn), all_taken in found.items():
        target = TARGETS.get(name, Target())
        target = target if turn in target.turns else Target()
        wall, cpu = (_ratio(found, name, turn, of) for of in (lambda one: one.wall_s, lambda one: one.cpu_s))
        is_met = (target.wall is None or wall <= target.wall) and (target.cpu is None or cpu <= target.cpu)
        said = "" if target == Target() else "met" if is_met else "**missed**"
        reach_wall, reach_cpu = (f"<= {one}" if one else "" for one in (target.wall, target.cpu))
        wall_ms, cpu_ms = (1000 * median(of) for of in zip(*all_taken, strict=True))
        yield f"| {name} | {turn} | {wall_ms:.0f} | {wall:.2f} | {reach_wall} | {cpu_ms:.0f} | {cpu:.2f} | {reach_cpu} | {said} |"


def raw(found: Found) -> Iterator[str]:
    """Yield each round's figures."""
    yield "| what | | ms (CPU ms), one round after the other |"
    yield "|---|---|---|"
    for (name, turn), all_taken in found.items():
        yield f"| {name} | {turn} | {', '.join(f'{1000 * one.wall_s:.0f} ({1000 * one.cpu_s:.0f})' for one in all_taken)} |"


HEAD = """# What the engine costs beside a bare loop

Made by `{command}` on {when}: {machine}. Python {python}, httpx {httpx}. {rounds} rounds.

{requests} requests, {at_once} at once on threads, to a server that answers after 50 ms and is a process of its own; the bare loop sends
the same bodies with one httpx client that loads no certificates. A session is opened and closed each time, as is the client. Each
runs in a process of its own and does its work twice: the first time it also imports and builds what it needs. CPU is user and system
time of that process. The picture is {megabytes} MB: base64, SHA-256 and a post of it in a JSON body, against one `ask` that is sent and
kept; what the first also imports is no part of its target. Ratios are medians of the ratios within a round.

"""


def report(found: Found, rounds: int) -> str:
    """Write all of it in Markdown."""
    import httpx

    head = HEAD.format(
        command=f"python benchmarks/engine.py --rounds {rounds} --write",
        when=datetime.now(UTC).date(),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} when it ended",
        python=platform.python_version(),
        httpx=httpx.__version__,
        rounds=rounds,
        requests=REQUESTS,
        at_once=AT_ONCE,
        megabytes=PICTURE_BYTES // 1_000_000,
    )
    return head + "\n".join([*table(found), "", "## Raw", "", *raw(found), ""])


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("batch", "picture"), default="")
    parser.add_argument("--write", action="store_true", help="write benchmarks/engine.md")
    parser.add_argument("--client", choices=CLIENTS, help="be one client")
    parser.add_argument("--url", default="", help="the server's, for a client")
    parser.add_argument("--number", type=int, default=0, help="the round, for a client")
    chosen = parser.parse_args()
    if chosen.client:
        be_client(chosen.client, chosen.url, chosen.number)
        return
    with served() as url, tempfile.TemporaryDirectory() as home:
        Path(home, "profiles.toml").write_text(PROFILES.format(url=url, at_once=AT_ONCE), encoding="utf-8")
        os.environ["DEEPSEL_HOME"] = home
        found = rounds_of(chosen.only, url, chosen.rounds)
        text = report(found, chosen.rounds)
    print(text)
    if chosen.write:
        (ROOT / "benchmarks" / "engine.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
