"""What the plan found out about each line, kept in a file without a name: 31 bytes a line, in the order of the lines."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator

from deepsel.records import NamedTuple
from deepsel.values import TASKS

_FORM = struct.Struct("<qqq?bfb")
_UNKNOWN = -1
_BLOCK = 4096


class Note(NamedTuple):
    """What is known of a line before it is asked."""

    number: int
    expected_picousd: int | None = None
    """What it will probably cost; None: nobody knows."""
    worst_picousd: int | None = None
    """What it can cost at most."""
    is_duplicate: bool = False
    """Whether an earlier line has its id."""
    task: str | None = None
    """What it was judged to be; None: it was not."""
    difficulty: float | None = None
    lane: int = 0
    """The number of the lane it takes; 0: it is asked now."""


class Notes:
    """The notes of a job: added while it is planned, read while it runs."""

    def __init__(self) -> None:
        """Open the file."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the job

    def add(self, note: Note) -> None:
        """Append one."""
        expected, worst = (_UNKNOWN if one is None else one for one in note[1:3])
        task = _UNKNOWN if note.task is None else TASKS.index(note.task)
        self._file.write(_FORM.pack(note.number, expected, worst, note.is_duplicate, task, note.difficulty or 0.0, note.lane))

    def __iter__(self) -> Iterator[Note]:
        """Yield them all from the first."""
        self._file.seek(0)
        while block := self._file.read(_FORM.size * _BLOCK):
            for number, expected, worst, is_duplicate, task, difficulty, lane in _FORM.iter_unpack(block):
                is_judged = task != _UNKNOWN
                judged = (TASKS[task], float(difficulty)) if is_judged else (None, None)
                yield Note(number, _known(expected), _known(worst), is_duplicate, judged[0], judged[1], lane)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def _known(amount: int) -> int | None:
    return None if amount == _UNKNOWN else amount


class Ids:
    """The ids of a job, so that none is used twice; on disk, since there may be millions."""

    def __init__(self) -> None:
        """Open a database without a name."""
        import sqlite3

        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE ids (id TEXT PRIMARY KEY) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def is_new(self, name: str) -> bool:
        """Take an id; False where it was taken before."""
        text = name.encode("utf-8", "surrogatepass").hex() if not name.isascii() else name
        return self._database.execute("INSERT OR IGNORE INTO ids VALUES (?)", (text,)).rowcount > 0

    def close(self) -> None:
        """Give the database back."""
        self._database.close()
