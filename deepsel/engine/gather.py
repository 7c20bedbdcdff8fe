"""Finds out about one candidate after another for a plan: tokens, prices, the answer's bound, health. Decides and sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from deepsel import catalog, config, tokens
from deepsel.config import Profile
from deepsel.engine.ask import Ask
from deepsel.engine.attempt import price_tier
from deepsel.errors import UsageError
from deepsel.health.endpoint import Endpoint
from deepsel.health.outlook import Outlook, Outlooks
from deepsel.health.refusals import Rows
from deepsel.routing.candidates import Candidate, Cooling, Needs
from deepsel.routing.lengths import (
    affordable_tokens,
    expected_output_tokens,
    fit_max_tokens,
    thinking_tokens,
)
from deepsel.values import Bill, Latency, Model, Provider, Request, Tool
from deepsel.wires.bodies import asked_members, members_at


@dataclass(slots=True)
class Gatherer:
    """Finds out about one candidate after another; each vocabulary counts the prompt once."""

    ask: Ask
    needs: Needs
    rows: Rows
    env: Mapping[str, str]
    at: datetime
    outlooks: Outlooks
    benches: Mapping[str, Latency]
    cap_usd: Decimal | None
    needs_keys: bool
    """Whether a candidate without a key is one that cannot answer."""
    counts: dict[str, tokens.Count] = field(default_factory=dict)
    """By model name, as far as they have been found."""
    _counted: dict[tokens.ModelReader, tokens.Count] = field(default_factory=dict)

    @property
    def request(self) -> Request:
        """What is asked."""
        return self.ask.request

    @property
    def profile(self) -> Profile:
        """How it is carried out."""
        return self.ask.profile

    def candidate(self, name: str, wanted_tokens: int) -> Candidate:
        """Find out about the model called `name`."""
        model, provider = self.rows[name]
        count = self._count(model, provider.wire)
        limit = fit_max_tokens(model, count.in_window, wanted=wanted_tokens, input_is_exact=count.is_exact)
        outlook = self.outlooks.endpoints.get(Endpoint(model.provider, model.name), Outlook())
        expected = expected_output_tokens(
            self.needs.task,
            count.tokens - count.pictures,
            max_tokens=limit or wanted_tokens,
            usual=outlook.usual_tokens,
            thought=thinking_tokens(asked_members(self.request), self.needs.difficulty),
        )
        worst = self._worst_bill(model, provider, count, (limit or wanted_tokens) * self.request.answers)
        bought = self._bought(model, provider, count, limit, expected, worst)
        if bought is not None:
            worst = self._worst_bill(model, provider, count, bought * self.request.answers)
        latency_s, latency_source = expected_latency(model, expected, outlook, self.benches.get(model.name))
        return Candidate(
            model=model,
            provider=provider,
            has_key=not self.needs_keys or config.has_key(provider, self.env),
            input_tokens=count.tokens,
            input_is_exact=count.is_exact,
            max_tokens=limit if bought is None else bought,
            expected_output_tokens=expected,
            bill=self._bill(model, provider, count.tokens, expected * self.request.answers),
            worst_bill=worst,
            latency_s=latency_s,
            latency_source=latency_source,
            output_source="" if outlook.usual_tokens is None else f"median of {outlook.usual_of} {self.needs.task} answers",
            key_names=config.key_places(provider),
            price_note=price_note(model, self.at, count.tokens),
            length_note="" if bought is None else f"answer cut to {bought:,} tokens instead of {limit:,}: what the limit on cost buys",
            cooling=_cooling(outlook),
            health_note=_health_note(outlook, self.at),
        )

    def _bought(
        self, model: Model, provider: Provider, count: tokens.Count, limit: int | None, expected: int, worst: Bill
    ) -> int | None:
        """Return the shorter bound that the cap buys, where it has to be shorter and the expected answer fits; else None.

        A length that was asked for, on the command line, by a client or in a line of a batch, stands: two wishes that cannot both be
        met are refused.
        """
        request, profile = self.request, self.profile
        is_own = request.given is not None or request.max_tokens not in (None, profile.max_tokens)
        if is_own or profile.sources.get("max_tokens") == "flag":
            return None
        over = self.cap_usd is not None and worst.total_usd is not None and worst.total_usd > self.cap_usd
        if not over or limit is None or self.cap_usd is None:
            return None
        prompt_usd = self._worst_bill(model, provider, count, 0).total_usd
        bought = affordable_tokens(self.cap_usd, without_output_usd=prompt_usd, at_most_usd=worst.total_usd, max_tokens=limit)
        return bought if bought is not None and bought >= expected else None

    def _count(self, model: Model, wire: str) -> tokens.Count:
        """Count all that the model reads, the tools and the schema that travel with it included."""
        reader = tokens.reader_of(model, members_at(self.request, wire))
        if reader not in self._counted:
            self._counted[reader] = tokens.count_request(_with_tools(self.request), reader)
        self.counts[model.name] = self._counted[reader]
        return self._counted[reader]

    def _worst_bill(self, model: Model, provider: Provider, count: tokens.Count, output_tokens: int) -> Bill:
        """Price the most a call may cost; unknown where nobody knows what its prompt may come to."""
        if count.most is not None:
            return self._bill(model, provider, count.most, output_tokens)
        return Bill(None, reason=f"nobody knows how many tokens it makes of {count.unbounded}")

    def _bill(self, model: Model, provider: Provider, input_tokens: int, output_tokens: int) -> Bill:
        """Price a call in advance."""
        tier, factor = price_tier(asked_members(self.request).get("service_tier")), provider.price_multiplier
        return catalog.project(
            model, input_tokens=input_tokens, output_tokens=output_tokens, at=self.at, service_tier=tier, multiplier=factor
        )


def _with_tools(request: Request) -> Request:
    """Return the request with the tools of a raw member as its own, for counting; where they are in no known form, as text."""
    raw = request.params.get("tools")
    if not raw:
        return request
    from deepsel.messages.tools import read_tools

    try:
        return request._replace(tools=read_tools(raw, "`tools`"))
    except UsageError:
        import json

        return request._replace(tools=(Tool("tools", json.dumps(raw, ensure_ascii=False)),))


def expected_latency(
    model: Model, output_tokens: int, outlook: Outlook, bench: Latency | None
) -> tuple[float | None, str]:
    """Return the seconds to the end of such an answer, and whose word that is: the log's, the bench's, the catalog's."""
    stated = bench or model.latency
    if outlook.ttft_s is not None:
        rate = outlook.tokens_per_s or (stated.tokens_per_s if stated else None)
        writing_s = output_tokens / rate if rate else 0.0
        return outlook.ttft_s + writing_s, f"observed in {outlook.answers} answers"
    if stated is None:
        return None, ""
    return stated.ttft_s + output_tokens / stated.tokens_per_s, "bench" if bench else "catalog"


def _cooling(outlook: Outlook) -> Cooling | None:
    """Say that an endpoint is left alone; one that is to be probed is not."""
    standing = outlook.standing
    if standing.state not in ("cooling", "probing"):
        return None
    return Cooling(standing.seconds_left, standing.why, standing.badness)


def _health_note(outlook: Outlook, at: datetime) -> str:
    """Say what its endpoint did lately that does not refuse it."""
    if outlook.standing.state == "half_open":
        return f"its cool-down is over ({outlook.standing.why}): one request tests it"
    wait_s = outlook.limit.opens_at(at.timestamp()) - at.timestamp()
    return f"its provider asked to be left alone for {wait_s:.0f} s more" if wait_s > 0 else ""


def price_note(model: Model, at: datetime, input_tokens: int) -> str:
    """Say what happens to the price within a day: `off-peak until 01:00 UTC (in 42 min), then peak at 2x`; else nothing."""
    change = catalog.next_change(model, at=at, input_tokens=input_tokens)
    now = catalog.rule_at(model, at=at, input_tokens=input_tokens)
    if change is None or now is None or (change[0] - at).total_seconds() > 86400:
        return ""
    minutes = round((change[0] - at).total_seconds() / 60)
    wait = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
    later = change[1]
    if later is None or not now.input or later.input is None:
        return f"the price changes in {wait}"
    label = f"{now.label} " if now.label else "this price "
    return f"{label}ends in {wait}, then {later.label or 'the price'} at {(later.input / now.input).normalize():f}x"
