"""The observation log: sums exactly, survives many writers, and is never a failed command."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from deepsel.health import Observation, ObservationLog
from deepsel.health.log import picousd

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


def test_sums_exactly_what_a_profile_spent_since(tmp_path: Path) -> None:
    """Only the profile's own costs count, from the instant on, to the last digit; unknown ones add nothing."""
    log = ObservationLog(tmp_path)
    log.add([_seen("0.1"), _seen("0.2"), _seen("0.000000000001"), _seen(None)])
    log.add([_seen("5", at=-1), _seen("7", profile="other")])
    assert log.spent_usd("main", since=MIDNIGHT) == Decimal("0.300000000001")
    assert log.notices() == []


def test_nothing_logged_is_nothing_spent(tmp_path: Path) -> None:
    """A user who has asked nothing has spent nothing."""
    assert ObservationLog(tmp_path / "never").spent_usd("main", since=MIDNIGHT) == 0


def test_broken_log_is_unknown_spend_and_one_notice(tmp_path: Path) -> None:
    """A file that is no database gives None, not 0, and says so once."""
    (tmp_path / "observations.sqlite").write_bytes(b"no database at all" * 100)
    log = ObservationLog(tmp_path)
    log.add([_seen("1")])
    assert log.spent_usd("main", since=MIDNIGHT) is None
    assert [notice.code for notice in log.notices()] == ["log_unavailable"]
    assert log.notices() == []


def test_log_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Nobody else can read what was asked when."""
    log = ObservationLog(tmp_path / "data")
    log.add([_seen("1")])
    assert (tmp_path / "data" / "observations.sqlite").stat().st_mode & 0o077 == 0


def test_processes_write_at_once_without_loss(tmp_path: Path) -> None:
    """Four processes adding 25 observations each leave 100."""
    code = (
        "import sys; from pathlib import Path; from deepsel.health import *\n"
        "log = ObservationLog(Path(sys.argv[1]))\n"
        "for _ in range(25): log.add([Observation(1e9, 'main', 'p', 'm', 'chat', 'ok', cost_picousd=1)])\n"
        "assert not log.notices()\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(4)]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0, 0]
    total = ObservationLog(tmp_path).spent_usd("main", since=datetime(2000, 1, 1, tzinfo=UTC))
    assert total == Decimal(100) / 10**12
