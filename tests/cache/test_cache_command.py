"""`deepsel cache` as it is typed: output, records, exit codes."""

from __future__ import annotations

import json
import os
import pickle
import pty
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cache_support import Bomb, make_answer

from deepsel.cache import Cache
from deepsel.cli.checked import parse_duration
from deepsel.clock import SystemClock
from deepsel.config import CacheSettings
from deepsel.errors import UsageError
from deepsel.show.lines import width


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
    with Cache(Path(record("path")["path"]), CacheSettings(), clock=SystemClock()) as cache:
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
    assert record("stats")["hit_rate"] is None
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
    """`stats` tells what is on disk and what the cache did, in all, by model, tier and day."""
    with Cache(Path(record("path")["path"]), CacheSettings(memory_entries=0), clock=SystemClock()) as cache:
        assert cache.get(keys[0])
    data = record("stats", "--days", "2")
    assert (data["tiers"][-1]["name"], data["tiers"][-1]["entries"]) == ("disk", 2)
    assert (data["hits"], data["bought"], data["hit_rate"], data["saved_usd"]) == (1, 2, 0.3333, "0.000125")
    assert [(row["name"], row["hits"], row["bought"]) for row in data["by_model"]] == [("m-1", 1, 1), ("m-2", 0, 1)]
    assert [(row["name"], row["hits"]) for row in data["by_tier"]] == [("bought", 0), ("disk", 1)]
    assert [row["hits"] for row in data["by_day"]] in ([0, 1], [1, 0])  # it may be midnight
    text = run("stats").stdout
    assert "$0.000125" in text
    assert "." * 29 + "█" in text


def test_stats_have_no_blocks_where_none_can_be_shown(keys: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A dumb terminal is drawn on in ASCII signs."""
    with Cache(Path(record("path")["path"]), CacheSettings(memory_entries=0), clock=SystemClock()) as cache:
        assert cache.get(keys[0]) is not None
    monkeypatch.setenv("TERM", "dumb")
    text = run("stats").stdout
    assert text.isascii()
    assert "." * 29 + "#" in text


def test_a_list_is_aligned_by_the_width_of_its_names(home: Path) -> None:
    """Wide characters take two columns."""
    with Cache(Path(record("path")["path"]), CacheSettings(), clock=SystemClock()) as cache:
        for prompt, model in (("first", "\u9577\u3044\u540d"), ("second", "short")):
            cache.put(*make_answer(prompt, "text", model=model))
    lines = run("list").stdout.splitlines()
    assert len(lines) == 3
    assert len({width(re.split("PROMPT|first|second", line)[0]) for line in lines}) == 1


def test_selecting(keys: list[str]) -> None:
    """`list` and `clear` take a model, a provider, and a part or a pattern of the prompt."""
    def found(*options: str) -> list[str]:
        return [entry["key"] for entry in record("list", *options)["entries"]]

    assert found("--match", "FIR") == found("--match", "f*t") == [keys[0]]
    assert found("--match", "fir*x") == found("--provider", "other") == []
    assert found("--provider", "local", "--limit", "1") == [keys[1]]
    assert record("clear", "--match", "first", "--provider", "local")["removed"] == 1
    assert found() == [keys[1]]


def test_prune(keys: list[str]) -> None:
    """`prune` removes expired rows and locks that nobody holds."""
    folder = Path(record("path")["path"])
    with closing(sqlite3.connect(folder / "cache.db")) as connection, connection:
        connection.execute("UPDATE Cache SET expire_time = 1 WHERE key = ?", (keys[0],))
    (folder / "turns").mkdir()
    (folder / "turns" / "k1-left").touch()
    assert record("prune") == {"schema": 1, "removed": 1, "locks_removed": 1}
    assert run("prune").stderr == "removed 0 entries and 0 left locks\n"


def test_verify_reports_a_pickle_without_loading_it(keys: list[str], tmp_path: Path) -> None:
    """A tampered row that holds a pickle executes nothing, is reported with exit 9, and is gone afterwards."""
    target = tmp_path / "executed"
    with closing(sqlite3.connect(Path(record("path")["path"]) / "cache.db")) as connection, connection:
        bomb = pickle.dumps(Bomb(target))
        connection.execute("UPDATE Cache SET mode = 4, value = ? WHERE key = ?", (bomb, keys[0]))
    looked = run("verify", "--no-repair", "--json")
    assert looked.returncode == 9
    assert json.loads(looked.stdout)["repaired"] is False
    done = run("verify")
    assert (done.returncode, done.stdout.count("\n")) == (9, 1)
    assert "pickle, which was not loaded" in done.stdout
    assert "repaired" in done.stderr
    assert record("verify") == {"schema": 1, "checked": 1, "problems": [], "repaired": False}
    assert not target.exists()


def test_a_cache_can_be_moved(keys: list[str], tmp_path: Path) -> None:
    """What was exported is imported elsewhere and means the same; a changed answer's key, or half a file, is refused."""
    path = tmp_path / "answers.jsonl"
    assert record("export", str(path))["exported"] == 2
    assert run("export", "-").stdout == path.read_text("utf-8")
    before = record("list")["entries"]
    run("clear", "--all")
    lines = path.read_text("utf-8").splitlines()
    path.write_text(lines[0] + "\n" + lines[1].replace("first", "other"), "utf-8")
    refused = run("import", str(path))
    assert (refused.returncode, record("list")["entries"]) == (2, [])
    assert "line 2" in refused.stderr
    path.write_text("\n".join(lines), "utf-8")
    assert record("import", str(path))["imported"] == 2
    after = record("list")["entries"]
    for entry in (*before, *after):
        del entry["expires_in_s"]
    assert after == before


def test_an_old_export_can_be_given_a_new_life(keys: list[str], tmp_path: Path) -> None:
    """Expired entries are left out of an import unless `--ttl` gives them time; when they were stored stays true."""
    path = tmp_path / "answers.jsonl"
    run("export", str(path), "--model", "m-1")
    path.write_text(re.sub(r'"stored_at":"\d{4}', '"stored_at":"2020', path.read_text("utf-8")), "utf-8")
    run("clear", "--all")
    done = run("import", str(path))
    assert (done.returncode, record("list")["entries"]) == (0, [])
    assert "--ttl" in done.stderr
    assert record("import", str(path), "--ttl", "30d")["imported"] == 1
    entry = record("list")["entries"][0]
    assert entry["stored_at"].startswith("2020")
    assert 0 < 30 * 86_400 - entry["expires_in_s"] < 600


def test_clear_of_a_cache_without_a_tier(home: Path) -> None:
    """Where every tier is turned off there is nothing to remove, and that is no failure."""
    (home / "profiles.toml").write_text("[cache]\ndisk = false\nmemory_entries = 0\n", "utf-8")
    assert record("clear", "--all")["removed"] == 0


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
    """A damaged database is said with its remedies, and they work."""
    path = Path(record("path")["path"]) / "cache.db"
    path.write_bytes(b"garbage " * 1000)
    assert run("verify", "--no-repair").returncode == 9
    assert run("verify").returncode == 9
    assert run("verify").returncode == 0
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
