"""`deepsel help`: the help of a command, by its words."""

from __future__ import annotations

from typing import Annotated

import typer

from deepsel.cli.options import Common
from deepsel.records import NamedTuple


def _show(ctx: typer.Context, words: list[str] | None) -> None:
    """Print the help and stop; as a callback, which is told of the commands there are."""
    from typer.core import TyperGroup

    from deepsel.cli.terminal.output import write_stdout
    from deepsel.config import nearest_hint
    from deepsel.errors import UsageError

    context = ctx.find_root()
    command = context.command
    for word in words or []:
        found = command.get_command(context, word) if isinstance(command, TyperGroup) else None
        if found is None:
            known = command.commands if isinstance(command, TyperGroup) else ()
            raise UsageError(f"there is no command `{context.command_path} {word}`", nearest_hint(word, known))
        command, context = found, typer.Context(found, info_name=word, parent=context, **found.context_settings)
    write_stdout(command.get_help(context) + "\n")
    raise typer.Exit


class HelpOptions(NamedTuple):
    """What `deepsel help` takes."""

    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND]...", callback=_show, help="Such as `ask` or `cache stats`.", show_default=False),
    ] = None


def help_(common: Common, options: HelpOptions) -> None:
    """Show the help of a command.

    Without a command it is that of deepsel itself.
    """
