"""Reads what gateways say of a call in the headers of its response; pure. Names come from each gateway's documentation.

LiteLLM proxy: `x-litellm-*`; Portkey: `x-portkey-*`; OpenRouter: `x-openrouter-*`. A header that cannot be read is absent.
None of them charges for an answer out of its own cache: LiteLLM states 0, Portkey states nothing, OpenRouter states it in
the usage (its documentation of response caching: every billable counter is 0).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from deepsel.dollars import read_usd
from deepsel.values import Gateway
from deepsel.wires.fields import says_nothing

_CACHE = ("x-portkey-cache-status", "x-openrouter-cache-status", "x-litellm-cache-status")
_TRACES = ("x-portkey-trace-id", "x-litellm-call-id", "x-generation-id")
_COST = "x-litellm-response-cost"
_LONGEST = 200


def read_gateway(headers: Mapping[str, str]) -> Gateway | None:
    """Return what a gateway says, from headers named in lower case; None where none made itself known."""
    cache_status, trace_id = _first(headers, *_CACHE), _first(headers, *_TRACES)
    if cache_status is None and headers.get("x-litellm-cache-key"):
        cache_status = "HIT"  # the proxy names the key of an answer it took from its cache, and says nothing otherwise
    stated = headers.get(_COST)
    cost_usd = read_usd(stated)
    odd_cost = _COST if cost_usd is None and not says_nothing(stated) else None
    gateway = Gateway(cost_usd, cache_status, _retries(headers), trace_id, odd_cost)
    if gateway.is_replay and cost_usd is None and "x-openrouter-cache-status" not in headers:
        gateway = gateway._replace(cost_usd=Decimal(0))  # the charge its body names is that of the first answer
    return None if gateway == Gateway() else gateway


def _first(headers: Mapping[str, str], *names: str) -> str | None:
    """Return the first header that is there, no longer than anybody reads."""
    return next((headers[name].strip()[:_LONGEST] for name in names if headers.get(name, "").strip()), None)


def _retries(headers: Mapping[str, str]) -> int | None:
    """Add LiteLLM's retries and fall-backs, or return Portkey's count, whose -1 (all used up) names no number."""
    found = [_whole(headers.get(f"x-litellm-attempted-{kind}")) for kind in ("retries", "fallbacks")]
    known = [number for number in (*found, _whole(headers.get("x-portkey-retry-attempt-count"))) if number is not None]
    return sum(known) if known else None


def _whole(text: str | None) -> int | None:
    """Read a plain number of at most six digits."""
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 6 else None
