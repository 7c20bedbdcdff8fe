"""Members of a body that every wire has under another name: read into one vocabulary, written in each wire's own. Pure.

`efforts`: how long to think, in OpenAI's words. A budget of thinking tokens becomes the nearest word, and the other way round none is
sent: a word says it on both wires.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deepsel.messages.forms import ANTHROPIC, OPENAI, RESPONSES
from deepsel.records import NamedTuple
from deepsel.values import Json, JsonObject, ToolChoice

_FEW_TOKENS, _MANY_TOKENS = 4_096, 16_384
_EFFORTS = {"minimal": "low", "xhigh": "max"}
"""OpenAI's words to Anthropic's, where they differ."""


class MemberWishes(NamedTuple):
    """What a request wants beside its messages, tools, form and length."""

    top_p: float | None = None
    stop: tuple[str, ...] = ()
    user: str = ""
    """Who the client says its own user is."""
    effort: str = ""
    """Empty: the client says nothing of thinking; `none`: not at all."""
    is_parallel: bool = True
    """Whether several tools may be called at once."""


def written(wishes: MemberWishes, choice: ToolChoice | None) -> dict[str, Mapping[str, Json]]:
    """Write what a client wants in each wire's form, by wire."""
    return {wire: write(wishes, choice) for wire, write in _WRITERS.items()}


def unsayable(wishes: MemberWishes, stop: str) -> dict[str, str]:
    """Name, by wire, what has no form there; `stop` is the client's own name for its texts."""
    return {RESPONSES: f"`{stop}`"} if wishes.stop else {}


def effort_of_budget(tokens: Json) -> str:
    """Return the word nearest to a budget of thinking tokens."""
    if not isinstance(tokens, int) or tokens <= _FEW_TOKENS:
        return "low"
    return "medium" if tokens <= _MANY_TOKENS else "high"


def _openai(wishes: MemberWishes, _choice: ToolChoice | None) -> JsonObject:
    body: JsonObject = {} if wishes.top_p is None else {"top_p": wishes.top_p}
    if wishes.stop:
        body["stop"] = list(wishes.stop)
    if wishes.user:
        body["user"] = wishes.user
    if wishes.effort:
        body["reasoning_effort"] = wishes.effort
    if not wishes.is_parallel:
        body["parallel_tool_calls"] = False
    return body


def _responses(wishes: MemberWishes, _choice: ToolChoice | None) -> JsonObject:
    body: JsonObject = {} if wishes.top_p is None else {"top_p": wishes.top_p}
    if wishes.user:
        body["user"] = wishes.user
    if wishes.effort:
        body["reasoning"] = {"effort": wishes.effort}
    if not wishes.is_parallel:
        body["parallel_tool_calls"] = False
    return body


def _anthropic(wishes: MemberWishes, choice: ToolChoice | None) -> JsonObject:
    from deepsel.wires.anthropic_messages.messages import encode_tool_choice

    body: JsonObject = {} if wishes.top_p is None else {"top_p": wishes.top_p}
    if wishes.stop:
        body["stop_sequences"] = list(wishes.stop)
    if wishes.user:
        body["metadata"] = {"user_id": wishes.user}
    if wishes.effort == "none":
        body["thinking"] = {"type": "disabled"}
    elif wishes.effort:
        body["thinking"] = {"type": "adaptive"}
        body["output_config"] = {"effort": _EFFORTS.get(wishes.effort, wishes.effort)}
    if not wishes.is_parallel:
        body["tool_choice"] = {**encode_tool_choice(choice or ToolChoice("auto")), "disable_parallel_tool_use": True}
    return body


_WRITERS: Mapping[str, Callable[[MemberWishes, ToolChoice | None], JsonObject]] = {
    OPENAI: _openai,
    ANTHROPIC: _anthropic,
    RESPONSES: _responses,
}
