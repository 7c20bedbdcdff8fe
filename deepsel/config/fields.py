"""The members of profiles.toml and what each may hold; turns one parsed value into ours or says why not."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from deepsel.dollars import DECIMALS, MOST_BUDGET_USD, MOST_USD, read_usd
from deepsel.values import STRATEGIES, TASKS

Reader: TypeAlias = Callable[[Any], Any]
"""Takes the parsed TOML value, returns ours; raises ValueError with words that follow `must be`."""


def text(value: Any) -> str:
    """Accept a string."""
    if not isinstance(value, str):
        raise ValueError("a string")
    return value


def names(value: Any) -> tuple[str, ...]:
    """Accept a list of strings."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValueError('a list of names, e.g. ["quick", "strong"]')
    return tuple(value)


def money(value: Any, *, most: int = MOST_USD) -> Decimal:
    """Accept an amount of USD as text or a whole number, not negative, and none that nobody pays."""
    amount = None if isinstance(value, float) else read_usd(value, most=most, is_exact=True)
    if amount is None:
        raise ValueError(f'an amount of USD as text, e.g. "0.05": at most {most:,}, and {DECIMALS} decimals')
    return amount


def budget(value: Any) -> Decimal:
    """Accept a bound on a sum of many calls."""
    return money(value, most=MOST_BUDGET_USD)


def number(low: float, high: float = float("inf"), *, above: bool = False) -> Reader:
    """Make a reader of numbers in [low, high], or (low, high] with `above`; it raises ValueError for any other."""

    def read(value: Any) -> float:
        bound = f" and at most {high:g}" if high != float("inf") else ""
        wrong = ValueError(f"a number {'above' if above else 'of at least'} {low:g}{bound}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong
        if not low <= value <= high or (above and value == low) or value in (float("inf"), float("-inf")):
            raise wrong
        return float(value)

    return read


def integer(low: int) -> Reader:
    """Make a reader of whole numbers of at least `low`; it raises ValueError for anything else."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise ValueError(f"a whole number of at least {low}")
        return value

    return read


def flag(value: Any) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def strategy(value: Any) -> str:
    """Accept one of the strategies."""
    if value not in STRATEGIES:
        raise ValueError("one of " + ", ".join(STRATEGIES))
    return str(value)


def pins(value: Any) -> dict[str, tuple[str, ...]]:
    """Accept a table of task to model names."""
    if not isinstance(value, dict):
        raise ValueError('a table of task to model names, e.g. { creative = ["strong"] }')
    for task in value:
        if task not in TASKS:
            raise ValueError(f"a table whose keys are tasks ({', '.join(TASKS)}), not `{task}`")
    return {task: names(models) for task, models in value.items()}


def unknown_price(value: Any) -> str:
    """Accept one of two words."""
    if value not in ("refuse", "allow"):
        raise ValueError('"refuse" or "allow"')
    return str(value)


def weights(value: Any) -> dict[str, float]:
    """Accept a table of what a strategy cares about; only proportions matter, and one has to be above 0."""
    known = ("quality", "cost", "latency")
    if not isinstance(value, dict) or not value or not set(value) <= set(known):
        raise ValueError("a table of quality, cost and latency, e.g. { quality = 0.6, cost = 0.25, latency = 0.15 }")
    read = {name: number(0)(part) for name, part in value.items()}
    if not any(read.values()):
        raise ValueError("a table with at least one number above 0")
    return {name: read.get(name, 0.0) for name in known}


def redis_url(value: Any) -> str:
    """Accept an empty string or a redis URL; the text is never quoted back since it may hold a password."""
    if not isinstance(value, str) or (value and not value.startswith(("redis://", "rediss://", "unix://"))):
        words = 'a URL such as "redis://127.0.0.1:6379/0", or empty'
        if isinstance(value, str) and "sentinel" in value.partition("://")[0]:
            words = "the address of a server: Sentinel, which names one, is not supported"
        elif isinstance(value, str) and "cluster" in value.partition("://")[0]:
            words = "redis:// or rediss:// and one node, of a cluster too: the others are found"
        raise ValueError(words)
    if "," in value.partition("://")[2].rpartition("@")[2].partition("/")[0]:
        raise ValueError("one address, not several: of a cluster one node is enough, the others are found")
    return value


def namespace(value: Any) -> str:
    """Accept a short name."""
    if not isinstance(value, str) or len(value) > 64 or not all(c.isascii() and (c.isalnum() or c in "-_.") for c in value):
        raise ValueError("a name of letters, digits, `-`, `_` and `.`, or empty")
    return value


def port(value: Any) -> int:
    """Accept the number of a port; 0 takes a free one."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise ValueError("a whole number from 0 to 65535")
    return value


def aliases(value: Any) -> dict[str, str]:
    """Accept a table of what clients call a model to what they get."""
    if not isinstance(value, dict) or not all(isinstance(name, str) and name for name in value.values()):
        raise ValueError('a table of names, e.g. "gpt-4o" = "auto:balanced"')
    return dict(value)


def tables(value: Any) -> dict[str, dict[str, Any]]:
    """Accept a table of tables."""
    if not isinstance(value, dict) or not all(isinstance(row, dict) for row in value.values()):
        raise ValueError("tables such as `[serve.keys.NAME]`")
    return dict(value)


PROFILE: dict[str, Reader] = {
    "models": names,
    "strategy": strategy,
    "tasks": pins,
    "larger_context": names,
    "max_cost_usd": money,
    "daily_budget_usd": budget,
    "monthly_budget_usd": budget,
    "unknown_price": unknown_price,
    "weights": weights,
    "ttft_p95_limit_s": number(0, above=True),
    "error_rate_limit": number(0, 1),
    "cooldown_s": number(0),
    "window_s": number(0, above=True),
    "min_samples": integer(1),
    "retries": integer(0),
    "timeout_s": number(0, above=True),
    "first_token_timeout_s": number(0, above=True),
    "content_policy_fallback": flag,
    "max_tokens": integer(1),
    "temperature": number(0, 2),
    "seed": integer(0),
    "model": text,
    "env_file": text,
}

CACHE: dict[str, Reader] = {
    "ttl_s": number(0, above=True),
    "memory_entries": integer(0),
    "size_limit_bytes": integer(1),
    "disk": flag,
    "redis_url": redis_url,
    "redis_timeout_s": number(0, above=True),
    "namespace": namespace,
    "memory_ttl_s": number(0, above=True),
    "redis_ttl_s": number(0, above=True),
}

FLEET: dict[str, Reader] = {
    "redis_url": redis_url,
    "redis_timeout_s": number(0, above=True),
    "lease_s": number(1),
    "keep_s": number(60),
}

CONVERSATIONS: dict[str, Reader] = {"keep_s": number(0)}

SERVE: dict[str, Reader] = {
    "host": text,
    "port": port,
    "warm": names,
    "max_connections": integer(1),
    "queue": integer(1),
    "request_bytes": integer(1),
    "aliases": aliases,
    "keys": tables,
}

SERVE_KEY: dict[str, Reader] = {
    "env": text,
    "profile": text,
    "daily_budget_usd": budget,
    "models": names,
}

TOP_LEVEL = ("default_profile", "providers", "models", "profiles", "cache", "conversations", "serve", "fleet")
