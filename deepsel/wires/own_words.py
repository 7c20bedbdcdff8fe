"""Members that people write as OpenAI spells them, in the words of the host that is asked; pure.

Sources: the providers' API references as of 2026-11-24; how a model is told to think is what its row's `reasoning_off` names.
"""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.values import Json, Model, Provider

EFFORT = "reasoning_effort"
_ANTHROPIC = "anthropic-messages"


def in_own_words(params: Mapping[str, Json], model: Model, provider: Provider) -> Mapping[str, Json]:
    """Return a request's own members with `stop` and `reasoning_effort` as this host has them; others as they are."""
    if EFFORT not in params and "stop" not in params:  # as nearly always
        return params
    found = dict(params)
    is_anthropic = provider.wire == _ANTHROPIC
    if is_anthropic and "stop" in found:
        stop = found.pop("stop")
        found["stop_sequences"] = stop if isinstance(stop, list) else [stop]
    effort = found.get(EFFORT)
    if not isinstance(effort, str):
        return found
    off = model.reasoning_off or {}
    if effort == "none" and off:
        return {**_without_effort(found), **off}
    if is_anthropic:
        config = found.get("output_config")
        config = config if isinstance(config, dict) else {}
        return {"thinking": {"type": "adaptive"}, **_without_effort(found), "output_config": {"effort": effort, **config}}
    if "thinking" in off:
        return {"thinking": {"type": "enabled"}, **found}
    if "enable_thinking" in off:
        return {"enable_thinking": True, **_without_effort(found)}
    return found


def _without_effort(params: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in params.items() if name != EFFORT}
