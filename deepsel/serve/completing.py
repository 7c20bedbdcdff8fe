"""Carries out one completion: the client's body and headers as what the engine is asked, and the head of what it is answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deepsel.config import Profile
from deepsel.dollars import read_usd
from deepsel.engine.ask import Ask, CacheMode
from deepsel.records import NamedTuple
from deepsel.serve.conversations import HeldConversations
from deepsel.serve.gate import Visitor
from deepsel.serve.names import named_profile, profile_for
from deepsel.serve.surfaces.surface import Asked, BadMember
from deepsel.session.open import Session
from deepsel.values import TASKS, Answer

if TYPE_CHECKING:
    from deepsel.engine.run import Run

USUAL_MAX_TOKENS = 32_768
"""The longest answer where neither the client nor the profile names one; a model's own bound and window are less, mostly."""
_CACHE_MODES: Mapping[str, CacheMode] = {"no-store": "off", "no-cache": "refresh", "only-if-cached": "only"}
_MOST_PLAN_CHARS = 6_000
"""Of the header: some clients take 8 KB of a head and no more."""


@dataclass(slots=True)
class Completions:
    """How completions are carried out; safe to use from many threads."""

    session: Session
    profile: Profile
    """Of a client that names none."""
    conversations: HeldConversations

    def profile_of(self, model: str, headers: Mapping[str, str], visitor: Visitor) -> Profile:
        """Return how a request for a model is carried out; raises BadMember, UnknownModel, NotAllowed."""
        settings = self.session.settings
        profile = settings.profiles[visitor.profile] if visitor.profile is not None else self.profile
        if name := headers.get("x-deepsel-profile"):
            profile = named_profile(name, settings, visitor)
        profile = profile_for(model, profile, settings, visitor)
        if (cap := headers.get("x-deepsel-max-cost")) is not None:
            amount = read_usd(cap, is_exact=True)
            if amount is None:
                raise BadMember(f"the header `x-deepsel-max-cost` holds no amount of USD: `{cap[:40]}`")
            profile = profile.override(max_cost_usd=amount if profile.max_cost_usd is None else min(amount, profile.max_cost_usd))
        return profile._replace(client=visitor.name, client_daily_budget_usd=visitor.daily_budget_usd)

    def start(self, asked: Asked, headers: Mapping[str, str], visitor: Visitor) -> Started:
        """Make the run of a request; raises BadMember, UnknownModel, NotAllowed, DeepselError."""
        profile = self.profile_of(asked.model, headers, visitor)
        task = headers.get("x-deepsel-task")
        if task is not None and task not in TASKS:
            raise BadMember(f"the header `x-deepsel-task` takes {', '.join(TASKS)}")
        request = asked.request
        if request.max_tokens is None and "max_tokens" not in profile.sources:
            request = request._replace(max_tokens=USUAL_MAX_TOKENS)
        ask = Ask(request, asked.instruction, profile, task=task, cache_mode=_cache_mode(asked, headers), needs_difficulty=False)
        ask, key = self.conversations.held(ask, asked, headers, self.session.settings)
        return Started(self.session.ask(ask, is_shown=request.stream), key)


class Started(NamedTuple):
    """A run, and the conversation it belongs to."""

    run: Run
    conversation: str
    """Its key; empty: none."""


def _cache_mode(asked: Asked, headers: Mapping[str, str]) -> CacheMode:
    """Read what the client wishes of the cache; what only one wire can say is never answered from it, nor kept."""
    given = asked.request.given
    if given is not None and given.only:
        return "off"
    words = {one.strip().lower().partition("=")[0] for one in headers.get("cache-control", "").split(",")}
    return next((mode for word, mode in _CACHE_MODES.items() if word in words), "auto")


def head_of(answer: Answer, request_id: str) -> dict[str, str]:
    """Give what the head of an answer says."""
    return {
        "x-request-id": request_id,
        "x-deepsel-model": answer.model,
        "x-deepsel-provider": answer.provider,
        "x-deepsel-cache": answer.cache.status,
        "x-deepsel-attempts": str(calls_of(answer)),
    }


def calls_of(answer: Answer) -> int:
    """Return how many calls were made for an answer."""
    return sum(1 for one in answer.attempts if one.outcome != "skipped")


def plan_header(run: Run) -> dict[str, str]:
    """Say why who was asked: one line of JSON in plain ASCII, without the last reasons where it would be too long."""
    prepared = run.prepared
    if prepared is None:
        return {"x-deepsel-plan": '{"cache":"hit"}'}
    plan = {
        "task": prepared.task,
        "difficulty": round(prepared.difficulty, 4),
        "strategy": prepared.profile.strategy,
        "stay": list(prepared.stay),
        "candidates": [
            {"model": one.model, "provider": one.provider, "rank": one.rank, "cost_usd": _text(one.cost_usd), "reasons": list(one.reasons)}
            for one in prepared.plan.choices
        ],
        "refused": [{"model": one.model, "reason": one.reason, "detail": one.detail} for one in prepared.plan.refused],
    }
    written = json.dumps(plan, separators=(",", ":"))
    while len(written) > _MOST_PLAN_CHARS and (plan["refused"] or plan["candidates"]):
        (plan["refused"] or plan["candidates"]).pop()  # type: ignore[attr-defined]  # both are lists
        written = json.dumps(plan, separators=(",", ":"))
    return {"x-deepsel-plan": written}


def _text(amount: object) -> str | None:
    return None if amount is None else f"{amount:f}"
