"""`deepsel models`: the options, and which rows they choose."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import Annotated

import typer

from deepsel import catalog, config
from deepsel.catalog import Catalog
from deepsel.cli.checked import refuse
from deepsel.cli.context import load_settings
from deepsel.cli.models.table import ModelKeys, details, table
from deepsel.cli.options import AsJson, Common
from deepsel.cli.terminal.output import write_stdout
from deepsel.clock import SystemClock
from deepsel.config import Settings, nearest_hint
from deepsel.errors import UsageError
from deepsel.records import NamedTuple
from deepsel.values import Model

DETAILED_UP_TO = 3
"""So few matches are shown with everything known of them."""


class ModelsOptions(NamedTuple):
    """What `deepsel models` takes."""

    query: Annotated[str | None, typer.Argument(help="Part of a name, id or alias.", show_default=False)] = None
    provider: Annotated[str | None, typer.Option("--provider", metavar="NAME", help="Only this provider's.")] = None
    every: Annotated[bool, typer.Option("--all", help="Retired models too.")] = False
    live: Annotated[
        bool, typer.Option("--live", help="With --provider: ask it which models it serves now.")
    ] = False
    as_json: AsJson = False
    refresh: Annotated[bool, typer.Option("--refresh", help="Take new prices over, after a look at each.")] = False
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="LIST", help="With --refresh: litellm, models.dev, openrouter, tokenmix, a file or a URL."
        ),
    ] = None
    force: Annotated[
        bool, typer.Option("--force", help="With --refresh: also prices that move more than 10x.")
    ] = False


def models(common: Common, options: ModelsOptions) -> None:
    """Search the catalog: prices now and next.

    Shows the price in force now, its next change, window and vocabulary; everything known where few models match.
    """
    if options.live:
        from deepsel.cli.models.live import live

        refuse(options.provider is None, "`--live` asks one provider", "name it with `--provider`")
        live(common, options.provider or "", options.query or "", as_json=options.as_json)
        return
    if options.refresh:
        from deepsel.cli.models.refresh import refresh

        refresh(common, options.from_ or "litellm", force=options.force, as_json=options.as_json)
        return
    refuse(bool(options.from_ or options.force), "`--from` and `--force` say how to refresh", "add `--refresh`")
    _list(common, options)


def _list(common: Common, options: ModelsOptions) -> None:
    """Print what the catalog and the user's file know of the models that are asked for."""
    settings, now = load_settings(common), SystemClock().now()
    found, keys = _find(_all_models(settings), options, now), ModelKeys(settings, os.environ)
    if options.as_json:
        from deepsel.cli.models.record import record
        from deepsel.show.record import dump

        write_stdout(dump(record(found, keys, settings.catalog, now)))
        return
    pages = (details(row, keys, settings.catalog, now) for row in found)
    write_stdout("\n".join(pages) if len(found) <= DETAILED_UP_TO else table(found, keys, now))
    if not common.quiet:
        known = settings.catalog
        sys.stderr.write(f"{len(found)} model{'s' if len(found) != 1 else ''}; prices as of {known.as_of}, {_age(known, now)}\n")


def _all_models(settings: Settings) -> list[Model]:
    """List the user's rows, then the catalog's that they do not replace; the demo's would only repeat these."""
    own = settings.models
    shown = [row for row in own.values() if not config.find_provider(settings, row.provider).is_simulated]
    return [*shown, *(row for name, row in settings.catalog.models.items() if name not in own)]


def _find(rows: list[Model], options: ModelsOptions, now: datetime) -> list[Model]:
    """Choose the rows that are asked for; raises UsageError where there is none."""
    query, provider = options.query or "", options.provider
    found = search(rows, query=query, provider=provider, now=now, with_retired=options.every)
    if not found:
        hint = nearest_hint(query, [row.name for row in rows if row.retires is None]) if query else ""
        raise UsageError(f"no model matches `{query or provider}`", hint)
    return found


def search(
    rows: list[Model], *, query: str, provider: str | None, now: datetime, with_retired: bool
) -> list[Model]:
    """Choose the rows whose name, id or alias holds every word of the query; an exact name alone wins."""
    words = query.lower().split()
    chosen = [
        row
        for row in rows
        if (provider is None or row.provider == provider)
        and (with_retired or catalog.is_available(row, on=now.date()))
        and all(any(word in text.lower() for text in (row.name, row.id, row.provider, *row.aliases)) for word in words)
    ]
    return [row for row in chosen if query and query in (row.name, *row.aliases)] or chosen


def _age(known: Catalog, now: datetime) -> str:
    """Say how old the price table is."""
    days = known.age_days(now)
    return "today" if days == 0 else f"{days} day{'s' if days > 1 else ''} old"
