"""Gathers what a plan is made from: models, counts, prices, keys; then lets routing decide. Sends nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from deepsel import catalog, config, tokens
from deepsel.config import Profile, Settings
from deepsel.engine.ask import Ask
from deepsel.engine.attempt import price_tier
from deepsel.engine.spending import UNREADABLE, budgets_of
from deepsel.errors import OTHER_HOME, ConfigError, NoRouteError, OverBudgetError, UsageError
from deepsel.health.cooldowns import Thresholds
from deepsel.health.endpoint import Endpoint
from deepsel.health.outlook import Outlook, Outlooks
from deepsel.health.refusals import Rows
from deepsel.health.state import SharedState
from deepsel.messages.forms import wires_needed
from deepsel.records import NamedTuple
from deepsel.routing.candidates import Candidate, Choice, Cooling, Needs, Plan, Policy, Weights
from deepsel.routing.difficulty import from_detection
from deepsel.routing.lengths import expected_output_tokens, fit_max_tokens
from deepsel.routing.plan import plan as plan_for
from deepsel.routing.task import Detection, detect
from deepsel.values import Bill, Latency, Model, Notice, Provider, Request, Tool

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
        on=at.date(),
    )
    may_send = ask.cache_mode != "only"
    outlooks = _look(profile, rows, state, task, at) if may_send else Outlooks({})
    gather = _Gatherer(request, profile, rows, env, at, task, outlooks, state.benched(), needs_keys=may_send)
    policy = _policy(profile, outlooks)
    candidates = [gather.candidate(name, request.max_tokens or profile.max_tokens) for name in profile.models]
    plan = plan_for(candidates, needs, policy)
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
        service_tier=price_tier(request.params.get("service_tier")),
        language=catalog.language(env),
        notices=(*rows.notices, *_notices(request, plan, gather)),
        outlooks=outlooks,
    )


def _look_up(plan: Plan, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """Name the models whose answer from the cache will do, best first."""
    passed_over = {one.model for one in plan.refused if one.reason in ("cooling", "over_cost")}
    fitting = (candidate.model.name for candidate in candidates if candidate.max_tokens is not None)
    return (*(choice.model for choice in plan.choices), *(name for name in fitting if name in passed_over))


def _reserves(gather: _Gatherer) -> list[Candidate]:
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
    raise NoRouteError(f"no candidate can take this request: {detail}", "see `deepsel ask --explain`")


def _is_unpriced(prepared: Prepared, name: str) -> bool:
    """Tell whether nobody knows what a call of the model may cost."""
    candidate = prepared.candidates.get(name)
    return candidate is not None and candidate.worst_bill.total_usd is None


@dataclass(slots=True)
class _Gatherer:
    """Finds out about one candidate after another; each vocabulary counts the prompt once."""

    request: Request
    profile: Profile
    rows: Rows
    env: Mapping[str, str]
    at: datetime
    task: str
    outlooks: Outlooks
    benches: Mapping[str, Latency]
    needs_keys: bool
    """Whether a candidate without a key is one that cannot answer."""
    counts: dict[str, tokens.Count] = field(default_factory=dict)
    """By model name, as far as they have been found."""
    _counted: dict[tokens.ModelReader, tokens.Count] = field(default_factory=dict)

    def candidate(self, name: str, wanted_tokens: int) -> Candidate:
        """Find out about the model called `name`."""
        model, provider = self.rows[name]
        count = self._count(model)
        limit = fit_max_tokens(model, count.in_window, wanted=wanted_tokens, input_is_exact=count.is_exact)
        outlook = self.outlooks.endpoints.get(Endpoint(model.provider, model.name), Outlook())
        expected = expected_output_tokens(
            self.task, count.tokens - count.pictures, max_tokens=limit or wanted_tokens, usual=outlook.usual_tokens
        )
        latency_s, latency_source = expected_latency(model, expected, outlook, self.benches.get(model.name))
        return Candidate(
            model=model,
            provider=provider,
            has_key=not self.needs_keys or config.has_key(provider, self.env),
            input_tokens=count.tokens,
            input_is_exact=count.is_exact,
            max_tokens=limit,
            expected_output_tokens=expected,
            bill=self._bill(model, provider, count.tokens, expected),
            worst_bill=self._worst_bill(model, provider, count, limit or wanted_tokens),
            latency_s=latency_s,
            latency_source=latency_source,
            output_source="" if outlook.usual_tokens is None else f"median of {outlook.usual_of} {self.task} answers",
            key_names=config.key_places(provider),
            price_note=price_note(model, self.at, count.tokens),
            cooling=_cooling(outlook),
            health_note=_health_note(outlook, self.at),
        )

    def _count(self, model: Model) -> tokens.Count:
        """Count all that the model reads, the tools and the schema that travel with it included."""
        reader = tokens.reader_of(model, self.request.params)
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
        return catalog.project(
            model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            at=self.at,
            service_tier=price_tier(self.request.params.get("service_tier")),
            multiplier=provider.price_multiplier,
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


def _notices(request: Request, plan: Plan, gather: _Gatherer) -> tuple[Notice, ...]:
    """Warn of what the first choice will not be sent or cannot be sure of."""
    if not plan.choices:
        return ()
    from deepsel.wires.table import wire_of

    model, provider = gather.rows[plan.choices[0].model]
    notices = []
    explicit = {name for name, source in gather.profile.sources.items() if source == "flag"}
    for name in wire_of(provider.wire).withheld(request, model, provider):
        if name in explicit:
            notices.append(Notice("parameter_withheld", f"{model.name} takes no {name}; it is not sent"))
    return tuple(notices)
