"""Finish values of every wire in one table, however a host spells them; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import Finish, FinishReport, Json
from deepsel.wires.fields import text

FINISHES: Mapping[str, Finish] = {
    **dict.fromkeys(
        ("stop", "end_turn", "stop_sequence", "stop_token", "stop_string", "eos", "eos_token", "end_of_turn", "end_of_text",
         "endoftext", "end_of_sequence", "end", "done", "complete", "completed", "finish", "finished", "success", "normal"),
        Finish.COMPLETE,
    ),
    **dict.fromkeys(
        ("length", "max_length", "max_tokens", "max_token", "max_output_tokens", "max_completion_tokens", "max_new_tokens",
         "model_length", "token_limit", "tokens_limit", "output_limit", "length_limit", "limit", "truncated", "context_length",
         "context_length_exceeded", "context_window_exceeded", "model_context_window_exceeded"),
        Finish.LENGTH,
    ),
    **dict.fromkeys(
        ("tool_calls", "tool_call", "tool_use", "tool", "tools", "function_call", "function_calls", "function"), Finish.TOOL
    ),
    **dict.fromkeys(
        ("content_filter", "content_filtered", "content_policy", "content_policy_violation", "filter", "filtered", "refusal",
         "refused", "safety", "image_safety", "recitation", "blocklist", "blocked", "prohibited_content", "spii", "sensitive",
         "moderation", "guardrail_intervened", "guardrails", "policy_violation", "error_toxic"),
        Finish.FILTERED,
    ),
    "pause_turn": Finish.INCOMPLETE,
}  # fmt: skip
"""By the word in small letters. Beside the wires' own: Gemini's, Bedrock's, Cohere's, GLM's and llama.cpp's through gateways."""
BROKEN: Mapping[str, ErrorClass] = {
    **dict.fromkeys(("insufficient_system_resource", "overloaded", "engine_overloaded", "capacity"), ErrorClass.OVERLOADED),
    **dict.fromkeys(
        ("aborted", "abort", "error", "failed", "failure", "cancelled", "canceled", "interrupted", "timeout",
         "network_error", "server_error", "internal_error"),
        ErrorClass.SERVER,
    ),
    **dict.fromkeys(("malformed_function_call", "unexpected_tool_call"), ErrorClass.MALFORMED),
}  # fmt: skip
"""Finish values that say the provider gave up."""
_MILD = (Finish.COMPLETE, None)
_NONE = frozenset({"", "null", "none", "nil", "undefined", "unspecified", "in_progress", "not_finished", "unfinished"})
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LIMIT = re.compile(r"max_?(?:\w*_)?tokens?|token_?limit|length|truncat")
"""What an unknown finish value speaks of that is a limit."""
_PREFIX = re.compile(r"^(?:finish|stop)_?reason[_.:]+")


def read_finish(value: Json) -> FinishReport:
    """Read a finish value, whose `raw` is empty where there is none yet; raises AttemptFailed where the provider gave up."""
    raw = raw_finish(value)
    if broken := broken_by(raw):
        raise AttemptFailed(broken, f"the provider gave up (`{raw}`)", code=raw)
    return FinishReport(finish_of(raw), raw)


def says_more(said: FinishReport, earlier: FinishReport) -> bool:
    """Tell whether a finish value counts instead of an earlier one with nothing between them."""
    return earlier.finish in _MILD and said.finish not in _MILD


def raw_finish(value: Json) -> str:
    """Return a finish value as it came; empty where it says there is none yet."""
    if isinstance(value, dict):
        value = value.get("type") or value.get("reason")
    raw = text(value).strip() if isinstance(value, str) else "" if value in (None, False, 0) else str(value)[:80]
    return "" if _word(raw) in _NONE else raw


def finish_of(raw: str) -> Finish | None:
    """Return what a finish value means; None: nobody knows."""
    word = _word(raw)
    return FINISHES.get(raw) or FINISHES.get(word) or (Finish.LENGTH if _LIMIT.search(word) else None)


def broken_by(raw: str) -> ErrorClass | None:
    """Return the failure a finish value stands for; None: it stands for none."""
    return BROKEN.get(_word(raw))


def _word(raw: str) -> str:
    """Spell a value as the tables do: `MaxTokens`, `MAX-TOKENS` and `FinishReason.MAX_TOKENS` alike."""
    spaced = _HUMPS.sub("_", raw).lower().replace("-", "_").replace(" ", "_")
    return _PREFIX.sub("", spaced).strip("_.<>|")
