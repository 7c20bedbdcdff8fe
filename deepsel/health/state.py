"""What processes know together of endpoints, limits, budgets and past calls: the verbs its users have, whatever its home.

Every verb returns what it found and, as notices, why it could not; none raises for a home that cannot be used. What cannot
be read is None, which is neither nothing nor zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from deepsel.health.cooldowns import Judgement, State, Thresholds
    from deepsel.health.endpoint import Endpoint
    from deepsel.health.holds import Budgets, Held
    from deepsel.health.limits import Limit
    from deepsel.health.log import Observation
    from deepsel.health.outlook import Outlooks
    from deepsel.health.paces import FoundPace
    from deepsel.health.spend import Spend, Unsettled
    from deepsel.storage.told import Told
    from deepsel.values import Latency, Notice
    from deepsel.wires.taking_back import TakenBack


class SharedState(Protocol):
    """The state of one user's processes, or of a fleet's. Safe to use from many threads and many processes."""

    def outlook(
        self,
        endpoints: Iterable[Endpoint],
        *,
        task: str,
        thresholds: Thresholds,
        budgets: Budgets,
        at: datetime,
    ) -> Outlooks:
        """Read everything a plan needs in one go; changes nothing."""

    def benched(self) -> Mapping[str, Latency]:
        """Return what the last bench on this machine measured, by model; nothing where there is none."""

    def limits(self, endpoints: Iterable[Endpoint]) -> Told[Mapping[Endpoint, Limit]]:
        """Read the rate limits of several endpoints; those of which none was ever told hold nothing back."""

    def close_until(self, endpoint: Endpoint, instant: float) -> tuple[Notice, ...]:
        """Keep every process from asking the endpoint before `instant` (seconds since the epoch); the later end holds."""

    def tell_left(self, endpoint: Endpoint, requests_left: int, resets_at: float) -> tuple[Notice, ...]:
        """Note how many requests an answer said are left until `resets_at`; the last answer's word holds."""

    def take_one(self, endpoint: Endpoint, *, at: float) -> Told[bool]:
        """Count one request against what is left; False where another process has taken the last one."""

    def pace(self, endpoint: Endpoint, *, at: float) -> Told[FoundPace | None]:
        """Read how many calls at once the endpoint was lately found to bear; None where nobody has found that."""

    def keep_pace(self, endpoint: Endpoint, limit: float, ceiling: float | None, *, at: float) -> tuple[Notice, ...]:
        """Tell every process how many calls at once the endpoint was found to bear; the last word holds."""

    def taken_back(self, endpoints: Iterable[Endpoint], *, at: float) -> Told[Mapping[Endpoint, tuple[TakenBack, ...]]]:
        """List what hosts have refused lately of what deepsel adds by itself; an endpoint that refused nothing is left out."""

    def take_back(self, endpoint: Endpoint, changes: Iterable[TakenBack], *, at: float) -> tuple[Notice, ...]:
        """Keep what a host has refused, as far as it lasts, so that no process sends it again for a day."""

    def claim_probe(self, endpoint: Endpoint, thresholds: Thresholds, *, at: float, lease_s: float) -> Told[bool]:
        """Claim the probe of a half-open endpoint for at most `lease_s`; False: another has it, or it is over."""

    def hold(
        self, budgets: Budgets, amount_usd: Decimal, *, at: datetime, ttl_s: float, replaces: int | None = None
    ) -> Told[Held]:
        """Hold an amount under the budgets for `ttl_s`, in place of what the request held before.

        What nobody settles counts as spent on the day it was held.
        """

    def add(
        self,
        observations: Sequence[Observation],
        *,
        hold: int | None = None,
        assumed_picousd: int = 0,
        judgement: Judgement | None = None,
    ) -> tuple[Notice, ...]:
        """Append observations with what they cost, all at once, and decide what they mean for their endpoints.

        `hold` is the reservation they settle, `assumed_picousd` stands in for costs that stay unknown; without a
        `judgement` nothing is decided.
        """

    def since(self, instant: float) -> Told[list[Observation]]:
        """List what was observed from that instant on, oldest first."""

    def spend(self, profile: str, *, at: datetime) -> Told[Spend]:
        """Add up what the profile has spent in the day and month of `at`."""

    def unsettled(self, since: float, *, at: float) -> Told[list[Unsettled]]:
        """List the reservations made since an instant, in seconds since the epoch, whose time is over and whose bill never came."""

    def last_call(self, endpoint: Endpoint, *, at: float) -> Told[float | None]:
        """Return when the endpoint was last called before `at`, in seconds since the epoch; None: never, as far as is known."""

    def troubled(self) -> Told[Mapping[Endpoint, State]]:
        """List every endpoint that was ever in trouble."""

    def close(self) -> None:
        """Give back files and connections; it may be used again."""
