"""OpenAI's count of a Responses request's tokens as clients ask for it."""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.serve.surfaces.responses import conversation
from deepsel.serve.surfaces.surface import Asked
from deepsel.values import JsonObject


def read(body: JsonObject, headers: Mapping[str, str]) -> Asked:
    """Read what is to be counted, which may be nothing, for no model in particular; raises BadMember."""
    named = {name: value for name, value in body.items() if value is not None}
    return conversation({"model": "auto", "input": "", **named}, headers)


def document(tokens: int) -> JsonObject:
    """Write the count."""
    return {"object": "response.input_tokens", "input_tokens": tokens}
