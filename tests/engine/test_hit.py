"""How long an answer from the cache is what an invocation gets: as long as the same models are sold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepsel.engine.hit import sold_between
from deepsel.values import Model

DAYS = st.dates(date(2026, 11, 20), date(2026, 12, 10))
ROWS = st.lists(st.tuples(st.none() | DAYS, st.none() | DAYS), max_size=4)
INSTANTS = st.datetimes(datetime(2026, 11, 19), datetime(2026, 12, 12), timezones=st.just(UTC))


@given(rows=ROWS, at=INSTANTS, other=INSTANTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_between_them_the_same_models_are_sold(
    model: Callable[..., Model], rows: list[tuple[date | None, date | None]], at: datetime, other: datetime
) -> None:
    """At every instant between the two the same of the models can be had; without a day there is no bound."""
    models = [model(available_from=begins, retires=ends) for begins, ends in rows]
    begins, ends = sold_between(models, at)
    assert begins <= at.timestamp() < ends
    if begins <= other.timestamp() < ends:
        assert _sold(models, other) == _sold(models, at)
    if not any(day for row in rows for day in row):
        assert (begins, ends) == (-inf, inf)


def test_the_day_begins_at_midnight_of_utc(model: Callable[..., Model]) -> None:
    """A microsecond before the day of its end a model is sold, at the first instant of the day it is not."""
    midnight = datetime(2026, 12, 1, tzinfo=UTC)
    models = [model(retires=midnight.date())]
    assert sold_between(models, midnight - timedelta(seconds=1)) == (-inf, midnight.timestamp())
    assert sold_between(models, midnight) == (midnight.timestamp(), inf)


def _sold(models: list[Model], at: datetime) -> list[bool]:
    return [_is_sold(one, at.date()) for one in models]


def _is_sold(one: Any, day: date) -> bool:
    return (one.available_from is None or one.available_from <= day) and (one.retires is None or day < one.retires)
