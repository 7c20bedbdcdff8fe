"""The JSON records of `ask`; their member names are a contract (README, "Records")."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from deepsel.cli.terminal.output import end_with_newline
from deepsel.show.record import SCHEMA_VERSION, dump, error_member, failed_record, price_member, usage_member
from deepsel.values import Answer, Attempt, Gateway, Model, PriceRule, ToolCall

if TYPE_CHECKING:
    from deepsel.engine.prepare import Prepared
    from deepsel.errors import DeepselError

_MEMBERS = (
    *("schema", "text", "reasoning", "tool_calls", "data", "model", "answered_model", "provider", "profile", "task", "difficulty"),
    *("finish", "usage", "cost_usd", "price", "timing", "cache", "attempts", "simulated", "warnings", "error"),
)


def answer_record(answer: Answer, error: DeepselError | None = None, *, has_schema: bool = False) -> dict[str, Any]:
    """Build the record of `ask --json`; `error` says why it is not whole, `has_schema` that the text is a document."""
    return {
        "schema": SCHEMA_VERSION,
        "text": answer.text,
        "reasoning": answer.reasoning,
        "tool_calls": [call_record(call) for call in answer.tool_calls],
        "data": _data(answer.text) if has_schema and error is None and not answer.tool_calls else None,
        "model": answer.model,
        "answered_model": answer.answered_model,
        "provider": answer.provider,
        "profile": answer.profile,
        "task": answer.task,
        "difficulty": _rounded(answer.difficulty),
        "finish": answer.finish,
        "usage": usage_member(answer.usage),
        "cost_usd": answer.cost_usd,
        "price": price_record(answer.price_rule),
        "timing": {"ttft_s": _rounded(answer.ttft_s), "total_s": _rounded(answer.total_s)},
        "cache": {"status": answer.cache.status, "tier": answer.cache.tier, "key": answer.cache.key},
        "attempts": [attempt_record(attempt) for attempt in answer.attempts],
        "simulated": answer.is_simulated,
        "warnings": [{"code": notice.code, "message": notice.message} for notice in answer.warnings],
        **({"error": _error(error, answer.attempts)} if error is not None else {}),
    }


def _data(text: str) -> Any:
    """Read the document of a checked answer."""
    from deepsel.jsontext import loads

    try:
        return loads(text)
    except ValueError:
        return None  # an answer of the cache that was never checked


def _error(error: DeepselError, attempts: Iterable[Attempt]) -> dict[str, str]:
    """Build the member `error`: the class of the last attempt that failed stands for it where there is one."""
    failed = [attempt.error_class for attempt in attempts if attempt.error_class is not None]
    return {**error_member(error), "class": failed[-1]} if failed else error_member(error)


def unasked_record(error: DeepselError) -> dict[str, Any]:
    """Build the record of an `ask` that asked nobody: every member is there, and empty."""
    blank: dict[str, Any] = dict.fromkeys(_MEMBERS)
    blank |= {"text": "", "reasoning": "", "cost_usd": Decimal(0), "simulated": False}
    blank |= {name: [] for name in ("tool_calls", "attempts", "warnings")}
    return {**blank, **failed_record(error)}


def call_record(call: ToolCall) -> dict[str, Any]:
    """Build one member of `tool_calls`: the arguments as the object they are, else as the text that came."""
    arguments = call.arguments if call.parsed is None else call.parsed
    return {"id": call.id or None, "name": call.name, "arguments": arguments}


def answer_text(answer: Answer, *, is_shown: bool) -> str:
    """Write an answer for stdout: its text, unless that was shown as it came, then each tool call as a line of JSON."""
    text = "" if is_shown else end_with_newline(answer.text)
    return text + "".join(dump(call_record(call)) for call in answer.tool_calls)


def price_record(rule: PriceRule | None) -> dict[str, Any]:
    """Say where the price came from; nulls where there is none."""
    if rule is None:
        return price_member(source="", as_of=None, rule="")
    return price_member(source=rule.source, as_of=rule.checked, rule=rule.label or "standard")


def attempt_record(attempt: Attempt) -> dict[str, Any]:
    """Build one member of `attempts`."""
    return {
        "provider": attempt.provider,
        "model": attempt.model,
        "outcome": attempt.outcome,
        "error_class": attempt.error_class,
        "http_status": attempt.http_status,
        "message": attempt.message or None,
        "wait_s": round(attempt.wait_s, 4),
        "ttft_s": _rounded(attempt.ttft_s),
        "total_s": _rounded(attempt.total_s),
        "cost_usd": attempt.cost_usd,
        "gateway": gateway_record(attempt.gateway),
    }


def gateway_record(gateway: Gateway | None) -> dict[str, Any] | None:
    """Build what a gateway said it did; None where there was none."""
    if gateway is None:
        return None
    return {
        "cost_usd": gateway.cost_usd,
        "cache_status": gateway.cache_status,
        "retries": gateway.retries,
        "trace_id": gateway.trace_id,
    }


def strength_member(model: Model, task: str) -> dict[str, Any] | None:
    """Build a strength with its source; None where nothing is known."""
    from deepsel.catalog.strengths import strength_source

    if task not in model.capability:
        return None
    known = strength_source(model, task)
    return {"value": model.capability[task], "source": known.source, "as_of": known.as_of, "mode": known.mode, "error": known.error}


def plan_record(prepared: Prepared, cache: dict[str, Any]) -> dict[str, Any]:
    """Build the record of `ask --explain --json`."""
    return {
        "schema": SCHEMA_VERSION,
        "profile": prepared.profile.name,
        "strategy": prepared.profile.strategy,
        "task": prepared.task,
        "task_evidence": list(prepared.task_evidence),
        "difficulty": round(prepared.difficulty, 4),
        "input_tokens": {name: count.tokens for name, count in prepared.counts.items()},
        "candidates": [
            {
                "model": choice.model,
                "provider": choice.provider,
                "rank": choice.rank,
                "utility": round(choice.utility, 6),
                "terms": {name: round(value, 6) for name, value in choice.terms.items()},
                "cost_usd": choice.cost_usd,
                "reasons": [*choice.reasons, *([choice.margin] if choice.margin else [])],
                "strength": strength_member(prepared.candidates[choice.model].model, prepared.task),
            }
            for choice in prepared.plan.choices
        ],
        "refused": [
            {"model": refusal.model, "reason": refusal.reason, "detail": refusal.detail}
            for refusal in prepared.plan.refused
        ],
        "cache": cache,
    }


def _rounded(number: float | None) -> float | None:
    """Round to four places, of seconds tenths of a millisecond; finer is noise."""
    return None if number is None else round(number, 4)
