"""`ask --explain` for people: the plan, each candidate with its reasons, each refusal, and what the cache holds."""

from __future__ import annotations

import json
from typing import Any

from deepsel.engine.lookup import CachePeek
from deepsel.engine.prepare import Prepared
from deepsel.show.money import usd
from deepsel.show.numbers import count
from deepsel.show.plain import plain


def cache_record(peek: CachePeek) -> dict[str, Any]:
    """Build the member that says what the cache has."""
    use = peek.use
    return {"status": use.status, "tier": use.tier, "key": use.key, "model": peek.model, "document": peek.document}


def strength_words(prepared: Prepared, name: str) -> str:
    """Say whose word the strength is that a candidate was judged by."""
    from deepsel.catalog.strengths import strength_source

    model = prepared.candidates[name].model
    if prepared.task not in model.capability:
        return f"nothing is known of its strength for {prepared.task}"
    return f"strength {model.capability[prepared.task]:.2f} for {prepared.task}: {strength_source(model, prepared.task).words}"


def plan_text(prepared: Prepared, cache: dict[str, Any], *, verbose: bool = False) -> str:
    """Write the plan as text that reads the same with and without a terminal; `verbose` adds what the cache key is of."""
    profile = prepared.profile
    lines = [
        f"profile {profile.name}, strategy {profile.strategy}",
        f"task {prepared.task} ({'; '.join(prepared.task_evidence) or 'no cue found'}), difficulty {prepared.difficulty:.2f}",
        "",
    ]
    for choice in prepared.plan.choices:
        tokens = prepared.counts[choice.model]
        terms = "  ".join(f"{name} {value:+.3f}" for name, value in choice.terms.items())
        lines.append(
            f"{choice.rank}. {choice.model} ({choice.provider})  utility {choice.utility:.3f}  {usd(choice.cost_usd)}"
        )
        lines.append(f"   {terms}  input {count(tokens.tokens)} tokens ({tokens.source})")
        lines += [f"   - {reason}" for reason in choice.reasons]
        lines.append(f"   - {strength_words(prepared, choice.model)}")
        lines += [f"   - {choice.margin}"] if choice.margin else []
    if not prepared.plan.choices:
        lines.append("no model is available for this request")
    if prepared.plan.refused:
        lines += ["", "refused"]
        lines += [f"   {refusal.model}: {refusal.detail or refusal.reason}" for refusal in prepared.plan.refused]
    held = f" by {cache['model']} in the {cache['tier']} tier" if cache["status"] == "hit" else ""
    lines += ["", f"cache {cache['status']}{held}"]
    if verbose and cache["key"]:
        lines += [f"key {cache['key']} of", plain(json.dumps(cache["document"], ensure_ascii=False, indent=2))]
    lines.append("nothing was sent")
    return "\n".join(lines) + "\n"
