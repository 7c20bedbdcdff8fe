"""The table of surfaces: path to module; a new wire is one file and one row."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from deepsel.serve.surfaces.surface import Surface, TokenCounter

PATHS: dict[str, str] = {
    "/chat/completions": "chat",
    "/messages": "messages",
    "/responses": "responses",
}
"""Behind `/v1`, or without it."""
COUNTS: dict[str, str] = {
    "/messages/count_tokens": "messages_count",
    "/responses/input_tokens": "responses_count",
}
"""Where a prompt's tokens are asked for."""


@cache
def surface_of(path: str) -> Surface:
    """Return the surface that is posted to at a path; raises KeyError where there is none."""
    return cast("Surface", import_module(f"deepsel.serve.surfaces.{PATHS[path]}"))


def surface_for(path: str, headers: Mapping[str, str]) -> Surface:
    """Return the wire in whose shape a client is answered: that of the path, else the one it seems to speak."""
    within = next((one for one in PATHS if path == one or path.startswith(f"{one}/")), None)
    if within is not None:
        return surface_of(within)
    return surface_of("/messages" if "anthropic-version" in headers else "/chat/completions")


@cache
def counter_of(path: str) -> TokenCounter:
    """Return who reads and writes at a path where tokens are asked for; raises KeyError where there is none."""
    return cast("TokenCounter", import_module(f"deepsel.serve.surfaces.{COUNTS[path]}"))
