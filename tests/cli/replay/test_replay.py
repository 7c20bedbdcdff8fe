"""The memo of an invocation: the same bytes as the command line behind it, and never an answer that no longer holds."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.cache import database_file
from deepsel.cli.replay import memo, replay

Deepsel = Callable[..., Any]
LATER = (
    "import os, sys; from deepsel.cli.replay.replay import replay\n"
    "print(replay(sys.argv[2:], os.environ, now_s=float(sys.argv[1])), file=sys.stderr)"
)
"""A program that replays as if it were a given time, and says whether it did."""


def replayed(home: Path) -> int:
    """How many answers have been replayed since the last command counted them."""
    spool = home / "cache" / "answers" / "memo" / "hits"
    return len(spool.read_text().splitlines()) if spool.exists() else 0


def without_times(text: str) -> str:
    """Put a fixed time in place of those in a footer or a record."""
    text = re.sub(r"[\d.]+ (ms|s|min)\b", "TIME", text)
    return re.sub(r'"(ttft_s|total_s)":[\d.e-]+', r'"\1":TIME', text)


def forget(home: Path) -> None:
    """Remove the memos, so that the next invocation takes the long way."""
    for path in (home / "cache" / "answers" / "memo").iterdir():
        path.unlink()


@pytest.fixture
def host(simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path) -> Any:
    """A provider, its profile, and a settings file old enough to be trusted not to change again within its clock's tick."""
    server = simulate(text="The “answer”:\nnaïve \U0001f600")
    path = profiles(one=server)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    (home / "notes.txt").write_text("notes\n")
    os.utime(home / "notes.txt", (1_700_000_000, 1_700_000_000))
    return server


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        ((), ""),
        (("--json",), ""),
        (("--json", "-q"), ""),
        (("--quiet",), ""),
        (("--stream",), ""),
        (("--no-stream",), ""),
        (("-f", "notes.txt"), ""),
        (("--system", "Be brief."), "piped\n"),
        (("--only-cached",), ""),
        (("--temperature", "1", "--cache"), ""),
        (("--param", "top_p=0.5"), ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_both_ways_give_the_same_bytes(
    deepsel: Deepsel, host: Any, home: Path, words: tuple[str, ...], stdin: str
) -> None:
    """What the memo prints is what the command line prints for the same hit: answer, record, footer, exit code."""
    first = deepsel("ask", "What is DNS?", *[word for word in words if word != "--only-cached"], stdin=stdin)
    assert first.code == 0, first.err
    if "--only-cached" not in words:
        assert replayed(home) == 0
        forget(home)
    long_way = deepsel("ask", "What is DNS?", *words, stdin=stdin)
    assert replayed(home) == 0
    short_way = deepsel("ask", "What is DNS?", *words, stdin=stdin)
    assert replayed(home) == 1
    assert (short_way.code, long_way.code) == (0, 0)
    assert without_times(short_way.out) == without_times(long_way.out)
    assert without_times(short_way.err) == without_times(long_way.err)
    assert "--json" in words or short_way.out == first.out
    assert len(host.calls) == 1


def test_the_second_run_needs_no_parsing(deepsel: Deepsel, host: Any, home: Path) -> None:
    """Already the run after the one that bought the answer is replayed, also with the options before the command."""
    for words in (("ask", "Hi"), ("-p", "main", "ask", "Hi")):
        before = replayed(home)
        deepsel(*words)
        before = replayed(home)
        assert deepsel(*words).out == "The “answer”:\nnaïve \U0001f600\n"
        assert replayed(home) == before + 1


def test_it_obeys_the_time_to_live(deepsel: Deepsel, host: Any, home: Path) -> None:
    """One second before the entry expires it is replayed, at that instant no longer, nor under a clock that ran back a day."""
    deepsel("ask", "Hi")
    for left_s, done in ((3599.0, True), (3600.5, False), (-86_400.0, False)):
        ran = subprocess.run(
            [sys.executable, "-c", LATER, str(time.time() + left_s), "ask", "Hi"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=home, check=True, timeout=60,
        )  # fmt: skip
        assert ran.stderr.splitlines()[-1] == str(done), left_s
        assert bool(ran.stdout) is done


def test_what_was_replaced_or_removed_is_not_replayed(
    deepsel: Deepsel, simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path
) -> None:
    """An answer that was asked anew, or removed, is not the one that is given again; nothing of it is left in a memo."""
    server = simulate(steps=[{"text": "old"}, {"text": "new"}, {"text": "newest"}])
    os.utime(profiles(one=server), (1_700_000_000, 1_700_000_000))
    assert [deepsel("ask", "Hi").out for _ in range(2)] == ["old\n", "old\n"]
    assert deepsel("ask", "Hi", "--refresh").out == "new\n"
    assert [deepsel("ask", "Hi").out for _ in range(2)] == ["new\n", "new\n"]
    deepsel("cache", "clear", "--all", "--yes")
    memos = home / "cache" / "answers" / "memo"
    assert not any(b"new" in path.read_bytes() for path in memos.iterdir())
    assert deepsel("ask", "Hi").out == "newest\n"
    assert len(server.calls) == 3


def test_another_entry_leaves_it_valid(deepsel: Deepsel, host: Any, home: Path) -> None:
    """Other answers that are stored meanwhile send the replay into the database, once; it holds all the same."""
    deepsel("ask", "Hi")
    deepsel("ask", "Hello")
    for number in (1, 2):
        deepsel("ask", "Hi")
        assert replayed(home) == number


@pytest.mark.parametrize("changed", ["file", "config", "key", "profile", "folder", "version", "prices", "stdin", "memo"])
def test_a_change_takes_the_long_way(deepsel: Deepsel, host: Any, home: Path, changed: str) -> None:
    """Whatever the answer may depend on is looked at; a memo that cannot be read is none."""
    words = ("ask", "Sum up", "-f", str(home / "notes.txt"))
    deepsel(*words)
    deepsel(*words)
    assert replayed(home) == 1
    env: dict[str, str] = {}
    stdin, cwd, program = b"", home, [sys.executable, "-m", "deepsel"]
    match changed:
        case "file":
            (home / "notes.txt").write_text("other\n")
        case "config":
            (home / "profiles.toml").write_text((home / "profiles.toml").read_text() + "\n")
        case "key":
            env = {"TEST_KEY": ""}
        case "profile":
            env = {"DEEPSEL_PROFILE": "main"}
        case "folder":
            cwd = home / "cache"
        case "version":
            code = "import sys, deepsel; deepsel.__version__ = '9'; from deepsel.__main__ import main; main()"
            program = [sys.executable, "-c", code]
        case "prices":
            (home / "data" / "prices.json").write_text("{}")
        case "stdin":
            stdin = b"more"
        case "memo":
            for path in (home / "cache" / "answers" / "memo").iterdir():
                if path.name != "hits":
                    path.write_bytes(path.read_bytes()[:-9])
    subprocess.run(
        [*program, *words], input=stdin, capture_output=True, cwd=cwd, env={**os.environ, **env}, check=False, timeout=60
    )
    assert replayed(home) == 0, "the long way counts what was replayed, and is not replayed itself"


@pytest.mark.parametrize("word", ["--no-cache", "--refresh", "-v", "--explain", "--output=answer.txt"])
def test_what_must_not_be_replayed(deepsel: Deepsel, host: Any, home: Path, word: str) -> None:
    """What reads no cache, tells more than the answer, or writes a file, always takes the long way."""
    for _ in range(3):
        assert deepsel("ask", "Hi", word).code == 0
    assert replayed(home) == 0
    assert len(host.calls) == {"-v": 1, "--explain": 0, "--output=answer.txt": 1}.get(word, 3)


def test_a_file_that_just_changed_is_not_trusted(deepsel: Deepsel, host: Any, home: Path) -> None:
    """A file written within the same tick of its clock could change again unseen."""
    code = (
        "import sys; from pathlib import Path; Path(sys.argv[-1]).write_text('fresh'); from deepsel.__main__ import main; main()"
    )
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code, "ask", "Hi", "-f", str(home / "fresh.txt")],
            stdin=subprocess.DEVNULL, capture_output=True, cwd=home, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0
    assert len(host.calls) == 1


def test_a_pipe_is_not_trusted(deepsel: Deepsel, host: Any, home: Path) -> None:
    """What comes out of a named pipe is read each time, though the pipe looks the same."""
    os.mkfifo(home / "pipe")
    for words in ("one", "two", "two"):
        done = subprocess.run(
            f"echo {words} > pipe & {sys.executable} -m deepsel ask -f pipe Hi",
            shell=True, stdin=subprocess.DEVNULL, cwd=home, capture_output=True, check=True, timeout=60,
        )  # fmt: skip
        assert done.stdout
    assert [call.body["messages"][-1]["content"].split("\n")[3] for call in host.calls] == ["one", "two"]
    assert replayed(home) == 0


def test_replayed_answers_are_counted(deepsel: Deepsel, host: Any, home: Path) -> None:
    """Hits and savings of replayed answers stand in both statistics, each once, whichever is asked first."""
    for number, commands in enumerate(([("cache", "stats"), ("stats",)], [("stats",), ("cache", "stats")]), start=1):
        for _ in range(4):
            deepsel("ask", f"Question {number}")
        assert replayed(home) == 3
        told = {command: deepsel(*command, "--json").record() for command in commands}
        cache, total = told["cache", "stats"], told["stats",]["total"]
        assert (cache["hits"], cache["bought"]) == (3 * number, number)
        assert (total["requests"], total["hits"]) == (4 * number, 3 * number)
        assert float(cache["saved_usd"]) > 0
        assert replayed(home) == 0


def test_what_cannot_be_printed_is_counted_once(deepsel: Deepsel, host: Any, home: Path) -> None:
    """A replay that meets a full disk leaves the counting to the command line behind it; one nobody reads counts."""
    deepsel("ask", "Hi")
    with Path("/dev/full").open("wb") as full:
        subprocess.run(
            [sys.executable, "-m", "deepsel", "ask", "Hi"],
            stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.DEVNULL, cwd=home, check=False, timeout=60,
        )  # fmt: skip
    assert deepsel("cache", "stats", "--json").record()["hits"] == 1


def test_a_terminal_is_drawn_on(host: Any, home: Path) -> None:
    """Where a person reads, the command line draws the answer each time."""
    for _ in range(3):
        reader, terminal = os.openpty()
        subprocess.run(
            [sys.executable, "-m", "deepsel", "ask", "Hi", "-q"],
            stdin=subprocess.DEVNULL, stdout=terminal, cwd=home, check=True, timeout=60,
        )  # fmt: skip
        os.close(terminal)
        assert os.read(reader, 1 << 16)
        os.close(reader)
    assert replayed(home) == 0
    assert len(host.calls) == 1


def test_a_full_spool_takes_the_long_way(deepsel: Deepsel, host: Any, home: Path) -> None:
    """Notes of replayed answers do not grow without end: the next command counts them; what is no note is passed over."""
    deepsel("ask", "Hi")
    spool = home / "cache" / "answers" / "memo" / "hits"
    spool.write_text("no note\n" * 40_000)
    deepsel("ask", "Hi")
    assert replayed(home) == 0
    assert deepsel("cache", "stats", "--json").record()["hits"] == 1


def test_what_is_told_twice_is_the_same() -> None:
    """The replay imports nothing of the cache and so repeats the name of its file."""
    assert (database_file.FILE_NAME, f"{database_file.FILE_NAME}-wal") == replay.DATABASE_FILES


@pytest.mark.parametrize("command", [("clear", "--all", "--yes"), ("prune",), ("verify",)])
def test_upkeep_removes_memos(deepsel: Deepsel, host: Any, home: Path, command: tuple[str, ...]) -> None:
    """Whatever may remove an entry removes every memo, whose text would outlive it."""
    deepsel("ask", "Hi")
    memos = home / "cache" / "answers" / "memo"
    assert len(list(memos.iterdir())) == 1
    assert deepsel("cache", *command).code == 0
    assert list(memos.iterdir()) == []


def test_few_memos_are_kept(deepsel: Deepsel, host: Any, home: Path) -> None:
    """Of more than 256 those that expire first leave."""
    deepsel("ask", "Hi")
    memos = home / "cache" / "answers" / "memo"
    for number in range(300):
        (memos / f"{number}").write_bytes(b"")
        os.utime(memos / f"{number}", (time.time() + 10 + number, time.time() + 10 + number))
    deepsel("ask", "Hello")
    left = {path.name for path in memos.iterdir()}
    assert len(left) == memo.KEPT
    assert "0" not in left
    assert "299" in left


def test_late_standard_input_is_not_lost(deepsel: Deepsel, host: Any, home: Path) -> None:
    """A pipe that fills only later, or holds more than a memo looks at, reaches the command line whole."""
    late = subprocess.run(
        f"(sleep 0.3; echo late) | {sys.executable} -m deepsel ask -", shell=True, cwd=home, capture_output=True, check=True, timeout=60
    )
    assert late.stdout
    assert host.calls[-1].body["messages"][-1]["content"] == "late"
    long = "word " * 500_000
    assert deepsel("ask", "--explain", "--json", "-", stdin=long).record()["refused"][0]["reason"] == "window"


def test_the_memos_are_private_and_few(deepsel: Deepsel, host: Any, home: Path) -> None:
    """The folder and the files are the user's alone."""
    deepsel("ask", "Hi")
    memos = home / "cache" / "answers" / "memo"
    assert memos.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in memos.iterdir())
    assert not any(b"sk-test" in path.read_bytes() for path in memos.iterdir())


def test_expired_memos_are_removed(deepsel: Deepsel, host: Any, home: Path) -> None:
    """The next memo that is written takes away those whose time is over, and their text with them."""
    deepsel("ask", "Hi")
    memos = home / "cache" / "answers" / "memo"
    (old,) = memos.iterdir()
    left_s = old.stat().st_mtime - time.time()
    assert 3500 < left_s <= 3600
    os.utime(old, (time.time() - 1, time.time() - 1))
    deepsel("ask", "Hello")
    assert [path for path in memos.iterdir() if path == old] == []
    assert len(list(memos.iterdir())) == 1


def test_a_full_or_closed_output_is_said_as_ever(deepsel: Deepsel, host: Any, home: Path) -> None:
    """A full disk behind standard output is one line and exit 2; a reader who has gone is no error."""
    deepsel("ask", "Hi")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "deepsel", "ask", "Hi"],
            stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, cwd=home, check=False, timeout=60,
        )  # fmt: skip
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: cannot write to standard output: no space left on device")
    gone = subprocess.run(
        f"{sys.executable} -m deepsel ask Hi | true; echo ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert gone.stdout == "0\n"


def _rewrite(path: Path, old: str, new: str) -> None:
    """Put as many other bytes into the same file, and its old times over them, as `cp -p` and reproducible archives do."""
    found, text = path.stat(), path.read_text()
    assert len(old) == len(new)
    assert old in text
    with path.open("r+") as file:
        file.write(text.replace(old, new))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


@pytest.mark.parametrize("option", ["-f", "--messages", "--schema", "--tools", "--config"])
def test_a_file_with_the_times_of_another_is_another(
    deepsel: Deepsel, simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path, option: str
) -> None:
    """Contents decide, not the time of modification and the size, whichever option names the file."""
    server = simulate(steps=[{"text": '"old"'}, {"text": '"new"'}])
    settings = profiles(one=server)
    path = home / "named"
    path.write_text(
        {
            "-f": "apples are red",
            "--messages": '[{"role":"user","content":"red"}]',
            "--schema": '{"type":"string","title":"red"}',
            "--tools": '[{"type":"function","function":{"name":"red"}}]',
            "--config": settings.read_text() + "# red\n[providers.x]\nwire = 'openai-chat'\nbase_url = 'http://red'\n",
        }[option]
    )
    for one in (path, settings):
        os.utime(one, (1_700_000_000, 1_700_000_000))
    time.sleep(0.1)
    words = ("ask", "Hi", option, str(path))
    assert [deepsel(*words).out for _ in range(3)] == ['"old"\n'] * 3
    assert replayed(home) == 2
    if option == "--config":
        _rewrite(path, '[models.one]', '[models.two]')
        assert deepsel(*words).code == 3
    else:
        _rewrite(path, "red", "RED")
        assert deepsel(*words).out == '"new"\n'


def test_two_files_of_one_time_are_told_apart(
    deepsel: Deepsel, simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path
) -> None:
    """A version laid over another with the time that a build pins for every file."""
    profiles(one=simulate(steps=[{"text": "first"}, {"text": "second"}]))
    for name in ("v1", "v2"):
        (home / name).write_text(f"this is {name}\n")
        os.utime(home / name, (1_600_000_000, 1_600_000_000))
    told = []
    for name in ("v1", "v2"):
        subprocess.run(["cp", "-p", name, "document"], cwd=home, check=True)
        time.sleep(0.1)
        told += [deepsel("ask", "-q", "-f", "document", "Sum it up").out for _ in range(2)]
    assert told == ["first\n", "first\n", "second\n", "second\n"]


def test_what_is_removed_before_the_memo_is_kept_is_not_replayed(
    deepsel: Deepsel, simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path
) -> None:
    """An entry that another process removes between the last look at it and the memo is asked for anew."""
    profiles(one=simulate(steps=[{"text": "old"}, {"text": "new"}]))
    code = (
        "import sys, subprocess; from deepsel.cli.replay import memo; keep = memo.keep\n"
        "def slow(*arguments, **named):\n"
        "    subprocess.run([sys.executable, '-m', 'deepsel', 'cache', 'clear', '--all'], capture_output=True, check=True)\n"
        "    keep(*arguments, **named)\n"
        "memo.keep = slow; sys.argv = ['deepsel', 'ask', 'Hi']; from deepsel.__main__ import main; main()"
    )
    time.sleep(0.1)
    ran = subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=home, check=True)
    assert ran.stdout == "old\n"
    assert (home / "cache" / "answers" / "memo").exists()
    assert [deepsel("ask", "Hi").out for _ in range(3)] == ["new\n"] * 3


def test_what_is_piped_is_no_variable(deepsel: Deepsel, simulate: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """Text that begins like a variable of the environment is not taken for one."""
    profiles(one=simulate(steps=[{"text": "first"}, {"text": "second"}]))
    time.sleep(0.1)
    long = "x" * 9000
    assert [deepsel("ask", "-", stdin=f"DEEPSEL_PAD={long}\0hello").out for _ in range(2)] == ["first\n"] * 2
    assert [deepsel("ask", "-", stdin="hello", env={"DEEPSEL_PAD": long}).out for _ in range(2)] == ["second\n"] * 2


def own_settings(home: Path, server: Any, model: str = "", more: str = "") -> None:
    """Write a profiles.toml whose one model has more to say of itself, old enough to be trusted."""
    path = home / "profiles.toml"
    path.write_text(
        f'[providers.host]\nwire = "openai-chat"\nbase_url = "{server.base_url}"\n'
        f'[models.one]\nprovider = "host"\n{model}\n[profiles.main]\nmodels = ["one"]\n{more}\n'
    )
    os.utime(path, (1_700_000_000, 1_700_000_000))
    time.sleep(0.1)


def replays_at(home: Path, instant: datetime, *words: str) -> bool:
    """Whether an invocation is replayed at an instant."""
    ran = subprocess.run(
        [sys.executable, "-c", LATER, str(instant.timestamp()), *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=home, check=True, timeout=60,
    )  # fmt: skip
    return ran.stderr.splitlines()[-1] == "True"


def test_a_model_that_retires_takes_its_memo_along(deepsel: Deepsel, simulate: Callable[..., Any], home: Path) -> None:
    """From the day (of UTC) on which a candidate is sold no more the command line decides, though the entry is fresh."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    server = simulate(text="Still here.")
    own_settings(home, server, f"retires = {midnight:%Y-%m-%d}", "[cache]\nttl_s = 500000")
    assert deepsel("ask", "Hi").out == "Still here.\n"
    assert replays_at(home, midnight - timedelta(seconds=1), "ask", "Hi")
    assert not replays_at(home, midnight, "ask", "Hi")


def test_a_model_that_is_not_sold_yet_has_no_memo(deepsel: Deepsel, simulate: Callable[..., Any], home: Path) -> None:
    """A clock that is put back to before a candidate's first day, a minute ago or so, sends the invocation the long way."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    server = simulate(text="Here.")
    own_settings(home, server, f"available_from = {today:%Y-%m-%d}")
    assert deepsel("ask", "Hi").out == "Here.\n"
    assert replays_at(home, datetime.now(UTC), "ask", "Hi")
    assert not replays_at(home, today - timedelta(seconds=1), "ask", "Hi")


def test_a_clock_that_runs_back_a_little_is_believed(deepsel: Deepsel, host: Any, home: Path) -> None:
    """As in the cache: four minutes before it was stored an answer is replayed, six minutes before it is not."""
    deepsel("ask", "Hi")
    now = datetime.now(UTC)
    assert replays_at(home, now - timedelta(minutes=4), "ask", "Hi")
    assert not replays_at(home, now - timedelta(minutes=6), "ask", "Hi")


def test_a_price_that_changes_changes_no_memo(deepsel: Deepsel, simulate: Callable[..., Any], home: Path) -> None:
    """What is replayed costs nothing at any hour: when the price rises it is replayed all the same, under a cap too."""
    rises = datetime.now(UTC) + timedelta(hours=2)
    rules = "".join(
        f'[[models.one.prices]]\ninput = "{price}"\noutput = "{price}"\n{bound} = "{rises:%Y-%m-%dT%H:%MZ}"\n'
        for price, bound in (("1", "valid_to"), ("1000000", "valid_from"))
    )
    own_settings(home, simulate(text="Free."), rules, "[cache]\nttl_s = 50000")
    words = ("ask", "Hi", "--json", "--max-cost", "1")
    assert deepsel(*words).record()["cost_usd"] != "0"
    assert replays_at(home, rises + timedelta(hours=1), *words)
    assert deepsel(*words).record()["cost_usd"] == "0"


def test_what_is_made_as_it_is_read_is_not_trusted(deepsel: Deepsel, host: Any, home: Path) -> None:
    """A file of the kernel's has other contents each time, and the times of its first look."""
    for _ in range(3):
        assert deepsel("ask", "Hi", "-f", "/proc/uptime").code == 0
    assert len({call.body["messages"][-1]["content"] for call in host.calls}) == 3


@pytest.mark.parametrize(
    ("version", "is_sure"),
    [
        ((1_700_000_000_123_456_789, 5, 1, 2, 8, 0o100600), True),
        ((1_700_000_000_000_000_000, 5, 1, 2, 8, 0o100600), False),
        ((1_700_000_000_120_000_000, 5, 1, 2, 8, 0o100600), False),
        ((1_700_000_000_123_456_789, 0, 1, 2, 0, 0o100600), False),
        ((1_700_000_000_123_456_789, 5, 1, 2, 8, 0o010600), False),
        ((1_700_000_000_123_456_789, 5, 1, 2, 8, 0o040700), False),
        ((1_700_000_000_999_999_999, 5, 1, 2, 8, 0o100600), False),
    ],
    ids=["a file", "whole seconds", "hundredths", "no blocks", "a pipe", "a folder", "just changed"],
)
def test_what_may_change_without_a_trace_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], is_sure: bool
) -> None:
    """A clock too coarse, or a time of modification in its place, a pipe, and what changed within the last tick."""
    monkeypatch.setattr(replay.files, "version", lambda _: version)
    assert (replay.stamp("file", seen_ns=1_700_000_001_000_000_000) != replay.UNSURE) is is_sure


def test_a_database_that_just_changed_is_looked_into_again(tmp_path: Path) -> None:
    """The next change may come within the same tick of its clock, and leave no trace."""
    path = tmp_path / "cache.db"
    path.write_bytes(b"rows")
    changed_s = path.stat().st_ctime
    assert replay.database_stamps(str(tmp_path), changed_s + 0.01) == replay.UNSURE
    assert replay.database_stamps(str(tmp_path), changed_s + 1) != replay.UNSURE
    (tmp_path / "cache.db-wal").write_bytes(b"")
    assert replay.database_stamps(str(tmp_path), changed_s + 1).endswith("; -")


@pytest.mark.parametrize("words", [(), ("--json",), ("-q",)], ids=" ".join)
@pytest.mark.parametrize(
    "text",
    ["\0time\0", '1 · 2 · 0.4 ms\n"ttft_s":1,"total_s":1 "\\u0000time\\u0000"\n\n1:5 2:7\n?\n"ttft_s":2'],
    ids=["a marker", "the forms of a memo"],
)
def test_no_text_is_taken_for_a_time(
    deepsel: Deepsel, simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path, text: str, words: tuple[str, ...]
) -> None:
    """Whatever an answer quotes of how a memo is written comes out of it as it went in."""
    os.utime(profiles(one=simulate(text=text)), (1_700_000_000, 1_700_000_000))
    time.sleep(0.1)
    deepsel("ask", "Hi", *words)
    forget(home)
    long_way, short_way = (deepsel("ask", "Hi", *words) for _ in range(2))
    assert replayed(home) == 1
    assert without_times(short_way.out) == without_times(long_way.out)
    assert without_times(short_way.err) == without_times(long_way.err)
    if "--json" in words:
        assert short_way.record()["text"] == text


@given(parts=st.lists(st.text(max_size=20), min_size=1, max_size=6), seed=st.integers(0, 8000))
def test_times_are_found_by_what_differs(parts: list[str], seed: int) -> None:
    """Two texts that differ in their times alone are parted at these, whatever stands around them, also in long texts."""
    whole = [parts[0] + "x" * seed, *parts[1:]]
    assert list(memo._around_times("1".join(whole), "2".join(whole))) == whole


def test_what_is_hashed_can_be_read_in_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words, variables and standard input that make one text together are different invocations all the same."""
    monkeypatch.setattr(replay, "_stdin", lambda: given_here[1])
    names = set()
    for given_here in (
        (["ask", "a", "b"], b""), (["ask", "a"], b"b"), (["ask", "ab"], b""), (["ask", "a", ""], b"b"), (["ask", "a\0b"], b""),
        (["ask", "a"], b"\0b"), (["ask"], b"ab"),
    ):  # fmt: skip
        names.add(replay._identify(given_here[0], {}))
    names |= {replay._identify(["ask"], {"XDG_A": "ab"}), replay._identify(["ask", "XDG_A=ab"], {})}
    assert len(names) == 9


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        *(("cache/answers/memo/hits", kind) for kind in ("pipe", "socket", "device", "folder")),
        ("cache/answers/memo/*", "pipe"),
        ("cache/answers/memo/*", "folder"),
        ("cache/answers/memo", "pipe"),
        ("cache/answers/tallies.new", "pipe"),
        ("cache/answers/cache.db", "pipe"),
        ("data/prices.json", "pipe"),
        ("data/prices.json", "device"),
        ("data/bench.json", "pipe"),
        ("data/bench.json", "device"),
        ("profiles.toml", "pipe"),
    ],
)
def test_nothing_in_place_of_a_file_of_ours_is_waited_for(
    deepsel: Deepsel, host: Any, home: Path, place: str, kind: str
) -> None:
    """A pipe, a socket, a device or a folder that stands where one of our files should costs no time and no answer."""
    expected = deepsel("ask", "-q", "Hi").out
    deepsel("ask", "-q", "Hi")
    folder = home / place
    paths = [path for path in folder.parent.iterdir() if path.name != "hits"] if folder.name == "*" else [folder]
    for path in paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        put_in_place(path, kind)
    for words in (("ask", "-q", "Hi"), ("ask", "-q", "Ho"), ("cache", "stats")):
        ran = deepsel(*words)
        if place == "profiles.toml":
            assert (ran.code, ran.err.startswith("error: cannot read `")) == (3, True), ran.err
        else:
            assert ran.code == 0 or (ran.code == 3 and words == ("cache", "stats") and place.endswith("cache.db")), ran.err
            assert words[0] != "ask" or ran.out == expected


def put_in_place(path: Path, kind: str) -> None:
    """Make something that is no file."""
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "socket":
            with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as one:  # whose address is short
                one.bind(path.name)
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            path.mkdir()
