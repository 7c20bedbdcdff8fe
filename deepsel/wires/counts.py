"""A count endpoint that takes the members of a request and answers with `input_tokens`, as those of several wires do."""

from __future__ import annotations

from collections.abc import Callable

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import JsonObject, Model, Provider, Request
from deepsel.wires.wire import CountRequest


def count_by(url: Callable[[Provider], str], encode: Callable[..., JsonObject], *, suffix: str, members: tuple[str, ...]) -> CountRequest:
    """Make it of a wire's own address and encoding; `members` are those of a request that the endpoint takes."""

    def encoded(request: Request, model: Model, provider: Provider) -> JsonObject:
        body = encode(request, model, provider, max_tokens=1)
        return {name: body[name] for name in members if name in body}

    return CountRequest(lambda provider: f"{url(provider)}/{suffix}", encoded, read_count)


def read_count(document: JsonObject) -> int:
    """Read the answer; raises AttemptFailed where it is none."""
    count = document.get("input_tokens")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise AttemptFailed(ErrorClass.MALFORMED, "the count endpoint answered without `input_tokens`")
    return count
