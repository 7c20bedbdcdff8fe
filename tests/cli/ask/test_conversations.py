"""Conversations as people have them: `-c`, names, tools, pictures, several providers, a crash, and nothing kept where they are off."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def _roles(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["role"], one["content"]) for one in body["messages"]]


@pytest.fixture
def png(tmp_path: Path) -> Path:
    """A picture of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path = tmp_path / "dot.png"
    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b""))
    return path


def test_c_goes_on_with_the_last_question(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """The next turn is sent what was said before, and the footer says the turn and the cost of all of them."""
    server = simulate(text="Answer.")
    profiles(one=server)
    assert deepsel("What is DNS?", "-s", "Be brief").code == 0
    ran = deepsel("-c", "And TLS?")
    assert ran.code == 0, ran.err
    assert _roles(server.calls[-1].body) == [
        ("system", "Be brief"), ("user", "What is DNS?"), ("assistant", "Answer."), ("user", "And TLS?"),
    ]  # fmt: skip
    assert "turn 2 of conversation 1, $0.0000" in ran.err
    record = deepsel("-c", "More", "--json").record()
    assert record["conversation"]["turn"] == 3
    listed = deepsel("conversations", "list", "--json").record()["conversations"]
    assert (len(listed), listed[0]["cost_usd"]) == (1, record["conversation"]["cost_usd"])


def test_a_replayed_question_can_be_gone_on_with(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """An answer printed from the cache begins a conversation like any other, and not the one it was first given in."""
    server = simulate(text="Answer.")
    profiles(one=server)
    for question in ("First question?", "Other question?", "First question?"):
        assert deepsel(question).code == 0
    assert len(server.calls) == 2
    assert deepsel("-c", "And?").code == 0
    assert [text for role, text in _roles(server.calls[-1].body) if role == "user"] == ["First question?", "And?"]


def test_names_are_kept_and_numbers_are_found(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """A name begins a conversation and goes on with it; a plain question between does not change it."""
    server = simulate(text="Answer.")
    profiles(one=server)
    deepsel("--conversation", "work", "One")
    deepsel("Something else")
    deepsel("--conversation", "work", "Two")
    assert [text for role, text in _roles(server.calls[-1].body) if role == "user"] == ["One", "Two"]
    assert deepsel("--conversation", "1", "Three").code == 0
    assert len(server.calls[-1].body["messages"]) == 5
    wrong = deepsel("--conversation", "99", "Four")
    assert (wrong.code, "there is no conversation `99`" in wrong.err) == (2, True)
    assert deepsel("-c", "--conversation", "work", "Five").code == 2


def test_nothing_to_go_on_with(deepsel: Callable[..., Any]) -> None:
    """It is said, with what to do."""
    ran = deepsel("-p", "demo", "-c", "And?")
    assert (ran.code, "no conversation to go on with" in ran.err) == (2, True)


def test_it_stays_with_its_model_and_goes_on_at_another(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """The model that answered is asked first whatever the profile prefers; another wire gets the same words, and then stays."""
    first, second = simulate(text="From one."), simulate(text="From two.")
    profiles(one=first, two=(second, "anthropic-messages"))
    deepsel("-m", "two", "--conversation", "w", "Hi", "-s", "Be brief")
    deepsel("--conversation", "w", "Again")
    assert (len(first.calls), len(second.calls)) == (0, 2)
    deepsel("--conversation", "w", "-m", "one", "Elsewhere")
    assert [role for role, _ in _roles(first.calls[-1].body)] == ["system", "user", "assistant", "user", "assistant", "user"]
    deepsel("--conversation", "w", "Back?")
    assert (len(first.calls), len(second.calls)) == (2, 2)
    shown = deepsel("conversations", "show", "w").out
    assert "From two." in shown
    assert "— one · $" in shown


def test_it_goes_on_elsewhere_when_its_model_is_down(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """A conversation falls back as any question does."""
    first, second = simulate(steps=[{"text": "One."}, *[{"fault": ("500",)}] * 4]), simulate(text="Two.")
    profiles(one=first, two=second)
    deepsel("--conversation", "w", "Hi")
    record = deepsel("--conversation", "w", "Again", "--json").record()
    assert record["text"] == "Two."
    assert [text for role, text in _roles(second.calls[-1].body)] == ["Hi", "One.", "Again"]


def test_with_a_picture(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], png: Path
) -> None:
    """A picture of an earlier turn is sent again, whole."""
    server = simulate(text="A dot.")
    path = profiles(one=server)
    path.write_text(path.read_text().replace('vocabulary = "o200k_base"', 'vocabulary = "o200k_base"\nfeatures = ["images"]'))
    assert deepsel("-f", str(png), "What is this?").code == 0
    ran = deepsel("-c", "Which colour?")
    assert ran.code == 0, ran.err
    first, second = server.calls[0].body["messages"][0], server.calls[1].body["messages"][0]
    assert first == second
    assert "data:image/png;base64," in json.dumps(first)


def test_after_a_crash_in_mid_answer(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """A process that is killed while the answer comes leaves its question, and the next one goes on from what was answered."""
    server = simulate(steps=[{"text": "One."}, {"text": "Late.", "ttft_s": 30.0}], text="Three.")
    profiles(one=server)
    deepsel("--conversation", "w", "First")
    command = [sys.executable, "-m", "deepsel", "--conversation", "w", "Second"]
    dying = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(server.calls) < 2:
        time.sleep(0.01)
    dying.send_signal(signal.SIGKILL)
    dying.wait()
    assert "(no answer)" in deepsel("conversations", "show", "w").out
    ran = deepsel("--conversation", "w", "Third")
    assert ran.code == 0, ran.err
    assert [text for _, text in _roles(server.calls[-1].body)] == ["First", "One.", "Third"]
    assert "at least" in ran.err


@pytest.mark.parametrize("switch", ["[conversations]\nkeep_s = 0", "[cache]\ndisk = false"])
def test_nothing_is_kept_where_it_is_off(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path, switch: str
) -> None:
    """No file of conversations is made by a plain question, and no file at all holds the words."""
    profiles(one=simulate(text="Answer."), extra=switch)
    assert deepsel("Some secret words", "--no-cache").code == 0
    assert deepsel("Some secret words").code == 0
    assert not (home / "data" / "conversations.sqlite").exists()


def test_off_is_said(deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path) -> None:
    """A conversation that is asked for where they are off is exit 3, and nobody is asked."""
    server = simulate(text="Answer.")
    profiles(one=server, extra="[conversations]\nkeep_s = 0")
    for options in (("-c",), ("--conversation", "w")):
        ran = deepsel(*options, "Hi")
        assert (ran.code, "keep_s" in ran.err) == (3, True)
    assert not server.calls
    assert not any("secret" in path.name or path.name.startswith("conversations") for path in home.rglob("*"))


def test_no_cache_keeps_a_question_by_itself_nowhere(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path
) -> None:
    """Who wants nothing stored has nothing stored, unless the conversation was asked for."""
    profiles(one=simulate(text="Answer."))
    deepsel("Hi", "--no-cache")
    assert not (home / "data" / "conversations.sqlite").exists()
    deepsel("--conversation", "w", "Hi", "--no-cache")
    assert (home / "data" / "conversations.sqlite").exists()


def test_deleting(deepsel: Callable[..., Any]) -> None:
    """By name, none where one name is wrong, or all; without either it is not clear."""
    for name in ("a", "b"):
        deepsel("-p", "demo", "--conversation", name, "Hi")
    assert deepsel("conversations", "delete", "a", "nope").code == 2
    assert len(deepsel("conversations", "list", "--json").record()["conversations"]) == 2
    assert deepsel("conversations", "delete", "a").code == 0
    assert deepsel("conversations", "delete").code == 2
    assert deepsel("conversations", "delete", "--all").code == 0
    assert deepsel("conversations", "list", "--json").record()["conversations"] == []
    assert os.environ.get("DEEPSEL_HOME")


def test_a_key_is_kept_in_no_conversation(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path
) -> None:
    """Neither a question nor an answer that holds one; a question is refused before it is paid for, an answer is shown."""
    key = "sk-test-0123456789"
    server = simulate(text=f"Your key is {key}.")
    profiles(one=server)
    assert deepsel("--conversation", "w", f"Is {key} mine?").code == 2
    assert not server.calls
    ran = deepsel("--conversation", "w", "Tell me")
    assert ran.code == 0
    assert "is not kept" in ran.err
    deepsel("Tell me, too")
    kept = b"".join(path.read_bytes() for path in (home / "data").glob("conversations.sqlite*"))
    assert key.encode() not in kept
