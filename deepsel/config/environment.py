"""The environment with a profile's own file of variables behind it; the only importer of python-dotenv."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel.errors import ConfigError
from deepsel.storage import files
from deepsel.storage.owners import fault

if TYPE_CHECKING:
    from deepsel.config.settings import Profile, Settings

_MOST_BYTES = 1 << 20


def with_env_file(env: Mapping[str, str], settings: Settings, profile: Profile) -> Mapping[str, str]:
    """Return the environment, with what a profile's `env_file` says of variables that are not set in it.

    A relative path is taken from the folder of profiles.toml. Raises ConfigError where the file is missing, cannot be read, or
    could have been written by another user: keys come out of it.
    """
    if not profile.env_file:
        return env
    folder = settings.config_file.parent if settings.config_file else Path()
    path = folder / Path(profile.env_file).expanduser()
    suspect = fault(path)
    if suspect:
        raise ConfigError(suspect.what, suspect.mend)
    try:
        text = files.read_own(path, most_bytes=_MOST_BYTES).decode("utf-8-sig")
    except OSError as error:
        words = f"cannot read `{path}`, the env_file of profile `{profile.name}`: {(error.strerror or 'input/output error').lower()}"
        raise ConfigError(words, "correct the path, or remove `env_file`") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"`{path}` is not UTF-8 text", "save it as UTF-8") from error
    return {**_variables(text), **env}


def _variables(text: str) -> dict[str, str]:
    """Read lines of NAME=VALUE, quoted or not; what `$` stands before is taken as it is."""
    from io import StringIO

    from dotenv import dotenv_values

    found = dotenv_values(stream=StringIO(text), interpolate=False)
    return {name: value for name, value in found.items() if value is not None}
