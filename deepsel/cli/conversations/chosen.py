"""Conversations as commands name them: by a name, by a number, or the last one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deepsel.cli.options import Common
from deepsel.errors import UsageError

if TYPE_CHECKING:
    from deepsel.conversations.records import Conversation
    from deepsel.conversations.store import Conversations


@contextmanager
def opened(common: Common) -> Iterator[tuple[Conversations, float]]:
    """Open the user's conversations, with the time it is now; those that were kept are there also where nothing more is."""
    from deepsel.cli.context import open_session

    with open_session(common) as session:
        yield session.conversations, session.clock.now().timestamp()


def chosen(store: Conversations, called: str | None, *, at: float) -> Conversation:
    """Find one by name or number, or the last one; raises UsageError where there is none."""
    found = store.last(at=at) if called is None else store.find(called, at=at)
    if found is None:
        what = "there is no conversation" + ("" if called is None else f" `{called}`")
        raise UsageError(what, "`deepsel conversations list` lists them")
    return found
