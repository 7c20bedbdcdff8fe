"""`deepsel serve`: one local address through which other programs route, cache, count and stay within budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepsel.cli.context import choose_profile, load_settings, open_session
from deepsel.cli.options import Common
from deepsel.cli.terminal.output import write_stdout
from deepsel.cli.terminal.terminal import write_note
from deepsel.records import NamedTuple

if TYPE_CHECKING:
    from deepsel.config import ServeSettings


class ServeOptions(NamedTuple):
    """What `deepsel serve` takes."""

    host: Annotated[str | None, typer.Option("--host", metavar="ADDRESS", help="Listen here. [default: 127.0.0.1]")] = None
    port: Annotated[
        int | None, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes a free one. [default: 8391]")
    ] = None
    socket: Annotated[Path | None, typer.Option("--socket", metavar="PATH", help="Listen on this Unix socket instead.")] = None
    max_connections: Annotated[
        int | None, typer.Option("--max-connections", metavar="N", min=1, help="Open at once. [default: 512]")
    ] = None
    warm: Annotated[
        list[str] | None, typer.Option("--warm", metavar="NAME", help="Keep this model warm while nobody calls it. Repeatable.")
    ] = None
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", metavar="PATH", help="Serve https with this certificate.")] = None
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="PATH", help="And its key.")] = None


def serve(common: Common, options: ServeOptions) -> None:
    """Serve the wires of OpenAI and Anthropic to other programs.

    Prints one JSON line with the address when it listens; Ctrl-C ends it after the answers under way.
    """
    from deepsel.serve.running import Address, serving, until_told
    from deepsel.show.record import dump

    settings = load_settings(common)
    profile = choose_profile(settings, common)
    wanted = _wanted(settings.serve, options)
    place = Address(wanted.host, wanted.port, options.socket, options.tls_cert, options.tls_key)
    log = _quiet if common.quiet else _logged
    with open_session(common, settings) as session:
        try:
            with serving(session, profile, wanted, place, log) as url:
                write_stdout(dump({"ready": True, "url": url}))
                until_told()
        except KeyboardInterrupt:
            pass  # how this ends


def _wanted(settings: ServeSettings, options: ServeOptions) -> ServeSettings:
    """Lay the options over what the file says."""
    given: dict[str, Any] = {"host": options.host, "port": options.port, "max_connections": options.max_connections}
    given["warm"] = tuple(options.warm) if options.warm else None
    return settings._replace(**{name: value for name, value in given.items() if value is not None})


def _logged(line: dict[str, Any]) -> None:
    """Write a line of the access log."""
    from deepsel.show.record import dump

    write_note(dump(line).rstrip("\n"))


def _quiet(_line: dict[str, Any]) -> None:
    """Write nothing."""
