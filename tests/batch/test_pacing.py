"""How many calls an endpoint is sent at once, on a clock of events: servers that refuse, that change, and that queue in silence."""

from __future__ import annotations

import heapq
import random
from typing import NamedTuple

import pytest

from deepsel.engine.pacing import CallPace, EndedCall, after_refusal, after_success

MOST = 64


class Played(NamedTuple):
    """What a minute with a server has come to."""

    answered: list[float]
    refused: list[float]
    peak: int
    limits: list[tuple[float, float]]


def play(*, bears: int, later: int = 0, change_s: float = 1e9, queues: bool = False, call_s: float = 0.1, seconds: float = 60.0) -> Played:
    """Send as many calls as the pace lets, to a server that refuses, or queues, what is over `bears` (`later` after `change_s`)."""
    chance, pace, now, number = random.Random(1), CallPace(), 0.0, 0
    events: list[tuple[float, int, bool, float]] = []
    served = under_way = peak = 0
    closed, free = 0.0, [0.0] * bears
    played = Played([], [], 0, [])
    while now < seconds:
        while under_way < min(pace.places, MOST) and now >= closed:
            under_way, number = under_way + 1, number + 1
            taken_s = call_s * chance.uniform(0.9, 1.1)
            if queues:
                place = min(range(bears), key=free.__getitem__)
                free[place] = max(now, free[place]) + taken_s
                heapq.heappush(events, (free[place], number, True, now))
            elif served < (bears if now < change_s else later):
                served += 1
                heapq.heappush(events, (now + taken_s, number, True, now))
            else:
                heapq.heappush(events, (now + 0.002, number, False, now))
            peak = max(peak, under_way)
        if not events:
            now = closed
            continue
        if now < closed < events[0][0]:
            now = closed
            continue
        now, _, is_answered, began = heapq.heappop(events)
        ended = EndedCall(began, now, under_way, now - began if is_answered else None)
        under_way -= 1
        if is_answered:
            served -= not queues
            played.answered.append(now)
            pace = after_success(pace, ended, most=MOST)
        else:
            played.refused.append(now)
            pace, closed = after_refusal(pace, ended), now + 1.0
        played.limits.append((now, pace.limit))
    return played._replace(peak=peak)


def test_a_limit_is_found_and_kept() -> None:
    """Of a server that takes 40 at once 95 % of its rate is had, and at most 1 % is refused, after the first ten seconds."""
    played = play(bears=40, seconds=40.0)
    answered = sum(at > 10 for at in played.answered)
    assert answered >= 0.95 * 30 * 40 / 0.1
    assert sum(at > 10 for at in played.refused) <= 0.01 * answered


def test_a_limit_that_falls_is_followed() -> None:
    """When a server drops from 40 to 10, the pace is there within five seconds."""
    played = play(bears=40, later=10, change_s=20.0, seconds=40.0)
    assert next(at for at, limit in played.limits if at > 20 and limit < 11) < 25
    assert sum(at > 25 for at in played.refused) <= 0.01 * sum(at > 25 for at in played.answered)


def test_a_server_that_queues_is_not_driven() -> None:
    """One that queues in silence above 16 never has more than 24 calls, and is kept busy."""
    played = play(bears=16, queues=True)
    assert played.peak <= 24
    assert sum(at > 10 for at in played.answered) >= 0.95 * 50 * 16 / 0.1


def test_a_server_without_limit_is_used() -> None:
    """Where nothing speaks against it, all that may be sent at once is."""
    assert play(bears=1000).limits[-1][1] == MOST


def test_a_burst_cuts_once() -> None:
    """Refusals of calls that were under way at the cut do not cut again as the first did."""
    pace = after_refusal(CallPace(limit=40.0), EndedCall(0.0, 1.0, 40))
    assert pace.limit == 30.0
    assert after_refusal(pace, EndedCall(0.5, 1.1, 39)).limit == 30.0
    assert after_refusal(pace, EndedCall(1.2, 1.3, 30)).limit == 22.5


@pytest.mark.parametrize("in_flight", [1, 5])
def test_what_is_not_used_raises_nothing(in_flight: int) -> None:
    """A limit that nobody comes near says nothing of what the server bears."""
    pace = CallPace()
    for number in range(1000):
        pace = after_success(pace, EndedCall(float(number), number + 0.1, in_flight, 0.1), most=MOST)
    assert pace.limit == CallPace().limit
