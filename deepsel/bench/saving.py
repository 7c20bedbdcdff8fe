"""Hands the measured figures on: observations for the router, and a small file with the last figures of each model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from deepsel import config
from deepsel.bench.records import Result
from deepsel.config import Settings
from deepsel.config.reader import MAX_FILE_BYTES
from deepsel.errors import ConfigError
from deepsel.health.benches import FILE_NAME, MOST_BYTES
from deepsel.health.log import Observation
from deepsel.jsontext import loads
from deepsel.reads import read_file
from deepsel.storage import files
from deepsel.storage.amounts import picousd
from deepsel.values import Json, Latency

TASK = "bench"
"""What observations of a run say in place of a task."""


def latest(results: Iterable[Result]) -> dict[str, Latency]:
    """Choose for each model what tells most of a single request: the load of fewest at once; open loops come last.

    Silences are left out, since a cold start is no usual request; so is a model whose speed was not measured.
    """
    loads = [result for result in results if result.case.idle_s is None]
    found = {}
    for result in sorted(loads, key=lambda one: (one.case.concurrency is None, one.case.concurrency or 0), reverse=True):
        first_s, speed = result.distribution("ttft_s").p50, result.distribution("output_tokens_per_s").p50
        if first_s is not None and speed is not None:
            found[result.case.model] = Latency(round(first_s, 4), round(speed, 2))
    return found


def write_latest(folder: Path, figures: Mapping[str, Latency], *, at: datetime) -> None:
    """Put medians into the file the router reads, beside those of other models; owner-only. May raise OSError."""
    path = folder / FILE_NAME
    files.make_private_folder(folder)
    rows = {name: {"ttft_s": one.ttft_s, "tokens_per_s": one.tokens_per_s, "at": at.isoformat()} for name, one in figures.items()}
    files.write_whole(path, (json.dumps({**_known(path), **rows}, indent=1) + "\n").encode())


def _known(path: Path) -> dict[str, Json]:
    """Read what the file has; nothing where it cannot be read."""
    try:
        models = loads(files.read_own(path, most_bytes=MOST_BYTES))
    except (OSError, ValueError):
        return {}
    return models if isinstance(models, dict) else {}


def observations(results: Sequence[Result], *, profile: str, began_at: datetime) -> list[Observation]:
    """List an observation for each request of a load, as `ask` would have left it; cold starts are left out."""
    return [
        Observation(
            at=began_at.timestamp() + sample.at_s + (sample.e2e_s or 0.0),
            profile=profile,
            provider=result.case.provider,
            model=result.case.model,
            task=TASK,
            outcome="ok" if sample.error is None else "failed",
            error_class=sample.error,
            input_tokens=sample.input_tokens,
            cached_input_tokens=sample.cached_input_tokens,
            output_tokens=sample.output_tokens,
            cost_picousd=picousd(sample.cost_usd),
            ttft_s=sample.ttft_s,
            total_s=sample.e2e_s,
        )
        for result in results
        if result.case.idle_s is None
        for sample in result.samples
    ]


def profiles_with(settings: Settings, figures: Mapping[str, Latency]) -> tuple[Path, str, list[str]]:
    """Put figures into the user's profiles.toml: its path, its new text, and the models a profiles.toml can hold.

    Raises ConfigError where there is no such file.
    """
    from deepsel.config.writer import with_latency

    path = settings.config_file
    if path is None:
        raise ConfigError("there is no profiles.toml to write to", "make one with `deepsel init`")
    own = {name: one for name, one in figures.items() if name in settings.models or name in settings.catalog.models}
    text = with_latency(read_file(path, most_bytes=MAX_FILE_BYTES).decode("utf-8-sig"), own)
    config.parse_settings(text.encode(), path, settings.catalog)
    return path, text, list(own)
