"""What a provider really serves, asked of its list of models; one call with the user's key, nothing generated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepsel import config
from deepsel.errors import AttemptFailed, RefusedError, UnavailableError
from deepsel.jsontext import loads
from deepsel.values import Json

if TYPE_CHECKING:
    from deepsel.providers.calls import Call
    from deepsel.session.open import Session
    from deepsel.values import Provider

_TIMEOUT_S = 30.0
_MOST_BYTES = 16 << 20
_PATH = "/models"


def served_models(session: Session, name: str) -> list[str]:
    """Return the ids in the order in which the provider lists them.

    Raises ConfigError for a provider or key that is not there, RefusedError where it refuses the key, UnavailableError where it
    cannot be reached or its answer is no list of models.
    """
    from deepsel.providers.calls import Timeouts

    provider = session.locate(config.find_provider(session.settings, name))
    call = _call(session, provider)
    limits = Timeouts(deadline=session.clock.monotonic() + _TIMEOUT_S, first_token_s=None, progress_s=None)
    try:
        with session.transport.open(call, timeouts=limits) as response:
            status, raw = response.status, b"".join(response.iter_bytes(limit=_MOST_BYTES))
    except AttemptFailed as error:
        raise UnavailableError(f"the models of {name} cannot be listed: {error.message}", "check its address and the network") from error
    if status in (401, 403):
        raise RefusedError(f"{call.target} refused the key ({status})", f"check {' or '.join(config.key_places(provider)) or 'its key'}")
    if status != 200:
        raise UnavailableError(f"{call.target} answered {status} in place of its models", f"set `models_path` in [providers.{name}]")
    try:
        return _ids(loads(raw))
    except ValueError as error:
        raise UnavailableError(f"{call.target} sent no list of models: {error}", f"set `models_path` in [providers.{name}]") from error


def _call(session: Session, provider: Provider) -> Call:
    """Put the call together: the provider's own path, its headers, its query, its key."""
    from urllib.parse import urlencode

    from deepsel.providers.calls import Call, Trust
    from deepsel.wires.table import wire_of

    config.ensure_usable(provider)
    headers = wire_of(provider.wire).headers(provider, session.key_of(provider))
    query = f"?{urlencode(provider.query)}" if provider.query else ""
    return Call("GET", provider.base_url.rstrip("/") + (provider.models_path or _PATH) + query, headers, trust=Trust.of(provider))


def _ids(document: Json) -> list[str]:
    """Read the ids out of what providers send: a list, or an object that holds one as `data` or `models`."""
    rows = document
    if isinstance(document, dict):
        rows = next((document[name] for name in ("data", "models") if isinstance(document.get(name), list)), None)
    if not isinstance(rows, list):
        raise ValueError("it has no member `data`")
    ids = [row if isinstance(row, str) else _id(row) for row in rows]
    return [one for one in ids if one]


def _id(row: Json) -> str:
    found = next((row[name] for name in ("id", "name", "model") if isinstance(row.get(name), str)), "") if isinstance(row, dict) else ""
    return found if isinstance(found, str) else ""

