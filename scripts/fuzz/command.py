"""Lets the whole command read random HTTP answers, heads included, from a provider that gives the key back wherever it can.

    python scripts/fuzz/command.py [RUNS] [FIRST_SEED]

Each run ends with a documented exit code and in bounded time, a record is JSON, and neither output nor files hold the key in any
form. What fails is printed with its seed. 20,000 runs take about half an hour.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
import time
import traceback
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
from answers import WIRES, MadeAnswer, make
from stream import Player

from deepsel.cli.app import run
from deepsel.errors import ExitCode

KEY = "sk-fuzzCANARYabcdEFGH5647382910mnop"
FORMS = (
    KEY, KEY[:20], KEY.upper(), KEY[::-1], b64encode(f"u:{KEY}".encode()).decode(), KEY.encode().hex(), " ".join(KEY),
    "".join(f"%{ord(sign):02X}" for sign in KEY), "".join(f"&#{ord(sign)};" for sign in KEY), f"{KEY[:15]}\u200b{KEY[15:]}",
)  # fmt: skip
TELLING = ("CANARY", "YRANAC", FORMS[4][8:24], FORMS[5][10:40], FORMS[6][8:30], FORMS[7][12:60], FORMS[8][20:60])
MOST_S = 20.0
"""That one run may take; its own limit is 2."""
_JUNK = ("", "-1", "1e999", "9" * 400, "\xff\xfe", "a" * 3000, "\u2066x", "Sat, 99 Foo 2026", "0x10", "1, 2", "; ;=", "%zz", "\t")
_NAMES = (
    *("set-cookie", "retry-after", "retry-after-ms", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-requests", "date"),
    *("x-request-id", "x-portkey-trace-id", "x-litellm-call-id", "x-litellm-response-cost", "x-portkey-cache-status", "x-should-retry"),
    *("anthropic-ratelimit-requests-reset", "content-type", "content-encoding", "location", "connection", "server"),
)
_LOCATIONS = ("http://xn--/", "javascript:alert(1)", "http://[::1", "//x", f"http://{KEY}/", "http://\xe9.example/", "..")
_STATUSES = (*(200,) * 6, 201, 204, 302, 307, 400, 401, 403, 404, 407, 413, 422, 429, 500, 503, 529, 600, 999)


class Played(NamedTuple):
    """What is answered, and how it is asked for."""

    answer: MadeAnswer
    arguments: tuple[str, ...]


def played(seed: int) -> Played:
    """Make the answer and the invocation of a seed."""
    rng = Random(seed)  # noqa: S311  # nothing secret
    answer = make(seed)
    if rng.random() < 0.6:
        body = _body(rng)
        answer = MadeAnswer(seed, rng.choice(WIRES), is_stream=rng.random() < 0.5, chunks=[body], head=_head(rng, len(body)))
    elif rng.random() < 0.5:
        answer.head = answer.head.replace(b"\r\n\r\n", b"\r\n" + _headers(rng) + b"\r\n")
    if rng.random() < 0.1:
        at = rng.randrange(len(answer.head))
        answer.head = answer.head[:at] + rng.randbytes(2) + answer.head[at:]
    flags = ["--stream" if answer.is_stream else "--no-stream", *(["--json"] if rng.random() < 0.4 else ["-v"])]
    return Played(answer, ("ask", f"q{seed}", "-m", answer.wire, *flags))


def _body(rng: Random) -> bytes:
    """Make a body that gives the key back: an error of some form, or an answer of either wire."""
    form = rng.choice(FORMS)
    error = {"message": f"no {form} here", "code": form, "type": form, "param": form}
    choice = {"index": 0, "message": {"content": "Fine."}, "finish_reason": rng.choice(("stop", form))}
    documents: tuple[object, ...] = (
        {"error": error, "request_id": form}, [{"error": error}], {"detail": [{"loc": [form], "msg": form}]},
        {"message": form, "status": 400}, {**dict.fromkeys(("model", "id", "request_id", "service_tier"), form), "choices": [choice]},
        {"model": "m", "choices": [choice], "usage": {form: 1, "prompt_tokens": form}},
        {"type": "message", "model": form, "content": [{"type": "text", "text": "Fine."}], "stop_reason": choice["finish_reason"]},
    )  # fmt: skip
    body = json.dumps(rng.choice(documents), ensure_ascii=rng.random() < 0.5)
    wrapped = (body, f"data: {body}\n\n", f"event: error\ndata: {body}\n\n", f"<html><title>{form}</title>", form)
    return rng.choice((*(body,) * 4, *wrapped)).encode("utf-8", "replace")


def _head(rng: Random, size: int) -> bytes:
    """Make the head of a response."""
    status = rng.choice(_STATUSES)
    length = rng.choice((*(str(size),) * 8, "-1", "x", str(size + 50), "9" * 30, "1, 2"))
    location = f"location: {rng.choice(_LOCATIONS)}\r\n".encode("latin-1") if 300 <= status < 400 else b""
    return f"HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n".encode() + location + _headers(rng) + b"\r\n"


def _headers(rng: Random) -> bytes:
    """Make a few headers of junk, and of the key."""
    found = [(rng.choice(_NAMES), rng.choice((*_JUNK, *FORMS))) for _ in range(rng.randrange(4))]
    return b"".join(f"{name}: {value}\r\n".encode("latin-1", "ignore") for name, value in found)


class Ran(NamedTuple):
    """How one run ended."""

    code: int
    out: bytes
    err: str
    seconds: float


class Commander:
    """Runs the command in this process, against what it plays."""

    def __init__(self, player: Player, home: Path) -> None:
        self._player, self._home = player, home
        rows = (
            f'[providers.{wire}-host]\nwire = "{wire}"\nbase_url = "http://127.0.0.1:{player.port}"\napi_key_env = "FUZZ_KEY"\n'
            f'[models.{wire}]\nprovider = "{wire}-host"\ncontext_window = 32000\nprice = {{ input = "1", output = "2" }}\n'
            for wire in WIRES
        )
        names = ", ".join(f'"{wire}"' for wire in WIRES)
        profile = f"[profiles.main]\nmodels = [{names}]\nretries = 0\ntimeout_s = 2\nfirst_token_timeout_s = 1\n"
        (home / "profiles.toml").write_text("".join(rows) + profile)

    def run(self, one: Played) -> Ran:
        """Run one invocation; raises whatever the command does not catch."""
        self._player.answer = one.answer
        out, err, began = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO(), time.monotonic()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(list(one.arguments))
        out.flush()
        assert isinstance(out.buffer, io.BytesIO)
        return Ran(code, out.buffer.getvalue(), err.getvalue(), time.monotonic() - began)

    def kept(self) -> str:
        """Return what stands in files, the settings aside, and forget it."""
        found = [path for path in self._home.rglob("*") if path.is_file() and path.name != "profiles.toml"]
        text = "\n".join(path.read_bytes().decode("utf-8", "replace") for path in found)
        for path in found:
            path.unlink()
        return text


@contextmanager
def commander(home: Path) -> Iterator[Commander]:
    """Start what answers are played with; the environment has to name `home` and the key."""
    player, stdin = Player(), sys.stdin
    sys.stdin = None  # type: ignore[assignment]  # as of a process without one
    try:
        yield Commander(player, home)
    finally:
        sys.stdin = stdin
        player.close()


def fault(ran: Ran, kept: str) -> str:
    """Say what is wrong with a run; empty where nothing is."""
    if ran.code == ExitCode.BUG or ran.code not in set(ExitCode):
        return f"exit code {ran.code}: {ran.err[-300:]}"
    if ran.seconds > MOST_S:
        return f"it took {ran.seconds:.1f} s"
    text = ran.out.decode("utf-8", "replace") + ran.err + kept
    told = next((part for part in TELLING if part.lower() in text.lower()), "")
    return f"`{told}` of the key came back: {text[max(0, text.lower().find(told.lower()) - 80) :][:200]!r}" if told else ""


def main(runs: int, first: int) -> int:
    """Run, print what failed and how the rest ended; returns how many failed."""
    codes, failed, began = Counter[int](), 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(DEEPSEL_HOME=folder, FUZZ_KEY=KEY)
        with commander(Path(folder)) as one:
            for seed in range(first, first + runs):
                try:
                    ran = one.run(played(seed))
                    codes[ran.code] += 1
                    problem = fault(ran, one.kept())
                except Exception:  # noqa: BLE001  # this is what is looked for
                    problem = traceback.format_exc()
                if problem:
                    failed += 1
                    print(f"seed {seed}: {problem}")
    print(f"{runs} runs in {time.monotonic() - began:.0f} s, {failed} failed: {dict(sorted(codes.items()))}")
    return failed


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(min(1, main(*(numbers + [20_000, 0][len(numbers) :]))))
