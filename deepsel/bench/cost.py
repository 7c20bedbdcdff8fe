"""What a run may cost at most, before anything is sent."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from deepsel import catalog, tokens
from deepsel.bench.measure import BenchTarget
from deepsel.bench.prompts import Prompter
from deepsel.bench.wanted import PromptKind, Wanted
from deepsel.values import Message, Request

KEEP_ALIVE_INPUT_TOKENS = 32
"""More than a keep-alive request takes."""


def worst_cost_usd(wanted: Wanted, target: BenchTarget, prompter: Prompter, *, at: datetime) -> Decimal | None:
    """Return what a model's requests cost at most, at the longest answers and the price of `at`; None: not known."""
    total = Decimal(0)
    if target.provider.is_simulated:
        return total
    calls = [(_bound(wanted, target, prompter, prompt), wanted.max_tokens, wanted.calls_for_each_prompt()) for prompt in wanted.prompts]
    for input_tokens, output_tokens, times in [*calls, (KEEP_ALIVE_INPUT_TOKENS, 1, wanted.keep_alives())]:
        bill = catalog.project(
            target.model, input_tokens=input_tokens, output_tokens=output_tokens, at=at,
            multiplier=target.provider.price_multiplier,
        )  # fmt: skip
        if bill.total_usd is None and times:
            return None
        total += (bill.total_usd or Decimal(0)) * times
    return total


def _bound(wanted: Wanted, target: BenchTarget, prompter: Prompter, prompt: PromptKind) -> int:
    """Return the most input tokens that a prompt may be."""
    request = Request((Message.of("user", wanted.text(prompter, prompt)),))
    count = tokens.count_request(request, tokens.reader_of(target.model))
    assert count.most is not None, "a prompt is text"
    return count.most
