"""Where deepsel keeps its files: XDG folders, or everything below `DEEPSEL_HOME`; creates nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The four places deepsel reads and writes."""

    config_file: Path
    """profiles.toml; it need not exist."""
    cache_dir: Path
    """Answers."""
    data_dir: Path
    """Observations."""


def find_paths(env: Mapping[str, str], config: Path | None = None) -> Paths:
    """Resolve the places from `--config`, `DEEPSEL_CONFIG`, `DEEPSEL_HOME` and the XDG variables, in that order of trust.

    The working directory is never looked at: a file found there could point a key at another host.
    """
    user_home = Path(env.get("HOME") or Path.home())
    if env.get("DEEPSEL_HOME"):
        home = Path(env["DEEPSEL_HOME"]).expanduser()
        config_dir, cache_dir, data_dir = home, home / "cache", home / "data"
    else:
        config_dir = Path(env.get("XDG_CONFIG_HOME") or user_home / ".config") / "deepsel"
        cache_dir = Path(env.get("XDG_CACHE_HOME") or user_home / ".cache") / "deepsel"
        data_dir = Path(env.get("XDG_DATA_HOME") or user_home / ".local" / "share") / "deepsel"
    named = config or (Path(env["DEEPSEL_CONFIG"]).expanduser() if env.get("DEEPSEL_CONFIG") else None)
    return Paths(named or config_dir / "profiles.toml", cache_dir, data_dir)
