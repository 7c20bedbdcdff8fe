"""Usage of the toy wire."""

from __future__ import annotations

from deepsel.values import JsonObject, Usage
from deepsel.wires.fields import count


def toy_usage(document: JsonObject) -> Usage:
    return Usage(input_uncached=count(document.get("heard")), output_visible=count(document.get("spoken")))
