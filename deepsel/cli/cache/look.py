"""`deepsel cache stats`, `list`, `show` and `path`: what is in the cache, and what it did."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from deepsel.cli.cache import text
from deepsel.cli.cache.opened import CacheOptions, Selection, opened
from deepsel.cli.options import AsJson, Common
from deepsel.cli.terminal.output import write_stdout
from deepsel.cli.terminal.terminal import columns_to_cut_to, screen_of, write_note
from deepsel.clock import SystemClock
from deepsel.records import NamedTuple
from deepsel.show.record import SCHEMA_VERSION, dump


class CacheStatsOptions(NamedTuple):
    """What `deepsel cache stats` takes."""

    days: Annotated[int, typer.Option("--days", min=1, help="How many days back.")] = 30
    as_json: AsJson = False


class CacheListOptions(NamedTuple):
    """What `deepsel cache list` takes."""

    selection: Selection
    limit: Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="At most N, the newest.")] = None
    as_json: AsJson = False


class CacheShowOptions(NamedTuple):
    """What `deepsel cache show` takes."""

    key: Annotated[str, typer.Argument(help="A key, or an unambiguous beginning of one.")]
    as_json: AsJson = False


def stats(common: Common, options: CacheStatsOptions) -> None:
    """Tell what each tier holds and what hits have saved.

    Hits, hit rate and savings stand there in all, by model and by tier, with a bar for each day.
    """
    with opened(common) as cache:
        tiers, tallies = cache.stats()
        path = str(cache.path)
    figures = text.figures(tallies, days=options.days, today=SystemClock().now().date())
    if options.as_json:
        record = {"schema": SCHEMA_VERSION, "path": path, "tiers": [text.tier_record(tier) for tier in tiers]}
        write_stdout(dump(record | figures))
        return
    write_stdout(text.stats_text(tiers, figures, has_blocks=screen_of(sys.stdout).has_blocks))


def list_entries(common: Common, options: CacheListOptions) -> None:
    """List cached answers, newest first."""
    selector = options.selection.selector
    with opened(common) as cache:
        entries = sorted(cache.entries(**selector), key=lambda entry: entry.answer.stored_at, reverse=True)
    entries = entries[: options.limit]
    if options.as_json:
        write_stdout(dump({"schema": SCHEMA_VERSION, "entries": [text.entry_record(entry) for entry in entries]}))
    elif entries:
        write_stdout(text.list_text(entries, columns=columns_to_cut_to(sys.stdout)))
    elif not common.quiet:
        write_note("no cached answers")


def show(common: Common, options: CacheShowOptions) -> None:
    """Print one cached answer, what it took, and the request it answers."""
    with opened(common) as cache:
        entry = cache.show(options.key)
    if options.as_json:
        answer = entry.answer
        whole = {"text": answer.text, "reasoning": answer.reasoning, "request": answer.document}
        write_stdout(dump({"schema": SCHEMA_VERSION, **text.entry_record(entry), **whole}))
        return
    write_stdout(text.entry_text(entry))


def path(common: Common, options: CacheOptions) -> None:
    """Print the folder the cache is in."""
    with opened(common) as cache:
        folder = str(cache.path)
    write_stdout(dump({"schema": SCHEMA_VERSION, "path": folder}) if options.as_json else folder + "\n")
