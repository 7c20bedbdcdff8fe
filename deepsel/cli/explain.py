"""`ask --explain` for people: the plan, each candidate with its reasons, each refusal, and what the cache holds."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from deepsel.cli.terminal import plain
from deepsel.engine.lookup import Place, find_place, may_read
from deepsel.engine.prepare import Prepared
from deepsel.engine.run import Tools
from deepsel.show.money import usd
from deepsel.show.numbers import count


def cache_state(prepared: Prepared, tools: Tools) -> dict[str, Any]:
    """Look whether the cache could answer, without asking anybody."""
    first: Place | None = None
    for name in prepared.look_up:
        model = prepared.models[name]
        place = find_place(prepared.request, model, prepared.providers[model.provider], prepared.max_tokens[model.name])
        if not may_read(prepared.cache_mode, place):
            continue
        first = first or place
        account = partial(tools.key_of, prepared.providers[model.provider])
        found = tools.cache.get(place.key, account, is_counted=False)
        if found is not None:
            state = {"status": "hit", "tier": found[1], "key": place.key, "model": name}
            return state | {"document": place.document}
    if first is None:
        return {"status": "off", "tier": None, "key": None, "model": None, "document": None}
    return {"status": "miss", "tier": None, "key": first.key, "model": None, "document": first.document}


def plan_text(prepared: Prepared, cache: dict[str, Any], *, verbose: bool = False) -> str:
    """Write the plan as text that reads the same with and without a terminal; `verbose` adds what the cache key is of."""
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
    lines += ["", f"cache {cache['status']}{held}"]
    if verbose and cache["key"]:
        lines += [f"key {cache['key']} of", plain(json.dumps(cache["document"], ensure_ascii=False, indent=2))]
    lines.append("nothing was sent")
    return "\n".join(lines) + "\n"
