"""Anthropic's count of a prompt's tokens as clients ask for it."""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.serve.surfaces.messages import conversation
from deepsel.serve.surfaces.surface import Asked
from deepsel.values import JsonObject


def read(body: JsonObject, headers: Mapping[str, str]) -> Asked:
    """Read what is to be counted; raises BadMember."""
    return conversation(body, headers)


def document(tokens: int) -> JsonObject:
    """Write the count."""
    return {"input_tokens": tokens}
