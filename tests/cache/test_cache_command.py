"""`deepsel cache` as it is typed: output, records, exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cache_support import make_answer

from deepsel.cache import Cache
from deepsel.cli.durations import duration_text, parse_duration
from deepsel.clock import SystemClock
from deepsel.errors import UsageError


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deepsel", "cache", *arguments],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip


def record(*arguments: str) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    data: dict[str, Any] = json.loads(done.stdout)
    assert data["schema"] == 1
    return data


@pytest.fixture
def keys(home: Path) -> list[str]:
    """Two answers in the cache of the test's home; the second with what a terminal would obey."""
    made = []
    with Cache(Path(record("path")["path"]), clock=SystemClock()) as cache:
        for prompt, model, text in [("first", "m-1", "one"), ("sec\x1b[2Jond", "m-2", "two\x1b]0;x\x07\ud83d")]:
            key, answer = make_answer(prompt, text, model=model)
            cache.put(key, answer)
            made.append(key)
    return made


def test_the_path_is_in_the_home(home: Path) -> None:
    """`path` prints one line, and nothing is made by asking."""
    path = Path(run("path").stdout.removesuffix("\n"))
    assert path.is_relative_to(home)
    assert not path.exists()


def test_an_empty_cache_is_no_error() -> None:
    """Looking at a cache that is not there yet works."""
    assert record("list")["entries"] == []
    assert record("stats")["tiers"][-1]["hit_rate"] is None
    assert record("clear", "--all")["removed"] == 0
    done = run("list")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "no cached answers\n")
    assert run("list", "--quiet").stderr == ""


def test_list(keys: list[str]) -> None:
    """`list` shows a line an answer, newest first, and the record has every member."""
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["KEY", "MODEL", "LEFT", "BYTES", "COST", "PROMPT"]
    assert [line.split()[0] for line in lines[1:]] == [key[:15] for key in keys[::-1]]
    assert lines[2].split()[-1] == "first"
    assert "\x1b" not in lines[1]
    entry = record("list", "--model", "m-1")["entries"][0]
    assert set(entry) == {
        "key", "tier", "model", "answered_model", "provider", "task", "finish", "usage", "cost_usd", "price",
        "stored_at", "ttl_s", "expires_in_s", "size_bytes", "prompt", "version",
    }  # fmt: skip
    assert (entry["key"], entry["cost_usd"], entry["finish"]) == (keys[0], "0.000125", "complete")
    assert record("list", "--older-than", "1h")["entries"] == []


def test_show(keys: list[str]) -> None:
    """`show` prints the answer with the request it answers; a terminal's control characters are harmless in it."""
    text = run("show", keys[0][:10]).stdout
    assert text.endswith("answer\none\n")
    assert '"content": "first"' in text
    assert "off-peak" in text
    assert "\x1b" not in run("show", keys[1]).stdout
    data = record("show", keys[1])
    assert (data["text"], data["request"]["model_id"]) == ("two\x1b]0;x\x07\ud83d", "m-2")


def test_stats(keys: list[str]) -> None:
    """`stats` counts what is on disk."""
    disk = record("stats")["tiers"][-1]
    assert (disk["name"], disk["entries"], disk["hits"], disk["misses"], disk["hit_rate"]) == ("disk", 2, 0, 2, 0.0)
    assert run("stats").stdout.splitlines()[-1].split()[:2] == ["disk", "2"]


def test_clear(keys: list[str]) -> None:
    """`clear` removes what is selected and says how many; a script is not asked."""
    assert record("clear", "-m", "m-2", "--older-than", "0s")["removed"] == 1
    done = run("clear", "--all")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "removed 1 entry\n")
    assert record("list")["entries"] == []


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["clear"], "--all"),
        (["clear", "--all", "--model", "m-1"], "--all"),
        (["clear", "--older-than", "soon"], "7d"),
        (["show", "k1-none"], "cache list"),
        (["show", "k1-"], "more"),
    ],
)
def test_misuse_is_exit_2(keys: list[str], arguments: list[str], hint: str) -> None:
    """What cannot be understood is exit 2 with a hint, prints nothing on stdout and removes nothing."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert hint in done.stderr.partition("hint: ")[2]
    assert len(record("list")["entries"]) == 2


def test_a_broken_cache_is_exit_3_and_can_be_cleared(keys: list[str]) -> None:
    """A damaged database is said with its remedy, and the remedy works."""
    path = Path(record("path")["path"]) / "cache.db"
    path.write_bytes(b"garbage " * 1000)
    done = run("list")
    assert (done.returncode, done.stdout) == (3, "")
    assert "cache clear --all" in done.stderr
    assert run("clear", "--all").returncode == 0
    assert run("list").returncode == 0


@pytest.mark.parametrize(("reply", "options", "left"), [("n", [], 2), ("y", [], 0), (None, ["--yes"], 0)])
def test_clear_all_asks_on_a_terminal(keys: list[str], reply: str | None, options: list[str], left: int) -> None:
    """On a terminal `clear --all` asks on stderr first, unless told not to."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "deepsel", "cache", "clear", "--all", *options],
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    if reply:
        os.write(ours, reply.encode() + b"\n")
    stdout = process.communicate(timeout=60)[0]
    os.close(ours)
    assert (process.returncode, stdout) == (0, b"")
    assert len(record("list")["entries"]) == left


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("30m", 1800), ("12h", 43_200), ("7d", 604_800), (" 2W ", 1_209_600), ("0s", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    """A whole number and a unit are a length of time."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "1.5h", "1h30m", "1 h", "\u0667d", "1y", "9" * 10 + "d"])
def test_no_durations(text: str) -> None:
    """Everything else is a usage error."""
    with pytest.raises(UsageError, match="length of time"):
        parse_duration(text)


@pytest.mark.parametrize(("seconds", "text"), [(0.5, "0s"), (59, "59s"), (60, "1m"), (7199, "1h"), (172_800, "2d")])
def test_durations_are_shown_in_one_unit(seconds: float, text: str) -> None:
    """A length of time is shown in its largest whole unit."""
    assert duration_text(seconds) == text
