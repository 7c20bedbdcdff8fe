"""Every exit of `--json` prints one record, and the limit a message names is the one that acted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
PRICED = 'price = { input = "1", cached_input = "0.1", output = "2" }'


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [
        (("ask", "-m", "nobody-knows-it", "Hi"), 3, "config"),
        (("ask", "-m", "gpt-6-luna", "Hi"), 3, "config"),
        (("ask", "-p", "nowhere", "Hi"), 3, "config"),
        (("ask", "-p", "demo", "--only-cached", "Hi"), 6, "no_route"),
        (("ask", "-p", "demo", "--max-cost", "0.000000001", "Hi"), 7, "over_budget"),
        (("ask", "-p", "demo", "-f", "absent.txt", "Hi"), 2, "usage"),
        (("ask", "-p", "demo", "--difficulty", "7", "Hi"), 2, "usage"),
        (("ask", "-p", "demo", "--no-such-option", "Hi"), 2, "usage"),
        (("ask", "-p", "demo", "--explain", "-m", "nobody-knows-it", "Hi"), 3, "config"),
        (("ask", "-p", "demo"), 2, "usage"),
        (("stats", "-p", "nowhere"), 3, "config"),
        (("cache", "show", "k1-000"), 2, "usage"),
        (("models", "--refresh", "--from", "absent.json"), 2, "usage"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_ends_before_anybody_is_asked_is_a_record(deepsel: Run, words: tuple[str, ...], code: int, kind: str) -> None:
    """One line of JSON on stdout with the class and the words that stand on stderr."""
    ran = deepsel(*words, "--json")
    [line] = ran.out.splitlines()
    record = json.loads(line)
    assert (ran.code, record["error"]["class"], record["schema"]) == (code, kind, 1)
    assert f"error: {record['error']['message']}" in ran.err


@pytest.mark.parametrize(
    ("behaviour", "code", "kind"),
    [({"fault": ("401",)}, 4, "auth"), ({"fault": ("500",)}, 5, "server"), ({"fault": ("length",), "text": "word " * 50}, 8, "truncated")],
)
def test_what_fails_at_a_provider_is_a_record(
    deepsel: Run, simulate: Run, profiles: Run, behaviour: dict[str, Any], code: int, kind: str
) -> None:
    """The record of the attempts has the class of the last one that failed."""
    profiles(one=simulate(**behaviour), profile="retries = 0")
    ran = deepsel("ask", "--json", "--no-cache", "Hi")
    [line] = ran.out.splitlines()
    record = json.loads(line)
    assert (ran.code, record["error"]["class"], record["attempts"][0]["error_class"]) == (code, kind, kind)
    assert record["error"]["message"] in ran.err


def test_every_record_has_the_same_members(deepsel: Run, simulate: Run, profiles: Run) -> None:
    """A program reads them alike, whether somebody was asked or not; only `error` comes where there is no whole answer."""
    profiles(one=simulate(text="Hello."))
    whole = deepsel("ask", "--json", "Hi").record()
    refused = deepsel("ask", "--json", "--max-cost", "0.000000001", "Hello").record()
    assert [*whole, "error"] == list(refused) == list(deepsel("ask", "--json", "--no-such-option", "Hi").record())
    assert (refused["text"], refused["attempts"], refused["cost_usd"]) == ("", [], "0")


@pytest.mark.parametrize("when", ["reading", "asking"])
def test_what_the_user_ends_is_a_record(home: Path, simulate: Run, profiles: Run, when: str) -> None:
    """Interrupted while standard input is read, or while somebody answers: one record, exit 130."""
    server = simulate(text="one two three four five six " * 20, itl_s=0.05)
    profiles(one=server)
    process = subprocess.Popen(
        [sys.executable, "-m", "deepsel", "ask", "--json", "--no-cache", *(["-"] if when == "reading" else ["Hi"])],
        stdin=subprocess.PIPE if when == "reading" else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if when == "reading":
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"reading standard input")
    else:
        while not any(record.token_written_s for record in server.records):
            time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=100)
    [line] = out.splitlines()
    assert (process.returncode, json.loads(line)["error"]["class"]) == (130, "interrupted"), err


@pytest.mark.parametrize(
    ("profile", "words", "named", "others"),
    [
        ("timeout_s = 1", (), "timeout_s", "first_token_timeout_s"),
        ("", ("--timeout", "1"), "--timeout", "first_token_timeout_s"),
        ("first_token_timeout_s = 1", (), "first_token_timeout_s", "--timeout"),
        ("first_token_timeout_s = 1\ntimeout_s = 30", (), "first_token_timeout_s", "--timeout"),
        ('daily_budget_usd = "0.000001"', (), "budget", "--max-cost"),
        ('daily_budget_usd = "0.000001"\nmax_cost_usd = "1"', (), "budget", "--max-cost"),
        ('max_cost_usd = "0.000001"', (), "max_cost_usd", "budget it"),
        ('daily_budget_usd = "5"', ("--max-cost", "0.000001"), "--max-cost", "budget it"),
    ],
)
def test_the_limit_that_is_named_is_the_one_that_acted(
    deepsel: Run, simulate: Run, profiles: Run, profile: str, words: tuple[str, ...], named: str, others: str
) -> None:
    """Of two limits the advice names the one that was reached, and not the other."""
    profiles(one=simulate(fault=("hang_before_first_token",)), profile=f"retries = 0\n{profile}")
    ran = deepsel("ask", "--no-cache", *words, "Hi")
    hint = ran.err.split("hint:")[-1]
    assert ran.code in (5, 7)
    assert named in hint
    assert others not in hint


def test_a_limit_of_the_provider_is_not_called_ours(deepsel: Run, simulate: Run, profiles: Callable[..., Path]) -> None:
    """An answer that its host cuts before the tokens it may have is not answered with the advice to allow more."""
    profiles(one=simulate(fault=("length",), text="word " * 50))
    ran = deepsel("ask", "--no-cache", "--max-tokens", "3000", "Hi")
    assert ran.code == 8
    assert "a limit of the provider's own" in ran.err
    assert "--max-tokens" not in ran.err
