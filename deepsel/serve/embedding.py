"""Passes embeddings on to the provider of a named model: its body as it came, metered, within caps and budgets; one call, no fall-back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal

from deepsel import catalog
from deepsel.config import Profile
from deepsel.engine.attempt import billed_usd
from deepsel.engine.spending import Spending
from deepsel.errors import AttemptFailed, ConfigError, NoRouteError, OverBudgetError
from deepsel.health.log import Observation
from deepsel.health.refusals import Rows
from deepsel.providers.calls import Call, Timeouts, Trust
from deepsel.providers.hosts import host_of
from deepsel.records import NamedTuple
from deepsel.serve.surfaces.surface import BadMember
from deepsel.session.open import Session
from deepsel.storage.amounts import picousd
from deepsel.values import Json, JsonObject, Model, Provider, Usage
from deepsel.wires import bodies, error_shapes, failures
from deepsel.wires.fields import child, count, load_leading_object
from deepsel.wires.table import ROWS, wire_of

TASK = "embed"
"""What these calls are called in the log."""
_FRAMING_TOKENS = 8
"""More than any maker sets around a text that is embedded."""


class Embedded(NamedTuple):
    """What came."""

    body: bytes
    model: str
    provider: str
    cost_usd: Decimal | None


def embed(body: JsonObject, profile: Profile, session: Session) -> Embedded:
    """Make the call; raises BadMember, OverBudgetError, NoRouteError, ConfigError, AttemptFailed."""
    resources = session.resources
    clock = resources.clock
    model, provider = Rows(resources.settings, profile.models[:1], resources.state, clock.now())[profile.models[0]]
    if not ROWS[provider.wire].embeddings:
        raise NoRouteError(f"{model.name} is at {provider.name}, whose wire has no embeddings")
    call = _call_of({**body, "model": model.id}, provider, profile, session)
    spending = Spending(profile, resources.state, clock, cap_usd=profile.max_cost_usd)
    meter = _Meter(session, profile, model, provider, spending, clock.monotonic())
    refusal = "" if provider.is_simulated else spending.may(_worst_usd(body, model, provider, session))
    if refusal:
        raise OverBudgetError(f"{model.name}: {refusal}", "raise the limit it names")
    try:
        raw = _posted(call, provider, profile, session)
    except ConfigError:  # before anything was sent
        resources.state.add([], hold=spending.reservation)
        raise
    except AttemptFailed as error:
        meter.note(Usage(), Decimal(0) if error.http_status not in (None, 200) else None, error)
        raise
    usage = Usage(input_uncached=_reported(raw), output_visible=0)
    cost = catalog.bill(model, usage, at=clock.now(), multiplier=provider.price_multiplier).total_usd
    meter.note(usage, cost)
    return Embedded(resources.secrets.without(raw.decode("utf-8", "replace")).encode(), model.name, provider.name, cost)


@dataclass(frozen=True, slots=True)
class _Meter:
    """What one call is written down with."""

    session: Session
    profile: Profile
    model: Model
    provider: Provider
    spending: Spending
    began_s: float

    def note(self, usage: Usage, cost_usd: Decimal | None, failure: AttemptFailed | None = None) -> None:
        """Settle the call and write it down; None: nobody knows what it costs."""
        clock, cost = self.session.resources.clock, billed_usd(self.provider, cost_usd)
        self.spending.settle(cost)
        seen = Observation(
            at=clock.now().timestamp(),
            profile=self.profile.name,
            provider=self.provider.name,
            model=self.model.name,
            task=TASK,
            outcome="failed" if failure else "ok",
            error_class=failure.error_class if failure else None,
            http_status=failure.http_status if failure else 200,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_picousd=picousd(cost),
            total_s=clock.monotonic() - self.began_s,
            host=host_of(self.provider.base_url),
            client=self.profile.client,
        )
        self.session.resources.state.add([seen], hold=self.spending.reservation, assumed_picousd=self.spending.assumed_picousd())


def _call_of(body: JsonObject, provider: Provider, profile: Profile, session: Session) -> Call:
    """Make the call; raises ConfigError where there is no key."""
    resources = session.resources
    located = resources.locate(provider)
    headers = {"accept": "application/json", **wire_of(provider.wire).headers(provider, resources.key_of(provider, profile.timeout_s))}
    url = bodies.with_query(located.base_url.rstrip("/") + ROWS[provider.wire].embeddings, provider)
    return Call("POST", url, headers, bodies.serialise(body), trust=Trust.of(located))


def _posted(call: Call, provider: Provider, profile: Profile, session: Session) -> bytes:
    """Post, and return the body of a good answer; raises AttemptFailed, and ConfigError for what cannot be sent."""
    resources = session.resources
    timeouts = Timeouts(first_token_s=None, progress_s=None, idle_s=None, deadline=resources.clock.monotonic() + profile.timeout_s)
    with resources.transport().open(call, timeouts=timeouts) as response:
        reader = failures.FailureReader(provider, response.secrets, response.headers, resources.clock.now())
        if not 200 <= response.status < 300:
            raise reader.failure(response.read_start(error_shapes.MAX_ERROR_BYTES), status=response.status)
        raw = b"".join(response.iter_bytes())
    load_leading_object(raw)  # what is no JSON object is no answer
    return raw


def _worst_usd(body: JsonObject, model: Model, provider: Provider, session: Session) -> Decimal | None:
    """Return what the call may cost at most: a token covers a byte at least, and a number is one; None: no price is known."""
    most = _most_tokens(body.get("input"))
    at = session.clock.now()
    return catalog.project(model, input_tokens=most, output_tokens=0, at=at, multiplier=provider.price_multiplier).total_usd


def _most_tokens(value: Json) -> int:
    """Return more tokens than an input can be; raises BadMember where it is none."""
    if isinstance(value, str) and value:
        return len(value.encode("utf-8", "replace")) + _FRAMING_TOKENS
    if isinstance(value, list) and value:
        if all(isinstance(one, str) and one for one in value):
            return sum(_most_tokens(one) for one in value)
        lists = value if all(isinstance(one, list) and one for one in value) else [value]
        tokens = [token for one in lists if isinstance(one, list) for token in one]
        if all(type(token) is int for token in tokens):
            return len(tokens)
    raise BadMember("`input` must be text, or a list of texts or of tokens", "input")


def _reported(raw: bytes) -> int | None:
    """Read the tokens that the provider says it read."""
    usage = child(json.loads(raw), "usage")
    read = count(usage.get("prompt_tokens"))
    return count(usage.get("total_tokens")) if read is None else read
