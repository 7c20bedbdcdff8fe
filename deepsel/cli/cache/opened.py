"""What the commands of `deepsel cache` share: the options that select answers, and the cache they work on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from deepsel.cli.checked import parse_duration
from deepsel.cli.context import open_session
from deepsel.cli.options import AsJson, Common
from deepsel.cli.terminal.terminal import write_note
from deepsel.records import NamedTuple

if TYPE_CHECKING:
    from deepsel.cache import Cache, Selector


class Selection(NamedTuple):
    """Which answers; all of them where nothing is given."""

    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="NAME", help="Only answers of this model.")
    ] = None
    provider: Annotated[
        str | None, typer.Option("--provider", metavar="NAME", help="Only answers of this provider.")
    ] = None
    match: Annotated[
        str | None,
        typer.Option("--match", metavar="TEXT", help="Only where the prompt has this text, or fits this pattern."),
    ] = None
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="AGE", help="Only answers stored longer ago: 45s, 30m, 12h, 7d."),
    ] = None

    @property
    def selector(self) -> Selector:
        """Say it as the cache takes it; raises UsageError for what is no length of time."""
        age_s = parse_duration(self.older_than) if self.older_than else None
        return {"model": self.model, "provider": self.provider, "pattern": self.match, "older_than_s": age_s}


class CacheOptions(NamedTuple):
    """What a command takes that has only its form to choose."""

    as_json: AsJson = False


@contextmanager
def opened(common: Common) -> Iterator[Cache]:
    """Open the cache, and tell afterwards which tier could not be used."""
    with open_session(common) as session:
        cache = session.cache
        yield cache
        if not common.quiet:
            for notice in cache.left_out:
                write_note(f"warning: {notice.message}")
