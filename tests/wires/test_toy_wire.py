"""A wire is one folder and one row: a wire of the tests' own goes through ask, cache, estimate and bench, in real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

HERE = Path(__file__).parent
# The row; all else that deepsel has to know of the wire stands in the folder `toy_wire`.
START = """
from deepsel.wires.table import ROWS, Row
ROWS["toy"] = Row("toy_wire", "openai-compatible")
from deepsel.__main__ import main
main()
"""
WORDS = ("The", " toy", " speaks.")
OVER = {"over": "all said", "heard": 11, "spoken": 3}


class _Toy(BaseHTTPRequestHandler):
    """Speaks the toy wire and keeps what it was asked."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, dict[str, Any]]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, body))
        assert self.headers["x-toy"] == "1"
        assert self.headers["authorization"] == "Bearer sk-test-0123456789"
        if self.path == "/measure":
            self._send(json.dumps({"words": 1000 + len(body["texts"])}), "application/json")
        elif body["said"][-1][1] == "please fail":
            self._send('data: {"word": "I"}\n\ndata: {"sorry": "the toy is tired"}\n\n', "text/event-stream")
        elif body["in_pieces"]:
            pieces = [*({"word": word} for word in WORDS), OVER]
            self._send("".join(f"data: {json.dumps(one)}\n\n" for one in pieces), "text/event-stream")
        else:
            self._send(json.dumps({"word": "".join(WORDS), **OVER}), "application/json")

    def _send(self, text: str, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Write nothing to stderr."""


@pytest.fixture
def asked(home: Path) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """A server of the toy wire and a profile whose one model stands there; gives what it is asked."""
    handler = type("Handler", (_Toy,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    (home / "profiles.toml").write_text(
        f'[providers.shelf]\nwire = "toy"\nbase_url = "http://127.0.0.1:{server.server_port}"\n'
        'api_key_env = "TEST_KEY"\nmax_tokens_field = "most_words"\n'
        '[models.bear]\nprovider = "shelf"\nid = "bear-1"\ncontext_window = 32000\nmax_output = 4096\n'
        'vocabulary = "o200k_base"\nprice = { input = "1", output = "2" }\n'
        '[profiles.main]\nmodels = ["bear"]\nretries = 0\n'
    )
    yield handler.asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def toy(home: Path) -> Callable[..., tuple[int, Any, str]]:
    """Run deepsel with the toy wire's row in its table; gives code, record (text where it is none) and stderr."""

    def run(*arguments: str, **env: str) -> tuple[int, Any, str]:
        done = subprocess.run(
            [sys.executable, "-c", START, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": str(HERE), **env},
            cwd=home,
            check=False,
        )
        try:
            return done.returncode, json.loads(done.stdout), done.stderr
        except ValueError:
            return done.returncode, done.stdout, done.stderr

    return run


Toy = Callable[..., tuple[int, Any, str]]
Asked = list[tuple[str, dict[str, Any]]]


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_ask(toy: Toy, asked: Asked, stream: str) -> None:
    """A question is sent in the wire's own form, and its answer, usage and price are read from the wire's own form."""
    code, answer, _ = toy("ask", stream, "--json", "--max-tokens", "50", "Who speaks?")
    assert (code, answer["text"], answer["finish"]) == (0, "The toy speaks.", "complete")
    assert (answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]) == (11, 3)
    assert float(answer["cost_usd"]) == pytest.approx((11 * 1 + 3 * 2) / 1e6)
    [(path, body)] = asked
    assert path == "/speak"
    assert body == {"speaker": "bear-1", "said": [["user", "Who speaks?"]], "in_pieces": stream == "--stream",
                    "most_words": 50, "temperature": 0, "seed": 7}  # fmt: skip


def test_a_failure_in_the_wires_own_shape(toy: Toy, asked: Asked) -> None:
    """What the wire calls a failure inside a 200 is one, with its words."""
    code, _, err = toy("ask", "--stream", "please fail")
    assert code != 0
    assert "the toy is tired" in err


def test_the_cache(toy: Toy, asked: Asked) -> None:
    """An answer is served again and listed under its question; another reading of the wire's answers never gets it."""
    statuses = [toy("ask", "--json", "--timeout", limit, "Who speaks?")[1]["cache"]["status"] for limit in ("30", "31")]
    assert statuses == ["stored", "hit"]
    assert len(asked) == 1
    _, listed, _ = toy("cache", "list", "--json")
    assert [entry["prompt"] for entry in listed["entries"]] == ["Who speaks?"]
    _, kept, _ = toy("cache", "show", listed["entries"][0]["key"], "--json")
    assert (kept["request"]["wire"], kept["request"]["wire_format"]) == ("toy", 7)
    assert toy("ask", "--json", "--timeout", "32", "Who speaks?", TOY_FORMAT="8")[1]["cache"]["status"] == "stored"
    assert len(asked) == 2


def test_the_length_has_the_wires_name(toy: Toy, asked: Asked) -> None:
    """The wire's own member for the length is `--max-tokens`: it is bounded by every limit on cost."""
    assert toy("ask", "Hi", "--max-cost", "0.001", "--param", "most_words=4000")[0] == 7
    assert not asked
    assert toy("ask", "Hi", "--max-cost", "0.001", "--param", "most_words=40")[0] == 0
    assert asked[0][1]["most_words"] == 40


def test_estimate(toy: Toy, asked: Asked, home: Path) -> None:
    """`--exact` asks the wire's count endpoint, and only its framing is taken off."""
    (home / "story.txt").write_text("Once upon a time there was a bear.")
    code, report, _ = toy("estimate", "-m", "bear", "--exact", "--format", "json", "story.txt")
    assert code == 0
    assert report["rows"][0]["input_tokens"] == 1001
    assert asked == [("/measure", {"speaker": "bear-1", "texts": ["Once upon a time there was a bear."]})]


def test_bench(toy: Toy, asked: Asked) -> None:
    """A bench measures the wire's streams and counts what the wire reports."""
    code, report, _ = toy("bench", "-n", "3", "--max-tokens", "4", "-q", "--format", "json")
    [case] = report["cases"]
    assert (code, case["requests"], case["errors"]) == (0, 3, {})
    assert {sample["output_tokens"] for sample in case["samples"]} == {3}
    assert all(sample["ttft_s"] is not None for sample in case["samples"])
