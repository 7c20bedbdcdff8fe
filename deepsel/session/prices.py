"""Gets a published price list, holds it against the catalog, and lays what is new over it; shows nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deepsel.catalog import overlay
from deepsel.catalog.refresh import Refresh, compare
from deepsel.catalog.refresh_sources import Offer, list_urls, read_offers
from deepsel.errors import OTHER_HOME, AttemptFailed, ConfigError, ErrorClass, UsageError
from deepsel.jsontext import loads
from deepsel.reads import read_file

if TYPE_CHECKING:
    from deepsel.session.open import Session

_MOST_BYTES = 64 * 1024 * 1024
_TIMEOUT_S = 60.0


def compare_with(session: Session, source: str) -> Refresh:
    """Compare a list with the catalog: one of `list_urls`, a URL or a path.

    Raises UsageError where it is no list, or of no model in the catalog; AttemptFailed where it cannot be had.
    """
    now = session.clock.now()
    name, offers = _offers(session, source)
    found = compare(session.settings.catalog.model_rows, offers, source=f"{name}, {now:%Y-%m-%d}", at=now)
    if not found.rows and not found.kept:
        raise UsageError(f"`{source}` holds no price of a model in the catalog")
    return found


def take_over(session: Session, found: Refresh) -> Path:
    """Lay the new prices over the catalog's, for every process from now on; return the file they are in. Raises ConfigError."""
    path = session.paths.data_dir / overlay.FILE_NAME
    try:
        overlay.write_overlay(path, found.rows, at=session.clock.now(), newer_than=session.settings.catalog.as_of)
    except OSError as error:
        words = f"cannot write `{path}`: {(error.strerror or 'input/output error').lower()}"
        raise ConfigError(words, f"check its permissions, or {OTHER_HOME}") from error
    return path


def _offers(session: Session, source: str) -> tuple[str, list[Offer]]:
    """Get a list by its name, URL or path, and read it."""
    url = list_urls().get(source, source)
    data = _download(session, url) if url.startswith(("http://", "https://")) else _read(Path(source))
    try:
        return read_offers(loads(data))
    except ValueError as error:
        raise UsageError(f"`{source}` is no list of prices: {error}") from error


def _read(path: Path) -> bytes:
    try:
        return read_file(path, most_bytes=_MOST_BYTES)
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise UsageError(f"cannot read `{path}`: {reason}", f"a file, a URL, or one of {', '.join(list_urls())}") from error


def _download(session: Session, url: str) -> bytes:
    """Get a public list; no key is sent."""
    from deepsel.providers.calls import Call, Timeouts

    limits = Timeouts(deadline=session.clock.monotonic() + _TIMEOUT_S, first_token_s=None, progress_s=None)
    call = Call("GET", url, {"accept": "application/json"})
    with session.transport.open(call, timeouts=limits) as response:
        if response.status != 200:
            words = f"{call.target} answered {response.status} in place of its list"
            raise AttemptFailed(ErrorClass.SERVER, words, http_status=response.status)
        return b"".join(response.iter_bytes(limit=_MOST_BYTES))
