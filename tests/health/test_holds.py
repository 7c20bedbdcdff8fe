"""Budgets: what is held before sending counts, is settled once, and runs out with its process."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel.health.holds import Budgets, hold, left_of
from deepsel.health.log import Observation, ObservationLog, picousd

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = Budgets("main", daily_usd=Decimal("1.00"))


def _bill(cost: str, *, at: datetime = AT) -> Observation:
    return Observation(at.timestamp(), "main", "p", "m", "chat", "ok", cost_picousd=picousd(Decimal(cost)))


def _left(log: ObservationLog, budgets: Budgets = DAY, at: datetime = AT) -> Decimal:
    left = log.database.read(lambda one: left_of(one, budgets, at=at), empty=None)
    assert left is not None
    return left.usd


def test_a_hold_counts_until_it_is_settled(tmp_path: Path) -> None:
    """What is held is as good as spent; the bill takes its place."""
    log = ObservationLog(tmp_path)
    held = hold(log.database, DAY, Decimal("0.40"), at=AT, ttl_s=60)
    assert held is not None
    assert _left(log) == Decimal("0.60")
    refused = hold(log.database, DAY, Decimal("0.61"), at=AT, ttl_s=60)
    assert refused is not None
    assert refused.hold is None
    assert refused.refusal == "could cost $0.61, and there is $0.60 left of the daily budget of $1.00"
    log.add([_bill("0.05")], hold=held.hold)
    assert _left(log) == Decimal("0.95")


def test_a_hold_can_grow(tmp_path: Path) -> None:
    """A fall-back replaces what its request held before, and is not hindered by it."""
    log = ObservationLog(tmp_path)
    first = hold(log.database, DAY, Decimal("0.90"), at=AT, ttl_s=60)
    assert first is not None
    second = hold(log.database, DAY, Decimal("0.95"), at=AT, ttl_s=60, replaces=first.hold)
    assert second is not None
    assert second.hold == first.hold
    assert _left(log) == Decimal("0.05")


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    """A hold whose time is over is free again, without anybody's doing."""
    log = ObservationLog(tmp_path)
    hold(log.database, DAY, Decimal("1"), at=AT, ttl_s=60)
    assert _left(log) == 0
    assert _left(log, at=AT + timedelta(seconds=61)) == 1
    later = hold(log.database, DAY, Decimal("1"), at=AT + timedelta(seconds=61), ttl_s=60)
    assert later is not None
    assert later.hold is not None


def test_the_tighter_budget_holds(tmp_path: Path) -> None:
    """The month counts from its first day, the day from midnight UTC; the one with less left decides."""
    log = ObservationLog(tmp_path)
    log.add([_bill("0.90", at=AT - timedelta(days=3)), _bill("9", at=AT - timedelta(days=30)), _bill("0.2")])
    both = Budgets("main", daily_usd=Decimal(1), monthly_usd=Decimal("1.50"))
    left = log.database.read(lambda one: left_of(one, both, at=AT), empty=None)
    assert left is not None
    assert (left.usd, left.words) == (Decimal("0.40"), "$0.40 left of the monthly budget of $1.50")
    assert _left(log) == Decimal("0.80")


def test_unknown_bills_count_with_what_is_assumed(tmp_path: Path) -> None:
    """A call nobody can price takes the most it may have cost from the budget, and stays unknown in the log."""
    log = ObservationLog(tmp_path)
    unknown = Observation(AT.timestamp(), "main", "p", "m", "chat", "failed", "stalled")
    log.add([unknown], assumed_picousd=picousd(Decimal("0.30")) or 0)
    assert _left(log) == Decimal("0.70")
    assert (log.since(0) or [])[0].cost_picousd is None


def test_twenty_processes_do_not_overspend(tmp_path: Path) -> None:
    """Of 100 requests of $0.15 from twenty threads in five processes six fit under $1, however they interleave."""
    code = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from datetime import *; from decimal import *\n"
        "from pathlib import Path; from deepsel.health.holds import Budgets, hold\n"
        "from deepsel.health.log import Observation, ObservationLog\n"
        "log, budgets = ObservationLog(Path(sys.argv[1])), Budgets('main', daily_usd=Decimal(1))\n"
        "at = datetime(2026, 11, 24, 12, tzinfo=UTC)\n"
        "def ask(_):\n"
        "    held = hold(log.database, budgets, Decimal('0.15'), at=at, ttl_s=60)\n"
        "    if held.hold is None: return 0\n"
        "    bill = Observation(at.timestamp(), 'main', 'p', 'm', 'chat', 'ok', cost_picousd=15 * 10**10)\n"
        "    log.add([bill], hold=held.hold)\n"
        "    return 1\n"
        "with ThreadPoolExecutor(4) as pool: print(sum(pool.map(ask, range(20))))\n"
        "assert not log.notices()\n"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    assert sum(int(one.communicate(timeout=60)[0]) for one in workers) == 6
    assert _left(ObservationLog(tmp_path)) == Decimal("0.10")


@settings(max_examples=30, deadline=None)
@given(wishes=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60), st.booleans()), max_size=12))
def test_spend_never_exceeds_the_budget(wishes: list[tuple[int, int, bool]]) -> None:
    """Whatever is asked and billed (a bill is at most its projection), holds and spend stay under the budget."""
    with TemporaryDirectory() as folder:
        log = ObservationLog(Path(folder))
        for worst, bill, settles in wishes:
            held = hold(log.database, DAY, Decimal(worst) / 100, at=AT, ttl_s=60)
            assert held is not None
            if held.hold is not None and settles:
                log.add([_bill(str(Decimal(min(worst, bill)) / 100))], hold=held.hold)
            assert _left(log) >= 0
            spent = log.spent("main", at=AT)
            assert spent is not None
            assert spent.day_usd <= 1
