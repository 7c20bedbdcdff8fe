"""One call's answer as it grows, how it ended, and what it cost; asks nobody and retries nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from deepsel import catalog, tokens
from deepsel.catalog import Catalog
from deepsel.engine.checks.plausible import bounded_output, check, is_beyond
from deepsel.engine.checks.time_left import TimeLeft
from deepsel.engine.checks.tool_calls import OpenCall, is_cut
from deepsel.engine.checks.wholeness import stops_inside
from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.records import NamedTuple
from deepsel.values import (
    Bill,
    Doubt,
    Finish,
    FinishReport,
    Gateway,
    Identity,
    Json,
    Model,
    Notice,
    Provider,
    ReasoningDelta,
    Source,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
    UsageReport,
    WireEvent,
)
from deepsel.wires.thinking import part_at_lone_closer

_LIMIT_SLACK = 2
"""So many tokens more than they may write some hosts count at the limit: the end mark is one."""
# Failures that, where nothing else came, come before a model has begun: no provider of the catalog bills them.
_UNBILLED = frozenset(
    {
        ErrorClass.NETWORK,
        ErrorClass.RATE_LIMITED,
        ErrorClass.OVERLOADED,
        ErrorClass.SERVER,
        ErrorClass.AUTH,
        ErrorClass.BILLING,
        ErrorClass.BAD_REQUEST,
        ErrorClass.CONTEXT_OVERFLOW,
    }
)


@dataclass(slots=True)
class Draft:
    """An answer as it grows."""

    model: Model
    provider: Provider
    max_tokens: int
    asked_at: datetime
    """Wall-clock instant of the call, which decides the price."""
    started_s: float
    """The same on the monotonic clock."""
    catalog: Catalog
    """Where the model that says it answered is looked up, by whose price the call is billed."""
    text: str = ""
    reasoning: str = ""
    usage: Usage | None = None
    beside: int = 0
    """Reported output that `max_tokens` does not bound."""
    odd_usage: tuple[str, ...] = ()
    """Members of the reported usage, and headers, that hold no number."""
    sent_bytes: int | None = None
    """Of the request's body; None: not known."""
    answers: int = 1
    """So many were asked for at once; the first is read, the usage is that of all."""
    has_media: bool = False
    """The request has pictures or files, whose tokens are guessed."""
    stated_cost_usd: Decimal | None = None
    answered_model: str | None = None
    finish: Finish | None = None
    raw_finish: str = ""
    is_finish_known: bool = True
    """The finish value is one of the table's."""
    doubts: list[str] = field(default_factory=list)
    """Why the answer can be read in two ways; where there are any it is not stored."""
    has_parted: bool = False
    """Reasoning has been taken out of the text after it had come."""
    ttft_s: float | None = None
    thought_s: float | None = None
    """When reasoning was the first sign of life, after so many seconds; None: text was, or nothing has come."""
    gateway: Gateway | None = None
    service_tier: str = "standard"
    """The tier that was asked for, then the one that was used, where the provider names it."""
    parts: list[str] = field(default_factory=list)
    """Pieces of `text` not yet joined."""
    calls: dict[int, OpenCall] = field(default_factory=dict)
    """Tool calls by the number their pieces bear."""

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls as they stand, in the order they came."""
        return tuple(call.close() for call in self.calls.values())

    @property
    def said(self) -> str:
        """The joined text and what stands in the calls: what counts as visible output."""
        return self.text + "".join(call.name + call.arguments for call in self.tool_calls)

    @property
    def is_blank(self) -> bool:
        """Whether nothing of the answer has come."""
        return not (self.text or self.parts or self.reasoning or self.calls)

    def take(self, event: WireEvent, now: float) -> None:
        """Add one event of the wire, seen at the monotonic instant `now`."""
        if isinstance(event, TextDelta):  # nearly all are
            if self.ttft_s is None:
                self.ttft_s = now - self.started_s
            self.parts.append(event.text)
            return
        match event:
            case ReasoningDelta(text):
                if self.thought_s is None and self.ttft_s is None:
                    self.thought_s = now - self.started_s
                self.reasoning += text
            case ToolCallDelta():
                if self.ttft_s is None:
                    self.ttft_s = now - self.started_s
                self.calls.setdefault(event.number, OpenCall()).take(event)
            case UsageReport(usage, cost_usd, beside, odd):
                self.usage = usage.after(self.usage) if usage != Usage() else self.usage
                self.beside, self.odd_usage = beside or self.beside, (*self.odd_usage, *odd)
                self.stated_cost_usd = self.stated_cost_usd if cost_usd is None else cost_usd
            case Identity(answered_model, _, tier):
                self.answered_model = answered_model or self.answered_model
                self.service_tier = price_tier(tier) if tier else self.service_tier
            case FinishReport(finish, raw):
                self.finish, self.raw_finish = finish or (Finish.COMPLETE if raw else None), raw
                self.is_finish_known = finish is not None
            case Doubt(message):
                self.doubts.append(message)

    def heed(self, gateway: Gateway | None, sent_bytes: int | None) -> None:
        """Note what was sent, and what a gateway says of it at the head of its response."""
        self.gateway, self.sent_bytes = gateway, sent_bytes

    def join(self) -> None:
        """Make `text` whole, and part it from reasoning that only a closing tag tells from it."""
        self.text += "".join(self.parts)
        self.parts.clear()
        parted = part_at_lone_closer(self.text)
        if parted is not None:
            self.reasoning = "\n".join(filter(None, (self.reasoning, parted.reasoning)))
            self.text, self.has_parted = parted.text, True
            if not parted.is_sure:
                self.doubts.append("a closing tag of thinking stands in the text without an opening one")


def price_tier(name: Json) -> str:
    """Return the tier of the price table for a provider's word; what it chooses by itself is the standard one."""
    return "priority" if name == "fast" else str(name) if name in ("priority", "flex", "batch") else "standard"


def judge(draft: Draft, schema: Mapping[str, Json] | None, limit: TimeLeft) -> None:
    """Raise AttemptFailed where the ended answer is not the whole, valid answer that was asked for.

    With a schema the text becomes the document, where that stands in a fence or in prose; that takes no longer than the `limit`.
    """
    if draft.finish is Finish.FILTERED:
        raise _failure(ErrorClass.CONTENT_POLICY, f"{draft.model.name} declined to answer (`{draft.raw_finish}`)")
    if reached_limit(draft):
        raise _failure(ErrorClass.TRUNCATED, _limit_text(draft))
    if draft.finish in (None, Finish.INCOMPLETE):
        raise AttemptFailed(
            ErrorClass.STREAM_CUT,
            f"{draft.model.name} ended without saying the answer is complete (`{draft.raw_finish or 'nothing'}`)",
            http_status=200,
            should_retry=False if draft.raw_finish else None,  # it would come again
        )
    _judge_calls(draft)
    if not draft.text.strip() and not draft.calls:
        raise AttemptFailed(
            ErrorClass.EMPTY, f"{draft.model.name} wrote reasoning and no answer", http_status=200, should_retry=False
        )
    if not draft.is_finish_known:
        draft.doubts.append(f"{draft.model.name} ended with `{draft.raw_finish}`, which nobody knows")
    document, problem = None, None
    if schema is not None and not draft.calls:
        from deepsel.engine.checks.schema import document_for, schema_failure

        document = document_for(draft.text, schema, limit)
        problem = schema_failure(document, schema, limit)
    is_valid = document is not None and not problem  # a fence that nobody has closed matters no more
    inside = stops_inside(draft.text) if draft.finish is Finish.COMPLETE and not is_valid else None
    if inside:
        raise _failure(ErrorClass.TRUNCATED, f"{draft.model.name} stopped inside {inside} and called it complete")
    if document is not None:
        draft.text = document
    if problem:
        raise _failure(ErrorClass.SCHEMA, problem)


def _failure(error_class: ErrorClass, message: str) -> AttemptFailed:
    return AttemptFailed(error_class, message, http_status=200)


def _judge_calls(draft: Draft) -> None:
    """Raise AttemptFailed where a tool call is cut or cannot be made, or none came of those the provider speaks of.

    An answer with calls ends with them, whatever the provider calls its end.
    """
    name = draft.model.name
    calls = draft.tool_calls
    cut = next((call for call in calls if is_cut(call)), None)
    if cut is not None:
        raise _failure(ErrorClass.TRUNCATED, f"{name} stopped inside the arguments of a call of `{cut.name}`")
    if any(not call.name for call in calls):
        raise _failure(ErrorClass.MALFORMED, f"{name} calls a tool without naming it")
    if draft.finish is Finish.TOOL and not calls:
        raise _failure(ErrorClass.MALFORMED, f"{name} says it calls a tool, but no call came")
    if calls:
        draft.finish = Finish.TOOL


def reached_limit(draft: Draft) -> bool:
    """Tell whether the answer was stopped by its token limit, said or not."""
    if draft.finish is Finish.LENGTH:
        return True
    written = bounded_output(draft) if draft.answers == 1 else None
    if draft.finish is not Finish.COMPLETE or written is None:
        return False
    return draft.max_tokens <= written <= draft.max_tokens + _LIMIT_SLACK  # more was not stopped by it


def _limit_text(draft: Draft) -> str:
    """Say what used up the limit."""
    if not draft.text and not draft.calls and draft.reasoning:
        return f"{draft.model.name} used all {draft.max_tokens} tokens for reasoning and wrote no answer"
    written = draft.usage.output_tokens if draft.usage else None
    if written is not None and written < draft.max_tokens:
        return f"{draft.model.name} stopped after {written} tokens, a limit of the provider's own ({draft.max_tokens} were allowed)"
    if draft.model.max_output is not None and draft.max_tokens >= draft.model.max_output:
        return f"{draft.model.name} stopped at {draft.max_tokens} tokens, its longest answer"
    return f"{draft.model.name} stopped at the limit of {draft.max_tokens} tokens"


class Settlement(NamedTuple):
    """What a call used and cost."""

    usage: Usage
    cost_usd: Decimal | None
    bill: Bill
    notices: tuple[Notice, ...] = ()
    """What is odd about the reported usage."""
    is_doubted: bool = False
    """The model may not have read all of the prompt."""


def settle(draft: Draft, input_tokens: tokens.Count) -> Settlement:
    """Price a call by the model that answered: the provider's own charge, else reported usage, else our count of the text."""
    own: list[Usage] = []

    def counted() -> Usage:
        """Count once, and only where it is needed."""
        if not own:
            own.append(_counted(draft, input_tokens))
        return own[0]

    checked = check(draft, input_tokens, counted)
    usage = checked.usage
    if draft.finish is None:
        usage = _with_counted_output(usage, counted())
    row = draft.catalog.price_row_for_answer(draft.model, draft.answered_model)
    bill = catalog.bill(
        row,
        usage,
        at=draft.asked_at,
        service_tier=draft.service_tier,
        multiplier=draft.provider.price_multiplier,
    )
    stated_usd = _stated_usd(draft)
    beyond_usd = stated_usd if stated_usd is not None and is_beyond(stated_usd, bill.total_usd) else None
    notices = (*checked.notices, *_odd_cost(draft, beyond_usd))
    if stated_usd is None or beyond_usd is not None:
        return Settlement(usage, bill.total_usd, bill, notices, checked.is_doubted)
    if bill.rule is not None:
        bill = bill._replace(rule=bill.rule._replace(is_at_most=False))  # what the host says it charges is no bound
    return Settlement(usage, stated_usd, bill, notices, checked.is_doubted)


def _odd_cost(draft: Draft, beyond_usd: Decimal | None) -> tuple[Notice, ...]:
    """Say that what the provider states as its charge cannot be; `beyond_usd` is one far beyond the price."""
    odd = [f"a `{name}` that no call costs" for name in draft.odd_usage if "cost" in name]
    if beyond_usd is not None:
        odd = [f"a cost of ${beyond_usd:f}, far beyond its price"]
    elif not odd or draft.stated_cost_usd is not None:
        return ()
    return (Notice("cost_odd", f"{draft.model.name} states {odd[0]}; its list price counts instead"),)


def _stated_usd(draft: Draft) -> Decimal | None:
    """Return what the host says it charges; an answer out of a gateway's cache costs nothing unless that says otherwise."""
    if draft.gateway is None or not draft.gateway.is_replay:
        return draft.stated_cost_usd
    if draft.gateway.cost_usd is not None:
        return draft.gateway.cost_usd
    return draft.stated_cost_usd or Decimal(0)


def settle_failed(draft: Draft, failure: AttemptFailed, input_tokens: tokens.Count) -> Settlement:
    """Price a failed call: nothing where it was refused, the tokens seen where it was cut; unknown where nobody can know."""
    if draft.usage is None and draft.is_blank:
        is_refused = failure.error_class in _UNBILLED or failure.http_status not in (None, 200)
        return Settlement(Usage(), Decimal(0) if is_refused else None, Bill(None))
    return settle(draft, input_tokens)


def billed_usd(provider: Provider, cost_usd: Decimal | None) -> Decimal | None:
    """Return what of a call's cost is anybody's money: nothing where no model was asked."""
    return Decimal(0) if provider.is_simulated else cost_usd


def _with_counted_output(reported: Usage, counted: Usage) -> Usage:
    """Keep the reported input of an answer that broke off; its output was reported before it was written, if at all."""
    if (reported.output_tokens or 0) >= (counted.output_tokens or 0):
        return reported
    return reported._replace(
        output_visible=counted.output_visible,
        output_reasoning=counted.output_reasoning,
        source=counted.source,
    )


def _counted(draft: Draft, input_tokens: tokens.Count) -> Usage:
    """Stand in for usage the provider did not report."""
    written = tokens.count(draft.said, draft.model.vocabulary)
    thought = tokens.count(draft.reasoning, draft.model.vocabulary) if draft.reasoning else None
    is_exact = {input_tokens.source, written.source} == {Source.COUNTED}
    return Usage(
        input_uncached=input_tokens.tokens,
        output_visible=written.tokens,
        output_reasoning=thought.tokens if thought else None,
        source=Source.COUNTED if is_exact else Source.ESTIMATED,
    )
