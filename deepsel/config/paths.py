"""The places deepsel reads and writes, as paths; which they are stands in deepsel.places."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deepsel import places
from deepsel.errors import OTHER_HOME, ConfigError
from deepsel.records import NamedTuple


class Paths(NamedTuple):
    """The places deepsel reads and writes."""

    config_file: Path
    """profiles.toml; it need not exist."""
    answers_dir: Path
    """The answer cache."""
    data_dir: Path
    """Observations and refreshed prices."""


def find_paths(env: Mapping[str, str], config: Path | None = None) -> Paths:
    """Resolve the places from `--config`, `DEEPSEL_CONFIG`, `DEEPSEL_HOME` and the XDG variables, in that order of trust.

    Raises ConfigError where the user has no home.
    """
    try:
        return Paths(
            config or Path(places.config_file(env)),
            Path(places.answers_dir(env)),
            Path(places.data_dir(env)),
        )
    except places.NoHomeError as error:
        raise ConfigError(str(error), OTHER_HOME) from error
