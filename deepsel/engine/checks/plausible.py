"""Holds reported usage against what was sent and what came: a number that cannot be is no report; pure but for counting.

Limits are wide on purpose: hosts add prompts of their own, hide reasoning, and count by vocabularies we do not know. What is
merely odd is said, and billed as reported.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from deepsel import tokens
from deepsel.records import NamedTuple
from deepsel.values import Notice, Source, Usage

if TYPE_CHECKING:
    from deepsel.engine.attempt import Draft

FRAMING_TOKENS = 4096
"""More than any chat template and tool preamble adds to the bytes that were sent."""
HIDDEN_TOKENS = 100_000
"""More than any prompt a host adds of its own, or fetches: beyond it a count is a mistake."""
_LARGEST_WINDOW = 2_000_000
"""Of models whose window is not known."""
_OUTPUT_SLACK = 64
_LEAST_COUNT = 64
"""Prompts shorter than that are mostly framing, of which hosts count what they like."""
_BYTES_A_TOKEN = 12
"""Running text has fewer, in every vocabulary: only where there are more is it worth counting."""
_UNKNOWN_ERROR_PCT = 50.0
_MOST_TIMES = 100
"""What a host may charge more than the list price says: tools and searches are on its bill, too."""
_LEAST_USD = Decimal(1)
"""A charge below that is always believed."""


class CheckedUsage(NamedTuple):
    """Usage that can be, and what there is to say of it."""

    usage: Usage
    notices: tuple[Notice, ...] = ()
    is_doubted: bool = False
    """The model may not have read all of the prompt."""


def check(draft: Draft, input_tokens: tokens.Count, counted: Callable[[], Usage]) -> CheckedUsage:
    """Return the reported usage, each side of it replaced by `counted` where it is missing or cannot be."""
    usage = draft.usage or Usage()
    if draft.gateway is not None and draft.gateway.is_replay and usage.input_tokens == 0 == usage.output_tokens:
        return CheckedUsage(usage)  # no model read or wrote anything for it
    read = None if usage.input_uncached is None else usage.input_tokens
    written = None if usage.output_visible is None else usage.output_tokens
    bad_input, bad_output = _bad_input(draft, read, input_tokens), _bad_output(draft, usage, written, counted)
    if read is None or bad_input:
        own = counted()
        usage = Usage(own.input_uncached, None, None, None, *usage[4:6], own.source)
    if written is None or bad_output:
        own = counted()
        source = own.source if usage.source is Source.REPORTED else usage.source
        usage = usage._replace(output_visible=own.output_visible, output_reasoning=own.output_reasoning, source=source)
    name = draft.model.name
    notices = [Notice("usage_counted", f"{name} {why}; counted here instead") for why in (bad_input, bad_output) if why]
    doubt = None if bad_input or read is None else _dropped(draft, read, input_tokens)
    if doubt:
        notices.append(Notice("prompt_dropped", f"{name} {doubt}"))
    elif not bad_input and draft.sent_bytes is not None and (read or 0) > _most(draft, input_tokens) + FRAMING_TOKENS:
        notices.append(
            Notice("usage_high", f"{name} reported {read:,} input tokens for {draft.sent_bytes:,} bytes; billed as reported")
        )
    return CheckedUsage(usage, tuple(notices), is_doubted=doubt is not None)


def is_beyond(stated_usd: Decimal, bill_usd: Decimal | None) -> bool:
    """Tell whether a charge that a host states is no such call's: a number in another unit. Where no price is known it stands."""
    return bill_usd is not None and bill_usd > 0 and stated_usd > _MOST_TIMES * bill_usd + _LEAST_USD


def bounded_output(draft: Draft) -> int | None:
    """Return the reported tokens that the bound on the answer bounds; None: not known."""
    written = draft.usage.output_tokens if draft.usage else None
    return None if written is None else written - draft.beside


def _most(draft: Draft, input_tokens: tokens.Count) -> int:
    """Return the most tokens that can have been sent: a token covers a byte at least, but for what a link stands for."""
    return max(draft.sent_bytes or 0, 4 * input_tokens.tokens)


def _bad_input(draft: Draft, read: int | None, input_tokens: tokens.Count) -> str | None:
    """Say why the reported input cannot be; None where it can."""
    odd = [name for name in draft.odd_usage if name.startswith(("prompt", "input"))]
    if read is None:
        return f"reported a `{odd[0]}` that is no number of tokens" if odd else None
    if read == 0 and input_tokens.tokens:
        return "reported that it read nothing"
    most, window = _most(draft, input_tokens), draft.model.context_window
    if read > most + HIDDEN_TOKENS or (window and read > window and read > most + FRAMING_TOKENS):
        return f"reported {read:,} input tokens, which cannot be"
    return None


def _bad_output(draft: Draft, usage: Usage, written: int | None, counted: Callable[[], Usage]) -> str | None:
    """Say why the reported output cannot be; None where it can. One that broke off is reported before it was written."""
    odd = [name for name in draft.odd_usage if name.startswith(("completion", "output"))]
    reasoning = usage.output_reasoning or 0
    if written is None:
        return f"reported a `{odd[0]}` that is no number of tokens" if odd else None
    said = draft.said
    said_bytes = len(said.encode("utf-8", "replace"))
    came = said_bytes + len(draft.reasoning.encode("utf-8", "replace"))
    if (usage.output_visible or 0) > max(draft.max_tokens * draft.answers, came) + _OUTPUT_SLACK:
        return f"reported {usage.output_visible:,} output tokens for {came:,} bytes"
    if reasoning > max(draft.model.context_window or _LARGEST_WINDOW, draft.model.max_output or 0, came):
        return f"reported {reasoning:,} tokens of reasoning, which cannot be"
    if draft.finish is None or not said.strip():
        return None
    if written == 0:
        return "reported that it wrote nothing"
    if said_bytes > _BYTES_A_TOKEN * written + _OUTPUT_SLACK:
        own = counted()
        share = 1.0 if own.source is Source.COUNTED else 1 - _UNKNOWN_ERROR_PCT / 100
        if (own.output_visible or 0) * share > 2 * written:
            return f"reported {written:,} output tokens where {own.output_visible:,} came"
    return None


def _dropped(draft: Draft, read: int, input_tokens: tokens.Count) -> str | None:
    """Say that the model has read less than half of what was sent; None where it has read more, or nobody can know."""
    if input_tokens.tokens < _LEAST_COUNT or draft.has_media:
        return None
    error_pct = _UNKNOWN_ERROR_PCT if input_tokens.error_pct is None else min(input_tokens.error_pct, 90.0)
    if 2 * read >= input_tokens.tokens * (1 - error_pct / 100):
        return None
    return (
        f"says it read {read:,} of the {input_tokens.tokens:,} tokens of the prompt: "
        "it may have dropped the rest, or leaves what it had cached out of its count"
    )
