"""Gathers what a plan is made from: models, counts, prices, keys; then lets routing decide. Sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from deepsel import catalog, config, routing, tokens
from deepsel.config import Profile, Settings
from deepsel.engine.lookup import CacheMode
from deepsel.errors import ConfigError, NoRouteError, OverBudgetError
from deepsel.health import ObservationLog
from deepsel.routing import Candidate, Choice, Needs, Plan, Policy
from deepsel.routing.difficulty import score
from deepsel.values import Bill, Message, Model, Notice, Provider, Request, Source

_RESERVE_GROWTH = 4
"""How many times longer an answer may be where it was cut before."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One request with its plan and everything needed to carry it out."""

    request: Request
    profile: Profile
    task: str
    task_evidence: tuple[str, ...]
    difficulty: float
    plan: Plan
    reserves: tuple[Choice, ...]
    """Larger-context models, asked only where an answer was cut or a window overflowed."""
    models: Mapping[str, Model]
    providers: Mapping[str, Provider]
    input_tokens: Mapping[str, tokens.Count]
    """By model name, as are the next two."""
    max_tokens: Mapping[str, int]
    worst_usd: Mapping[str, Decimal | None]
    """Cost at the longest answer; None: unknown."""
    cache_mode: CacheMode
    language: str = "en"
    """Of the advice given when it fails."""
    notices: tuple[Notice, ...] = ()


def prepare(
    request: Request,
    instruction: str,
    *,
    profile: Profile,
    settings: Settings,
    env: Mapping[str, str],
    at: datetime,
    task: str | None = None,
    difficulty: float | None = None,
    cache_mode: CacheMode = "auto",
) -> Prepared:
    """Plan a request; `instruction` is what the user wrote, by which task and difficulty are judged.

    Raises ConfigError for a candidate nobody knows. The plan may be empty: see `ensure_route`.
    """
    detection = routing.detect(instruction)
    chosen_task = task or detection.task
    needs = Needs(
        task=chosen_task,
        difficulty=score(instruction) if difficulty is None else difficulty,
        schema=request.schema is not None,
        images=request.has_images,
        on=at.date(),
    )
    gather = _Gatherer(request, profile, settings, env, at, chosen_task)
    policy = Policy(strategy=profile.strategy, pins=profile.tasks, max_cost_usd=profile.max_cost_usd)
    candidates = [gather.candidate(name, request.max_tokens or profile.max_tokens) for name in profile.models]
    plan = routing.plan(candidates, needs, policy)
    reserves = _reserves(gather, plan)
    everyone = [*candidates, *reserves]
    choices = [*plan.choices, *(routing.plan(reserves, needs, replace(policy, strategy="ordered")).choices)]
    return Prepared(
        request=request,
        profile=profile,
        task=chosen_task,
        task_evidence=("forced",) if task else detection.evidence,
        difficulty=needs.difficulty,
        plan=plan,
        reserves=tuple(choices[len(plan.choices) :]),
        models={candidate.model.name: candidate.model for candidate in everyone},
        providers={candidate.provider.name: candidate.provider for candidate in everyone},
        input_tokens=gather.counts,
        max_tokens={choice.model: choice.max_tokens for choice in choices},
        worst_usd={candidate.model.name: candidate.worst_bill.total_usd for candidate in everyone},
        cache_mode=cache_mode,
        language=catalog.language(env),
        notices=_notices(request, plan, gather),
    )


def _reserves(gather: _Gatherer, plan: Plan) -> list[Candidate]:
    """Gather the larger-context models that are no candidates already, with room for a longer answer."""
    planned = {choice.model for choice in plan.choices}
    wanted = (gather.request.max_tokens or gather.profile.max_tokens) * _RESERVE_GROWTH
    return [gather.candidate(name, wanted) for name in gather.profile.larger_context if name not in planned]


def ensure_route(prepared: Prepared, settings: Settings, log: ObservationLog, at: datetime) -> None:
    """Raise the error that says why nobody can or may be asked; return where somebody can."""
    refused = prepared.plan.refused
    if prepared.plan.choices:
        _ensure_budget(prepared, log, at)
        return
    reasons = {refusal.reason for refusal in refused}
    if reasons == {"no_key"}:
        names = sorted({name for refusal in refused for name in _key_names(settings, refusal.provider)})
        raise ConfigError(
            f"no key was found; looked for {', '.join(names)}",
            'export one of them, or try without a key: `deepsel ask -p demo "..."`',
        )
    detail = "; ".join(f"{refusal.model}: {refusal.detail}" for refusal in refused)
    if reasons <= {"over_cost", "no_key"}:
        raise OverBudgetError(f"over budget, nothing was sent: {detail}", "raise `--max-cost`, or lower `--max-tokens`")
    raise NoRouteError(f"no candidate can take this request: {detail}", "see `deepsel ask --explain`")


def _ensure_budget(prepared: Prepared, log: ObservationLog, at: datetime) -> None:
    """Hold the day's budget against what was spent since midnight UTC and the first choice at its longest answer."""
    budget = prepared.profile.daily_budget_usd
    if budget is None:
        return
    spent = log.spent_usd(prepared.profile.name, since=at.replace(hour=0, minute=0, second=0, microsecond=0))
    worst = prepared.worst_usd[prepared.plan.choices[0].model]
    if spent is None:
        raise OverBudgetError("what was spent today cannot be read, so the daily budget cannot be kept")
    if worst is None:
        raise OverBudgetError(f"the price of {prepared.plan.choices[0].model} is unknown, and there is a daily budget")
    if spent + worst > budget:
        raise OverBudgetError(
            f"${spent:.4f} of the daily ${budget} is spent, and this could cost ${worst:.4f}; nothing was sent",
            "raise `daily_budget_usd`, lower `--max-tokens`, or wait for midnight UTC",
        )


def _key_names(settings: Settings, provider: str) -> tuple[str, ...]:
    """Name the places a provider's key is looked for."""
    row = config.find_provider(settings, provider)
    return tuple(name for name in (row.api_key_env, *row.api_key_command[:1]) if name)


@dataclass(slots=True)
class _Gatherer:
    """Finds out about one candidate after another; each vocabulary counts the prompt once."""

    request: Request
    profile: Profile
    settings: Settings
    env: Mapping[str, str]
    at: datetime
    task: str
    counts: dict[str, tokens.Count] = field(default_factory=dict)
    """By model name, as far as they have been found."""

    def candidate(self, name: str, wanted_tokens: int) -> Candidate:
        """Find out about the model called `name`."""
        model = config.find_model(self.settings, name)
        provider = config.find_provider(self.settings, model.provider)
        count = self._count(model)
        is_exact = count.source is not Source.ESTIMATED
        limit = routing.fit_max_tokens(model, count.tokens, wanted=wanted_tokens, input_is_exact=is_exact)
        expected = routing.expected_output_tokens(self.task, count.tokens, max_tokens=limit or wanted_tokens)
        latency = model.latency
        return Candidate(
            model=model,
            provider=provider,
            has_key=config.has_key(provider, self.env),
            input_tokens=count.tokens,
            input_is_exact=is_exact,
            max_tokens=limit,
            expected_output_tokens=expected,
            bill=self._bill(model, provider, count.tokens, expected),
            worst_bill=self._bill(model, provider, _upper(count), limit or wanted_tokens),
            latency_s=latency.ttft_s + expected / latency.tokens_per_s if latency else None,
            latency_source="catalog" if latency else "",
            key_names=_key_names(self.settings, model.provider),
            price_note=price_note(model, self.at, count.tokens),
        )

    def _count(self, model: Model) -> tokens.Count:
        """Count the prompt, the schema that travels with it included."""
        messages: tuple[Message, ...] = self.request.messages
        if self.request.schema is not None:
            import json

            messages = (*messages, Message("system", json.dumps(self.request.schema)))
        count = tokens.count_messages(messages, model)
        self.counts[model.name] = count
        return count

    def _bill(self, model: Model, provider: Provider, input_tokens: int, output_tokens: int) -> Bill:
        """Price a call in advance."""
        return catalog.project(
            model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            at=self.at,
            multiplier=provider.price_multiplier,
        )


def _upper(count: tokens.Count) -> int:
    """Give the most tokens a count may stand for, for what has to hold."""
    if count.source is not Source.ESTIMATED:
        return count.tokens
    return round(count.tokens * (1 + (count.error_pct or 50.0) / 100))


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


def _notices(request: Request, plan: Plan, gather: _Gatherer) -> tuple[Notice, ...]:
    """Warn of what the first choice will not be sent or cannot be sure of."""
    if not plan.choices:
        return ()
    from deepsel import providers

    first = plan.choices[0]
    model = config.find_model(gather.settings, first.model)
    provider = config.find_provider(gather.settings, first.provider)
    notices = []
    explicit = {name for name, source in gather.profile.sources.items() if source == "flag"}
    for name in providers.WIRES[provider.wire].withheld(request, model, provider):
        if name in explicit:
            notices.append(Notice("parameter_withheld", f"{model.name} takes no {name}; it is not sent"))
    return tuple(notices)
