"""Keeps a conversation where its prompt is in a cache: what staying and switching cost are two sums, and both are said. Pure.

A conversation of many turns sends its whole past again each time. Where it was, the provider reads most of that from its cache, at a
tenth of the price or less; anywhere else it is read anew, at the full price. So:

    at the start   a model's cost is that of a turn on average: one cold prompt and the turns that are expected after it, warm
    afterwards     it stays, unless the saving of this very turn exceeds what the cold prefix costs (the whole turn is cheaper at the
                   other one although nothing of it is cached there), and turns there are no dearer from then on
    in a tool loop it never switches, whatever it would save

What the plan refuses (cooling down, too small a window, over a limit) cannot be stayed with. A switch therefore never makes the bill
higher than staying would have, as long as turns look as they did.

The expected cached tokens decay with the provider's cache life: share(age) = 1 / (1 + (age / life)^4), nearly 1 for half a life, 0.5
at its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from deepsel import catalog
from deepsel.records import NamedTuple
from deepsel.routing.candidates import Candidate, Choice, Needs, Plan, Policy
from deepsel.routing.plan import plan
from deepsel.show.money import usd
from deepsel.values import Bill, Usage

USUAL_TURNS = 8
"""So many turns a conversation is expected to have that has just begun."""


class Holding(NamedTuple):
    """Where a conversation is, and what of its prompt is expected to be read from a cache."""

    model: str = ""
    """By which it was answered last; empty: it begins."""
    cached_tokens: int = 0
    """Expected to be in the provider's cache, of the model that holds it."""
    is_in_tool_loop: bool = False
    shares: Mapping[str, float] = {}
    """By model: what of a prompt that it has read before is expected to be read from its cache; none: 0."""


def warmth(age_s: float, life_s: float) -> float:
    """Return how much of what was in a cache is expected to be there after so long without use, in [0, 1]."""
    return float(1 / (1 + (max(age_s, 0.0) / life_s) ** 4)) if life_s > 0 else 0.0


def conversation_plan(
    candidates: Sequence[Candidate], needs: Needs, policy: Policy, holding: Holding | None, *, at: datetime
) -> tuple[Plan, tuple[str, ...]]:
    """Order the candidates, as `plan` does, for a turn of a conversation; returns why it stays or moves, too. None: it belongs to none."""
    if holding is None:
        return plan(candidates, needs, policy), ()
    costed = weighed(candidates, holding, at=at)
    return _placed(plan(costed, needs, policy), costed, holding, policy.pins.get(needs.task, ()), at)


def weighed(candidates: Sequence[Candidate], holding: Holding, *, at: datetime) -> list[Candidate]:
    """Return the candidates with what a turn costs by the cache: at the start on average, afterwards this very turn."""
    return [one._replace(bill=_session_bill(one, holding, at) if not holding.model else _turn(one, holding, at)) for one in candidates]


def _placed(
    made: Plan, candidates: Sequence[Candidate], holding: Holding, pinned: Sequence[str], at: datetime
) -> tuple[Plan, tuple[str, ...]]:
    """Return the plan with the holder first where the conversation stays, and the reasons; without one, as it is.

    From a model that is pinned to the task it moves to no other but a pinned one.
    """
    if not holding.model:
        return made, (f"begins here: costs are those of a turn on average over {USUAL_TURNS} turns",) if made.choices else ()
    known = {one.model.name: one for one in candidates}
    held = next((one for one in made.choices if one.model == holding.model), None)
    if held is None:
        why = next((one.detail for one in made.refused if one.model == holding.model), "it is no candidate any more")
        return made, (f"leaves {holding.model}: {why}",)
    holder = known[held.model]
    if holding.is_in_tool_loop:
        return _first(made, held), (f"stays with {holder.model.name}: the calls it made were just answered",)
    others = [one for one in made.choices if one.model != held.model and (held.model not in pinned or one.model in pinned)]
    for other in sorted(others, key=lambda one: known[one.model].bill.total_usd or Decimal("Infinity")):
        if _pays(known[other.model], holder, holding, at):
            return _first(made, other), (_said("moves to", known[other.model], holder, holding),)
    best = min((known[one.model] for one in others), key=lambda one: one.bill.total_usd or Decimal("Infinity"), default=None)
    return _first(made, held), (_said("stays with", best, holder, holding),)


def _pays(other: Candidate, holder: Candidate, holding: Holding, at: datetime) -> bool:
    """Tell whether this turn costs less at another model, cold, and later turns no more there, warm."""
    now, stay = other.bill.total_usd, holder.bill.total_usd
    if now is None or stay is None or now >= stay:
        return False
    later, later_stay = _warm_usd(other, holding, at), _warm_usd(holder, holding, at)
    return later is not None and later_stay is not None and later <= later_stay


def _warm_usd(one: Candidate, holding: Holding, at: datetime) -> Decimal | None:
    """Return what a turn of this size costs a model that has just read it."""
    return _bill(one, round(one.input_tokens * holding.shares.get(one.model.name, 0.0)), holding, at).total_usd


def _turn(one: Candidate, holding: Holding, at: datetime) -> Bill:
    """Price this turn: what is expected to be cached is so at the holder alone."""
    is_holder = one.model.name == holding.model
    return _bill(one, min(holding.cached_tokens, one.input_tokens) if is_holder else 0, holding, at)


def _session_bill(one: Candidate, holding: Holding, at: datetime) -> Bill:
    """Price a turn on average: one cold, the expected rest of them warm."""
    cold, warm = _bill(one, 0, holding, at), _warm_usd(one, holding, at)
    if cold.total_usd is None or warm is None:
        return one.bill
    return cold._replace(total_usd=(cold.total_usd + (USUAL_TURNS - 1) * warm) / USUAL_TURNS)


def _bill(one: Candidate, cached_tokens: int, holding: Holding, at: datetime) -> Bill:
    """Price a turn; where writing to a cache has a price, what is read anew is written to it."""
    fresh, factor = one.input_tokens - cached_tokens, one.provider.price_multiplier
    if holding.shares.get(one.model.name):
        written = Usage(0, cached_tokens, fresh, 0, one.expected_output_tokens, 0)
        bill = catalog.bill(one.model, written, at=at, multiplier=factor)
        if bill.total_usd is not None:  # else writing has no price of its own
            return bill
    return catalog.bill(one.model, Usage(fresh, cached_tokens, 0, 0, one.expected_output_tokens, 0), at=at, multiplier=factor)


def _first(made: Plan, choice: Choice) -> Plan:
    """Put a choice before the others."""
    order = [choice, *(one for one in made.choices if one.model != choice.model)]
    return made._replace(choices=tuple(one._replace(rank=rank) for rank, one in enumerate(order, start=1)))


def _said(verb: str, other: Candidate | None, holder: Candidate, holding: Holding) -> str:
    """Say both sums."""
    cached = f"about {min(holding.cached_tokens, holder.input_tokens):,} of {holder.input_tokens:,} tokens in its cache"
    stay = f"{_usd(holder)} at {holder.model.name} with {cached}"
    if other is None:
        return f"{verb} {holder.model.name}: nobody else can be asked"
    name = other.model.name if verb == "moves to" else holder.model.name
    return f"{verb} {name}: this turn costs {stay}, {_usd(other)} at {other.model.name} with nothing cached"


def _usd(one: Candidate) -> str:
    return "an unknown amount" if one.bill.total_usd is None else usd(one.bill.total_usd)
