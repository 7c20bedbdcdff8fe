"""The file of conversations: what is begun, answered, ended and deleted, by one process or several."""

from __future__ import annotations

import stat
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from deepsel.conversations.asked import FOLDER, LoneQuestions
from deepsel.conversations.codec import write_messages
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


def _alone(folder: Path, text: str, *, at: float) -> str:
    """Keep a question that was asked by itself."""
    row = {"asked": write_messages(_said(text)), "tools": "[]", "answer": write_messages([Message.of("assistant", text.upper())])}
    rest = {"model": "m", "provider": "p", "finish": "complete", "cost_usd": "0.1"}
    return LoneQuestions(folder, keep_s=KEEP_S).keep({**row, **rest}, at=at)


def test_a_question_by_itself_is_a_conversation_of_one_turn(tmp_path: Path) -> None:
    """It is found once somebody looks, gone on with, and listed once; its file is the owner's alone, and gone then."""
    _alone(tmp_path, "a", at=1)
    [path] = (tmp_path / FOLDER).iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store = Conversations(tmp_path, keep_s=KEEP_S)
    found = store.last(at=2)
    assert found is not None
    assert ([message.text for message in found.messages], found.cost_usd) == (["a", "A"], Decimal("0.1"))
    _turn(store, found.id, "b", at=3)
    assert [[message.text for message in one.messages] for one in store.every(at=4)] == [["a", "A", "b", "B"]]
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_replayed_question_begins_anew(tmp_path: Path) -> None:
    """Its turn is copied at no cost, whether somebody has looked meanwhile or not; one that is gone is no error."""
    asked, store = LoneQuestions(tmp_path, keep_s=KEEP_S), Conversations(tmp_path, keep_s=KEEP_S)
    first = _alone(tmp_path, "a", at=1)
    asked.again(first, at=2)
    asked.again("gone", at=2)
    _alone(tmp_path, "b", at=3)
    assert [[message.text for message in one.messages] for one in store.every(at=4)] == [["b", "B"], ["a", "A"], ["a", "A"]]
    _turn(store, None, "c", at=5)
    asked.again(first, at=6)
    found = store.last(at=7)
    assert found is not None
    assert ([message.text for message in found.messages], found.cost_usd) == (["a", "A"], Decimal(0))


def test_questions_by_themselves_end(tmp_path: Path) -> None:
    """One whose time is over is not taken for a conversation, and its words are removed with the next question."""
    _alone(tmp_path, "secret words", at=0)
    assert Conversations(tmp_path / "other", keep_s=KEEP_S).last(at=1) is None
    for at in (KEEP_S + 1, 2 * KEEP_S + 3):
        _alone(tmp_path, "later", at=at)
    kept = b"".join(path.read_bytes() for path in (tmp_path / FOLDER).iterdir())
    assert b"secret words" not in kept
    found = Conversations(tmp_path, keep_s=KEEP_S).every(at=2 * KEEP_S + 3)
    assert [one.messages[0].text for one in found] == ["later"]


def test_what_is_damaged_among_them_is_passed_over(tmp_path: Path) -> None:
    """A line that was cut off, or is none of ours, costs itself alone; one that was handed on twice is there once."""
    _alone(tmp_path, "a", at=1)
    [path] = (tmp_path / FOLDER).iterdir()
    line = path.read_bytes()
    path.write_bytes(b'{"id": 1}\nno json\n[]\n' + line + line + line[:20])
    found = Conversations(tmp_path, keep_s=KEEP_S).every(at=2)
    assert [one.messages[0].text for one in found] == ["a"]


def test_those_who_ask_and_look_at_once_lose_nothing(tmp_path: Path) -> None:
    """Twenty questions of four threads, while another one looks again and again, are twenty conversations."""

    def ask(name: int) -> None:
        for number in range(5):
            _alone(tmp_path, f"{name} {number}", at=1)

    store, threads = Conversations(tmp_path, keep_s=KEEP_S), [threading.Thread(target=ask, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        store.every(at=1)
    assert len(store.every(at=1)) == 20


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
