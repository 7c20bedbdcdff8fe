"""The steps of `models --refresh`: get a list, compare, show every change, refuse what looks wrong, write the overlay."""

from __future__ import annotations

import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any

from deepsel import config
from deepsel.catalog import overlay
from deepsel.catalog.refresh import LARGEST_FACTOR, PriceChange, Refresh, compare
from deepsel.catalog.refresh_sources import read_offers
from deepsel.cli.context import load_settings, open_session
from deepsel.cli.options import Common
from deepsel.cli.output import write_file, write_stdout
from deepsel.cli.records import SCHEMA_VERSION, dump
from deepsel.cli.terminal import write_note
from deepsel.clock import SystemClock
from deepsel.config import Settings
from deepsel.errors import OTHER_HOME, AttemptFailed, CheckFailedError, ConfigError, ErrorClass, UsageError
from deepsel.show.money import per_million
from deepsel.storage.files import make_private_folder

LISTS = {
    "litellm": "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json",
    "models.dev": "https://models.dev/api.json",
    "openrouter": "https://openrouter.ai/api/v1/models",
    "tokenmix": "https://api.tokenmix.ai/api/models?per_page=500",
}
_MOST_BYTES = 64 * 1024 * 1024
_TIMEOUT_S = 60.0
_SHOWN = 40
"""Changes of new models that are listed; a gateway has hundreds."""


def run(common: Common, source: str, *, force: bool, as_json: bool) -> None:
    """Refresh the prices; raises CheckFailedError, nothing written, where one moves too far and `force` is not given."""
    settings = load_settings(common)
    known = settings.catalog
    now = SystemClock().now()
    name, offers = _offers(source, common, settings)
    found = compare(known.model_rows, offers, source=f"{name}, {now:%Y-%m-%d}", at=now)
    if not found.rows and not found.kept:
        raise UsageError(f"`{source}` holds no price of a model in the catalog")
    may_write = force or not found.suspicious
    write_stdout(dump(record(found, written=may_write)) if as_json else text(found))
    if not may_write:
        raise CheckFailedError(
            f"{len(found.suspicious)} price{'s' * (len(found.suspicious) > 1)} would move more than {LARGEST_FACTOR}x; nothing was written",
            "look at the lines marked `!`, and take them over with `--force` if they are right",
        )
    path = config.find_paths(os.environ, common.config).data_dir / overlay.FILE_NAME
    _write(path, found, now, newer_than=known.as_of)
    if not common.quiet:
        write_note(f"written to `{path}`; remove it to return to the catalog's own prices")


def _offers(source: str, common: Common, settings: Settings) -> tuple[str, list[Any]]:
    """Get a list by its name, URL or path, and read it."""
    url = LISTS.get(source, source)
    data = _download(url, common, settings) if url.startswith(("http://", "https://")) else _read(Path(source))
    try:
        return read_offers(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"`{source}` is no list of prices: {error}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise UsageError(f"cannot read `{path}`: {reason}", f"a file, a URL, or one of {', '.join(LISTS)}") from error


def _download(url: str, common: Common, settings: Settings) -> bytes:
    """Get a public list; no key is sent."""
    from deepsel.providers.calls import Call, Timeouts

    with open_session(common, settings) as session:
        limits = Timeouts(deadline=session.clock.monotonic() + _TIMEOUT_S, first_token_s=None, progress_s=None)
        call = Call("GET", url, {"accept": "application/json"})
        with session.transport.open(call, timeouts=limits) as response:
            if response.status != 200:
                words = f"{call.target} answered {response.status} in place of its list"
                raise AttemptFailed(ErrorClass.SERVER, words, http_status=response.status)
            return b"".join(response.iter_bytes(limit=_MOST_BYTES))


def _write(path: Path, found: Refresh, now: datetime, *, newer_than: date) -> None:
    """Lay what is new over what earlier refreshes wrote, whole or not at all."""
    earlier = overlay.read_overlay(path, newer_than=newer_than).get("models", {})
    content = {
        "as_of": now.date().isoformat(),
        "about": "Prices taken over by `deepsel models --refresh`; they lie over the catalog's until that is newer.",
        "models": {**earlier, **found.rows},
    }
    try:
        make_private_folder(path.parent)
    except OSError as error:
        words = f"cannot write `{path}`: {(error.strerror or 'input/output error').lower()}"
        raise ConfigError(words, f"check its permissions, or {OTHER_HOME}") from error
    write_file(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def text(found: Refresh) -> str:
    """Write every change, with a mark on those nobody should take over unseen."""
    fresh = [change for change in found.changes if change.is_new_model]
    shown = [change for change in found.changes if not change.is_new_model]
    shown += [change for change in fresh if change.is_suspicious] if len(fresh) > _SHOWN else fresh
    lines = [_line(change) for change in shown]
    names = {change.model for change in fresh}
    lines += [f"{len(names):,} models of gateways, {len(fresh) - len(shown):,} prices not shown"] if len(fresh) > _SHOWN else []
    lines += [f"  {name}: kept; {why}" for name, why in found.kept.items()]
    lines.append(f"{len(found.unchanged)} models confirmed by {found.source}")
    return "\n".join(lines) + "\n"


def _line(change: PriceChange) -> str:
    """Write one number that is new."""
    mark = "!" if change.is_suspicious else "+" if change.is_new_model else " "
    label = f" {change.label}" if change.label else ""
    old = f"{'its maker ' if change.is_new_model else ''}{per_million(change.old)}"
    factor = f"  {change.new / change.old:.2f}x" if change.old else ""
    return f"{mark} {change.model}{label} {change.member}: {old} -> {per_million(change.new)}{factor}"


def record(found: Refresh, *, written: bool) -> dict[str, Any]:
    """Build the record of `models --refresh --json`."""
    return {
        "schema": SCHEMA_VERSION,
        "source": found.source,
        "written": written,
        "changes": [
            {
                "model": change.model,
                "label": change.label or None,
                "member": change.member,
                "old": change.old,
                "new": change.new,
                "is_new_model": change.is_new_model,
                "is_suspicious": change.is_suspicious,
            }
            for change in found.changes
        ],
        "confirmed": list(found.unchanged),
        "kept": dict(found.kept),
    }
