"""What `deepsel stats` shows, gathered from the log and the settings; draws nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from deepsel.config import Profile
from deepsel.engine.prepare import thresholds_of
from deepsel.errors import OTHER_HOME, ConfigError
from deepsel.health.cooldowns import State
from deepsel.health.endpoint import Endpoint
from deepsel.health.state import SharedState
from deepsel.health.summary import By, TrafficGroup, group, total

PARTS = 24
"""Into which the time reported on is cut."""


class BudgetUse(NamedTuple):
    """What is spent of one budget."""

    profile: str
    period: str
    """day or month, of UTC."""
    spent_usd: Decimal
    budget_usd: Decimal


class EndpointState(NamedTuple):
    """How an endpoint that was ever in trouble stands with the profile."""

    provider: str
    model: str
    state: str
    """well, cooling, probing or half_open."""
    why: str
    """With its numbers; empty where it is well."""
    seconds_left: float


class StatsReport(NamedTuple):
    """Everything that is shown."""

    since: datetime
    until: datetime
    by: By
    groups: tuple[TrafficGroup, ...]
    whole: TrafficGroup
    budgets: tuple[BudgetUse, ...]
    endpoints: tuple[EndpointState, ...]


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
    rows, notices = shared.since(since.timestamp())
    states, more_notices = shared.troubled()
    if rows is None or states is None:
        raise ConfigError([*notices, *more_notices][0].message, f"check its permissions, or {OTHER_HOME}")
    first, last = since.timestamp(), until.timestamp()
    return StatsReport(
        since=since,
        until=until,
        by=by,
        groups=tuple(group(rows, by, since=first, until=last, parts=PARTS)),
        whole=total(rows, since=first, until=last, parts=PARTS),
        budgets=tuple(budget for one in profiles.values() for budget in _budgets(shared, one, until)),
        endpoints=tuple(_endpoint(name, state, profile, until) for name, state in states.items()),
    )


def _budgets(shared: SharedState, profile: Profile, at: datetime) -> list[BudgetUse]:
    """List the budgets of a profile."""
    spend = shared.spend(profile.name, at=at).value
    if spend is None:
        return []
    found = (("day", spend.day_usd, profile.daily_budget_usd), ("month", spend.month_usd, profile.monthly_budget_usd))
    return [BudgetUse(profile.name, period, spent, bound) for period, spent, bound in found if bound is not None]


def _endpoint(name: Endpoint, state: State, profile: Profile, at: datetime) -> EndpointState:
    standing = state.standing(thresholds_of(profile), at=at.timestamp())
    return EndpointState(name.provider, name.model, standing.state, standing.why, standing.seconds_left)
