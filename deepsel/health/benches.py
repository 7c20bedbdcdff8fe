"""The last bench's figures as the router reads them: a small file in the data folder, read again when it has changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deepsel.jsontext import loads
from deepsel.storage import files
from deepsel.storage.owners import fault
from deepsel.values import Latency

FILE_NAME = "bench.json"
"""In the data folder: `{MODEL: {"ttft_s": p50, "tokens_per_s": p50}}`, of the last bench that was kept."""
MOST_BYTES = 4 << 20
_LARGEST = 1e9
"""In seconds and in tokens a second."""


class Benches:
    """The figures in `folder`. Thread-safe: the version and what was read from it are put in place together."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._known: tuple[tuple[int, ...] | None, Mapping[str, Latency]] = (None, {})

    def latest(self) -> Mapping[str, Latency]:
        """Return what the last bench measured, by model; nothing where there is none or it cannot be read."""
        version = files.version(self._path)
        known_version, figures = self._known
        if version != known_version:
            figures = {} if version is None or fault(self._path.parent, self._path) else self._read()
            self._known = (version, figures)
        return figures

    def _read(self) -> Mapping[str, Latency]:
        try:
            rows = loads(files.read_own(self._path, most_bytes=MOST_BYTES))
        except (OSError, ValueError):
            return {}
        found = ((name, _latency(row)) for name, row in rows.items()) if isinstance(rows, dict) else ()
        return {name: latency for name, latency in found if latency is not None}


def _latency(row: object) -> Latency | None:
    """Read one model's figures; None where they are none that can be."""
    figures = [row.get(name) for name in Latency._fields] if isinstance(row, dict) else []
    known = [float(one) for one in figures if isinstance(one, int | float) and 0 <= one <= _LARGEST]
    return Latency(*known) if len(known) == len(Latency._fields) and known[1] else None
