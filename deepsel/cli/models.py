"""`deepsel models`: searches the catalog and the user's own rows; shows the price in force now and when it changes."""

from __future__ import annotations

import sys
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from deepsel import catalog, config
from deepsel.cli.context import load_settings
from deepsel.cli.options import Common
from deepsel.cli.terminal.output import write_stdout
from deepsel.cli.terminal.terminal import columns_to_cut_to
from deepsel.clock import SystemClock
from deepsel.config import nearest_hint
from deepsel.errors import UsageError
from deepsel.show.columns import text_table
from deepsel.show.money import per_million
from deepsel.values import Model, PriceRule

DETAILED_UP_TO = 3
"""So few matches are shown with everything known of them."""


def models(
    common: Common,
    query: Annotated[str | None, typer.Argument(help="Part of a name, id or alias.", show_default=False)] = None,
    provider: Annotated[str | None, typer.Option("--provider", metavar="NAME", help="Only this provider's.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Retired models too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON record.")] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Take new prices over, after a look at each.")] = False,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="LIST", help="With --refresh: litellm, models.dev, openrouter, tokenmix, a file or a URL."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --refresh: also prices that move more than 10x.")] = False,
) -> None:
    """Search the catalog: prices now and next.

    Shows the price in force now, its next change, window and vocabulary; everything known where few models match.
    """
    if refresh:
        from deepsel.cli import refreshing

        refreshing.run(common, from_ or "litellm", force=force, as_json=as_json)
        return
    if from_ or force:
        raise UsageError("`--from` and `--force` say how to refresh", "add `--refresh`")
    now = SystemClock().now()
    found = search(_all_models(common), query=query, provider=provider, now=now, with_retired=every)
    if not found:
        names = [row.name for row in _all_models(common)]
        raise UsageError(f"no model matches `{query or provider}`", nearest_hint(query or "", names) if query else "")
    if as_json:
        from deepsel.cli.records import dump

        write_stdout(dump(record(found, now)))
        return
    detailed = len(found) <= DETAILED_UP_TO
    write_stdout("\n".join(_details(row, now) for row in found) if detailed else _table(found, now))
    if not common.quiet:
        sys.stderr.write(f"{len(found)} model{'s' if len(found) != 1 else ''}; prices as of {catalog.as_of()}, {_age(now)}\n")


def _all_models(common: Common) -> list[Model]:
    """List the user's rows, then the catalog's that they do not replace; the demo's would only repeat these."""
    settings = load_settings(common)
    own = settings.models
    shown = [row for row in own.values() if not config.find_provider(settings, row.provider).is_simulated]
    return [*shown, *(row for name, row in catalog.models().items() if name not in own)]


def search(
    rows: list[Model], *, query: str | None, provider: str | None, now: datetime, with_retired: bool
) -> list[Model]:
    """Choose the rows whose name, id or alias holds every word of the query; an exact name alone wins."""
    words = (query or "").lower().split()
    chosen = [
        row
        for row in rows
        if (provider is None or row.provider == provider)
        and (with_retired or catalog.is_available(row, on=now.date()))
        and all(any(word in text.lower() for text in (row.name, row.id, row.provider, *row.aliases)) for word in words)
    ]
    return [row for row in chosen if query and query in (row.name, *row.aliases)] or chosen


def _table(rows: list[Model], now: datetime) -> str:
    """Set rows in columns that fit 80 characters, widest information first."""
    cells = [("MODEL", "IN", "CACHED", "OUT", "WINDOW", "VOCABULARY", "PRICE CHANGES")]
    for row in rows:
        rule = _rule(row, now)
        cells.append(
            (
                row.name,
                per_million(rule.input if rule else None),
                per_million(rule.cached_input if rule else None),
                per_million(rule.output if rule else None),
                _size(row.context_window or row.max_input),
                row.vocabulary or "-",
                _change(row, now) or "",
            )
        )
    table = text_table(cells, right=range(1, 5), columns=columns_to_cut_to(sys.stdout))
    return f"{table}\nUSD per 1,000,000 tokens, for the smallest prompt; - is unknown.\n"


def _details(row: Model, now: datetime) -> str:
    """Write all that is known of one model."""
    rule = _rule(row, now)
    lines = [f"{row.name}  ({row.provider}, id {row.id})"]
    facts: list[tuple[str, str | None]] = [
        ("window", f"{_size(row.context_window or row.max_input)} tokens, answers up to {_size(row.max_output)}"),
        ("vocabulary", row.vocabulary),
        ("features", ", ".join(sorted(row.features)) or None),
        ("capability", ", ".join(f"{task} {value:.2f}" for task, value in row.capability.items()) or None),
        ("price now", _price(rule) if rule else "unknown"),
        ("changes", _change(row, now)),
        ("source", f"{rule.source}, checked {rule.checked}" if rule and rule.source else None),
        ("larger prompts", "; ".join(_tiers(row, now)) or None),
        ("retires", row.retires.isoformat() if row.retires else None),
        ("note", row.note or None),
    ]
    lines += [f"  {name:<15}{value}" for name, value in facts if value]
    return "\n".join(lines) + "\n"


def _price(rule: PriceRule) -> str:
    """Write a rule's prices."""
    label = f"{rule.label}: " if rule.label else ""
    parts = [
        f"input {per_million(rule.input)}",
        f"cached {per_million(rule.cached_input)}",
        f"output {per_million(rule.output)}",
    ]
    if rule.cache_write_short is not None:
        parts.append(f"cache write {per_million(rule.cache_write_short)}")
    if rule.reasoning_output is not None:
        parts.append(f"reasoning {per_million(rule.reasoning_output)}")
    return label + ", ".join(parts) + " USD per 1M"


def _tiers(row: Model, now: datetime) -> list[str]:
    """Write the prices of larger prompts."""
    bounds = sorted({rule.up_to_input_tokens for rule in row.prices if rule.up_to_input_tokens is not None})
    rules = [(bound, catalog.rule_at(row, at=now, input_tokens=bound + 1)) for bound in bounds]
    return [f"over {bound:,} tokens {_price(rule)}" for bound, rule in rules if rule is not None]


def _rule(row: Model, now: datetime) -> PriceRule | None:
    """Find the price of the smallest prompt now."""
    return catalog.rule_at(row, at=now, input_tokens=0)


def _change(row: Model, now: datetime) -> str | None:
    """Say when the price changes next, and to what."""
    change = catalog.next_change(row, at=now, input_tokens=0)
    if change is None:
        return None
    instant, rule = change
    to = f"{per_million(rule.input)}/{per_million(rule.output)}" if rule else "unknown"
    day = "" if instant.date() == now.date() else f"{instant:%m-%d} "
    return f"{day}{instant:%H:%M}Z: {to}"


def _size(tokens: int | None) -> str:
    """Write a window's size short."""
    if tokens is None:
        return "-"
    return (
        f"{tokens / 1_000_000:.3g}M"
        if tokens >= 1_000_000
        else f"{tokens / 1000:.0f}K"
        if tokens >= 1000
        else str(tokens)
    )


def _age(now: datetime) -> str:
    """Say how old the price table is."""
    days = catalog.catalog_age_days(now)
    return "today" if days == 0 else f"{days} day{'s' if days > 1 else ''} old"


def record(rows: list[Model], now: datetime) -> dict[str, Any]:
    """Build the record of `models --json`."""
    return {
        "schema": 1,
        "prices_as_of": catalog.as_of().isoformat(),
        "age_days": catalog.catalog_age_days(now),
        "at": now,
        "models": [_model_record(row, now) for row in rows],
    }


def _model_record(row: Model, now: datetime) -> dict[str, Any]:
    """Build one model's member."""
    change = catalog.next_change(row, at=now, input_tokens=0)
    return {
        "model": row.name,
        "provider": row.provider,
        "id": row.id,
        "aliases": list(row.aliases),
        "context_window": row.context_window,
        "max_input": row.max_input,
        "max_output": row.max_output,
        "vocabulary": row.vocabulary,
        "features": sorted(row.features),
        "capability": dict(row.capability),
        "price": _rule_record(_rule(row, now)),
        "next_change": {"at": change[0], "price": _rule_record(change[1])} if change else None,
        "retires": row.retires.isoformat() if row.retires else None,
        "note": row.note or None,
    }


def _rule_record(rule: PriceRule | None) -> dict[str, Any] | None:
    """Build a price's member."""
    if rule is None:
        return None
    prices: dict[str, Decimal | None] = {
        "input": rule.input,
        "cached_input": rule.cached_input,
        "cache_write": rule.cache_write_short,
        "output": rule.output,
        "reasoning_output": rule.reasoning_output,
    }
    checked = rule.checked.isoformat() if rule.checked else None
    return {**prices, "label": rule.label or None, "source": rule.source or None, "checked": checked}
