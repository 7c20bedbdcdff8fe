"""How many calls an endpoint is sent at once, found by what it answers: a pure function of what happens, with no clock of its own.

The limit starts small and doubles, in two steps, a step for each round of calls at the limit, until something speaks against it:
a refusal, or first signs of life that come later than they did (a server that queues in silence). A refusal cuts it to three
quarters, once for all calls that were under way then, or as far as half where more of them were refused. The number that was
refused is remembered: up to one below it the limit climbs by one for every 25 successes, and beyond it only after a minute without
a change, by a tenth at most. What is not used up to the limit never raises it.

The climb, the single cut a burst and the remembered ceiling are those of NeMo DataDesigner's adaptive concurrency; the comparison of
first signs follows Gradient2 of Netflix's concurrency-limits, on the time to the first sign and not on the whole, which follows the
answer's length.
"""

from __future__ import annotations

from statistics import median

from deepsel.records import NamedTuple

START = 8
RUN = 25
"""Successes that raise the limit by one."""
PATIENCE_S = 60.0
"""Without a change, at the ceiling, after which a tenth more is tried."""
CUT, LEAST_CUT = 0.75, 0.5
OVERSHOOT = 1.10
SLOW = 1.3
"""Times the usual time to the first sign from which a server is taken to queue."""
_ROOM = 1.1
_FASTER = 0.9
"""Share of the slow time below which a cut is taken to have helped; else the server is slower for another reason."""
_DOWN, _UP = 0.2, 0.01
"""How far the usual time follows a round that is quicker, or slower: a quick round may be chance, a slow one a queue."""
_LEAST_ROUND = 16
_FULL = 0.8
"""Share of the limit that has to be in use for a success to say anything of it."""


class CallPace(NamedTuple):
    """What is known of one endpoint. Instants are seconds of one clock."""

    limit: float = START
    ceiling: float | None = None
    """The most it is taken to bear; None: no sign yet that it bears no more."""
    is_searching: bool = True
    """Whether nothing has spoken against the limit yet."""
    run: int = 0
    """Successes since the limit last changed."""
    calls: int = 0
    """Successes of this round."""
    changed_at: float = float("-inf")
    """When the limit was last changed: calls begun before say nothing of it."""
    cut_at: float = float("-inf")
    burst_limit: float = 0.0
    """The limit before the last cut."""
    burst_size: int = 0
    """Calls under way at the last cut, the refused one included."""
    burst_refused: int = 0
    usual_s: float | None = None
    """Time to the first sign while nothing queues."""
    signs_s: tuple[float, ...] = ()
    """Those of this round."""
    slow_rounds: int = 0
    """Rounds on end that were slow."""
    slow_s: float | None = None
    """The time for which the last cut was made, until it is known whether that has helped."""

    @property
    def places(self) -> int:
        """Calls that may be under way at once."""
        return max(1, int(self.limit))


class EndedCall(NamedTuple):
    """One call that is over, as far as it says something of the endpoint."""

    started_at: float
    ended_at: float
    in_flight: int
    """Calls under way when it ended, itself included."""
    first_sign_s: float | None = None
    """None: not measured."""


def after_success(pace: CallPace, seen: EndedCall, *, most: int) -> CallPace:
    """Return the pace after a call that was answered; `most` bounds the limit."""
    if seen.started_at < pace.changed_at or seen.in_flight < _FULL * pace.places:
        return pace
    pace = pace._replace(run=pace.run + 1)
    if seen.started_at >= pace.changed_at + (pace.usual_s or 0.0):  # a queue takes as long as a call to build up
        signs_s = pace.signs_s if seen.first_sign_s is None else (*pace.signs_s, seen.first_sign_s)
        pace = pace._replace(calls=pace.calls + 1, signs_s=signs_s)
    is_round = pace.calls >= max(_LEAST_ROUND, pace.places)
    if is_round:
        pace = _after_round(pace, seen.ended_at)
        if pace.changed_at == seen.ended_at:
            return pace
    if not pace.is_searching:
        return _climbed(pace, seen.ended_at, most)
    return _changed(pace, min(float(most), _next_level(pace.limit)), seen.ended_at) if is_round else pace


def after_refusal(pace: CallPace, seen: EndedCall) -> CallPace:
    """Return the pace after a call that was refused because there were too many."""
    if seen.started_at <= pace.cut_at:  # of a burst that was heeded
        refused = pace.burst_refused + 1
        served = max(pace.burst_size - refused, pace.burst_limit * LEAST_CUT, 1.0)
        return pace._replace(burst_refused=refused, limit=min(pace.limit, served))
    was = min(pace.limit, float(max(seen.in_flight, 1)))
    known = seen.in_flight - 1 if pace.ceiling is None else min(pace.ceiling, seen.in_flight - 1)
    return pace._replace(
        limit=max(1.0, was * CUT),
        ceiling=max(1.0, float(known)),
        is_searching=False,
        run=0,
        calls=0,
        changed_at=seen.ended_at,
        cut_at=seen.ended_at,
        burst_limit=was,
        burst_size=seen.in_flight,
        burst_refused=1,
        signs_s=(),
        slow_rounds=0,
    )


def _next_level(limit: float) -> float:
    """Return the next step of a doubling in two: 8, 12, 16, 24, 32 ..."""
    power = 1
    while power * 2 <= limit:
        power *= 2
    return power * 1.5 if limit < power * 1.5 else power * 2.0


def _changed(pace: CallPace, limit: float, at: float) -> CallPace:
    """Set the limit, and judge it by calls that begin from now on."""
    return pace if limit == pace.limit else pace._replace(limit=limit, run=0, calls=0, changed_at=at, signs_s=())


def _climbed(pace: CallPace, at: float, most: int) -> CallPace:
    """Raise the limit by one after a run of successes; beyond the ceiling after a long time, which moves the ceiling."""
    if pace.run < RUN or pace.limit >= most:
        return pace
    ceiling = most if pace.ceiling is None else pace.ceiling
    if pace.limit < ceiling:
        return _changed(pace, min(float(most), ceiling, pace.limit + 1), at)
    if at - pace.changed_at < PATIENCE_S:
        return pace
    higher = min(float(most), max(pace.limit + 1, pace.limit * OVERSHOOT))
    return _changed(pace, higher, at)._replace(ceiling=higher)


def _after_round(pace: CallPace, at: float) -> CallPace:
    """Hold a round's first signs against the usual ones; what queues is cut to where it did not."""
    signs_s, pace = pace.signs_s, pace._replace(signs_s=(), calls=0)
    if not signs_s:
        return pace
    now_s, slow_s = median(signs_s), pace.slow_s
    pace = pace._replace(slow_s=None)
    if slow_s is not None and now_s > _FASTER * slow_s:
        return pace._replace(usual_s=now_s, ceiling=None)
    usual_s = now_s if pace.usual_s is None else pace.usual_s
    if now_s <= SLOW * usual_s:
        share = _DOWN if now_s < usual_s else _UP
        return pace._replace(usual_s=usual_s + share * (now_s - usual_s), slow_rounds=0)
    if not pace.is_searching and not pace.slow_rounds:
        return pace._replace(slow_rounds=1)
    limit = max(1.0, min(pace.limit, pace.limit * _ROOM * usual_s / now_s))
    return pace._replace(limit=limit, ceiling=limit, is_searching=False, run=0, changed_at=at, slow_rounds=0, slow_s=now_s)
