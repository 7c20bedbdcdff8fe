"""`deepsel models --refresh`: shows every change and refuses what looks wrong; getting and comparing stand in session.prices."""

from __future__ import annotations

from typing import Any

from deepsel.catalog.refresh import LARGEST_FACTOR, PriceChange, Refresh
from deepsel.cli.context import open_session
from deepsel.cli.options import Common
from deepsel.cli.terminal.output import write_stdout
from deepsel.cli.terminal.terminal import write_note
from deepsel.errors import CheckFailedError
from deepsel.session.prices import compare_with, take_over
from deepsel.show.money import per_million
from deepsel.show.record import SCHEMA_VERSION, dump

_SHOWN = 40
"""Changes of new models that are listed; a gateway has hundreds."""


def refresh(common: Common, source: str, *, force: bool, as_json: bool) -> None:
    """Refresh the prices; raises CheckFailedError, nothing written, where one moves too far and `force` is not given."""
    with open_session(common) as session:
        found = compare_with(session, source)
        may_write = force or not found.suspicious
        write_stdout(dump(record(found, written=may_write)) if as_json else text(found))
        if not may_write:
            prices = f"{len(found.suspicious)} price{'s' * (len(found.suspicious) > 1)}"
            raise CheckFailedError(
                f"{prices} would move more than {LARGEST_FACTOR}x; nothing was written",
                "look at the lines marked `!`, and take them over with `--force` if they are right",
            )
        path = take_over(session, found)
    if not common.quiet:
        write_note(f"written to `{path}`; remove it to return to the catalog's own prices")


def text(found: Refresh) -> str:
    """Write every change, with a mark on those nobody should take over unseen."""
    fresh = [change for change in found.changes if change.is_new_model]
    shown = [change for change in found.changes if not change.is_new_model]
    shown += [change for change in fresh if change.is_suspicious] if len(fresh) > _SHOWN else fresh
    lines = [_line(change) for change in shown]
    names = {change.model for change in fresh}
    lines += [f"{len(names):,} models of gateways, {len(fresh) - len(shown):,} prices not shown"] if len(fresh) > _SHOWN else []
    lines += [f"  {name}: kept; {why}" for name, why in found.kept.items()]
    lines.append(f"{len(found.unchanged)} models confirmed by {found.source}")
    return "\n".join(lines) + "\n"


def _line(change: PriceChange) -> str:
    """Write one number that is new."""
    mark = "!" if change.is_suspicious else "+" if change.is_new_model else " "
    label = f" {change.label}" if change.label else ""
    old = f"{'its maker ' if change.is_new_model else ''}{per_million(change.old)}"
    factor = f"  {change.new / change.old:.2f}x" if change.old else ""
    return f"{mark} {change.model}{label} {change.member}: {old} -> {per_million(change.new)}{factor}"


def record(found: Refresh, *, written: bool) -> dict[str, Any]:
    """Build the record of `models --refresh --json`."""
    return {
        "schema": SCHEMA_VERSION,
        "source": found.source,
        "written": written,
        "changes": [
            {
                "model": change.model,
                "label": change.label or None,
                "member": change.member,
                "old": change.old,
                "new": change.new,
                "is_new_model": change.is_new_model,
                "is_suspicious": change.is_suspicious,
            }
            for change in found.changes
        ],
        "confirmed": list(found.unchanged),
        "kept": dict(found.kept),
    }
