"""The shared state of one user's processes, at home in one SQLite file; owns no rule, only what is one transaction.

The rules are imported where they are used: an answer from the cache only adds its observation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from deepsel.health import log, spend
from deepsel.health.log import Observation, sign_s
from deepsel.health.spend import Spend, Unsettled
from deepsel.health.tables import FILE_NAME, REPAIR, STEPS
from deepsel.storage.sqlite import SqliteFile
from deepsel.storage.told import Told
from deepsel.values import Latency, Notice

if TYPE_CHECKING:
    import sqlite3

    from deepsel.health.benches import Benches
    from deepsel.health.cooldowns import Judgement, State, Thresholds
    from deepsel.health.endpoint import Endpoint
    from deepsel.health.holds import Budgets, Held
    from deepsel.health.limits import Limit
    from deepsel.health.outlook import Outlook, Outlooks, Pace
    from deepsel.health.paces import FoundPace
    from deepsel.wires.taking_back import TakenBack

GOOD_FOR_S = 1.0
"""How long a process that makes many calls goes by what it has read of an endpoint's past ones."""


class SqliteState:
    """The state in `folder`, made on the first write; see SharedState."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._database = SqliteFile(
            folder / FILE_NAME, STEPS, name="the observation log", code="log_unavailable", repair=REPAIR
        )
        self._paces: dict[tuple[Endpoint, str, float], tuple[float, Pace]] = {}
        self._found_well: dict[tuple[Endpoint, Thresholds], float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # --- before a request -------------------------------------------------------------------------------------------

    def outlook(
        self,
        endpoints: Iterable[Endpoint],
        *,
        task: str,
        thresholds: Thresholds,
        budgets: Budgets,
        at: datetime,
    ) -> Outlooks:
        """Read everything a plan needs in one go; writes nothing."""
        from deepsel.health import holds
        from deepsel.health.outlook import Outlooks

        names, now = list(dict.fromkeys(endpoints)), at.timestamp()

        def work(one: sqlite3.Connection) -> Outlooks:
            found = {name: self._outlook(one, name, task, thresholds, now) for name in names}
            return Outlooks(found, holds.left_of(one, budgets, at=at) if budgets else None, read_at=now)

        found, notices = self._database.read(work, empty=Outlooks({}, holds.untouched(budgets), read_at=now))
        return found or Outlooks({}, is_readable=False, notices=notices)

    def _outlook(
        self, one: sqlite3.Connection, endpoint: Endpoint, task: str, thresholds: Thresholds, now: float
    ) -> Outlook:
        from deepsel.health.limits import read_limit
        from deepsel.health.outlook import Outlook, read_pace, read_standing

        standing = read_standing(one, endpoint, thresholds, at=now)
        key = (endpoint, task, standing.forget_before)
        read_at, pace = self._paces.get(key, (now, None))
        if pace is None or not 0 <= now - read_at < GOOD_FOR_S:
            pace = read_pace(one, endpoint, task, forget_before=standing.forget_before, at=now)
            self._paces[key] = (now, pace)
        return Outlook(standing, read_limit(one, endpoint), *pace)

    def benched(self) -> Mapping[str, Latency]:
        """Return what the last bench measured, by model."""
        return self._benches.latest()

    @cached_property
    def _benches(self) -> Benches:
        """Read where a route is planned."""
        from deepsel.health.benches import Benches

        return Benches(self._folder)

    # --- around a call ----------------------------------------------------------------------------------------------

    def limits(self, endpoints: Iterable[Endpoint]) -> Told[Mapping[Endpoint, Limit]]:
        """Read the rate limits of several endpoints."""
        from deepsel.health.limits import read_limit

        nothing: Mapping[Endpoint, Limit] = {}
        return self._database.read(lambda one: {name: read_limit(one, name) for name in endpoints}, empty=nothing)

    def close_until(self, endpoint: Endpoint, instant: float) -> tuple[Notice, ...]:
        """Keep every process from asking the endpoint before `instant`."""
        from deepsel.health import limits

        return self._database.write(lambda one: limits.close_until(one, endpoint, instant)).notices

    def tell_left(self, endpoint: Endpoint, requests_left: int, resets_at: float) -> tuple[Notice, ...]:
        """Note how many requests an answer said are left."""
        from deepsel.health import limits

        return self._database.write(lambda one: limits.tell_left(one, endpoint, requests_left, resets_at)).notices

    def take_one(self, endpoint: Endpoint, *, at: float) -> Told[bool]:
        """Count one request against what is left."""
        from deepsel.health import limits

        return self._database.write(lambda one: limits.take_one(one, endpoint, at=at))

    def pace(self, endpoint: Endpoint, *, at: float) -> Told[FoundPace | None]:
        """Read how many calls at once the endpoint was lately found to bear."""
        from deepsel.health.paces import read_pace

        return self._database.read(lambda one: read_pace(one, endpoint, at=at), empty=None)

    def keep_pace(self, endpoint: Endpoint, limit: float, ceiling: float | None, *, at: float) -> tuple[Notice, ...]:
        """Tell every process how many calls at once the endpoint was found to bear."""
        from deepsel.health.paces import keep_pace

        return self._database.write(lambda one: keep_pace(one, endpoint, limit, ceiling, at=at)).notices

    def taken_back(self, endpoints: Iterable[Endpoint], *, at: float) -> Told[Mapping[Endpoint, tuple[TakenBack, ...]]]:
        """List what hosts have refused lately."""
        from deepsel.health.refusals import read_changes

        def work(one: sqlite3.Connection) -> Mapping[Endpoint, tuple[TakenBack, ...]]:
            found = ((endpoint, read_changes(one, endpoint, at=at)) for endpoint in endpoints)
            return {endpoint: changes for endpoint, changes in found if changes}

        nothing: Mapping[Endpoint, tuple[TakenBack, ...]] = {}
        return self._database.read(work, empty=nothing)

    def take_back(self, endpoint: Endpoint, changes: Iterable[TakenBack], *, at: float) -> tuple[Notice, ...]:
        """Keep what a host has refused."""
        from deepsel.health.refusals import keep_changes

        return self._database.write(lambda one: keep_changes(one, endpoint, changes, at=at)).notices

    def claim_probe(self, endpoint: Endpoint, thresholds: Thresholds, *, at: float, lease_s: float) -> Told[bool]:
        """Claim the probe of a half-open endpoint."""
        from deepsel.health.cooldowns import claim_probe

        return self._database.write(lambda one: claim_probe(one, endpoint, thresholds, at=at, lease_s=lease_s))

    def hold(
        self, budgets: Budgets, amount_usd: Decimal, *, at: datetime, ttl_s: float, replaces: int | None = None
    ) -> Told[Held]:
        """Hold an amount, in place of what the request held before."""
        from deepsel.health import holds

        return self._database.write(
            lambda one: holds.hold(one, budgets, amount_usd, at=at, ttl_s=ttl_s, replaces=replaces)
        )

    # --- after a request --------------------------------------------------------------------------------------------

    def add(
        self,
        observations: Sequence[Observation],
        *,
        hold: int | None = None,
        assumed_picousd: int = 0,
        judgement: Judgement | None = None,
    ) -> tuple[Notice, ...]:
        """Append observations and decide what they mean, in one transaction."""

        def work(one: sqlite3.Connection) -> None:
            log.append(one, observations, hold=hold, assumed_picousd=assumed_picousd)
            if judgement is not None:
                self._judge(one, judgement, [seen for seen in observations if seen.outcome != "hit"])

        if not observations and hold is None and not (judgement and judgement.probes):
            return ()
        return self._database.write(work).notices

    def _judge(self, one: sqlite3.Connection, judgement: Judgement, calls: Sequence[Observation]) -> None:
        """End the probes, and look at the windows of the other endpoints that were called."""
        from deepsel.health.cooldowns import heal, judge_probe
        from deepsel.health.endpoint import Endpoint

        for endpoint, probe in judgement.probes.items():
            judge_probe(one, endpoint, judgement.thresholds, probe, at=judgement.at)
        called: dict[Endpoint, list[Observation]] = {}
        for call in calls:
            called.setdefault(Endpoint(call.provider, call.model), []).append(call)
        for endpoint, seen in called.items():
            if endpoint in judgement.probes or self._is_well(endpoint, seen, judgement):
                continue
            good = next((call for call in reversed(seen) if call.outcome == "ok"), None)
            if good is not None:
                heal(one, endpoint, judgement.thresholds, sign_s(good), at=judgement.at)
            self._review(one, endpoint, judgement)

    def _is_well(self, endpoint: Endpoint, calls: Sequence[Observation], judgement: Judgement) -> bool:
        """Tell without reading: the window was well a moment ago, and calls within the limits make it no worse."""
        from deepsel.health.cooldowns import is_trouble

        thresholds, at, _ = judgement
        found_at = self._found_well.get((endpoint, thresholds))
        if found_at is None or not 0 <= at - found_at < GOOD_FOR_S:
            return False
        troubled = (is_trouble(one.error_class) and not one.is_loading for one in calls)
        return not any(troubled) and all((sign_s(one) or 0.0) <= thresholds.ttft_p95_s for one in calls)

    def _review(self, one: sqlite3.Connection, endpoint: Endpoint, judgement: Judgement) -> None:
        from deepsel.health.cooldowns import review

        thresholds, at, _ = judgement
        seen = review(one, endpoint, thresholds, at=at)
        if seen is not None and seen.samples >= thresholds.min_samples and not seen.complaint(thresholds):
            self._found_well[endpoint, thresholds] = at
        else:
            self._found_well.pop((endpoint, thresholds), None)

    # --- for reports ------------------------------------------------------------------------------------------------

    def since(self, instant: float) -> Told[list[Observation]]:
        """List what was observed from that instant on, oldest first."""
        nothing: list[Observation] = []
        return self._database.read(lambda one: log.rows_since(one, instant), empty=nothing)

    def spend(self, profile: str, *, at: datetime) -> Told[Spend]:
        """Add up what the profile has spent in the day and month of `at`."""
        return self._database.read(lambda one: spend.spend_of(one, profile, at), empty=Spend(Decimal(0), Decimal(0)))

    def unsettled(self, since: float, *, at: float) -> Told[list[Unsettled]]:
        """List the reservations made since an instant whose bill never came."""
        nothing: list[Unsettled] = []
        return self._database.read(lambda one: spend.unsettled(one, since, at=at), empty=nothing)

    def last_call(self, endpoint: Endpoint, *, at: float) -> Told[float | None]:
        """Return when the endpoint was last called before `at`."""
        return self._database.read(lambda one: log.last_call(one, endpoint, at=at), empty=None)

    def troubled(self) -> Told[Mapping[Endpoint, State]]:
        """List every endpoint that was ever in trouble."""
        from deepsel.health.cooldowns import all_states

        nothing: Mapping[Endpoint, State] = {}
        return self._database.read(all_states, empty=nothing)
