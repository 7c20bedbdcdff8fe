"""Asks a provider what a request counts, where its wire has an endpoint for that."""

from __future__ import annotations

from deepsel.clock import Clock
from deepsel.providers.calls import Call, Timeouts, Transport, Trust
from deepsel.secret import Secret
from deepsel.values import Model, Provider, Request
from deepsel.wires import bodies, error_shapes, failures
from deepsel.wires.fields import load_leading_object
from deepsel.wires.table import wire_of

TIMEOUT_S = 60.0


def can_count(provider: Provider) -> bool:
    """Tell whether the provider's wire has a count endpoint."""
    return wire_of(provider.wire).count_request is not None


def count_tokens(
    transport: Transport, request: Request, model: Model, provider: Provider, key: Secret | None, *, clock: Clock
) -> int:
    """Return the input tokens of one request as it stands; raises AttemptFailed for every bad end."""
    wire = wire_of(provider.wire)
    count = wire.count_request
    assert count is not None, "ask `can_count` first"
    headers = {"accept": "application/json", **wire.headers(provider, key)}
    body = bodies.serialise(count.encode(request, model, provider))
    call = Call("POST", bodies.with_query(count.url(provider), provider), headers, body, trust=Trust.of(provider))
    timeouts = Timeouts(first_token_s=None, deadline=clock.monotonic() + TIMEOUT_S)
    with transport.open(call, timeouts=timeouts) as response:
        reader = failures.FailureReader(provider, response.secrets, response.headers, clock.now())
        if not 200 <= response.status < 300:
            raise reader.failure(response.read_start(error_shapes.MAX_ERROR_BYTES), status=response.status)
        return count.read(load_leading_object(b"".join(response.iter_bytes())))
