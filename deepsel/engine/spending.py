"""Whether the next call may be paid for: one answer for a request's cap, a command's limit and a profile's budgets.

What a call may cost at most is checked against the cap and reserved under the budgets before the call is made; its bill
takes the place of the reservation afterwards. A bill that stays unknown counts with the most the call may have cost, and so
does one that is lost with its process: see `health/spend.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from deepsel.clock import Clock
from deepsel.config import Profile
from deepsel.health.holds import Budgets
from deepsel.health.state import SharedState
from deepsel.show.money import exact_usd
from deepsel.storage.amounts import picousd
from deepsel.values import Notice

UNREADABLE = "what was spent cannot be read"
_SLACK_S = 60.0
"""How long past its time limit a request may still be writing its bill; later it is taken for lost."""
_LEAST_USD = Decimal("0.000000000001")
"""The smallest amount there is: what a call of unknown price holds."""


def budgets_of(profile: Profile) -> Budgets:
    """Read a profile's budgets."""
    return Budgets(
        profile.name, profile.daily_budget_usd, profile.monthly_budget_usd, profile.client, profile.client_daily_budget_usd
    )


@dataclass(slots=True)
class Spending:
    """What one piece of work has reserved and spent, and whether it may go on; `cap_usd` None: only the budgets bound it."""

    profile: Profile
    state: SharedState
    clock: Clock
    cap_usd: Decimal | None = None
    before_usd: Decimal = Decimal(0)
    """What was spent and settled before, which counts against the cap alone."""
    reservation: int | None = None
    """To be settled with the observations; None: the profile has no budget, or nothing was reserved."""
    notices: list[Notice] = field(default_factory=list)
    """What went wrong with the state."""
    _billed_usd: Decimal = Decimal(0)
    _assumed_usd: Decimal = Decimal(0)
    _under_way_usd: Decimal = Decimal(0)
    _reserved_usd: Decimal = Decimal(0)

    @property
    def spent_usd(self) -> Decimal:
        """So far; a bill that stayed unknown counts with the most it may be."""
        return self._billed_usd + self._assumed_usd

    def may(self, worst_usd: Decimal | None) -> str:
        """Reserve what the next call may cost at most (None: unknown); returns why it must not be made, empty where it may."""
        return self.over_cap(worst_usd) or self.reserve(worst_usd)

    def over_cap(self, worst_usd: Decimal | None) -> str:
        """Say why a call would break the cap; empty where it would not."""
        if self.cap_usd is None:
            return ""
        if worst_usd is None:
            is_allowed = self.profile.unknown_price == "allow"
            return "" if is_allowed else f"its price is unknown, and there is a limit of {exact_usd(self.cap_usd)}"
        left_usd = self.cap_usd - self.before_usd - self.spent_usd
        if worst_usd <= left_usd:
            return ""
        left = f"{exact_usd(max(left_usd, Decimal(0)))} left of the limit of {exact_usd(self.cap_usd)}"
        return f"could cost {exact_usd(worst_usd)}, and there is {left}"

    def reserve(self, worst_usd: Decimal | None) -> str:
        """Reserve a call under the profile's budgets; returns why it must not be made, empty where it may."""
        budgets = budgets_of(self.profile)
        self._under_way_usd = worst_usd or Decimal(0)
        if not budgets:
            return ""
        if worst_usd is None and self.profile.unknown_price == "refuse":
            return "its price is unknown, and there is a budget"
        if worst_usd == 0:
            return ""
        least = _LEAST_USD if worst_usd is None else Decimal(0)  # of unknown price: not where nothing is left
        refusal = self._hold(self.spent_usd + self._under_way_usd + least)
        if refusal:
            self._under_way_usd = Decimal(0)
        return refusal

    def lower(self) -> None:
        """Reserve no more than what was spent while nothing is under way, as in a wait: a process may end in it."""
        if self.reservation is not None and not self._under_way_usd and self.spent_usd < self._reserved_usd:
            self._hold(self.spent_usd)

    def _hold(self, amount_usd: Decimal) -> str:
        """Reserve an amount in place of what was reserved before; returns why not, empty where it is."""
        held, notices = self.state.hold(
            budgets_of(self.profile),
            amount_usd,
            at=self.clock.now(),
            ttl_s=self.profile.timeout_s + _SLACK_S,
            replaces=self.reservation,
        )
        self.notices += notices
        if held is None:
            return f"there is a budget, but {UNREADABLE}"
        if held.hold is not None:
            self.reservation, self._reserved_usd = held.hold, amount_usd
        return held.refusal

    def settle(self, cost_usd: Decimal | None) -> None:
        """Note what the call cost; None: nobody knows, so it counts with the most it may have cost."""
        if cost_usd is None:
            self._assumed_usd += self._under_way_usd
        else:
            self._billed_usd += cost_usd
        self._under_way_usd = Decimal(0)

    def assumed_picousd(self) -> int:
        """Return what is to be added to the spend besides the bills; a call that was broken off counts in full."""
        if self.reservation is None:
            return 0
        return picousd(self._assumed_usd + self._under_way_usd) or 0
