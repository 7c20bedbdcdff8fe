"""Opens the one SQLite file all processes of a user share and keeps its form current; knows no meaning of its tables.

The file is in WAL mode, so that readers and one writer never block each other; every piece of work opens, works and
closes. A file that cannot be used is one notice and None, never an exception. Amounts of money are whole millionths of a
millionth of a dollar (`picousd`), so that sums are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from deepsel.values import Notice

if TYPE_CHECKING:
    import sqlite3

_T = TypeVar("_T")
FILE_NAME = "observations.sqlite"
_BUSY_TIMEOUT_S = 5.0
_PICO = Decimal(10) ** 12

# What turns a file of version N into one of version N + 1. A step that has been published is never edited.
_STEPS = (
    (
        "CREATE TABLE IF NOT EXISTS observations (at, profile, provider, model, task, outcome, error_class, http_status, "
        "input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, cost_picousd, ttft_s, total_s, wait_s)",
        "CREATE INDEX IF NOT EXISTS observations_by_time ON observations (at)",
    ),
    (
        "ALTER TABLE observations ADD COLUMN number INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE observations ADD COLUMN host TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE observations ADD COLUMN cache_status TEXT NOT NULL DEFAULT 'off'",
        "ALTER TABLE observations ADD COLUMN saved_picousd INTEGER",
        "ALTER TABLE observations ADD COLUMN gateway_cache TEXT",
        "ALTER TABLE observations ADD COLUMN gateway_retries INTEGER",
        "ALTER TABLE observations ADD COLUMN trace_id TEXT",
        "UPDATE observations SET cache_status = 'hit' WHERE outcome = 'hit'",
        "CREATE INDEX observations_by_endpoint ON observations (provider, model, at)",
        "CREATE TABLE endpoints (provider TEXT, model TEXT, since REAL, samples INTEGER, ttft_p95_s REAL, "
        "error_rate REAL, probe_until REAL NOT NULL DEFAULT 0, healed_at REAL NOT NULL DEFAULT 0, "
        "PRIMARY KEY (provider, model))",
        "CREATE TABLE limits (provider TEXT, model TEXT, closed_until REAL NOT NULL DEFAULT 0, requests_left INTEGER, "
        "resets_at REAL NOT NULL DEFAULT 0, PRIMARY KEY (provider, model))",
        "CREATE TABLE holds (id INTEGER PRIMARY KEY AUTOINCREMENT, profile TEXT, expires_at REAL, picousd INTEGER)",
        "CREATE TABLE spend (profile TEXT, day TEXT, picousd INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (profile, day))",
        "INSERT INTO spend SELECT profile, date(at, 'unixepoch'), SUM(COALESCE(cost_picousd, 0)) FROM observations "
        "GROUP BY 1, 2",
    ),
)
VERSION = len(_STEPS)
"""Of the file's form, kept in its `user_version`; the files of the first releases say 0 and hold the first step."""


def picousd(cost_usd: Decimal | None) -> int | None:
    """Turn USD into the file's whole unit."""
    return None if cost_usd is None else int(cost_usd * _PICO)


def usd(amount: int | None) -> Decimal | None:
    """Turn the file's whole unit into USD."""
    return None if amount is None else Decimal(amount) / _PICO


class Database:
    """The file in `folder`, made on the first write. Thread-safe, since nothing is kept open."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._notices: list[Notice] = []

    def read(self, work: Callable[[sqlite3.Connection], _T], *, empty: _T) -> _T | None:
        """Do one piece of reading; `empty` where there is no file yet, None and a notice where it cannot be read."""
        return self._use(work) if self.path.exists() else empty

    def write(self, work: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """Do one piece of work in one transaction that no other writer can interrupt; None, and a notice, on failure."""

        def transact(database: sqlite3.Connection) -> _T:
            database.execute("BEGIN IMMEDIATE")
            with database:  # commits, or rolls back
                return work(database)

        return self._use(transact)

    def notices(self) -> list[Notice]:
        """Return, once, what went wrong with the file."""
        told, self._notices = self._notices, []
        return told

    def _use(self, work: Callable[[sqlite3.Connection], _T]) -> _T | None:
        import sqlite3

        try:
            if not self.path.exists():
                _create(self.path)
            with closing(_connect(self.path)) as database:
                if _version(database) < VERSION:
                    _bring_up_to_date(database)
                return work(database)
        except (sqlite3.Error, OSError, OverflowError) as error:
            if not self._notices:
                words = f"the observation log `{self.path}` cannot be used: {error}"
                self._notices.append(Notice("log_unavailable", words))
            return None


def _connect(path: Path) -> sqlite3.Connection:
    import sqlite3

    database = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
    # In WAL mode a power cut may cost the last commits with this, never the file; each sync costs some 5 ms.
    database.execute("PRAGMA synchronous = NORMAL")
    return database


def _create(path: Path) -> None:
    """Make the file whole, apart, and put it into its place; of processes that start together the first one's stays.

    SQLite does not wait for others when a file changes to WAL mode: it must not happen where others already look.
    """
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as folder:
        fresh = Path(folder) / path.name
        with closing(_connect(fresh)) as database:
            database.execute("PRAGMA journal_mode = WAL")
            _bring_up_to_date(database)
        fresh.chmod(0o600)
        with suppress(FileExistsError):
            path.hardlink_to(fresh)


def _version(database: sqlite3.Connection) -> int:
    """Read which form the file has."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def _bring_up_to_date(database: sqlite3.Connection) -> None:
    """Take every step the file has not taken yet; of several processes one does it, the others wait and find it done."""
    database.execute("BEGIN IMMEDIATE")
    with database:
        steps = _STEPS[_version(database) :]
        for statement in (statement for step in steps for statement in step):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {VERSION}")
