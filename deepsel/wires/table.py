"""The table of wires; a new wire is one folder and one row here. A folder is loaded when its wire is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from deepsel.wires.wire import Wire


class Row(NamedTuple):
    """What is known of a wire before it is loaded."""

    folder: str
    """The package that has what `wire.Wire` names."""
    generic: str
    """The catalog's row that a provider of the user's own starts from."""


ROWS: dict[str, Row] = {
    "openai-chat": Row("deepsel.wires.openai_chat", "openai-compatible"),
    "anthropic-messages": Row("deepsel.wires.anthropic_messages", "anthropic-compatible"),
}


class _Wires(Mapping[str, "Wire"]):
    """The rows, each as its wire."""

    def __getitem__(self, name: str) -> Wire:
        return _load(ROWS[name].folder)

    def __contains__(self, name: object) -> bool:
        return name in ROWS

    def __iter__(self) -> Iterator[str]:
        return iter(ROWS)

    def __len__(self) -> int:
        return len(ROWS)


@cache
def _load(folder: str) -> Wire:
    return cast("Wire", import_module(folder))  # each folder has its shape checked at its end


WIRES: Mapping[str, Wire] = _Wires()
