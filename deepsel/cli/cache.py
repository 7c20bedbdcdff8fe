"""`deepsel cache`: looks at the answer cache, keeps it in order, moves it and empties it; what it is stands in deepsel.cache."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepsel.cli import cache_text as text
from deepsel.cli.checked import parse_duration
from deepsel.cli.context import open_session
from deepsel.cli.options import Common
from deepsel.cli.records import SCHEMA_VERSION, dump
from deepsel.cli.replay import memo
from deepsel.cli.terminal.output import write_file, write_stdout
from deepsel.cli.terminal.terminal import columns_to_cut_to, is_terminal, plain, screen_of, write_note
from deepsel.clock import SystemClock
from deepsel.errors import CheckFailedError, UsageError

if TYPE_CHECKING:
    from deepsel.cache import Cache, Selector

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON record.")]
ModelName = Annotated[str | None, typer.Option("--model", "-m", metavar="NAME", help="Only answers of this model.")]
ProviderName = Annotated[str | None, typer.Option("--provider", metavar="NAME", help="Only answers of this provider.")]
Match = Annotated[
    str | None, typer.Option("--match", metavar="TEXT", help="Only where the prompt has this text, or fits this pattern.")
]
OlderThan = Annotated[
    str | None, typer.Option("--older-than", metavar="AGE", help="Only answers stored longer ago: 45s, 30m, 12h, 7d.")
]


def _selector(model: str | None, provider: str | None, match: str | None, older_than: str | None) -> Selector:
    """Gather the options that select entries."""
    age_s = parse_duration(older_than) if older_than else None
    return {"model": model, "provider": provider, "pattern": match, "older_than_s": age_s}


@contextmanager
def _opened(common: Common) -> Iterator[Cache]:
    """Open the cache, and tell afterwards which tier could not be used."""
    with open_session(common) as session:
        cache = session.cache
        yield cache
        if not common.quiet:
            for notice in cache.left_out:
                write_note(f"warning: {notice.message}")


def stats(
    common: Common,
    days: Annotated[int, typer.Option("--days", min=1, help="How many days back.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Tell what each tier holds and what hits have saved.

    Hits, hit rate and savings stand there in all, by model and by tier, with a bar for each day.
    """
    with _opened(common) as cache:
        tiers, tallies = cache.stats()
        path = str(cache.path)
    figures = text.figures(tallies, days=days, today=SystemClock().now().date())
    if as_json:
        record = {"schema": SCHEMA_VERSION, "path": path, "tiers": [text.tier_record(tier) for tier in tiers]}
        write_stdout(dump(record | figures))
        return
    write_stdout(text.stats_text(tiers, figures, has_blocks=screen_of(sys.stdout).has_blocks))


def list_entries(
    common: Common,
    model: ModelName = None,
    provider: ProviderName = None,
    match: Match = None,
    older_than: OlderThan = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="At most N, the newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """List cached answers, newest first."""
    selector = _selector(model, provider, match, older_than)
    with _opened(common) as cache:
        entries = sorted(cache.entries(**selector), key=lambda entry: entry.answer.stored_at, reverse=True)[:limit]
    if as_json:
        write_stdout(dump({"schema": SCHEMA_VERSION, "entries": [text.entry_record(entry) for entry in entries]}))
    elif entries:
        write_stdout(text.list_text(entries, columns=columns_to_cut_to(sys.stdout)))
    elif not common.quiet:
        write_note("no cached answers")


def show(
    common: Common,
    key: Annotated[str, typer.Argument(help="A key, or an unambiguous beginning of one.")],
    as_json: AsJson = False,
) -> None:
    """Print one cached answer, what it took, and the request it answers."""
    with _opened(common) as cache:
        entry = cache.show(key)
    if as_json:
        answer = entry.answer
        whole = {"text": answer.text, "reasoning": answer.reasoning, "request": answer.document}
        write_stdout(dump({"schema": SCHEMA_VERSION, **text.entry_record(entry), **whole}))
        return
    write_stdout(text.entry_text(entry))


def clear(
    common: Common,
    model: ModelName = None,
    provider: ProviderName = None,
    match: Match = None,
    older_than: OlderThan = None,
    all_entries: Annotated[bool, typer.Option("--all", help="Every answer.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove cached answers, selected ones or all."""
    selector = _selector(model, provider, match, older_than)
    with _opened(common) as cache:
        what = "every answer" if all_entries else "the selected answers"
        has_wish = all_entries or any(value is not None for value in selector.values())
        is_agreed = yes or not has_wish or _confirm(f"Remove {what} in {cache.path}?")
        removed = cache.clear(all_entries=all_entries, **selector) if is_agreed else 0
        memo.forget(cache.path)
    if as_json:
        write_stdout(dump({"schema": SCHEMA_VERSION, "removed": removed}))
    elif not common.quiet:
        write_note(f"removed {text.entries(removed)}")


def prune(common: Common, as_json: AsJson = False) -> None:
    """Remove what has expired and what killed processes left."""
    from deepsel.cache import upkeep

    with _opened(common) as cache:
        removed, locks = upkeep.prune(cache, now_s=SystemClock().now().timestamp())
        memo.forget(cache.path)
    if as_json:
        write_stdout(dump({"schema": SCHEMA_VERSION, "removed": removed, "locks_removed": locks}))
    elif not common.quiet:
        write_note(f"removed {text.entries(removed)} and {locks} left locks")


def verify(
    common: Common,
    repairs: Annotated[bool, typer.Option("--repair/--no-repair", help="Repair what can be (default), or only look.")] = True,
    as_json: AsJson = False,
) -> None:
    """Check the database and every entry.

    Exits 9 where something was wrong, also where it was repaired. Nothing that is stored is executed.
    """
    from deepsel.cache import upkeep

    with _opened(common) as cache:
        verdict = upkeep.verify(cache, repairs=repairs)
        memo.forget(cache.path)
    record = {"checked": verdict.checked, "problems": list(verdict.problems), "repaired": verdict.is_repaired}
    if as_json:
        write_stdout(dump({"schema": SCHEMA_VERSION, **record}))
    else:
        write_stdout("".join(f"{plain(problem)}\n" for problem in verdict.problems))
        if not common.quiet:
            write_note(f"checked {text.entries(verdict.checked)}")
    if verdict.problems:
        found = f"the cache had {len(verdict.problems)} problem{'s' if len(verdict.problems) > 1 else ''}"
        if verdict.is_repaired:
            raise CheckFailedError(f"{found}, repaired", "`deepsel cache verify` again is clean")
        raise CheckFailedError(found, "`deepsel cache verify` without `--no-repair` repairs what can be")


def export_entries(
    common: Common,
    target: Annotated[str, typer.Argument(metavar="PATH", help="A file, or `-` for stdout.")],
    model: ModelName = None,
    provider: ProviderName = None,
    match: Match = None,
    older_than: OlderThan = None,
    as_json: AsJson = False,
) -> None:
    """Write cached answers as JSON lines.

    They can be moved, or committed for a replay with `deepsel ask --only-cached`.
    """
    from deepsel.cache import upkeep

    selector = _selector(model, provider, match, older_than)
    with _opened(common) as cache:
        lines = list(upkeep.export_lines(cache.entries(**selector)))
    if target == "-":
        write_stdout("".join(lines))
        return
    write_file(Path(target), "".join(lines))
    _report("exported", len(lines), common, as_json)


def import_entries(
    common: Common,
    source: Annotated[str, typer.Argument(metavar="PATH", help="A file that `export` wrote, or `-` for stdin.")],
    ttl: Annotated[
        str | None, typer.Option("--ttl", metavar="AGE", help="How long they live from now (default: what is left).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Store exported answers, all or none.

    Import only what you trust: it will be served as an answer.
    """
    from deepsel.cache import upkeep

    ttl_s = parse_duration(ttl) if ttl else None
    try:
        written = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read `{source}`: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from error
    with _opened(common) as cache:
        done = upkeep.import_lines(cache, written.split("\n"), ttl_s=ttl_s)
    if done.expired and not common.quiet:
        write_note(f"left out {text.entries(done.expired)} whose time is over; `--ttl 30d` would give them a new one")
    _report("imported", done.stored, common, as_json)


def path(common: Common, as_json: AsJson = False) -> None:
    """Print the folder the cache is in."""
    with _opened(common) as cache:
        folder = str(cache.path)
    write_stdout(dump({"schema": SCHEMA_VERSION, "path": folder}) if as_json else folder + "\n")


def _report(verb: str, number: int, common: Common, as_json: bool) -> None:
    """Say how many entries were moved."""
    if as_json:
        write_stdout(dump({"schema": SCHEMA_VERSION, verb: number}))
    elif not common.quiet:
        write_note(f"{verb} {text.entries(number)}")


def _confirm(question: str) -> bool:
    """Ask the person at the terminal; a script is not asked. (typer's own question also writes to stdout.)"""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return True
    sys.stderr.write(plain(question) + " [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
