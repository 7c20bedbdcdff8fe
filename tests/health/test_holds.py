"""Budgets: what is held before sending counts, is settled once, and runs out with its process."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
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


def test_what_a_dead_process_held_counts_as_spent(tmp_path: Path) -> None:
    """A hold whose time is over was sent, as far as anybody knows: it counts on its day and in its month, told apart."""
    state = SqliteState(tmp_path)
    _hold(state, "0.60")
    state.add([_bill("0.10")])
    later = AT + timedelta(seconds=61)
    assert (_left(state), _left(state, at=later)) == (Decimal("0.30"), Decimal("0.30"))
    assert state.spend("main", at=AT).value == (Decimal("0.10"), Decimal("0.10"), 0, 0)
    assert state.spend("main", at=later).value == (Decimal("0.70"), Decimal("0.70"), Decimal("0.60"), Decimal("0.60"))
    assert [one.usd for one in state.unsettled(0, at=later.timestamp()).value or []] == [Decimal("0.60")]
    assert _hold(state, "0.31", at=later).hold is None
    tomorrow = AT + timedelta(days=1)
    assert state.spend("main", at=tomorrow).value == (0, Decimal("0.70"), 0, Decimal("0.60"))
    assert _left(state, at=tomorrow) == 1


def test_a_late_bill_takes_the_place_of_what_was_held(tmp_path: Path) -> None:
    """A process that was stopped for longer than its time settles with its bill, and asks on without its own hold."""
    state = SqliteState(tmp_path)
    first = _hold(state, "0.90")
    late = AT + timedelta(hours=2)
    assert _hold(state, "0.20", at=late).hold is None
    again = _hold(state, "0.95", at=late, replaces=first.hold)
    assert again.hold == first.hold
    state.add([_bill("0.05")], hold=again.hold)
    assert state.spend("main", at=late).value == (Decimal("0.05"), Decimal("0.05"), 0, 0)


@pytest.mark.parametrize("ahead", [timedelta(days=30), timedelta(days=4000)], ids=str)
def test_a_hold_of_a_clock_that_ran_ahead_closes_no_budget(tmp_path: Path, ahead: timedelta) -> None:
    """It counts on the day its clock said, which is no reason to ask nothing until then; so does a bill."""
    state = SqliteState(tmp_path)
    _hold(state, "1", at=AT + ahead)
    state.add([_bill("7", at=AT + ahead)])
    assert _left(state) == 1
    assert _left(state, at=AT + ahead) == 0


@pytest.mark.parametrize("planted", ["-1000000000000", "'x'", "1e300"])
@pytest.mark.parametrize("table", ["spend", "holds"])
def test_money_that_is_no_amount_is_unknown_and_refuses(tmp_path: Path, table: str, planted: str) -> None:
    """A sum that was planted or damaged neither lifts nor shrinks a budget: what is left is unknown, and that is said."""
    state = SqliteState(tmp_path)
    state.add([_bill("0.50")])
    _hold(state, "0.10")
    with closing(sqlite3.connect(tmp_path / "observations.sqlite")) as database, database:
        database.execute(f"UPDATE {table} SET picousd = {planted}")
    known = state.outlook([], task="chat", thresholds=Thresholds(3, 0.5, 300, 5, 300), budgets=DAY, at=AT)
    assert (known.left, known.is_readable) == (None, False)
    held, notices = state.hold(DAY, Decimal("0.01"), at=AT, ttl_s=60)
    assert held is None
    assert "deepsel stats --repair" in notices[0].message
    assert state.add([_bill("0.50")]) == ()
    assert state.spend("main", at=AT).value is None, "a new bill makes no sum of what was none"


def test_a_bill_beyond_any_counts_as_the_most_there_is(tmp_path: Path) -> None:
    """What no store has room for is kept as the most that it has room for, day after day, and never as nothing."""
    state = SqliteState(tmp_path)
    for _ in range(30):
        assert state.add([_bill("1e25")]) == ()
    spent = state.spend("main", at=AT).value
    assert spent is not None
    assert spent.day_usd == 9_000_000


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
