"""`deepsel conversations delete`."""

from __future__ import annotations

from typing import Annotated

import typer

from deepsel.cli.conversations.chosen import chosen, opened
from deepsel.cli.options import Common
from deepsel.cli.terminal.terminal import write_note
from deepsel.errors import UsageError
from deepsel.records import NamedTuple


class DeleteOptions(NamedTuple):
    """What `deepsel conversations delete` takes."""

    called: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Names or numbers of the list.", show_default=False)
    ] = None
    every: Annotated[bool, typer.Option("--all", help="Every one there is.")] = False


def delete(common: Common, options: DeleteOptions) -> None:
    """Delete conversations.

    None is deleted where one of the names is not there.
    """
    if bool(options.called) == options.every:
        raise UsageError("which ones are to be deleted is not clear", "name some, or give `--all`")
    with opened(common) as (store, at):
        found = store.every(at=at) if options.every else [chosen(store, name, at=at) for name in options.called or []]
        store.delete([one.id for one in found])
    if not common.quiet:
        write_note(f"deleted {len(found)} conversation{'s' if len(found) != 1 else ''}")
