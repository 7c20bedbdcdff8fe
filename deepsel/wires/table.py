"""The table of wires; a new wire is one folder and one row here. A folder is loaded when its wire is first asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

from deepsel.records import NamedTuple

if TYPE_CHECKING:
    from deepsel.wires.wire import Wire


class Row(NamedTuple):
    """What is known of a wire before it is loaded."""

    folder: str
    """The package that has what `wire.Wire` names."""
    generic: str
    """The catalog's row that a provider of the user's own starts from."""
    embeddings: str = ""
    """Behind its base URL, where embeddings are posted; empty: the wire has none."""


ROWS: dict[str, Row] = {
    "openai-chat": Row("deepsel.wires.openai_chat", "openai-compatible", "/embeddings"),
    "anthropic-messages": Row("deepsel.wires.anthropic_messages", "anthropic-compatible"),
    "openai-responses": Row("deepsel.wires.openai_responses", "responses-compatible", "/embeddings"),
}


def wire_names() -> tuple[str, ...]:
    """Return the names of the wires there are."""
    return tuple(ROWS)


def wire_of(name: str) -> Wire:
    """Return a wire by its name; raises KeyError where there is none."""
    return _load(ROWS[name].folder)


@cache
def _load(folder: str) -> Wire:
    return cast("Wire", import_module(folder))  # each folder has its shape checked at its end
