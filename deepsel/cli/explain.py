"""`ask --explain` for people: the plan, each candidate with its reasons, each refusal, and what the cache holds."""

from __future__ import annotations

from typing import Any

from deepsel.cache import Cache
from deepsel.cli.money import count, usd
from deepsel.engine import Prepared
from deepsel.engine.lookup import find_place, may_read


def cache_state(prepared: Prepared, cache: Cache) -> dict[str, Any]:
    """Look whether the cache could answer, without asking anybody."""
    first: str | None = None
    for choice in prepared.plan.choices:
        model = prepared.models[choice.model]
        place = find_place(prepared.request, model, prepared.providers[model.provider], prepared.max_tokens[model.name])
        if not may_read(prepared.cache_mode, place):
            continue
        first = first or place.key
        found = cache.get(place.key)
        if found is not None:
            return {"status": "hit", "tier": found[1], "key": place.key, "model": choice.model}
    return {"status": "miss" if first else "off", "tier": None, "key": first, "model": None}


def plan_text(prepared: Prepared, cache: dict[str, Any]) -> str:
    """Write the plan as text that reads the same with and without a terminal."""
    profile = prepared.profile
    lines = [
        f"profile {profile.name}, strategy {profile.strategy}",
        f"task {prepared.task} ({'; '.join(prepared.task_evidence) or 'no marks'}), difficulty {prepared.difficulty:.2f}",
        "",
    ]
    for choice in prepared.plan.choices:
        tokens = prepared.input_tokens[choice.model]
        terms = "  ".join(f"{name} {value:+.3f}" for name, value in choice.terms.items())
        lines.append(
            f"{choice.rank}. {choice.model} ({choice.provider})  utility {choice.utility:.3f}  {usd(choice.cost_usd)}"
        )
        lines.append(f"   {terms}  input {count(tokens.tokens)} tokens ({tokens.source})")
        lines += [f"   - {reason}" for reason in choice.reasons]
    if not prepared.plan.choices:
        lines.append("no candidate can take this request")
    if prepared.plan.refused:
        lines += ["", "refused"]
        lines += [f"   {refusal.model}: {refusal.detail or refusal.reason}" for refusal in prepared.plan.refused]
    held = f" by {cache['model']} in the {cache['tier']} tier" if cache["status"] == "hit" else ""
    lines += ["", f"cache {cache['status']}{held}", "nothing was sent"]
    return "\n".join(lines) + "\n"
