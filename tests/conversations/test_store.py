"""The file of conversations: what is begun, answered, ended and deleted, by one process or several."""

from __future__ import annotations

import stat
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from deepsel.conversations.records import Turn
from deepsel.conversations.store import FILE_NAME, Conversations
from deepsel.errors import ConfigError
from deepsel.values import Message

KEEP_S = 100.0


def _said(text: str) -> tuple[Message, ...]:
    return (Message.of("user", text),)


def _answer(text: str, cost: str | None = "0.1", at: float = 0.0) -> Turn:
    return Turn(0, at, (), (), Message.of("assistant", text), "m", "p", "complete", None if cost is None else Decimal(cost))


def _turn(store: Conversations, which: int | str | None, text: str, at: float = 0.0) -> int:
    place = store.begin(which, _said(text), at=at)
    store.end(place, _answer(text.upper(), at=at))
    return place[0]


def test_turns_follow_each_other(tmp_path: Path) -> None:
    """Questions and answers come back in order, with the sum of what they cost; the file is the owner's alone."""
    with Conversations(tmp_path / "data", keep_s=KEEP_S) as store:
        number = _turn(store, None, "a", at=1)
        assert _turn(store, number, "b", at=2) == number
        found = store.last(at=3)
    assert found is not None
    assert [message.text for message in found.messages] == ["a", "A", "b", "B"]
    assert [message.role for message in found.messages] == ["user", "assistant"] * 2
    assert (found.cost_usd, found.has_unknown_cost, found.last_at) == (Decimal("0.2"), False, 2)
    path = tmp_path / "data" / FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_question_without_an_answer_is_kept_and_not_sent_on(tmp_path: Path) -> None:
    """What a crash leaves is shown, its cost is not known, and the next turn goes on from the last answer."""
    store = Conversations(tmp_path, keep_s=KEEP_S)
    number = _turn(store, "w", "a")
    store.begin(number, _said("lost"), at=1)  # and then the process dies
    again = Conversations(tmp_path, keep_s=KEEP_S)
    _turn(again, "w", "b", at=2)
    found = again.find("w", at=3)
    assert found is not None
    assert [turn.number for turn in found.turns] == [1, 2, 3]
    assert [message.text for message in found.messages] == ["a", "A", "b", "B"]
    assert found.has_unknown_cost


def test_unnamed_ones_end_and_named_ones_stay(tmp_path: Path) -> None:
    """After its time an unnamed one is neither found nor, once something is written, in the file."""
    store = Conversations(tmp_path, keep_s=KEEP_S)
    unnamed = _turn(store, None, "secret words", at=0)
    _turn(store, "named", "b", at=0)
    assert store.find(str(unnamed), at=KEEP_S) is not None
    assert store.find(str(unnamed), at=KEEP_S + 1) is None
    assert [one.name for one in store.every(at=1e6)] == ["named"]
    _turn(store, None, "later", at=1e6)
    store._file.write(lambda database: database.execute("PRAGMA wal_checkpoint(TRUNCATE)"))
    rows = store._file.read(lambda database: database.execute("SELECT asked FROM turns").fetchall(), empty=[]).value or []
    assert not any("secret words" in row[0] for row in rows)


def test_a_system_message_is_replaced_by_a_later_one(tmp_path: Path) -> None:
    """Only the last one is sent, and it comes first."""
    store = Conversations(tmp_path, keep_s=KEEP_S)
    for number, text in enumerate(("one", "two")):
        place = store.begin("w", (Message.of("system", text), *_said("q")), at=number)
        store.end(place, _answer("a", at=number))
    found = store.find("w", at=3)
    assert found is not None
    assert [(message.role, message.text) for message in found.messages][:2] == [("system", "two"), ("user", "q")]
    assert [message.role for message in found.messages].count("system") == 1


def test_a_replayed_question_begins_anew(tmp_path: Path) -> None:
    """Its first turn is copied at no cost; one that is gone is no error."""
    store = Conversations(tmp_path, keep_s=KEEP_S)
    first = _turn(store, None, "a", at=1)
    _turn(store, first, "b", at=2)
    store.begin_again(first, at=3)
    store.begin_again(99, at=3)
    found = store.last(at=4)
    assert found is not None
    assert found.id != first
    assert ([message.text for message in found.messages], found.cost_usd) == (["a", "A"], Decimal(0))


def test_two_at_once_lose_nothing(tmp_path: Path) -> None:
    """Turns of several writers get numbers of their own, and every answer stands with its question."""

    def talk(name: str) -> None:
        store = Conversations(tmp_path, keep_s=KEEP_S)
        for number in range(10):
            _turn(store, "shared", f"{name}{number}")

    threads = [threading.Thread(target=talk, args=(name,)) for name in "xy"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = Conversations(tmp_path, keep_s=KEEP_S).find("shared", at=1)
    assert found is not None
    assert [turn.number for turn in found.turns] == list(range(1, 21))
    assert all(turn.answer and turn.answer.text == turn.asked[0].text.upper() for turn in found.turns)


def test_deleted_ones_are_gone(tmp_path: Path) -> None:
    """With their turns; an answer that comes later is kept nowhere."""
    store = Conversations(tmp_path, keep_s=KEEP_S)
    place = store.begin("w", _said("a"), at=0)
    store.delete([place[0]])
    store.end(place, _answer("A"))
    assert store.every(at=0) == []


def test_a_damaged_file_is_an_error_with_words(tmp_path: Path) -> None:
    """Not a traceback, and nothing is written over it."""
    (tmp_path / FILE_NAME).write_bytes(b"not a database" * 400)
    (tmp_path / FILE_NAME).chmod(0o600)
    store = Conversations(tmp_path, keep_s=KEEP_S)
    with pytest.raises(ConfigError, match="conversations"):
        store.every(at=0)
    assert (tmp_path / FILE_NAME).read_bytes().startswith(b"not a database")
