"""The last bench's figures as the router reads them: a small file in the data folder, read again when it has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from deepsel.storage import files
from deepsel.storage.owners import fault
from deepsel.values import Latency

FILE_NAME = "bench.json"
"""In the data folder: `{MODEL: {"ttft_s": p50, "tokens_per_s": p50}}`, of the last bench that was kept."""


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
            rows = json.loads(files.read_own(self._path))
            return {
                str(name): Latency(float(row["ttft_s"]), float(row["tokens_per_s"]))
                for name, row in rows.items()
                if float(row["tokens_per_s"]) > 0
            }
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}
