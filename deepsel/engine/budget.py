"""One request's money: holds what its next call may cost under the profile's budgets, before the call is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from deepsel.clock import Clock
from deepsel.config import Profile
from deepsel.health.holds import Budgets
from deepsel.health.state import SharedState
from deepsel.storage.amounts import picousd
from deepsel.values import Notice

_SLACK_S = 60.0
"""How long past its time limit a request's hold is kept: it may still be writing its bill."""


def budgets_of(profile: Profile) -> Budgets:
    """Read a profile's budgets."""
    return Budgets(profile.name, profile.daily_budget_usd, profile.monthly_budget_usd)


@dataclass(slots=True)
class Purse:
    """What one request has held and spent; does nothing for a profile without budgets."""

    profile: Profile
    state: SharedState
    clock: Clock
    hold: int | None = None
    """The reservation, to be settled with the observations."""
    assumed_usd: Decimal = Decimal(0)
    """What stands in for bills that stayed unknown: the most those calls may have cost."""
    notices: list[Notice] = field(default_factory=list)
    """What went wrong with the state."""
    _spent_usd: Decimal = Decimal(0)
    _under_way_usd: Decimal = Decimal(0)

    def take(self, worst_usd: Decimal | None) -> str:
        """Hold what the next call may cost at most; returns why it must not be made, empty where it may."""
        budgets = budgets_of(self.profile)
        if not budgets:
            return ""
        if worst_usd is None and self.profile.unknown_price == "refuse":
            return "its price is unknown, and there is a budget"
        amount = self._spent_usd + self.assumed_usd + (worst_usd or 0)
        held, notices = self.state.hold(
            budgets, amount, at=self.clock.now(), ttl_s=self.profile.timeout_s + _SLACK_S, replaces=self.hold
        )
        self.notices += notices
        if held is None:
            return "there is a budget, but what was spent cannot be read"
        if held.hold is None:
            return held.refusal
        self.hold, self._under_way_usd = held.hold, worst_usd or Decimal(0)
        return ""

    def settle(self, cost_usd: Decimal | None) -> None:
        """Note what the call cost; None: nobody knows, so it counts with the most it may have cost."""
        if cost_usd is None:
            self.assumed_usd += self._under_way_usd
        else:
            self._spent_usd += cost_usd
        self._under_way_usd = Decimal(0)

    def assumed_picousd(self) -> int:
        """Return what is to be added to the spend besides the bills; a call that was broken off counts in full."""
        return picousd(self.assumed_usd + self._under_way_usd) or 0
