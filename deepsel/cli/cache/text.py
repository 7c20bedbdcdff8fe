"""What `deepsel cache` prints: records for scripts and tables for people. Knows values, opens no cache."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from deepsel.cli.terminal.output import end_with_newline
from deepsel.show.bars import sparkline
from deepsel.show.columns import text_table
from deepsel.show.durations import duration_text
from deepsel.show.money import usd
from deepsel.show.numbers import count
from deepsel.show.plain import plain
from deepsel.show.record import price_member, usage_member

if TYPE_CHECKING:
    from deepsel.cache import Entry, Tally, TierStats

KEY_CHARS = 15
"""How much of a key the list shows: 48 bits, unambiguous among millions."""
_NOTHING = "."
"""A day on which nothing happened."""

# --- records ---------------------------------------------------------------------------------------------------------


def tier_record(tier: TierStats) -> dict[str, Any]:
    """Build the record of a tier."""
    return {
        "name": tier.name,
        "entries": tier.entries,
        "size_bytes": tier.size_bytes,
        "size_limit_bytes": tier.size_limit_bytes,
    }


def figures(tallies: Iterable[Tally], *, days: int, today: date) -> dict[str, Any]:
    """Add up what the cache did in the last days: in all, by model, by tier of the hits, and for each day, today last."""
    first = today - timedelta(days=days - 1)
    recent = [tally for tally in tallies if first <= tally.day <= today]

    def by(name: Callable[[Tally], str]) -> list[dict[str, Any]]:
        """Add up what has the same name, in the order of names."""
        names = sorted({name(tally) for tally in recent})
        return [{"name": one, **_sums([tally for tally in recent if name(tally) == one])} for one in names]

    each_day = [first + timedelta(days=number) for number in range(days)]
    return {
        "days": days,
        **_sums(recent),
        "by_model": by(lambda tally: tally.model),
        "by_tier": by(lambda tally: tally.tier),
        "by_day": [{"day": day.isoformat(), **_sums([t for t in recent if t.day == day])} for day in each_day],
    }


def _sums(tallies: Sequence[Tally]) -> dict[str, Any]:
    """Add up hits and answers that were bought; `hit_rate` None before the first, `saved_usd` without unknown costs."""
    served = [tally for tally in tallies if tally.tier != "bought"]
    hits, total = sum(tally.answers for tally in served), sum(tally.answers for tally in tallies)
    return {
        "hits": hits,
        "bought": total - hits,
        "hit_rate": round(hits / total, 4) if total else None,
        "saved_usd": sum((tally.usd for tally in served), Decimal(0)),
        "hits_of_unknown_cost": sum(tally.unpriced for tally in served),
    }


def entry_record(entry: Entry) -> dict[str, Any]:
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
        "usage": usage_member(answer.usage),
        "cost_usd": answer.cost_usd,
        "price": price_member(
            source=answer.price_source,
            as_of=answer.price_as_of,
            rule=answer.price_rule or ("standard" if answer.price_source else ""),
        ),
        "stored_at": answer.stored_at,
        "ttl_s": answer.ttl_s,
        "expires_in_s": round(entry.left_s, 3),
        "size_bytes": entry.size_bytes,
        "prompt": answer.prompt,
        "version": answer.version,
    }


# --- text ------------------------------------------------------------------------------------------------------------


def stats_text(tiers: Sequence[TierStats], figures: dict[str, Any], *, has_blocks: bool) -> str:
    """Write what each tier holds, what the cache did, and a bar a day."""
    rows: list[tuple[str, ...]] = [("TIER", "ENTRIES", "BYTES", "LIMIT")]
    for tier in tiers:
        limit = "-" if tier.size_limit_bytes is None else count(tier.size_limit_bytes)
        rows.append((tier.name, count(tier.entries), count(tier.size_bytes), limit))
    done: list[tuple[str, ...]] = [(f"LAST {figures['days']} DAYS", "HITS", "BOUGHT", "HIT RATE", "SAVED")]
    groups = [("model ", figures["by_model"]), ("tier ", [row for row in figures["by_tier"] if row["name"] != "bought"])]
    for name, row in [("all", figures), *((head + row["name"], row) for head, group in groups for row in group)]:
        rate = "-" if row["hit_rate"] is None or name.startswith("tier ") else f"{row['hit_rate']:.1%}"
        bought = "-" if name.startswith("tier ") else count(row["bought"])
        saved = usd(row["saved_usd"]) + (" and more" if row["hits_of_unknown_cost"] else "")
        done.append((plain(name).replace("\n", " "), count(row["hits"]), bought, rate, saved))
    days = figures["by_day"]
    bars = [("saved", [float(day["saved_usd"]) for day in days]), ("hits", [float(day["hits"]) for day in days])]
    span = f"{days[0]['day']} to {days[-1]['day']}"
    lines = [f"{name:5}  {sparkline(values, has_blocks=has_blocks, nothing=_NOTHING)}  {span}\n" for name, values in bars]
    tables = (text_table(cells, right=(1, 2, 3)) for cells in (rows, done))
    return "\n".join([*tables, "".join(lines)])


def list_text(entries: list[Entry], *, columns: int | None) -> str:
    """Write entries as a table with what hits on them save; prompts are cut to `columns` where it is given."""
    rows = [("KEY", "MODEL", "LEFT", "BYTES", "COST", "PROMPT")]
    for entry in entries:
        left = duration_text(entry.left_s) if entry.left_s > 0 else "expired"
        answer = entry.answer
        model, prompt = (plain(text).replace("\n", " ") for text in (answer.model, answer.prompt))
        rows.append((entry.key[:KEY_CHARS], model, left, count(entry.size_bytes), usd(answer.cost_usd), prompt))
    return text_table(rows, right=(2, 3, 4), columns=columns)


def entry_text(entry: Entry) -> str:
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
    blocks = [text_table(facts).rstrip(), "request\n" + json.dumps(answer.document, ensure_ascii=False, indent=2)]
    if answer.reasoning:
        blocks.append("reasoning\n" + answer.reasoning)
    blocks.append("answer\n" + answer.text)
    return end_with_newline("\n\n".join(plain(block) for block in blocks))


def _cost_text(cost_usd: Decimal | None, rule: str, source: str) -> str:
    """Write what an answer did cost, and by which price."""
    known = ", ".join(part for part in (rule, source) if part)
    return f"{usd(cost_usd)} ({known})" if known else usd(cost_usd)


def entries(number: int) -> str:
    """Write a number of entries."""
    return "1 entry" if number == 1 else f"{number:,} entries"
