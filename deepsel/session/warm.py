"""Keeps models warm: a call as small as can be to each, only where nobody else has called it lately. Draws nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal
from urllib.parse import urljoin

from deepsel import catalog, config, tokens
from deepsel.config import Profile, Settings
from deepsel.ending import shielded
from deepsel.engine.attempt import Draft, Settlement, billed_usd, settle, settle_failed
from deepsel.engine.resources import Resources
from deepsel.engine.spending import Spending
from deepsel.errors import AttemptFailed, ConfigError, ErrorClass, OverBudgetError
from deepsel.health.endpoint import Endpoint
from deepsel.health.log import Observation
from deepsel.health.refusals import Rows
from deepsel.providers.calls import Call, Outgoing, Timeouts, Trust
from deepsel.providers.hosts import host_of
from deepsel.records import NamedTuple
from deepsel.storage.amounts import picousd
from deepsel.values import Message, Model, Notice, Provider, Request
from deepsel.wires.table import wire_of

TASK = "warm"
"""What these calls are called in the log."""
_REQUEST = Request((Message.of("user", "Hi"),), max_tokens=1)
_COLD_AFTER = 1.5
"""Idle for so many intervals, or for ever, a model counts as cold."""


class Ping(NamedTuple):
    """One call that keeps a model warm."""

    model: str
    kind: Literal["cold", "warm", "reachable"]
    """Whether anybody had called it shortly before; reachable: a health path was touched, which runs no model and warms none."""
    ttft_s: float | None
    """To the first token, or to the first byte of a health path; None: it failed."""
    cost_usd: Decimal | None
    failure: str = ""


@dataclass(slots=True)
class Warmer:
    """Calls a few models again and again."""

    models: tuple[str, ...]
    every_s: float
    profile: Profile
    resources: Resources
    spent_usd: Decimal = Decimal(0)
    """So far; a call nobody can price counts with the most it may have cost."""
    notices: list[Notice] = field(default_factory=list)
    """What went wrong with the state, each time it did."""
    _rows: Mapping[str, tuple[Model, Provider]] = field(init=False)

    def __post_init__(self) -> None:
        resources = self.resources
        rows = Rows(resources.settings, self.models, resources.state, resources.clock.now())
        self._rows = {rows[name][0].name: rows[name] for name in self.models}

    @property
    def not_warmed(self) -> list[str]:
        """Name the models of which only a health path is touched."""
        return [name for name, (_, provider) in self._rows.items() if provider.health_path]

    @property
    def is_simulated(self) -> bool:
        """Whether no model is asked."""
        return all(provider.is_simulated for _, provider in self._rows.values())

    def hourly_usd(self) -> Decimal | None:
        """Return what an hour costs at most, where nobody else calls; None: a price is unknown."""
        total = Decimal(0)
        for name in self._rows:
            cost = self._projected_usd(name)
            if cost is None:
                return None
            total += cost * Decimal(3600 / self.every_s)
        return total

    def run(self, *, for_s: float | None = None, max_cost_usd: Decimal | None = None) -> Iterator[Ping]:
        """Yield each call after it was made, for so long or for ever.

        Raises OverBudgetError before the call that could go over `max_cost_usd` or a budget of the profile.
        """
        clock = self.resources.clock
        ends = None if for_s is None else clock.monotonic() + for_s
        while True:
            waits = []
            for name in self._rows:
                idle_s = self._idle_s(name)
                if idle_s is None or idle_s >= self.every_s:
                    yield self._ping(name, idle_s, max_cost_usd)
                    idle_s = 0.0
                waits.append(self.every_s - idle_s)
            wait_s = min(waits)
            if ends is not None and clock.monotonic() + wait_s > ends:
                return
            clock.sleep(wait_s)

    def _idle_s(self, name: str) -> float | None:
        """Return how long nobody has called a model; None: for ever, as far as is known."""
        model, _ = self._rows[name]
        now = self.resources.clock.now().timestamp()
        last, notices = self.resources.state.last_call(Endpoint(model.provider, name), at=now)
        self.notices += notices
        return None if last is None else now - last

    def _projected_usd(self, name: str) -> Decimal | None:
        """Return what one call costs at most."""
        model, provider = self._rows[name]
        if provider.health_path or provider.is_simulated:
            return Decimal(0)
        count = tokens.count_request(_REQUEST, tokens.reader_of(model))
        at, multiplier = self.resources.clock.now(), provider.price_multiplier
        return catalog.project(
            model, input_tokens=count.tokens, output_tokens=1, at=at, multiplier=multiplier
        ).total_usd

    def _ping(self, name: str, idle_s: float | None, max_cost_usd: Decimal | None) -> Ping:
        """Make one call, and leave it in the log where it is a model's."""
        model, provider = self._rows[name]
        spending = Spending(
            self.profile, self.resources.state, self.resources.clock, cap_usd=max_cost_usd, before_usd=self.spent_usd
        )
        refusal = spending.may(self._projected_usd(name))
        if refusal:
            raise OverBudgetError(f"{name}: {refusal}", "raise the limit it names, or wait for the next day (UTC)")
        kind: Literal["cold", "warm", "reachable"] = "cold"
        if provider.health_path:
            kind = "reachable"
        elif idle_s is not None and idle_s <= _COLD_AFTER * self.every_s:
            kind = "warm"
        known = self.resources.settings.catalog
        draft = Draft(model, provider, 1, self.resources.clock.now(), self.resources.clock.monotonic(), known)
        failure: AttemptFailed | None = None
        try:
            self._touch(draft)
        except AttemptFailed as error:
            failure = error
        except KeyboardInterrupt:
            self._settle(draft, AttemptFailed(ErrorClass.STREAM_CUT, "ended by the user"), spending, is_cancelled=True)
            raise
        cost_usd = self._settle(draft, failure, spending)
        return Ping(name, kind, None if failure else draft.ttft_s, cost_usd, failure.message if failure else "")

    def _touch(self, draft: Draft) -> None:
        """Call the health path where the provider has one, else the model; notes when the first sign of life came."""
        clock = self.resources.clock
        provider = self.resources.locate(draft.provider)
        limit_s = self.profile.first_token_timeout_s
        timeouts = Timeouts(
            deadline=clock.monotonic() + self.profile.timeout_s, first_token_s=limit_s, progress_s=limit_s
        )
        if provider.health_path:
            call = Call("GET", urljoin(provider.base_url, provider.health_path), trust=Trust.of(provider))
            with self.resources.transport().open(call, timeouts=timeouts) as response:
                draft.ttft_s = clock.monotonic() - draft.started_s
                if response.status >= 400:
                    words = f"{call.target} answered {response.status} to its health path"
                    raise AttemptFailed(ErrorClass.SERVER, words, http_status=response.status)
            return
        key = self.resources.key_of(draft.provider, self.profile.timeout_s)
        body = wire_of(provider.wire).encode(_REQUEST, draft.model, provider, max_tokens=1)
        outgoing = Outgoing(provider, key, body)
        events = self.resources.stream(
            self.resources.transport(),
            outgoing,
            timeouts=timeouts,
            clock=clock,
            on_response=lambda facts: draft.heed(facts.gateway, facts.sent_bytes),
        )
        for event in events:
            draft.take(event, clock.monotonic())
            if draft.reasoning and draft.ttft_s is None:
                draft.ttft_s = clock.monotonic() - draft.started_s
        draft.join()

    def _settle(
        self, draft: Draft, failure: AttemptFailed | None, spending: Spending, *, is_cancelled: bool = False
    ) -> Decimal | None:
        """Settle a call that is over with what it cost, which is returned, and leave it in the log where it is a model's."""
        provider = draft.provider
        with shielded():
            settled = None if provider.health_path else _settled(draft, failure)  # a health path says nothing of the model
            cost_usd = Decimal(0) if settled is None else billed_usd(provider, settled.cost_usd)
            spending.settle(cost_usd)
            self.spent_usd += spending.spent_usd
            if settled is not None:
                outcome = "cancelled" if is_cancelled else "failed" if failure else "ok"
                self._leave(draft, failure, settled._replace(cost_usd=cost_usd), spending, outcome=outcome)
        return cost_usd

    def _leave(
        self, draft: Draft, failure: AttemptFailed | None, settled: Settlement, spending: Spending, *, outcome: str
    ) -> None:
        """Write the observation."""
        usage, clock = settled.usage, self.resources.clock
        seen = Observation(
            at=clock.now().timestamp(),
            profile=self.profile.name,
            provider=draft.provider.name,
            model=draft.model.name,
            task=TASK,
            outcome=outcome,
            error_class=failure.error_class if failure and outcome == "failed" else None,
            http_status=failure.http_status if failure else 200,
            input_tokens=usage.input_tokens,
            cached_input_tokens=usage.cache_read,
            output_tokens=usage.output_tokens,
            cost_picousd=picousd(settled.cost_usd),
            ttft_s=draft.ttft_s,
            total_s=clock.monotonic() - draft.started_s,
            host=host_of(draft.provider.base_url),
        )
        self.notices += spending.notices
        self.notices += self.resources.state.add([seen], hold=spending.reservation, assumed_picousd=spending.assumed_picousd())


def _settled(draft: Draft, failure: AttemptFailed | None) -> Settlement:
    """Price a call by what it reported, else by what was counted."""
    count = tokens.count_request(_REQUEST, tokens.reader_of(draft.model))
    return settle(draft, count) if failure is None else settle_failed(draft, failure, count)


def with_keys(profile: Profile, settings: Settings, env: Mapping[str, str]) -> tuple[str, ...]:
    """Name the profile's models that there is a key for; raises ConfigError where there is none."""
    found: list[str] = []
    looked_for: set[str] = set()
    for name in profile.models:
        provider = config.find_provider(settings, config.find_model(settings, name).provider)
        if config.has_key(provider, env):
            found.append(name)
        else:
            looked_for |= {*config.key_places(provider)}
    if not found:
        names = ", ".join(sorted(looked_for))
        raise ConfigError(f"no key was found; looked for {names}", "export one of them, or name models with `--model`")
    return tuple(found)
