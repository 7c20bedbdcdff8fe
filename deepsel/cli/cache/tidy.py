"""`deepsel cache clear`, `prune` and `verify`: what removes answers, and every memo of them with it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from deepsel.cli.cache import text
from deepsel.cli.cache.opened import CacheOptions, Selection, opened
from deepsel.cli.options import AsJson, Common, Yes
from deepsel.cli.replay import memo
from deepsel.cli.terminal.output import write_stdout
from deepsel.cli.terminal.terminal import is_terminal, write_note
from deepsel.clock import SystemClock
from deepsel.errors import CheckFailedError
from deepsel.records import NamedTuple
from deepsel.show.plain import plain
from deepsel.show.record import SCHEMA_VERSION, dump

if TYPE_CHECKING:
    from deepsel.cache.upkeep import Verdict


class CacheClearOptions(NamedTuple):
    """What `deepsel cache clear` takes."""

    selection: Selection
    all_entries: Annotated[bool, typer.Option("--all", help="Every answer.")] = False
    yes: Yes = False
    as_json: AsJson = False


class CacheVerifyOptions(NamedTuple):
    """What `deepsel cache verify` takes."""

    repairs: Annotated[
        bool, typer.Option("--repair/--no-repair", help="Repair what can be (default), or only look.")
    ] = True
    as_json: AsJson = False


def clear(common: Common, options: CacheClearOptions) -> None:
    """Remove cached answers, selected ones or all."""
    selector = options.selection.selector
    with opened(common) as cache:
        what = "every answer" if options.all_entries else "the selected answers"
        has_wish = options.all_entries or any(value is not None for value in selector.values())
        is_agreed = options.yes or not has_wish or _confirm(f"Remove {what} in {cache.path}?")
        removed = cache.clear(all_entries=options.all_entries, **selector) if is_agreed else 0
        memo.forget(cache.path)
    if options.as_json:
        write_stdout(dump({"schema": SCHEMA_VERSION, "removed": removed}))
    elif not common.quiet:
        write_note(f"removed {text.entries(removed)}")


def prune(common: Common, options: CacheOptions) -> None:
    """Remove what has expired and what killed processes left."""
    from deepsel.cache import upkeep

    with opened(common) as cache:
        removed, locks = upkeep.prune(cache, clock=SystemClock())
        memo.forget(cache.path)
    if options.as_json:
        write_stdout(dump({"schema": SCHEMA_VERSION, "removed": removed, "locks_removed": locks}))
    elif not common.quiet:
        write_note(f"removed {text.entries(removed)} and {locks} left locks")


def verify(common: Common, options: CacheVerifyOptions) -> None:
    """Check the database and every entry.

    Exits 9 where something was wrong, also where it was repaired. Nothing that is stored is executed.
    """
    from deepsel.cache import upkeep

    with opened(common) as cache:
        verdict = upkeep.verify(cache, repairs=options.repairs)
        memo.forget(cache.path)
    record = {"checked": verdict.checked, "problems": list(verdict.problems), "repaired": verdict.is_repaired}
    if options.as_json:
        write_stdout(dump({"schema": SCHEMA_VERSION, **record}))
    else:
        write_stdout("".join(f"{plain(problem)}\n" for problem in verdict.problems))
        if not common.quiet:
            write_note(f"checked {text.entries(verdict.checked)}")
    _conclude(verdict)


def _conclude(verdict: Verdict) -> None:
    """Raise CheckFailedError where something was wrong."""
    if not verdict.problems:
        return
    found = f"the cache had {len(verdict.problems)} problem{'s' if len(verdict.problems) > 1 else ''}"
    if verdict.is_repaired:
        raise CheckFailedError(f"{found}, repaired", "`deepsel cache verify` again is clean")
    raise CheckFailedError(found, "`deepsel cache verify` without `--no-repair` repairs what can be")


def _confirm(question: str) -> bool:
    """Ask the person at the terminal; a script is not asked. (typer's own question also writes to stdout.)"""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return True
    sys.stderr.write(plain(question) + " [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
