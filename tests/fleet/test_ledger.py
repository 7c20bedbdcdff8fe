"""The ledger of a job on a real Redis server: each line is dealt once, paid for once, and ends once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis_support import RedisProcess

from deepsel.clock import SystemClock
from deepsel.fleet.ledger import Ended, LineLedger, OtherJob
from deepsel.fleet.server import FleetServer, FleetUnavailable

Opens: TypeAlias = Callable[..., LineLedger]


@pytest.fixture
def opens(redis: RedisProcess) -> Opens:
    """Opens a worker's view of a job."""
    server = FleetServer(redis.url, clock=SystemClock(), timeout_s=5.0)

    def make(owner: str = "a", name: str = "job", *, lines: int = 10, lease_s: float = 60.0) -> LineLedger:
        ledger = LineLedger(server, name, owner, lease_s=lease_s, keep_s=3600)
        ledger.join("hash", lines)
        return ledger

    return make


def _ended(line: int, amount: int | None = 5, *, text: bytes = b"{}", is_failed: bool = False) -> Ended:
    return Ended(line, text, amount, 1, is_failed, (("failed" if is_failed else "ok", 1), ("calls", 1)))


def _all_of(ledger: LineLedger) -> list[int]:
    found: list[int] = []
    while (dealt := ledger.take(3)).kind == "lines":
        found += dealt.lines
    return found


def test_each_line_is_dealt_to_one_worker(opens: Opens) -> None:
    """However many ask at once, every line goes to one of them."""
    ledgers = [opens(str(number), lines=200) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        dealt = [line for lines in pool.map(_all_of, ledgers) for line in lines]
    assert sorted(dealt) == list(range(1, 201))


def test_lines_of_a_dead_worker_are_dealt_again(opens: Opens) -> None:
    """A lease that nobody renews ends, and the lines that are done are not among those that follow from it."""
    dead, other = opens("dead", lease_s=0), opens("other")
    assert dead.take(3).lines == (1, 2, 3)
    dead.done(_ended(2))
    assert set(other.take(20).lines) == {1, 3, *range(4, 11)}
    assert dead.begin(1, 5, 5, None) == "lost"


def test_a_line_that_was_given_back_is_the_next(opens: Opens) -> None:
    """What a worker took and did not send is free at once, with the money that was held for it."""
    first, second = opens("first"), opens("second")
    assert first.take(2).lines == (1, 2)
    assert first.begin(1, 5, 7, 7) == "go"
    assert second.take(20).lines[0] == 3
    first.leave(1)
    assert first.counts()["reserved_picousd"] == 0
    assert second.take(1).lines == (1,)


def test_an_end_counts_once(opens: Opens) -> None:
    """Told twice it is one; another worker's later end is dropped, and its money counts."""
    first, second = opens("first", lease_s=0), opens("second")
    first.take(1)
    first.begin(1, 10, 10, None)
    second.take(1)
    second.begin(1, 10, 10, None)
    assert second.done(_ended(1, 4, text=b"second")) == "kept"
    assert second.done(_ended(1, 4, text=b"second")) == "kept"
    assert first.done(_ended(1, 3, text=b"first")) == "twice"
    assert list(second.entries([1])) == [b"second"]
    counts = second.counts()
    assert (counts["ok"], counts["calls"], counts["twice"], counts["lost"]) == (1, 2, 1, 1)


@pytest.mark.parametrize("unit", [1, 10**6, 10**15])
def test_a_cap_holds_for_all_workers_together(opens: Opens, unit: int) -> None:
    """Twenty workers reserve under one bound: never more than it, to the last unit also where doubles are too coarse."""
    ledgers = [opens(str(number), lines=40) for number in range(20)]
    cap = 100 * unit + 3

    def ask(ledger: LineLedger) -> int:
        (line,) = ledger.take(1).lines
        return int(ledger.begin(line, 15 * unit, 15 * unit + 1, cap) == "go")

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, ledgers)) == 6
    assert ledgers[0].counts()["reserved_picousd"] == 6 * (15 * unit + 1)


def test_alone_a_line_may_be_sent_at_its_projection(opens: Opens) -> None:
    """Where others hold the rest it waits; where nobody does it is sent if its projection fits, else the cap is reached."""
    one, other = opens("one"), opens("other")
    one.take(1), other.take(3)
    assert one.begin(1, 5, 8, 10) == "go"
    assert other.begin(2, 5, 8, 10) == "later"
    one.done(_ended(1, 5))
    assert other.begin(2, 5, 8, 10) == "go"
    other.done(_ended(2, None))
    assert other.counts()["reserved_picousd"] == 10
    assert other.begin(3, 5, 8, 10) == "cap"


def test_a_name_is_one_job(opens: Opens) -> None:
    """Other requests under the same name are refused."""
    with pytest.raises(OtherJob):
        opens().join("another hash", 10)


def test_a_server_that_lost_the_job_is_told_again(opens: Opens, redis: RedisProcess) -> None:
    """After a restart without a disk the job is made again, and nobody takes a line before the others have told theirs."""
    ledger = opens()
    ledger.take(1)
    redis.stop()
    with pytest.raises(FleetUnavailable):
        ledger.take(1)
    redis.start()
    assert ledger.take(1).kind == "gone"
    assert ledger.done(_ended(1)) == "gone"
    assert ledger.has_restarted()
    ledger.join("hash", 10, is_back=True)
    assert ledger.done(_ended(1)) == "kept"
    assert ledger.take(1).kind == "wait"


def test_failed_lines_are_asked_again_once(opens: Opens) -> None:
    """A second wish for it changes nothing."""
    ledger = opens(lines=1)
    ledger.take(1)
    ledger.done(_ended(1, is_failed=True))
    assert ledger.take(1).kind == "over"
    assert ledger.failed() == [1]
    assert [ledger.ask_again(1, ["failed"]), ledger.ask_again(1, ["failed"])] == [True, False]
    assert ledger.take(1).lines == (1,)
    assert ledger.counts()["failed"] == 0


def test_one_worker_writes(opens: Opens) -> None:
    """The others wait, and are told where."""
    one, other = opens("one"), opens("other")
    assert (one.may_write(60), other.may_write(60), one.may_write(60)) == ("write", "busy", "write")
    one.written("/there")
    assert other.may_write(60) == "/there"


def test_everything_expires(opens: Opens, redis: RedisProcess) -> None:
    """No key of a job stays for ever."""
    ledger = opens()
    ledger.take(3)
    ledger.begin(1, 5, 5, None)
    ledger.done(_ended(1))
    ledger.done(_ended(2, is_failed=True))
    client = redis.client
    assert all(client.pttl(key) > 0 for key in client.keys("*"))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["take", "done", "leave"])), max_size=40), seed=st.integers(0, 10**9))
def test_whatever_workers_do_each_line_ends_once(opens: Opens, steps: list[tuple[int, str]], seed: int) -> None:
    """Any order of taking, sending, giving back and ending leaves each line with one end, and nothing held."""
    name = f"job-{seed}-{len(steps)}-{hash(tuple(steps)) & 0xFFFFFF}"
    ledgers = [opens(str(number), name, lines=5) for number in range(3)]
    held: list[list[int]] = [[], [], []]
    sent: list[int] = []
    for number, step in [*steps, *((0, "done"), (1, "done"), (2, "done")) * 5, *((0, "take"), (0, "done")) * 6]:
        ledger, own = ledgers[number], held[number]
        if step == "take":
            own += ledger.take(1).lines
        elif own:
            line = own.pop()
            assert ledger.begin(line, 3, 4, None) == "go"
            if step == "leave":
                ledger.leave(line)
            else:
                sent.append(line)
                assert ledger.done(_ended(line)) == "kept"
    assert sorted(sent) == [1, 2, 3, 4, 5]
    assert ledgers[0].counts()["reserved_picousd"] == 25
