"""The observation log: sums exactly, survives many writers, and is never a failed command."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from deepsel.health.endpoint import Endpoint
from deepsel.health.log import KEPT_S, Observation
from deepsel.health.sqlite_state import SqliteState
from deepsel.storage.amounts import picousd

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)


def _seen(cost: str | None, *, at: float = 10.0, profile: str = "main") -> Observation:
    return Observation(
        at=MIDNIGHT.timestamp() + at,
        profile=profile,
        provider="deepseek",
        model="deepseek-flash",
        task="chat",
        outcome="ok",
        cost_picousd=picousd(None if cost is None else Decimal(cost)),
    )


def test_sums_exactly_what_a_profile_spent(tmp_path: Path) -> None:
    """Only the profile's own costs count, by day and month in UTC, to the last digit; unknown ones add nothing."""
    state = SqliteState(tmp_path)
    state.add([_seen("0.1"), _seen("0.2"), _seen("0.000000000001"), _seen(None)])
    state.add([_seen("5", at=-1), _seen("7", profile="other"), _seen("11", at=-30 * 86_400)])
    spent, notices = state.spend("main", at=MIDNIGHT + timedelta(hours=1))
    assert spent == (Decimal("0.300000000001"), Decimal("5.300000000001"), 0, 0)
    assert notices == ()


def test_nothing_logged_is_nothing_spent(tmp_path: Path) -> None:
    """A user who has asked nothing has spent nothing, and reading makes no file."""
    assert SqliteState(tmp_path / "never").spend("main", at=MIDNIGHT) == ((0, 0, 0, 0), ())
    assert not (tmp_path / "never").exists()


def test_broken_log_is_unknown_spend_and_a_notice(tmp_path: Path) -> None:
    """A file that is no database gives None, not 0, and says so to everyone who asks."""
    (tmp_path / "observations.sqlite").write_bytes(b"no database at all" * 100)
    state = SqliteState(tmp_path)
    for value, notices in (
        (None, state.add([_seen("1")])),
        state.spend("main", at=MIDNIGHT),
        state.since(0),
    ):
        assert value is None
        assert [notice.code for notice in notices] == ["log_unavailable"]
        assert "observations.sqlite" in notices[0].message


def test_file_of_the_first_form_is_carried_over(tmp_path: Path) -> None:
    """What the first releases wrote is kept, hits are known as such, and spend goes on from what it was."""
    columns = Observation._fields[:16]
    with closing(sqlite3.connect(tmp_path / "observations.sqlite")) as old, old:
        old.execute(f"CREATE TABLE observations ({', '.join(columns)})")
        old.execute("CREATE INDEX observations_by_time ON observations (at)")
        for row in (_seen("0.5"), _seen("0")._replace(outcome="hit")):
            old.execute(f"INSERT INTO observations VALUES ({', '.join('?' * 16)})", row[:16])
    state = SqliteState(tmp_path)
    assert state.spend("main", at=MIDNIGHT).value == (Decimal("0.5"), Decimal("0.5"), 0, 0)
    state.add([_seen("0.25")])
    assert state.spend("main", at=MIDNIGHT).value == (Decimal("0.75"), Decimal("0.75"), 0, 0)
    assert [row.cache_status for row in state.since(0).value or []] == ["off", "hit", "off"]


def test_is_pruned_by_age_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is older than the limit goes, and of the rest only so many stay; the month's spend does not shrink by it."""
    monkeypatch.setattr("deepsel.health.log.KEPT_ROWS", 300)
    state = SqliteState(tmp_path)
    state.add([_seen("1", at=-KEPT_S - 1), *(_seen("0.01") for _ in range(1000))])
    kept = state.since(0).value or []
    assert len(kept) == 300
    assert min(row.at for row in kept) > MIDNIGHT.timestamp()
    assert state.spend("main", at=MIDNIGHT).value == (10, 10, 0, 0)


def test_log_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Nobody else can read what was asked when."""
    state = SqliteState(tmp_path / "data")
    state.add([_seen("1")])
    assert (tmp_path / "data" / "observations.sqlite").stat().st_mode & 0o077 == 0


def test_processes_write_at_once_without_loss(tmp_path: Path) -> None:
    """Four processes adding 25 observations each leave 100."""
    code = (
        "import sys; from pathlib import Path; from deepsel.health.log import Observation\n"
        "from deepsel.health.sqlite_state import SqliteState\n"
        "state = SqliteState(Path(sys.argv[1]))\n"
        "one = Observation(1e9, 'main', 'p', 'm', 'chat', 'ok', cost_picousd=1)\n"
        "assert not any(state.add([one]) for _ in range(25))\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(4)]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0, 0]
    state = SqliteState(tmp_path)
    assert state.spend("main", at=datetime.fromtimestamp(1e9, UTC)).value == (Decimal(100) / 10**12, Decimal(100) / 10**12, 0, 0)
    assert len(state.since(0).value or []) == 100


def test_a_clock_that_ran_ahead_prunes_nothing_of_today(tmp_path: Path) -> None:
    """Rows and spend of the last calls stay, though one of another time is the one that prunes."""
    state = SqliteState(tmp_path)
    state.add([_seen("0.01") for _ in range(199)])
    state.add([_seen("0.01", at=200 * 86_400.0)])
    assert len(state.since(0).value or []) == 200
    assert state.spend("main", at=MIDNIGHT).value == (Decimal("1.99"), Decimal("1.99"), 0, 0)


def test_the_last_call_is_no_future_one(tmp_path: Path) -> None:
    """A call that a clock ahead has noted keeps no model from being kept warm."""
    state = SqliteState(tmp_path)
    state.add([_seen("0"), _seen("0", at=86_400.0)])
    here = Endpoint("deepseek", "deepseek-flash")
    assert state.last_call(here, at=MIDNIGHT.timestamp() + 20).value == MIDNIGHT.timestamp() + 10


@pytest.mark.parametrize(
    "planted", ["cost_picousd = -5", "cost_picousd = 'x'", "at = 'x'", "at = 4e11", "model = x'fffe'", "ttft_s = 9e999"]
)
def test_a_row_that_is_not_ours_is_passed_over(tmp_path: Path, planted: str) -> None:
    """Whatever stands in one row, the others are read."""
    state = SqliteState(tmp_path)
    state.add([_seen("1"), _seen("2")])
    with closing(sqlite3.connect(tmp_path / "observations.sqlite")) as database, database:
        database.execute(f"UPDATE observations SET {planted} WHERE rowid = 1")
    assert [row.cost_picousd for row in state.since(0).value or []] == [2 * 10**12]


def test_damaged_text_is_read_with_replacements(tmp_path: Path) -> None:
    """Bytes that are no text cost no row."""
    state = SqliteState(tmp_path)
    state.add([_seen("1"), _seen("2")])
    with closing(sqlite3.connect(tmp_path / "observations.sqlite")) as database, database:
        database.execute("UPDATE observations SET task = CAST(x'ff41' AS TEXT) WHERE rowid = 1")
    assert [row.task for row in state.since(0).value or []] == ["\ufffdA", "chat"]
