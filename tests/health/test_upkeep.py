"""A damaged log is found and put right: what can be read is saved, what a budget needs is never lost without a word."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from deepsel.health.holds import Budgets
from deepsel.health.log import Observation
from deepsel.health.sqlite_state import SqliteState
from deepsel.health.upkeep import verify

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
BUDGET = Budgets("main", daily_usd=Decimal(5))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of forty calls at a cent each, and a reservation of a dollar."""
    with SqliteState(tmp_path) as state:
        bill = Observation(AT.timestamp(), "main", "p", "m", "chat", "ok", cost_picousd=10**10)
        state.add([bill] * 40)
        state.hold(BUDGET, Decimal(1), at=AT, ttl_s=60)
    return tmp_path


def _spent(folder: Path) -> Decimal | None:
    with SqliteState(folder) as state:
        found = state.spend("main", at=AT.replace(hour=20)).value
        return None if found is None else found.day_usd


def _sql(*statements: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database, database:
            for statement in statements:
                database.execute(statement)

    return damage


def _broken_schema(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    place = raw.find(b"CREATE INDEX observations_by_time")
    raw[place] = 0x58
    raw[raw.rfind(b"observations_by_time", 0, place)] = 0xD6
    path.write_bytes(raw)


def _written(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nonexistent/x")


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "schema": (_broken_schema, "1.40"),
    "form": (_sql("PRAGMA user_version = -1"), "1.40"),
    "no spend": (_sql("DROP TABLE spend"), "1.40"),
    "no holds": (_sql("DROP TABLE holds"), "0.40"),
    "no column": (_sql("ALTER TABLE observations DROP COLUMN trace_id"), "1.40"),
    "negative spend": (_sql("UPDATE spend SET picousd = -9"), "1.40"),
    "text for a hold": (_sql("UPDATE holds SET picousd = 'x'"), "0.40"),
    "a trigger": (_sql("CREATE TRIGGER t BEFORE INSERT ON observations BEGIN SELECT RAISE(ABORT, 'no'); END"), "1.40"),
    "rows of other types": (_sql("UPDATE observations SET at = 'x' WHERE rowid < 5"), "1.40"),
    "no database": (lambda path: _written(path, b"no database" * 999), "0"),
    "half": (lambda path: os.truncate(path, path.stat().st_size // 2), ""),
    "a pipe": (_pipe, "0"),
    "a link to nothing": (_link_to_nothing, "0"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_can_be_read_is_saved(folder: Path, name: str) -> None:
    """After the repair the log is whole, spend is what it was as far as anybody can know it, and the damaged file is kept."""
    damage, spent = DAMAGES[name]
    damage(folder / "observations.sqlite")
    assert verify(folder, repairs=False, at=AT).problems
    verdict = verify(folder, repairs=True, at=AT)
    assert verdict.kept_as is not None
    assert os.path.lexists(verdict.kept_as)
    assert verify(folder, repairs=True, at=AT).problems == ()
    assert spent == "" or _spent(folder) == Decimal(spent)
    with SqliteState(folder) as state:
        assert state.hold(BUDGET, Decimal("0.01"), at=AT, ttl_s=60).notices == ()
    assert not [path for path in folder.iterdir() if path.name.startswith(".new-")]


@pytest.mark.parametrize(("name", "is_told"), [("no database", True), ("negative spend", True), ("a trigger", False)])
def test_spend_that_is_lost_is_said_to_be(folder: Path, name: str, is_told: bool) -> None:
    """A budget that starts from less than what was spent does so with a word, and only then."""
    DAMAGES[name][0](folder / "observations.sqlite")
    assert any("budgets" in problem for problem in verify(folder, repairs=True, at=AT).problems) == is_told


def test_a_whole_log_is_left_alone(folder: Path) -> None:
    """Nothing is wrong, nothing is changed; and a user without a log has none afterwards."""
    before = (folder / "observations.sqlite").stat().st_ino
    assert verify(folder, repairs=True, at=AT) == ((), 0, None)
    assert (folder / "observations.sqlite").stat().st_ino == before
    assert verify(folder / "none", repairs=True, at=AT) == ((), 0, None)
    assert not (folder / "none").exists()
