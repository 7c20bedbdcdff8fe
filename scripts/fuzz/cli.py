"""Runs random command lines over random files in this process, and looks for crashes, hangs and exit codes nobody documented.

    python scripts/fuzz/cli.py [RUNS] [FIRST_SEED]

Options are the program's own, read from its commands. Files are good ones with a few members, lines or bytes changed: settings,
messages, tools, schemas, requests, scenarios, baselines, price lists, exported answers. The only model is a simulator on loopback.
A run is made from its seed alone; what fails is printed with it. 20,000 runs take some tens of minutes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import typer

from deepsel.cli import app
from deepsel.errors import ExitCode
from deepsel.simulator import Behaviour, Scenario, Simulator

MOST_S = 20
"""That one run may take."""
_SETTINGS = """
default_profile = "main"
[providers.local]
wire = "openai-chat"
base_url = "{url}"
headers = {{ x-team = "docs" }}
extra_body = {{ top_k = 3 }}
max_concurrency = 4
[models.quick]
provider = "local"
context_window = 32000
max_output = 4096
vocabulary = "o200k_base"
price = {{ input = "1", cached_input = "0.1", output = "2" }}
capability = {{ code = 0.7, chat = 0.6 }}
latency = {{ ttft_s = 0.8, tokens_per_s = 60 }}
params = {{ temperature = 0 }}
[[models.dated.prices]]
input = "1"
output = "2"
hours = ["01:00-04:00"]
[models.dated]
provider = "local"
[profiles.main]
models = ["quick"]
strategy = "balanced"
tasks = {{ creative = ["quick"] }}
larger_context = ["quick"]
max_cost_usd = "5"
retries = 0
timeout_s = 5
max_tokens = 64
[cache]
ttl_s = 3600
size_limit_bytes = 1073741824
"""
_VALUES = (
    '""', '"x"', "0", "-1", "1e400", "nan", "-inf", "true", "[]", "{}", "[1]", '["a"]', "[[]]", "{ a = [1] }", "9223372036854775808",
    '"1e999999"', '"-1"', '"1_0"', '"٣"', "2026-11-28", "10:00:00", '"\\u0000"', '"\\u001b[31m"', '"\\n"', '"quick"', '"local"',
    '"http://a..b/v1"', '"http://[::1/v1"', '"http:///v1"', '"http://x:99999/"', '"openai-chat"', '["24:00-25:00"]', '"' + "x" * 3000 + '"',
    '{ host = "x" }', '{ "" = "x" }', '{ n = 3 }', '{ input = "1e400", output = "1" }',
)  # fmt: skip
_LEAVES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 1e308, 10**20, "", "x", [], {}, [[]], {"a": 1}, "user", "\ud800", "\x00", "\x1b[31m", "a" * 3000, "NaN",
    "1e400", "data:image/png;base64,é", "#/x", "^(a+)+$", "http://127.0.0.1:9/x",
)  # fmt: skip
_WORDS = (
    "", " ", "-", "--", "-1", "0", "1", "2", "x", "quick", "nope", "demo", "local/z", "1e999", "inf", "nan", "0.5", "5%", "-5%", "$5",
    "60s", "0s", "1e9d", "99999999999999d", "code", "json", "csv", "junit", "HEAD", "HEAD..x", "a=b", "=b", "temperature=1", "n=5",
    "x=" + "[" * 3000, "\udcff", "\x1b[31m", "a" * 300, "d/" * 3000, "../../etc/passwd", "/dev/null", "/dev/zero", ".", "made", "*",
    "**/*", "[", "2026-13-99", "9999-12-31T23:59:59", "0001-01-01", "file", "day", "k1-" + "0" * 64, "{0}", "🤖", "/",
)  # fmt: skip
_MESSAGES = [
    {"role": "system", "content": "s"},
    {"role": "user", "content": [{"type": "text", "text": "t"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
    {"role": "assistant", "content": "a", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "1", "content": "b"},
]
_TOOLS = [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}}]
_SCHEMA = {
    "type": "object", "required": ["a"], "additionalProperties": False, "$defs": {"z": {"$ref": "#/$defs/z"}},
    "properties": {"a": {"type": "integer", "multipleOf": 2}, "b": {"items": {"enum": ["x", 1]}, "uniqueItems": True}},
    "patternProperties": {"^c": {"pattern": "^\\p{L}+$"}},
}  # fmt: skip
_REQUEST = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "x", "messages": _MESSAGES}}
_PRICES = {
    "gpt-6-luna": {"litellm_provider": "openai", "input_cost_per_token": 1e-7, "output_cost_per_token": 1e-6},
    "deepseek/deepseek-chat": {"litellm_provider": "deepseek", "input_cost_per_token": 1e-7, "tiered_pricing": [{"range": [0, 9]}]},
}
_SCENARIO = {
    "name": "n", "default": {"ttft_s": 0.01, "fault": "429", "text": "x"}, "steps": [{"fault": ["500"]}, {}], "repeat_steps": True,
    "models": {"*": {"steps": [{"output_tokens": 3}]}}, "known_models": ["a"], "close_idle_s": 1,
}  # fmt: skip
_OF_SETTINGS = (
    ("ask", "q"), ("ask", "--explain", "--json", "q"), ("models", "--json"), ("estimate", "made", "-p", "main"), ("stats",),
    ("cache", "stats"), ("bench", "-n", "1", "--warmup", "0", "--max-tokens", "3"), ("warm", "--for", "0s"),
)  # fmt: skip
_BENCH = ("bench", "-n", "2", "--warmup", "0", "--max-tokens", "5")


class Ended(NamedTuple):
    """How a run ended."""

    code: int
    out: bytes
    error: str
    crash: str = ""
    """A traceback; empty where there was none."""


class TooLong(BaseException):
    """A run took more than MOST_S."""


class Runner:
    """Runs the program in a folder of its own, against a simulator."""

    def __init__(self, url: str) -> None:
        self._settings = _SETTINGS.format(url=url)
        self.restore()
        Path("made").write_text("some text\n")
        self._options = dict(_options())
        self._baseline = json.loads(self.run(*_BENCH, "--format", "json").out)
        self.run("ask", "a question")
        self._export = json.loads(self.run("cache", "export", "-").out.splitlines()[0])

    def restore(self) -> None:
        """Put good settings in place."""
        Path(os.environ["DEEPSEL_HOME"], "profiles.toml").write_text(self._settings)

    def run(self, *arguments: str) -> Ended:
        """Run one command line."""
        out, error = TextIOWrapper(BytesIO(), "utf-8"), StringIO()
        previous, sys.stdin = sys.stdin, None  # type: ignore[assignment]  # closed, as a program may find it
        code, crash = int(ExitCode.BUG), ""
        signal.alarm(MOST_S)
        try:
            with redirect_stdout(out), redirect_stderr(error):
                code = int(app.run(list(arguments)))
        except SystemExit as end:
            code = int(end.code or 0)
        except TooLong:
            crash = f"took longer than {MOST_S} s\n{traceback.format_exc()}"
        except Exception:  # noqa: BLE001  # this is what is looked for
            crash = traceback.format_exc()
        finally:
            signal.alarm(0)
            sys.stdin = previous
        out.flush()
        return Ended(code, out.buffer.getvalue(), error.getvalue(), crash)

    def made(self, seed: int) -> tuple[str, ...]:
        """Make the files and the command line of a seed."""
        rng = Random(seed)  # noqa: S311  # nothing secret
        kinds: dict[str, tuple[Any, tuple[str, ...]]] = {
            "messages": (_MESSAGES, ("ask", "--json", "--messages", "made.json", "q")),
            "tools": (_TOOLS, ("ask", "--explain", "--tools", "made.json", "q")),
            "schema": (_SCHEMA, ("ask", "--schema", "made.json", "q")),
            "requests": (_REQUEST, ("estimate", "made.jsonl", "--by", rng.choice(("file", "language")), "--format", "json")),
            "baseline": (self._baseline, (*_BENCH, "--baseline", "made.json", "--max-regression", "10%")),
            "prices": (_PRICES, ("models", "--refresh", "--from", "made.json")),
            "import": (self._export, ("cache", "import", "made.jsonl")),
            "scenario": (_SCENARIO, ("simulate", "--port", "-1", "--scenario", "made.json")),  # a port that cannot be had
        }
        kind = rng.choice((*kinds, "settings", "settings", "settings", "options", "options", "options"))
        if kind == "options":
            return self._typed(rng)
        if kind == "settings":
            home = Path(os.environ["DEEPSEL_HOME"])
            (home / "profiles.toml").write_bytes(_bent_settings(rng, self._settings))
            return rng.choice(_OF_SETTINGS)
        document, arguments = kinds[kind]
        lines = [_bent_text(rng, document) for _ in range(rng.choice((1, 3)) if "made.jsonl" in arguments else 1)]
        Path(next(one for one in arguments if one.startswith("made."))).write_text("\n".join(lines), "utf-8", "surrogatepass")
        return arguments

    def _typed(self, rng: Random) -> tuple[str, ...]:
        """Make a command line of options the command has, and words that may be no values of theirs."""
        command = rng.choice([*self._options])
        words = [*command]
        for _ in range(rng.randrange(5)):
            name, is_flag = rng.choice(self._options[command])
            words += [name] if is_flag or rng.random() < 0.05 else [name, rng.choice(_WORDS)]
        words += rng.choices(_WORDS, k=rng.choice((0, 1, 1, 2)))
        ends = {"warm": ("--for", "0s"), "simulate": ("--list",), "bench": ("-n", "1", "--warmup", "0", "--idle", "0.01", "--rounds", "1")}
        return (*words, *ends.get(command[0], ()))


def _options() -> Iterator[tuple[tuple[str, ...], list[tuple[str, bool]]]]:
    """Yield each command with the names of its options, and whether one takes no value."""
    group: Any = typer.main.get_command(app.app)
    below = [((), group)]
    while below:
        path, command = below.pop()
        names = getattr(command, "table", {})
        below += [((*path, name), command.get_command(None, name)) for name in names]
        if not names:
            yield path, [(name, bool(one.is_flag)) for one in command.params for name in one.opts if name.startswith("-")]


def _bent_settings(rng: Random, text: str) -> bytes:
    """Change a few lines of good settings."""
    lines = text.split("\n")
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        at = rng.randrange(len(lines))
        name, sign, _ = lines[at].partition(" = ")
        ways: tuple[Callable[[], object], ...] = (
            lambda: lines.__setitem__(at, f"{name}{sign}{rng.choice(_VALUES)}" if sign else lines[at]),  # noqa: B023
            lambda: lines.insert(at, rng.choice(("[profiles.x]", "[cache]", "x = 1", '"" = 1', "=", "[", "\0", "models = 3"))),  # noqa: B023
            lambda: lines.pop(at),  # noqa: B023
        )
        rng.choices(ways, (5, 1, 1))[0]()
    raw = "\n".join(lines).encode("utf-8", "replace")
    return rng.choices((raw, rng.randbytes(300), b"a = " + b"[" * 5000, b"\xff\xfe" + raw), (40, 1, 1, 1))[0]


def _bent_text(rng: Random, document: Any) -> str:
    """Write a document with a few members changed, or as what is no JSON."""
    text = json.dumps(_bent(rng, document, rng.choice((0, 0.05, 0.2, 0.5))))
    ways = (
        text, text[: rng.randrange(len(text) + 1)], "[" * 100_000, text.replace("1", "9" * 5000, 1), text.replace(": ", ": NaN,", 1),
        "\ufeff" + text, text.replace('"', "'", 3),
    )  # fmt: skip
    return rng.choices(ways, (40, 1, 1, 1, 1, 1, 1))[0]


def _bent(rng: Random, value: Any, share: float) -> Any:
    """Put something else in the place of a share of a document's members."""
    if rng.random() < share:
        return rng.choice(_LEAVES)
    if isinstance(value, dict):
        return {name: _bent(rng, one, share) for name, one in value.items() if rng.random() > share / 3}
    return [_bent(rng, one, share) for one in value] if isinstance(value, list) else value


def fault(ended: Ended) -> str:
    """Say what is wrong with how a run ended; empty where nothing is."""
    if ended.crash:
        return ended.crash
    if ended.code == ExitCode.BUG or ended.code not in {int(one) for one in ExitCode}:
        return f"exit code {ended.code}: {ended.error[-300:]}"
    return "a traceback in what was written" if "Traceback (most recent" in ended.error else ""


def _end(*_: object) -> None:
    raise TooLong


@contextmanager
def runner() -> Iterator[Runner]:
    """Start what command lines are run with: a folder, a home and a simulator that are gone afterwards."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.endswith("_API_KEY") or name.startswith("DEEPSEL")}
    previous = signal.signal(signal.SIGALRM, _end)
    scenario = Scenario("fuzz", "answers at once", Behaviour(ttft_s=0.0, itl_s=0.0, output_tokens=4))
    try:
        with tempfile.TemporaryDirectory() as folder, chdir(folder), Simulator(scenario) as simulator:
            os.environ["DEEPSEL_HOME"] = f"{folder}/home"
            Path(folder, "home").mkdir(mode=0o700)
            yield Runner(simulator.base_url)
    finally:
        signal.signal(signal.SIGALRM, previous)
        os.environ.pop("DEEPSEL_HOME", None)
        os.environ.update(kept)


def main(runs: int, first: int) -> int:
    """Run, print what failed and how the rest ended; returns how many failed."""
    began, failed, codes = time.monotonic(), 0, Counter[int]()
    with runner() as one:
        for seed in range(first, first + runs):
            arguments = one.made(seed)
            ended = one.run(*arguments)
            one.restore()
            codes[ended.code] += 1
            if problem := fault(ended):
                failed += 1
                print(f"seed {seed} ({' '.join(arguments)[:200]!r}): {problem}")
    print(f"{runs} runs in {time.monotonic() - began:.0f} s, {failed} failed, by exit code: {dict(sorted(codes.items()))}")
    return failed


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(min(1, main(*(numbers + [20_000, 0][len(numbers) :]))))
