"""Turns candidates into a plan: who may answer, in which order, and why; pure, and owns no formula (see `utility`).

The order: models pinned to the task go first, then the others as fall-backs; within each group by falling utility, with
`ordered` as the profile lists them; equal utilities keep the profile's order. A candidate that is cooling down is
refused unless no other one is left: then the least bad of them is the plan.
"""

from __future__ import annotations

from collections.abc import Sequence

from deepsel.records import NamedTuple
from deepsel.routing.candidates import Candidate, Choice, Needs, Plan, Policy, Reason, Refusal, Weights
from deepsel.routing.utility import Terms, needed_quality, weights_for
from deepsel.routing.utility import terms as terms_of
from deepsel.show.money import exact_usd, usd


def plan(candidates: Sequence[Candidate], needs: Needs, policy: Policy) -> Plan:
    """Order the candidates that can take the request, given in the profile's order; say why the others cannot."""
    refused: dict[int, Refusal] = {}
    for place, candidate in enumerate(candidates):
        refusal = _refuse(candidate, needs, policy)
        if refusal is not None:
            refused[place] = refusal
    cooling = [place for place, refusal in refused.items() if refusal.reason == "cooling"]
    if cooling and len(refused) == len(candidates):
        del refused[min(cooling, key=lambda place: _badness(candidates[place]))]
    pinned = policy.pins.get(needs.task, ())
    weights = policy.weights or weights_for(policy.strategy, needs.task)
    rated: list[_Rated] = []
    for place, candidate in enumerate(candidates):
        if place not in refused:
            terms = terms_of(candidate, needs)
            weighted = terms.weighted(weights)
            merit = 0.0 if policy.strategy == "ordered" else -sum(weighted.values())
            rated.append(_Rated(candidate.model.name not in pinned, merit, place, terms, weighted))
    rated.sort(key=lambda row: row[:3])
    margins = _margins([(candidates[row.place], row.terms) for row in rated], weights, policy)
    choices = tuple(
        _choose(candidates[row.place], needs, policy, rank=rank, rated=row)._replace(margin=margin)
        for rank, (row, margin) in enumerate(zip(rated, margins, strict=True), start=1)
    )
    return Plan(choices, tuple(refused[place] for place in sorted(refused)))


class _Rated(NamedTuple):
    """One candidate that may answer, as it is ordered."""

    is_not_pinned: bool
    merit: float
    """Less is better."""
    place: int
    """In the profile."""
    terms: Terms
    weighted: dict[str, float]


def _margins(rated: Sequence[tuple[Candidate, Terms]], weights: Weights, policy: Policy) -> list[str]:
    """Say of each candidate what more quality its price needs, against the first one, and what it has; empty where nothing.

    Of the first itself it is said against the best of those that cost less.
    """
    if policy.strategy == "ordered" or len(rated) < 2:
        return [""] * len(rated)
    first, first_terms = rated[0]
    cheaper = next((row for row in rated[1:] if _times(first, row[0]) > 1), None)
    said = [_margin(first, first_terms, *cheaper, weights) if cheaper else ""]
    for candidate, terms in rated[1:]:
        said.append(_margin(candidate, terms, first, first_terms, weights) if _times(candidate, first) > 1 else "")
    return said


def _margin(dearer: Candidate, terms: Terms, cheaper: Candidate, others: Terms, weights: Weights) -> str:
    """Say it of two: `5.1x the cost of NAME needs +0.05 quality; it has +0.12`."""
    needed = needed_quality(terms, others, weights)
    cost = f"{_times(dearer, cheaper):.3g}x the cost of {cheaper.model.name}"
    return f"{cost} needs {needed:+.3f} quality; it has {terms.quality - others.quality:+.3f}"


def _times(one: Candidate, other: Candidate) -> float:
    """Return how many times dearer one is; 0 where that is not known."""
    ours, theirs = one.bill.total_usd, other.bill.total_usd
    return float(ours / theirs) if ours is not None and theirs else 0.0


def _badness(candidate: Candidate) -> tuple[float, float]:
    """Order cooling candidates: the least bad first, then the one that is back soonest."""
    cooling = candidate.cooling
    return (cooling.badness, cooling.seconds_left) if cooling else (0.0, 0.0)


def _refuse(candidate: Candidate, needs: Needs, policy: Policy) -> Refusal | None:
    """Name the first hard limit a candidate breaks; cooling down comes last, as it alone may be lifted."""
    model, provider = candidate.model, candidate.provider
    found: tuple[Reason, str] | None = None
    if needs.on is not None and model.retires is not None and model.retires <= needs.on:
        instead = f"; use `-m {model.successor}`" if model.successor else ""
        found = ("retired", f"retired on {model.retires}{instead}")
    elif needs.on is not None and model.available_from is not None and model.available_from > needs.on:
        found = ("not_yet_available", f"available from {model.available_from}")
    elif not candidate.has_key:
        found = ("no_key", f"no key: looked for {' and '.join(candidate.key_names) or 'one in the configuration'}")
    elif unsupported := _unsupported(candidate, needs):
        found = ("unsupported", unsupported)
    elif candidate.max_tokens is None:
        found = ("window", _window_detail(candidate))
    else:
        found = _over_cost(candidate, policy) or _cooling(candidate)
    return Refusal(model.name, provider.name, *found) if found else None


def _unsupported(candidate: Candidate, needs: Needs) -> str:
    """Say what of the request a candidate cannot take; empty where it can, or nobody knows.

    Of a row without features nobody knows whether it calls tools: it may be asked. It has to say that it takes pictures.
    """
    model, provider = candidate.model, candidate.provider
    if "images" in needs.media and "images" not in model.features:
        return "takes no images"
    if needs.tools and model.features and "tools" not in model.features:
        return "calls no tools"
    foreign = needs.unsayable.get(provider.wire) or next((what for wire, what in needs.wires.items() if wire != provider.wire), None)
    return f"speaks {provider.wire}, which cannot carry {foreign}" if foreign else ""


def _window_detail(candidate: Candidate) -> str:
    """Say what does not fit into what."""
    model = candidate.model
    limit = min(limit for limit in (model.context_window, model.max_input) if limit is not None)
    about = "" if candidate.input_is_exact else "about "
    return f"{about}{candidate.input_tokens:,} input tokens and the answer do not fit into {limit:,}"


def _over_cost(candidate: Candidate, policy: Policy) -> tuple[Reason, str] | None:
    """Refuse what may cost more than the cap at its longest answer, or cannot be priced under one."""
    if policy.max_cost_usd is None or (policy.cap_words and candidate.provider.is_simulated):
        return None  # what is simulated takes nothing of a budget
    worst_usd = candidate.worst_bill.total_usd
    limit = policy.cap_words or f"a limit of {exact_usd(policy.max_cost_usd)}"
    if worst_usd is None:
        why = candidate.worst_bill.reason or "its price is unknown"
        return None if policy.allow_unknown_price else ("over_cost", f"{why}, and there is {limit}")
    if worst_usd > policy.max_cost_usd:
        over = f"and there is {limit}" if policy.cap_words else f"over {exact_usd(policy.max_cost_usd)}"
        return ("over_cost", f"up to {exact_usd(worst_usd)} with {candidate.max_tokens:,} output tokens, {over}")
    return None


def _cooling(candidate: Candidate) -> tuple[Reason, str] | None:
    """Refuse what is cooling down."""
    if candidate.cooling is None:
        return None
    return ("cooling", f"{candidate.cooling.why}; tried again in {candidate.cooling.seconds_left:.0f} s")


def _choose(candidate: Candidate, needs: Needs, policy: Policy, *, rank: int, rated: _Rated) -> Choice:
    """Give a candidate its place and its reasons."""
    return Choice(
        model=candidate.model.name,
        provider=candidate.provider.name,
        rank=rank,
        utility=sum(rated.weighted.values()),
        terms=rated.weighted,
        cost_usd=candidate.bill.total_usd,
        reasons=tuple(_reasons(candidate, needs, policy, rated.terms)),
        max_tokens=candidate.max_tokens or 0,
    )


def _reasons(candidate: Candidate, needs: Needs, policy: Policy, terms: Terms) -> list[str]:
    """Say in short sentences, with numbers, what speaks for and against a candidate."""
    model = candidate.model
    reasons = [_quality_reason(candidate, needs, terms), _cost_reason(candidate), _latency_reason(candidate)]
    if model.name in policy.pins.get(needs.task, ()):
        reasons.insert(0, f"pinned to {needs.task}")
    if policy.strategy == "ordered":
        reasons.insert(0, "in the profile's order")
    if needs.schema and "json_schema" not in model.features:
        reasons.append("no native JSON schema: the answer is checked here")
    if candidate.length_note:
        reasons.append(candidate.length_note)
    if candidate.price_note:
        reasons.append(candidate.price_note)
    if candidate.health_note:
        reasons.append(candidate.health_note)
    if candidate.cooling is not None:
        reasons.append(f"cooling down ({candidate.cooling.why}), but nothing better is left")
    return reasons


def _quality_reason(candidate: Candidate, needs: Needs, terms: Terms) -> str:
    """Say how good an answer is expected."""
    strength = candidate.model.capability.get(needs.task)
    known = " (capability unknown)" if strength is None else ""
    return f"quality {terms.quality:.2f} for {needs.task} at difficulty {needs.difficulty:.2f}{known}"


def _cost_reason(candidate: Candidate) -> str:
    """Say what it is expected to cost, by which price."""
    bill = candidate.bill
    about = "" if candidate.input_is_exact else "~"
    size = f"{about}{candidate.input_tokens:,} + ~{candidate.expected_output_tokens:,} tokens"
    size += f" ({candidate.output_source})" if candidate.output_source else ""
    if bill.total_usd is None:
        return f"cost unknown for {size}: {bill.reason or 'no price is known'}"
    label = f", {bill.rule.label}" if bill.rule is not None and bill.rule.label else ""
    return f"{usd(bill.total_usd)} for {size}{label}"


def _latency_reason(candidate: Candidate) -> str:
    """Say how long it is expected to take, by whose word."""
    if candidate.latency_s is None:
        return "latency unknown"
    source = f" ({candidate.latency_source})" if candidate.latency_source else ""
    return f"expected {candidate.latency_s:.1f} s{source}"
