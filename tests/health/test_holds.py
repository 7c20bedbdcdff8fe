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

from deepsel.health.cooldowns import Thresholds
from deepsel.health.holds import Budgets, Held, Left
from deepsel.health.log import Observation
from deepsel.health.sqlite_state import SqliteState
from deepsel.storage.amounts import picousd

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = Budgets("main", daily_usd=Decimal("1.00"))


def _bill(cost: str, *, at: datetime = AT) -> Observation:
    return Observation(at.timestamp(), "main", "p", "m", "chat", "ok", cost_picousd=picousd(Decimal(cost)))


def _left_of(state: SqliteState, budgets: Budgets, at: datetime = AT) -> Left:
    known = state.outlook([], task="chat", thresholds=Thresholds(3, 0.5, 300, 5, 300), budgets=budgets, at=at)
    assert known.left is not None
    return known.left


def _left(state: SqliteState, budgets: Budgets = DAY, at: datetime = AT) -> Decimal:
    return _left_of(state, budgets, at).usd


def _hold(state: SqliteState, amount: str, *, at: datetime = AT, replaces: int | None = None) -> Held:
    held, notices = state.hold(DAY, Decimal(amount), at=at, ttl_s=60, replaces=replaces)
    assert notices == ()
    return held


def test_a_hold_counts_until_it_is_settled(tmp_path: Path) -> None:
    """What is held is as good as spent; the bill takes its place."""
    state = SqliteState(tmp_path)
    held = _hold(state, "0.40")
    assert _left(state) == Decimal("0.60")
    refused = _hold(state, "0.61")
    assert refused.hold is None
    assert refused.refusal == "could cost $0.61, and there is $0.60 left of the daily budget of $1.00"
    state.add([_bill("0.05")], hold=held.hold)
    assert _left(state) == Decimal("0.95")


def test_a_hold_can_grow(tmp_path: Path) -> None:
    """A fall-back replaces what its request held before, and is not hindered by it."""
    state = SqliteState(tmp_path)
    first = _hold(state, "0.90")
    second = _hold(state, "0.95", replaces=first.hold)
    assert second.hold == first.hold
    assert _left(state) == Decimal("0.05")


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    """A hold whose time is over is free again, without anybody's doing."""
    state = SqliteState(tmp_path)
    _hold(state, "1")
    assert _left(state) == 0
    assert _left(state, at=AT + timedelta(seconds=61)) == 1
    later = _hold(state, "1", at=AT + timedelta(seconds=61))
    assert later.hold is not None


def test_the_tighter_budget_holds(tmp_path: Path) -> None:
    """The month counts from its first day, the day from midnight UTC; the one with less left decides."""
    state = SqliteState(tmp_path)
    state.add([_bill("0.90", at=AT - timedelta(days=3)), _bill("9", at=AT - timedelta(days=30)), _bill("0.2")])
    both = Budgets("main", daily_usd=Decimal(1), monthly_usd=Decimal("1.50"))
    left = _left_of(state, both)
    assert (left.usd, left.words) == (Decimal("0.40"), "$0.40 left of the monthly budget of $1.50")
    assert _left(state) == Decimal("0.80")


def test_unknown_bills_count_with_what_is_assumed(tmp_path: Path) -> None:
    """A call nobody can price takes the most it may have cost from the budget, and stays unknown in the log."""
    state = SqliteState(tmp_path)
    unknown = Observation(AT.timestamp(), "main", "p", "m", "chat", "failed", "stalled")
    state.add([unknown], assumed_picousd=picousd(Decimal("0.30")) or 0)
    assert _left(state) == Decimal("0.70")
    assert (state.since(0).value or [])[0].cost_picousd is None


def test_twenty_processes_do_not_overspend(tmp_path: Path) -> None:
    """Of 100 requests of $0.15 from twenty threads in five processes six fit under $1, however they interleave."""
    code = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from datetime import *; from decimal import *\n"
        "from pathlib import Path; from deepsel.health.holds import Budgets\n"
        "from deepsel.health.log import Observation; from deepsel.health.sqlite_state import SqliteState\n"
        "state, budgets = SqliteState(Path(sys.argv[1])), Budgets('main', daily_usd=Decimal(1))\n"
        "at = datetime(2026, 11, 24, 12, tzinfo=UTC)\n"
        "def ask(_):\n"
        "    held, notices = state.hold(budgets, Decimal('0.15'), at=at, ttl_s=60)\n"
        "    assert not notices\n"
        "    if held.hold is None: return 0\n"
        "    bill = Observation(at.timestamp(), 'main', 'p', 'm', 'chat', 'ok', cost_picousd=15 * 10**10)\n"
        "    state.add([bill], hold=held.hold)\n"
        "    return 1\n"
        "with ThreadPoolExecutor(4) as pool: print(sum(pool.map(ask, range(20))))\n"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    assert sum(int(one.communicate(timeout=60)[0]) for one in workers) == 6
    assert _left(SqliteState(tmp_path)) == Decimal("0.10")


@settings(max_examples=30, deadline=None)
@given(wishes=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60), st.booleans()), max_size=12))
def test_spend_never_exceeds_the_budget(wishes: list[tuple[int, int, bool]]) -> None:
    """Whatever is asked and billed (a bill is at most its projection), holds and spend stay under the budget."""
    with TemporaryDirectory() as folder:
        state = SqliteState(Path(folder))
        for worst, bill, settles in wishes:
            held = _hold(state, str(Decimal(worst) / 100))
            if held.hold is not None and settles:
                state.add([_bill(str(Decimal(min(worst, bill)) / 100))], hold=held.hold)
            assert _left(state) >= 0
            spent = state.spend("main", at=AT).value
            assert spent is not None
            assert spent.day_usd <= 1
