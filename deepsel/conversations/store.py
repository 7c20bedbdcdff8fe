"""The file of conversations: begun, answered, read, deleted; each a transaction, so that several processes may talk at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from deepsel.conversations.asked import LoneQuestions
from deepsel.conversations.codec import read_messages, read_tools, write_messages, write_tools
from deepsel.conversations.records import Conversation, Turn
from deepsel.errors import OTHER_HOME, ConfigError
from deepsel.storage.sqlite import SqliteFile
from deepsel.values import Message, Tool

if TYPE_CHECKING:
    import sqlite3

_T = TypeVar("_T")
FILE_NAME = "conversations.sqlite"
"""In the data folder."""
STEPS = (
    (
        "CREATE TABLE conversations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, last_at REAL NOT NULL, origin TEXT UNIQUE)",
        "CREATE TABLE turns (conversation INTEGER NOT NULL REFERENCES conversations (id), number INTEGER NOT NULL, "
        "at REAL NOT NULL, asked TEXT NOT NULL, tools TEXT NOT NULL, answer TEXT, model TEXT NOT NULL DEFAULT '', "
        "provider TEXT NOT NULL DEFAULT '', finish TEXT NOT NULL DEFAULT '', cost_usd TEXT, "
        "PRIMARY KEY (conversation, number))",
    ),
)
_COLUMNS = "number, at, asked, tools, answer, model, provider, finish, cost_usd"


class Conversations:
    """The conversations of one user in `folder`, made on the first write. Raises ConfigError where the file cannot be used."""

    def __init__(self, folder: Path, *, keep_s: float) -> None:
        """Touch nothing yet; those without a name end `keep_s` after their last turn."""
        self._file = SqliteFile(
            folder / FILE_NAME, STEPS, name="the file of conversations", code="conversations_unavailable",
            repair="move it away to begin anew",
        )  # fmt: skip
        self._keep_s = keep_s
        self._asked = LoneQuestions(folder, keep_s=keep_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    # --- writing ------------------------------------------------------------------------------------------------------

    def begin(
        self, which: int | str | None, asked: Sequence[Message], *, tools: Sequence[Tool] = (), at: float
    ) -> tuple[int, int]:
        """Note a question before it is asked; return the numbers of its conversation and turn.

        `which` is a conversation's number, the name of one that is made where there is none, or None for a new one without a
        name. Whatever has ended is removed on the way.
        """

        self._take_asked(at)

        def work(database: sqlite3.Connection) -> tuple[int, int]:
            self._drop_ended(database, at)
            number = which if isinstance(which, int) else _id_of(database, which) if which else None
            if number is None or not database.execute("SELECT 1 FROM conversations WHERE id = ?", (number,)).fetchone():
                name = which if isinstance(which, str) else None
                number = database.execute("INSERT INTO conversations (name, last_at) VALUES (?, ?)", (name, at)).lastrowid
            database.execute("UPDATE conversations SET last_at = ? WHERE id = ?", (at, number))
            turn = database.execute(
                "INSERT INTO turns (conversation, number, at, asked, tools) SELECT ?, 1 + COALESCE(MAX(number), 0), ?, ?, ? "
                "FROM turns WHERE conversation = ? RETURNING number",
                (number, at, write_messages(asked), write_tools(tools), number),
            ).fetchone()[0]
            assert number is not None, "it was found or made"
            return number, turn

        return self._write(work)

    def end(self, which: tuple[int, int], turn: Turn) -> None:
        """Keep what came of a question; where its conversation was deleted meanwhile nothing is."""

        def work(database: sqlite3.Connection) -> None:
            answer = None if turn.answer is None else write_messages([turn.answer])
            cost = None if turn.cost_usd is None else f"{turn.cost_usd:f}"
            row = (answer, turn.model, turn.provider, turn.finish, cost, turn.at, *which)
            database.execute(
                "UPDATE turns SET answer = ?, model = ?, provider = ?, finish = ?, cost_usd = ?, at = ? "
                "WHERE conversation = ? AND number = ?",
                row,
            )
            database.execute("UPDATE conversations SET last_at = MAX(last_at, ?) WHERE id = ?", (turn.at, which[0]))

        self._write(work)

    def delete(self, which: Sequence[int]) -> None:
        """Remove conversations with all their turns."""

        def work(database: sqlite3.Connection) -> None:
            _delete(database, which)

        self._write(work)

    # --- reading ------------------------------------------------------------------------------------------------------

    def every(self, *, at: float) -> list[Conversation]:
        """Return all that have not ended, the last one first."""
        return self._those("1", (), at=at)

    def find(self, called: str, *, at: float) -> Conversation | None:
        """Return the one of a name, or of a number; None where there is none."""
        return next(iter(self._those("name = ? OR CAST(id AS TEXT) = ? LIMIT 1", (called, called), at=at)), None)

    def last(self, *, at: float) -> Conversation | None:
        """Return the one with the last turn; None where there is none."""
        return next(iter(self._those("1 ORDER BY last_at DESC, id DESC LIMIT 1", (), at=at)), None)

    def _those(self, which: str, values: tuple[object, ...], *, at: float) -> list[Conversation]:
        """Read those that a condition, with its order and limit, chooses of the ones that have not ended."""
        self._take_asked(at)
        kept = "SELECT * FROM conversations WHERE name IS NOT NULL OR last_at >= ? ORDER BY last_at DESC, id DESC"
        statement = f"SELECT id, name, last_at FROM ({kept}) WHERE {which}"  # noqa: S608 - one of the conditions above

        def work(database: sqlite3.Connection) -> list[Conversation]:
            rows = database.execute(statement, (at - self._keep_s, *values)).fetchall()
            return [Conversation(number, name, last_at, _turns(database, number)) for number, name, last_at in rows]

        return self._read(work, empty=[])

    # --- within -------------------------------------------------------------------------------------------------------

    def _take_asked(self, at: float) -> None:
        """Make a conversation of each question that was asked by itself and has not ended. Raises ConfigError."""

        def use(rows: Sequence[Mapping[str, Any]]) -> None:
            def work(database: sqlite3.Connection) -> None:
                for row in rows:
                    with suppress(KeyError, TypeError):  # a line that is none of ours
                        if row["at"] >= at - self._keep_s:
                            (_copy if "again" in row else _insert)(database, row)

            self._write(work)

        try:
            self._asked.take(use)
        except OSError as error:
            words = (error.strerror or str(error)).lower()
            raise ConfigError(f"what was asked last cannot be read: {words}", OTHER_HOME) from error

    def _drop_ended(self, database: sqlite3.Connection, at: float) -> None:
        rows = database.execute(
            "SELECT id FROM conversations WHERE name IS NULL AND last_at < ?", (at - self._keep_s,)
        ).fetchall()
        _delete(database, [row[0] for row in rows])

    def _write(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        told = self._file.write(work)
        if told.notices:
            raise ConfigError(told.notices[0].message, OTHER_HOME)
        return told.value  # type: ignore[return-value]  # without notices it is what the work gave

    def _read(self, work: Callable[[sqlite3.Connection], _T], *, empty: _T) -> _T:
        told = self._file.read(work, empty=empty)
        if told.notices or told.value is None:
            raise ConfigError(told.notices[0].message, OTHER_HOME)
        return told.value


def _insert(database: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    """Make a conversation of one question; once, however often it is handed on."""
    values = (row["asked"], row["tools"], row["answer"], row["model"], row["provider"], row["finish"], row["cost_usd"])
    made = database.execute("INSERT OR IGNORE INTO conversations (last_at, origin) VALUES (?, ?)", (row["at"], row["id"]))
    if made.rowcount:
        database.execute(f"INSERT INTO turns (conversation, {_COLUMNS}) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?)", (made.lastrowid, row["at"], *values))  # noqa: E501, S608


def _copy(database: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    """Begin anew with a question that was asked again, at no cost; one that is not there any more is let be."""
    found = database.execute(
        "SELECT turns.* FROM turns JOIN conversations ON id = conversation WHERE origin = ? AND number = 1", (row["again"],)
    ).fetchone()
    if found is not None:
        made = database.execute("INSERT INTO conversations (last_at) VALUES (?)", (row["at"],)).lastrowid
        marks = ", ".join("?" * len(found))
        database.execute(f"INSERT INTO turns VALUES ({marks})", (made, 1, row["at"], *found[3:-1], "0"))  # noqa: S608 - marks alone


def _id_of(database: sqlite3.Connection, name: str) -> int | None:
    row = database.execute("SELECT id FROM conversations WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def _turns(database: sqlite3.Connection, which: int) -> tuple[Turn, ...]:
    rows = database.execute(f"SELECT {_COLUMNS} FROM turns WHERE conversation = ? ORDER BY number", (which,))  # noqa: S608
    return tuple(
        Turn(
            number, at, read_messages(asked), read_tools(tools), read_messages(answer)[0] if answer else None,
            model, provider, finish, None if cost is None else Decimal(cost),
        )
        for number, at, asked, tools, answer, model, provider, finish, cost in rows
    )  # fmt: skip


def _delete(database: sqlite3.Connection, which: Sequence[int]) -> None:
    rows = [(one,) for one in which]
    database.executemany("DELETE FROM turns WHERE conversation = ?", rows)
    database.executemany("DELETE FROM conversations WHERE id = ?", rows)
