"""What is true at the moment a page of metrics is asked for: budgets and what is left of them."""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.health.spend import account_of
from deepsel.session.open import Session

_Rows = list[tuple[tuple[tuple[str, str], ...], object]]


def gauges(session: Session) -> Mapping[str, _Rows]:
    """Return what is left of each daily and monthly budget, of profiles and of clients; what cannot be read is left out."""
    rows: _Rows = []
    at = session.clock.now()
    for profile in session.settings.profiles.values():
        spend = session.state.spend(profile.name, at=at).value
        if spend is None:
            continue
        if profile.daily_budget_usd is not None:
            rows.append(((("profile", profile.name), ("period", "day")), profile.daily_budget_usd - spend.day_usd))
        if profile.monthly_budget_usd is not None:
            rows.append(((("profile", profile.name), ("period", "month")), profile.monthly_budget_usd - spend.month_usd))
    for key in session.settings.serve.keys.values():
        spend = session.state.spend(account_of(key.name), at=at).value
        if key.daily_budget_usd is not None and spend is not None:
            rows.append(((("client", key.name), ("period", "day")), key.daily_budget_usd - spend.day_usd))
    return {"deepsel_budget_left_usd": rows}
