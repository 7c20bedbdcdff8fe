"""Which lane the lines of a model take, and why: what a lane costs, when its answers come, whether that is in time. Pure but for prices."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from deepsel import catalog
from deepsel.records import NamedTuple
from deepsel.values import Lane, Model

Wish: TypeAlias = Literal["now", "batch", "off-peak", "auto"]
_TYPICAL_INPUT, _TYPICAL_OUTPUT = 1000, 300
"""Tokens by which lanes of one model are compared."""
_A_DAY = timedelta(days=1)


class LaneChoice(NamedTuple):
    """The lane that a model's lines take."""

    name: str
    """now, off-peak, or the name of a provider's lane."""
    why: str
    """For a person."""
    lane: Lane | None = None
    starts_at: datetime | None = None
    """When its lines may be sent; None: at once."""
    factor: Decimal = Decimal(1)
    """Its price as a share of the price now."""


def choose(model: Model, lanes: tuple[Lane, ...], wish: Wish, *, at: datetime, by: datetime | None) -> LaneChoice:
    """Return the lane for a wish: the named one where there is one, for `auto` the cheapest that is in time."""
    now = LaneChoice("now", "asked now")
    if wish == "now":
        return now
    found = [*_provider_lanes(model, lanes, at), *_quiet_hours(model, at)]
    wanted = [one for one in found if wish == "auto" or (one.name == "off-peak") == (wish == "off-peak")]
    in_time = [one for one in wanted if _is_in_time(one, at, by)]
    if not in_time:
        nothing = f"no cheaper hours of {model.name} come within a day" if wish == "off-peak" else f"{model.name} has no such lane"
        what = f"{wanted[0].name} would be too late" if wanted else nothing
        return now._replace(why=f"asked now: {what}" if wish != "auto" or wanted else "asked now: nothing is cheaper")
    best = min(in_time, key=lambda one: (one.factor, _starts(one, at)))
    return best if best.factor < 1 or wish != "auto" else now._replace(why="asked now: nothing is cheaper")


def _starts(one: LaneChoice, at: datetime) -> datetime:
    return one.starts_at or at


def _is_in_time(one: LaneChoice, at: datetime, by: datetime | None) -> bool:
    """Tell whether answers come by the deadline: those of a job when its window ends, those of quiet hours when they begin."""
    if by is None:
        return True
    if one.lane is None:
        return _starts(one, at) < by
    return at + timedelta(seconds=window_s(one.lane, at=at, by=by)) <= by


def window_s(lane: Lane, *, at: datetime, by: datetime | None) -> int:
    """Return how long a job is given: up to the deadline, within what the lane takes; a day where nothing is said."""
    least, most = lane.window_s or (86_400, 86_400)
    wanted = 86_400 if by is None else int((by - at).total_seconds())
    return max(least, min(most, wanted))


def _provider_lanes(model: Model, lanes: tuple[Lane, ...], at: datetime) -> list[LaneChoice]:
    found = []
    for lane in lanes:
        factor = _factor(model, at, at, tier=lane.service_tier) or lane.price_factor  # of a price nobody knows
        hours = (lane.window_s or (86_400, 86_400))[0] // 3600
        when = f"within {hours} h" if hours else "while the connection is held"
        found.append(LaneChoice(lane.name, f"{lane.name} at {factor.normalize():f}x the price, {when}", lane, factor=factor))
    return found


def _quiet_hours(model: Model, at: datetime) -> list[LaneChoice]:
    """Return the cheapest hours that begin within a day, where the price has hours."""
    if not catalog.rules_of_other_hours(model, at=at, input_tokens=_TYPICAL_INPUT):
        return []
    moments, moment = [at], at
    while (change := catalog.next_change(model, at=moment, input_tokens=_TYPICAL_INPUT)) is not None and change[0] - at < _A_DAY:
        moments.append(moment := change[0])
    prices = [(factor, one) for one in moments if (factor := _factor(model, at, one)) is not None]
    dearest = max((factor for factor, _ in prices), default=Decimal(1))
    factor, start = min(prices, default=(Decimal(1), at))
    if factor >= dearest and factor >= 1:
        return []
    when = "now" if start == at else f"from {start:%H:%M} UTC"
    why = f"off-peak hours {when}, at {factor.normalize():f}x the price now"
    return [LaneChoice("off-peak", why, None, None if start == at else start, factor)]


def opens_in_s(model: Model, *, at: datetime) -> float:
    """Return the seconds until the cheapest hours of a model; 0 within them, or where its price has none."""
    quiet = _quiet_hours(model, at)
    return 0.0 if not quiet or quiet[0].starts_at is None else (quiet[0].starts_at - at).total_seconds()


def _factor(model: Model, at: datetime, then: datetime, *, tier: str = "standard") -> Decimal | None:
    """Return what a typical call costs at an instant, in a tier, as a share of what it costs now; None where that is unknown."""
    now = catalog.project(model, input_tokens=_TYPICAL_INPUT, output_tokens=_TYPICAL_OUTPUT, at=at).total_usd
    then_usd = catalog.project(
        model, input_tokens=_TYPICAL_INPUT, output_tokens=_TYPICAL_OUTPUT, at=then, service_tier=tier
    ).total_usd
    return None if not now or then_usd is None else then_usd / now
