"""When an endpoint is left alone and when it is tried again: its window, its cool-down, and the one probe that decides.

An endpoint is a provider and a model. Its state is shared by all processes, and holds what was seen; each profile's own
thresholds decide what that means to it:

    well -> (p95 to first token or error rate over the limit, with enough samples) -> cooling, `cooldown_s` long
    cooling -> (the time is over) -> half open: the first process that claims it sends one request, the probe
    cooling -> (an answer comes all the same, as of the only candidate) -> well
    half open -> (the probe is good) -> well, and what was seen before is forgotten
              -> (the probe is bad) -> cooling again
              -> (nothing was learned, or its process died) -> half open
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from deepsel.errors import ErrorClass
from deepsel.health.endpoint import Endpoint
from deepsel.health.percentiles import quantile
from deepsel.health.tables import READABLE, SKEW_S
from deepsel.records import NamedTuple

if TYPE_CHECKING:
    import sqlite3

LONGEST_PROBE_S = 86_400.0
"""No claim of a probe is believed that ends later."""
MOST_WATCHED = 1000
"""So many calls say enough of an endpoint, and what a process that makes thousands reads after each stays bounded."""


class Thresholds(NamedTuple):
    """What a profile puts up with."""

    ttft_p95_s: float
    error_rate: float
    window_s: float
    min_samples: int
    cooldown_s: float


class Evidence(NamedTuple):
    """What an endpoint did in a window."""

    samples: int
    ttft_p95_s: float | None
    """None: nothing was streamed."""
    error_rate: float

    def complaint(self, limits: Thresholds) -> str:
        """Say with numbers which limit is crossed; empty where none is."""
        found = []
        if self.ttft_p95_s is not None and self.ttft_p95_s > limits.ttft_p95_s:
            found.append(f"p95 to first token {self.ttft_p95_s:.1f} s over {limits.ttft_p95_s:.1f} s")
        if self.error_rate > limits.error_rate:
            found.append(f"{self.error_rate:.0%} errors over {limits.error_rate:.0%}")
        plural = "" if self.samples == 1 else "s"
        return f"{' and '.join(found)} in {self.samples} call{plural}" if found else ""

    def badness(self, limits: Thresholds) -> float:
        """Return how many times over its limit the worse of the two is; a limit of 0 counts as a hundredth."""
        slowness = (self.ttft_p95_s or 0.0) / limits.ttft_p95_s
        return max(slowness, self.error_rate / max(limits.error_rate, 0.01))


class Standing(NamedTuple):
    """How an endpoint stands with one profile at one instant."""

    state: Literal["well", "cooling", "probing", "half_open"]
    """`probing`: another request's probe is under way."""
    why: str = ""
    seconds_left: float = 0.0
    badness: float = 0.0
    forget_before: float = 0.0
    """Observations from before that instant (seconds since the epoch) say nothing of it any more."""


class Judgement(NamedTuple):
    """By what, and when, it is decided what calls mean for their endpoints."""

    thresholds: Thresholds
    at: float
    """Seconds since the epoch."""
    probes: Mapping[Endpoint, Evidence | None] = {}
    """Probes that are over, with what each has shown; None: nothing."""


class State(NamedTuple):
    """What is kept of an endpoint that was ever in trouble."""

    since: float | None
    """When it last crossed a limit; None: it is well."""
    seen: Evidence
    probe_until: float
    """A probe's claim; in the past: nobody's."""
    healed_at: float

    def standing(self, limits: Thresholds, *, at: float) -> Standing:
        """Say what the state means to a profile; what began in the future may be tried at once, since nobody knows when it ends."""
        why = self.seen.complaint(limits) if self.since is not None else ""
        healed_at = self.healed_at if self.healed_at <= at + SKEW_S else 0.0
        if self.since is None or not why:
            return Standing("well", forget_before=healed_at)
        is_ahead = self.since > at + SKEW_S
        badness, ends = self.seen.badness(limits), self.since + limits.cooldown_s
        if at < ends and not is_ahead:
            return Standing("cooling", why, ends - at, badness, healed_at)
        forget_before = at if is_ahead else self.since
        if at < self.probe_until <= at + LONGEST_PROBE_S + SKEW_S:
            return Standing("probing", f"{why}; a probe is under way", self.probe_until - at, badness, forget_before)
        return Standing("half_open", why, 0.0, badness, forget_before)


def is_trouble(error_class: str | None) -> bool:
    """Tell whether a failure counts against the endpoint; one of a class that another version knows does not."""
    return error_class in _CLASSES and ErrorClass(error_class).is_retryable


_CLASSES = frozenset(ErrorClass)
_ROW = (
    "SELECT since, samples, ttft_p95_s, error_rate, probe_until, healed_at FROM endpoints "  # noqa: S608 - our own words
    f"WHERE provider = ? AND model = ? AND {READABLE['endpoints']}"
)
_WINDOW = (
    "SELECT error_class, COALESCE(first_sign_s, ttft_s), total_s FROM observations WHERE provider = ? AND model = ? "  # noqa: S608 - our own words
    "AND at > ? AND at <= ? AND outcome NOT IN ('hit', 'cancelled') AND NOT is_loading "
    f"AND {READABLE['observations']} ORDER BY at DESC LIMIT ?"
)
_DROP = f"DELETE FROM endpoints WHERE provider = ? AND model = ? AND ({READABLE['endpoints']}) IS NOT TRUE"  # noqa: S608 - our own words
_ADD = "INSERT OR IGNORE INTO endpoints (provider, model) VALUES (?, ?)"
_COOL = (
    "UPDATE endpoints SET since = ?, samples = ?, ttft_p95_s = ?, error_rate = ?, probe_until = 0 "
    "WHERE provider = ? AND model = ?"
)
_HEAL = "UPDATE endpoints SET since = NULL, probe_until = 0, healed_at = ? WHERE provider = ? AND model = ?"
_RELEASE = "UPDATE endpoints SET probe_until = 0 WHERE provider = ? AND model = ?"
_CLAIM = (
    "UPDATE endpoints SET probe_until = :until WHERE provider = :provider AND model = :model AND since IS NOT NULL "
    "AND (probe_until <= :at OR probe_until > :at + :longest) AND (since + :cooldown <= :at OR since > :at + :skew)"
)


def read_state(database: sqlite3.Connection, endpoint: Endpoint) -> State | None:
    """Read an endpoint's row; None: it has never been in trouble."""
    row = database.execute(_ROW, endpoint).fetchone()
    return None if row is None else State(row[0], Evidence(row[1] or 0, row[2], row[3] or 0.0), row[4], row[5])


def all_states(database: sqlite3.Connection) -> dict[Endpoint, State]:
    """Read every endpoint that has ever been in trouble."""
    names = database.execute(f"SELECT provider, model FROM endpoints WHERE {READABLE['endpoints']} ORDER BY 1, 2").fetchall()  # noqa: S608 - our own words
    states = ((Endpoint(*name), read_state(database, Endpoint(*name))) for name in names)
    return {endpoint: state for endpoint, state in states if state is not None}


def watch(database: sqlite3.Connection, endpoint: Endpoint, *, after: float, until: float) -> Evidence:
    """Measure a window, of its newest MOST_WATCHED calls.

    A call that stalled has waited at least its whole length for a first token.
    """
    times, troubles, samples = [], 0, 0
    for error_class, ttft_s, total_s in database.execute(_WINDOW, (*endpoint, after, until, MOST_WATCHED)):
        if error_class is not None and (error_class not in _CLASSES or ErrorClass(error_class).is_refusal):
            continue
        samples += 1
        troubles += is_trouble(error_class)
        waited_s = total_s if ttft_s is None and error_class == ErrorClass.STALLED else ttft_s
        if waited_s is not None:
            times.append(waited_s)
    return Evidence(samples, quantile(times, 0.95), troubles / samples if samples else 0.0)


def claim_probe(
    database: sqlite3.Connection, endpoint: Endpoint, limits: Thresholds, *, at: float, lease_s: float
) -> bool:
    """Claim the probe of a half-open endpoint for at most `lease_s`; False: somebody else has it, or it is over."""
    instants = {"at": at, "until": at + min(lease_s, LONGEST_PROBE_S), "longest": LONGEST_PROBE_S + SKEW_S, "skew": SKEW_S}
    return bool(database.execute(_CLAIM, {**endpoint._asdict(), **instants, "cooldown": limits.cooldown_s}).rowcount)


def review(database: sqlite3.Connection, endpoint: Endpoint, limits: Thresholds, *, at: float) -> Evidence | None:
    """After calls that were no probe: put the endpoint into a cool-down where its window crosses a limit.

    Returns the window; None where it is in one already.
    """
    state = read_state(database, endpoint)
    if state is not None and state.since is not None and state.seen.complaint(limits):
        return None
    healed_at = state.healed_at if state is not None and state.healed_at <= at + SKEW_S else 0.0
    after = max(at - limits.window_s, healed_at)
    seen = watch(database, endpoint, after=after, until=at)
    if seen.samples >= limits.min_samples and seen.complaint(limits):
        _cool(database, endpoint, seen, at=at)
    return seen


def heal(database: sqlite3.Connection, endpoint: Endpoint, limits: Thresholds, waited_s: float | None, *, at: float) -> None:
    """End a cool-down after an answer that came in spite of it; one as slow as those that led to it ends nothing.

    `waited_s`: to its first sign of life; None: it was not streamed.
    """
    state = read_state(database, endpoint)
    if state is None or state.since is None or not state.seen.complaint(limits):
        return
    was_slow = state.seen.ttft_p95_s is not None and state.seen.ttft_p95_s > limits.ttft_p95_s
    if not (was_slow and waited_s is not None and waited_s > limits.ttft_p95_s):
        database.execute(_HEAL, (at, *endpoint))


def judge_probe(
    database: sqlite3.Connection, endpoint: Endpoint, limits: Thresholds, probe: Evidence | None, *, at: float
) -> None:
    """End a probe: well again, cooling again, or free for the next one where it showed nothing (None)."""
    if probe is None or not probe.samples:
        database.execute(_RELEASE, endpoint)
    elif probe.complaint(limits):
        _cool(database, endpoint, probe, at=at)
    else:
        database.execute(_HEAL, (at, *endpoint))


def _cool(database: sqlite3.Connection, endpoint: Endpoint, seen: Evidence, *, at: float) -> None:
    """Begin a cool-down; a row that cannot be read would hide it."""
    database.execute(_DROP, endpoint)
    database.execute(_ADD, endpoint)
    database.execute(_COOL, (at, seen.samples, seen.ttft_p95_s, seen.error_rate, *endpoint))
