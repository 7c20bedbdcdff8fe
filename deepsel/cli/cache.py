"""`deepsel cache`: looks at the answer cache and empties it; what the cache is stands in deepsel.cache."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepsel.cli.context import open_cache
from deepsel.cli.durations import duration_text, parse_duration
from deepsel.cli.money import count, usd
from deepsel.cli.options import Common, with_common
from deepsel.cli.output import end_with_newline, write_stdout
from deepsel.cli.records import SCHEMA_VERSION, dump, usage_record
from deepsel.cli.terminal import is_terminal, plain, write_note

if TYPE_CHECKING:
    from deepsel.cache import Entry, TierStats

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at the answer cache, or empty it.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON record.")]
ModelName = Annotated[str | None, typer.Option("--model", "-m", metavar="NAME", help="Only answers of this model.")]
OlderThan = Annotated[
    str | None, typer.Option("--older-than", metavar="AGE", help="Only answers stored longer ago: 45s, 30m, 12h, 7d.")
]
KEY_CHARS = 15
"""How much of a key the list shows: 48 bits, unambiguous among millions."""


@app.command()
@with_common
def stats(common: Common, as_json: AsJson = False) -> None:
    """Count entries, bytes, hits and misses."""
    with open_cache(common.config) as cache:
        tiers = cache.stats()
        path = str(cache.path)
    if as_json:
        rows = [{**_stats_record(tier), "hit_rate": _hit_rate(tier)} for tier in tiers]
        write_stdout(dump({"schema": SCHEMA_VERSION, "path": path, "tiers": rows}))
        return
    write_stdout(_stats_text(tiers))


@app.command("list")
@with_common
def list_entries(
    common: Common, model: ModelName = None, older_than: OlderThan = None, as_json: AsJson = False
) -> None:
    """List cached answers, newest first."""
    age_s = parse_duration(older_than) if older_than else None
    with open_cache(common.config) as cache:
        entries = list(cache.entries(model=model, older_than_s=age_s))
    if as_json:
        write_stdout(dump({"schema": SCHEMA_VERSION, "entries": [_entry_record(entry) for entry in entries]}))
    elif entries:
        write_stdout(_list_text(entries))
    elif not common.quiet:
        write_note("no cached answers")


@app.command()
@with_common
def show(
    common: Common,
    key: Annotated[str, typer.Argument(help="A key, or an unambiguous beginning of one.")],
    as_json: AsJson = False,
) -> None:
    """Print one cached answer, what it took, and the request it answers."""
    with open_cache(common.config) as cache:
        entry = cache.show(key)
    if as_json:
        answer = entry.answer
        whole = {"text": answer.text, "reasoning": answer.reasoning, "request": answer.document}
        write_stdout(dump({"schema": SCHEMA_VERSION, **_entry_record(entry), **whole}))
        return
    write_stdout(_entry_text(entry))


@app.command()
@with_common
def clear(
    common: Common,
    model: ModelName = None,
    older_than: OlderThan = None,
    all_entries: Annotated[bool, typer.Option("--all", help="Every answer.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove cached answers: those of a model, those of an age, or all."""
    age_s = parse_duration(older_than) if older_than else None
    with open_cache(common.config) as cache:
        is_agreed = not all_entries or yes or _confirm(f"Remove every answer in {cache.path}?")
        removed = cache.clear(model=model, older_than_s=age_s, all_entries=all_entries) if is_agreed else 0
    if as_json:
        write_stdout(dump({"schema": SCHEMA_VERSION, "removed": removed}))
    elif not common.quiet:
        write_note(f"removed {_entries(removed)}")


@app.command()
@with_common
def path(common: Common, as_json: AsJson = False) -> None:
    """Print the folder the cache is in."""
    with open_cache(common.config) as cache:
        folder = str(cache.path)
    write_stdout(dump({"schema": SCHEMA_VERSION, "path": folder}) if as_json else folder + "\n")


def _confirm(question: str) -> bool:
    """Ask the person at the terminal; a script is not asked. (typer's own question also writes to stdout.)"""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return True
    sys.stderr.write(plain(question) + " [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


# --- records ---------------------------------------------------------------------------------------------------------


def _stats_record(tier: TierStats) -> dict[str, Any]:
    """Build the record of a tier."""
    return {
        "name": tier.name,
        "entries": tier.entries,
        "size_bytes": tier.size_bytes,
        "size_limit_bytes": tier.size_limit_bytes,
        "hits": tier.hits,
        "misses": tier.misses,
    }


def _hit_rate(tier: TierStats) -> float | None:
    """Return the share of answers that were served from the cache; None before the first."""
    total = tier.hits + tier.misses
    return round(tier.hits / total, 4) if total else None


def _entry_record(entry: Entry) -> dict[str, Any]:
    """Build the record of an entry, without the texts."""
    answer = entry.answer
    return {
        "key": entry.key,
        "tier": entry.tier,
        "model": answer.model,
        "answered_model": answer.answered_model,
        "provider": answer.provider,
        "task": answer.task,
        "finish": answer.finish,
        "usage": usage_record(answer.usage),
        "cost_usd": answer.cost_usd,
        "price": {
            "source": answer.price_source or None,
            "as_of": answer.price_as_of.isoformat() if answer.price_as_of else None,
            "rule": answer.price_rule or ("standard" if answer.price_source else None),
        },
        "stored_at": answer.stored_at,
        "ttl_s": answer.ttl_s,
        "expires_in_s": round(entry.left_s, 3),
        "size_bytes": entry.size_bytes,
        "prompt": answer.prompt,
        "version": answer.version,
    }


# --- text ------------------------------------------------------------------------------------------------------------


def _columns(rows: Sequence[tuple[str, ...]], numeric: set[int]) -> str:
    """Set rows in aligned columns; numbers to the right, the last column as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            text.rjust(width) if column in numeric else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _stats_text(tiers: list[TierStats]) -> str:
    """Write what each tier holds as a table."""
    rows: list[tuple[str, ...]] = [("TIER", "ENTRIES", "BYTES", "LIMIT", "HITS", "MISSES", "HIT RATE")]
    for tier in tiers:
        rate = _hit_rate(tier)
        numbers = (tier.entries, tier.size_bytes, tier.size_limit_bytes, tier.hits, tier.misses)
        rows.append((tier.name, *(count(number) for number in numbers), "-" if rate is None else f"{rate:.1%}"))
    return _columns(rows, {1, 2, 3, 4, 5, 6})


def _list_text(entries: list[Entry]) -> str:
    """Write entries as a table with what hits on them save."""
    rows = [("KEY", "MODEL", "LEFT", "BYTES", "COST", "PROMPT")]
    for entry in entries:
        left = duration_text(entry.left_s) if entry.left_s > 0 else "expired"
        answer = entry.answer
        model, prompt = (plain(text).replace("\n", " ") for text in (answer.model, answer.prompt))
        rows.append((entry.key[:KEY_CHARS], model, left, count(entry.size_bytes), usd(answer.cost_usd), prompt))
    return _columns(rows, {2, 3, 4})


def _entry_text(entry: Entry) -> str:
    """Write an entry: what is known of it, the request, the reasoning where there is any, the answer."""
    answer, usage = entry.answer, entry.answer.usage
    facts = [
        ("key", entry.key),
        ("model", f"{answer.model} ({answer.provider}), answered by {answer.answered_model or 'unknown'}"),
        ("task", answer.task or "-"),
        ("stored", f"{answer.stored_at.isoformat(timespec='seconds')} by deepsel {answer.version}"),
        ("left", duration_text(entry.left_s) if entry.left_s > 0 else "expired"),
        ("tokens", f"{count(usage.input_tokens)} in, {count(usage.output_tokens)} out ({usage.source})"),
        ("cost", _cost_text(answer.cost_usd, answer.price_rule, answer.price_source)),
    ]
    blocks = [_columns(facts, set()).rstrip(), "request\n" + json.dumps(answer.document, ensure_ascii=False, indent=2)]
    if answer.reasoning:
        blocks.append("reasoning\n" + answer.reasoning)
    blocks.append("answer\n" + answer.text)
    return end_with_newline("\n\n".join(plain(block) for block in blocks))


def _cost_text(cost_usd: Decimal | None, rule: str, source: str) -> str:
    """Write what an answer did cost, and by which price."""
    known = ", ".join(part for part in (rule, source) if part)
    return f"{usd(cost_usd)} ({known})" if known else usd(cost_usd)


def _entries(number: int) -> str:
    """Write a number of entries."""
    return "1 entry" if number == 1 else f"{number:,} entries"
