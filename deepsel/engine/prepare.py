"""Gathers what a plan is made from: models, counts, prices, keys; then lets routing decide. Sends nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from deepsel import catalog, config, tokens
from deepsel.config import Profile, Settings
from deepsel.engine.ask import Ask
from deepsel.engine.attempt import price_tier
from deepsel.engine.gather import Gatherer
from deepsel.engine.spending import UNREADABLE, budgets_of
from deepsel.errors import OTHER_HOME, ConfigError, NoRouteError, OverBudgetError
from deepsel.health.cooldowns import Thresholds
from deepsel.health.outlook import Outlooks
from deepsel.health.refusals import Rows
from deepsel.health.state import SharedState
from deepsel.messages.forms import wires_needed
from deepsel.records import NamedTuple
from deepsel.routing.candidates import Candidate, Choice, Needs, Plan, Policy, Weights
from deepsel.routing.difficulty import from_detection
from deepsel.routing.plan import plan as plan_for
from deepsel.routing.stickiness import conversation_plan
from deepsel.routing.task import Detection, detect
from deepsel.values import Notice, Request
from deepsel.wires.bodies import asked_members

_RESERVE_GROWTH = 4
"""How many times longer an answer may be where it was cut before."""


class Prepared(NamedTuple):
    """One request with its plan and everything needed to carry it out."""

    ask: Ask
    task: str
    task_evidence: tuple[str, ...]
    difficulty: float
    plan: Plan
    reserves: tuple[Choice, ...]
    """Larger-context models, asked only where an answer was cut or a window overflowed."""
    candidates: Mapping[str, Candidate]
    """The profile's, by model name."""
    reserve_candidates: Mapping[str, Candidate]
    """The larger-context models, whose answer may be longer, by model name; some may be candidates as well."""
    counts: Mapping[str, tokens.Count]
    """Tokens of the prompt by model name."""
    look_up: tuple[str, ...] = ()
    """Models whose answer from the cache will do, best first: what cools down or costs too much may still have one."""
    half_open: frozenset[str] = frozenset()
    """Models whose endpoint is to be probed: one request of all processes may ask it."""
    service_tier: str = "standard"
    """The tier that is asked for, which decides the price."""
    language: str = "en"
    """Of the advice given when it fails."""
    notices: tuple[Notice, ...] = ()
    outlooks: Outlooks = Outlooks({})
    """What was known of everybody who may be asked."""
    stay: tuple[str, ...] = ()
    """Why the conversation it belongs to stays or moves, with both sums; empty: it belongs to none."""

    @property
    def request(self) -> Request:
        """What is asked."""
        return self.ask.request

    @property
    def profile(self) -> Profile:
        """How it is carried out."""
        return self.ask.profile

    @property
    def everyone(self) -> Mapping[str, Candidate]:
        """Whoever may be asked, by model name; a candidate's own figures win over those it has as a reserve."""
        return {**self.reserve_candidates, **self.candidates}


def prepare(ask: Ask, rows: Rows, *, env: Mapping[str, str], at: datetime, state: SharedState) -> Prepared:
    """Plan a request to the models of `rows`, which are all of its profile's.

    The plan may be empty: see `ensure_route`.
    """
    request, profile = ask.request, ask.profile
    is_judged = ask.task is not None and ask.difficulty is not None
    detection = Detection(ask.task or "", ("forced",)) if is_judged else detect(ask.instruction)
    task = ask.task or detection.task
    needs = Needs(
        task=task,
        difficulty=from_detection(ask.instruction, detection) if ask.difficulty is None else ask.difficulty,
        schema=request.schema is not None,
        media=request.media,
        tools=request.asks_for_tools,
        wires=wires_needed(request),
        unsayable={} if request.given is None else request.given.unsayable,
        on=at.date(),
    )
    may_send = ask.cache_mode != "only"
    outlooks = _look(profile, rows, state, task, at) if may_send else Outlooks({})
    policy = _policy(profile, outlooks)
    gather = Gatherer(ask, needs, rows, env, at, outlooks, state.benched(), policy.max_cost_usd, needs_keys=may_send)
    candidates = [gather.candidate(name, request.max_tokens or profile.max_tokens) for name in profile.models]
    plan, stay = conversation_plan(candidates, needs, policy, ask.holding, at=at)
    reserves = _reserves(gather)
    return Prepared(
        ask=ask,
        task=task,
        task_evidence=("forced",) if ask.task else detection.evidence,
        difficulty=needs.difficulty,
        plan=plan,
        reserves=plan_for(reserves, needs, policy._replace(strategy="ordered")).choices,
        candidates={candidate.model.name: candidate for candidate in candidates},
        reserve_candidates={candidate.model.name: candidate for candidate in reserves},
        counts=gather.counts,
        look_up=_look_up(plan, candidates),
        half_open=frozenset(name.model for name, one in outlooks.endpoints.items() if one.standing.state == "half_open"),
        service_tier=price_tier(asked_members(request).get("service_tier")),
        language=catalog.language(env),
        notices=(*rows.notices, *_notices(candidates, plan, gather)),
        outlooks=outlooks,
        stay=stay,
    )


def _look_up(plan: Plan, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """Name the models whose answer from the cache will do, best first."""
    passed_over = {one.model for one in plan.refused if one.reason in ("cooling", "over_cost")}
    fitting = (candidate.model.name for candidate in candidates if candidate.max_tokens is not None)
    return (*(choice.model for choice in plan.choices), *(name for name in fitting if name in passed_over))


def _reserves(gather: Gatherer) -> list[Candidate]:
    """Gather the larger-context models, candidates or not, with room for a longer answer."""
    wanted = (gather.request.max_tokens or gather.profile.max_tokens) * _RESERVE_GROWTH
    return [gather.candidate(name, wanted) for name in gather.profile.larger_context]


def _look(profile: Profile, rows: Rows, state: SharedState, task: str, at: datetime) -> Outlooks:
    """Read what is known of everybody who may be asked."""
    limits, budgets = thresholds_of(profile), budgets_of(profile)
    return state.outlook(rows.endpoints, task=task, thresholds=limits, budgets=budgets, at=at)


def thresholds_of(profile: Profile) -> Thresholds:
    """Read what a profile puts up with from an endpoint."""
    return Thresholds(
        ttft_p95_s=profile.ttft_p95_limit_s,
        error_rate=profile.error_rate_limit,
        window_s=profile.window_s,
        min_samples=profile.min_samples,
        cooldown_s=profile.cooldown_s,
    )


def _policy(profile: Profile, outlooks: Outlooks) -> Policy:
    """Put the profile's wishes together; the cap is the request's own, or what a budget leaves where that is less."""
    cap_usd, cap_words = profile.max_cost_usd, ""
    if budgets_of(profile) and not outlooks.is_readable:
        cap_usd, cap_words = Decimal(0), f"a budget, but {UNREADABLE}"
    elif outlooks.left is not None and (cap_usd is None or outlooks.left.usd < cap_usd):
        cap_usd, cap_words = outlooks.left.usd, outlooks.left.words
    return Policy(
        strategy=profile.strategy,
        weights=Weights(**profile.weights) if profile.weights else None,
        pins=profile.tasks,
        max_cost_usd=cap_usd,
        cap_words=cap_words,
        allow_unknown_price=profile.unknown_price == "allow",
    )


def ensure_route(prepared: Prepared, settings: Settings) -> None:
    """Raise the error that says why nobody can or may be asked; return where somebody can."""
    refused = prepared.plan.refused
    if prepared.plan.choices:
        return
    reasons = {refusal.reason for refusal in refused}
    if reasons == {"no_key"}:
        rows = (config.find_provider(settings, refusal.provider) for refusal in refused)
        names = sorted({name for row in rows for name in config.key_places(row)})
        raise ConfigError(
            f"no key was found; looked for {', '.join(names)}",
            'export one of them, or try without a key: `deepsel ask -p demo "..."`',
        )
    detail = "; ".join(f"{refusal.model}: {refusal.detail}" for refusal in refused)
    if reasons <= {"over_cost", "no_key"}:
        why = [notice.message for notice in prepared.outlooks.notices if budgets_of(prepared.profile)]
        if why:
            raise OverBudgetError(f"nothing was sent: there is a budget, but {UNREADABLE}: {why[0]}", f"mend that, or {OTHER_HOME}")
        is_budgets = _policy(prepared.profile, prepared.outlooks).cap_words
        limit = "the budget it names" if is_budgets else "`--max-cost` or max_cost_usd of the profile"
        hint = f"raise {limit}, or lower `--max-tokens`"
        if all(_is_unpriced(prepared, refusal.model) for refusal in refused if refusal.reason == "over_cost"):
            hint = 'name a model whose cost is known, give its row `price` and `pictures`, or set unknown_price = "allow"'
        raise OverBudgetError(f"over budget, nothing was sent: {detail}", hint)
    error = NoRouteError(f"no model is available for this request: {detail}", "see `deepsel ask --explain`")
    error.reasons = frozenset(reasons)
    raise error


def _is_unpriced(prepared: Prepared, name: str) -> bool:
    """Tell whether nobody knows what a call of the model may cost."""
    candidate = prepared.candidates.get(name)
    return candidate is not None and candidate.worst_bill.total_usd is None


def _notices(candidates: Sequence[Candidate], plan: Plan, gather: Gatherer) -> tuple[Notice, ...]:
    """Warn of what the first choice will not be sent or cannot be sure of."""
    if not plan.choices:
        return ()
    from deepsel.wires.table import wire_of

    model, provider = gather.rows[plan.choices[0].model]
    notices = []
    shorter = next((one.length_note for one in candidates if one.model is model), "")
    if shorter:
        notices.append(Notice("shorter_answer", f"{model.name}: {shorter}"))
    explicit = {name for name, source in gather.profile.sources.items() if source == "flag"}
    for name in wire_of(provider.wire).withheld(gather.request, model, provider):
        if name in explicit:
            notices.append(Notice("parameter_withheld", f"{model.name} takes no {name}; it is not sent"))
    return tuple(notices)
