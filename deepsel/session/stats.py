"""What `deepsel stats` shows, gathered from the log and the settings; draws nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from deepsel.config import Profile
from deepsel.engine.prepare import thresholds_of
from deepsel.errors import OTHER_HOME, ConfigError
from deepsel.health.cooldowns import State
from deepsel.health.endpoint import Endpoint
from deepsel.health.spend import Spend
from deepsel.health.state import SharedState
from deepsel.health.summary import By, TrafficGroup, group, total
from deepsel.records import NamedTuple
from deepsel.values import Notice

PARTS = 24
"""Into which the time reported on is cut."""


class BudgetUse(NamedTuple):
    """What is spent of one budget."""

    profile: str
    period: str
    """day or month, of UTC."""
    spent_usd: Decimal
    budget_usd: Decimal
    unsettled_usd: Decimal
    """Of what is spent, what was reserved for calls whose bill never came."""


class EndpointState(NamedTuple):
    """How an endpoint that was ever in trouble stands with the profile."""

    provider: str
    model: str
    state: str
    """well, cooling, probing or half_open."""
    why: str
    """With its numbers; empty where it is well."""
    seconds_left: float


class UnsettledUse(NamedTuple):
    """Calls whose bill never came: their process was killed, or could not write it."""

    calls: int
    usd: Decimal
    """The most they may have cost."""


class StatsReport(NamedTuple):
    """Everything that is shown."""

    since: datetime
    until: datetime
    by: By
    groups: tuple[TrafficGroup, ...]
    whole: TrafficGroup
    budgets: tuple[BudgetUse, ...]
    endpoints: tuple[EndpointState, ...]
    unsettled: UnsettledUse
    """In no other sum but those of the budgets."""
    notices: tuple[Notice, ...] = ()
    """What of it could not be read."""


def gather(
    shared: SharedState,
    *,
    profile: Profile,
    profiles: Mapping[str, Profile],
    by: By,
    since: datetime,
    until: datetime,
) -> StatsReport:
    """Read the log; raises ConfigError where it cannot be read.

    Endpoints are judged by `profile`'s thresholds; budgets are those of every one of `profiles`.
    """
    first, last = since.timestamp(), until.timestamp()
    rows, notices = shared.since(first)
    states, more_notices = shared.troubled()
    if rows is None or states is None:
        raise ConfigError([*notices, *more_notices][0].message, f"check its permissions, or {OTHER_HOME}")
    unsettled, money_notices = shared.unsettled(first, at=last)
    spends = {one.name: shared.spend(one.name, at=until) for one in profiles.values()}
    told = dict.fromkeys([*money_notices, *(notice for spend in spends.values() for notice in spend.notices)])
    return StatsReport(
        since=since,
        until=until,
        by=by,
        groups=tuple(group(rows, by, since=first, until=last, parts=PARTS)),
        whole=total(rows, since=first, until=last, parts=PARTS),
        budgets=tuple(budget for one in profiles.values() for budget in _budgets(one, spends[one.name].value)),
        endpoints=tuple(_endpoint(name, state, profile, until) for name, state in states.items()),
        unsettled=UnsettledUse(len(unsettled or ()), sum((one.usd for one in unsettled or ()), Decimal(0))),
        notices=tuple(told),
    )


def _budgets(profile: Profile, spend: Spend | None) -> list[BudgetUse]:
    """List the budgets of a profile; none where nobody knows what was spent."""
    if spend is None:
        return []
    found = (
        ("day", spend.day_usd, profile.daily_budget_usd, spend.unsettled_day_usd),
        ("month", spend.month_usd, profile.monthly_budget_usd, spend.unsettled_month_usd),
    )
    return [
        BudgetUse(profile.name, period, spent, bound, unsettled) for period, spent, bound, unsettled in found if bound is not None
    ]


def _endpoint(name: Endpoint, state: State, profile: Profile, at: datetime) -> EndpointState:
    standing = state.standing(thresholds_of(profile), at=at.timestamp())
    return EndpointState(name.provider, name.model, standing.state, standing.why, standing.seconds_left)
