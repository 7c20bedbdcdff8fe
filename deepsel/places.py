"""Where deepsel keeps its files, as text: XDG folders, or everything below `DEEPSEL_HOME`. Creates and imports nothing.

The working directory is never looked at: a file found there could point a key at another host.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def config_file(env: Mapping[str, str]) -> str:
    """Return profiles.toml: `DEEPSEL_CONFIG`, else the file of that name in the configuration folder. It need not exist."""
    named = env.get("DEEPSEL_CONFIG")
    if named:
        return os.path.expanduser(named)
    return os.path.join(_own_home(env) or _xdg(env, "XDG_CONFIG_HOME", ".config"), "profiles.toml")


def answers_dir(env: Mapping[str, str]) -> str:
    """Return the folder of the answer cache."""
    home = _own_home(env)
    return os.path.join(os.path.join(home, "cache") if home else _xdg(env, "XDG_CACHE_HOME", ".cache"), "answers")


def data_dir(env: Mapping[str, str]) -> str:
    """Return the folder of observations and refreshed prices."""
    home = _own_home(env)
    return os.path.join(home, "data") if home else _xdg(env, "XDG_DATA_HOME", ".local", "share")


def _own_home(env: Mapping[str, str]) -> str:
    """Return the one folder that holds everything; empty where XDG's are used."""
    return os.path.expanduser(env.get("DEEPSEL_HOME") or "")


def _xdg(env: Mapping[str, str], name: str, *default: str) -> str:
    """Return our folder below one of XDG's."""
    folder = env.get(name) or os.path.join(env.get("HOME") or os.path.expanduser("~"), *default)
    return os.path.join(folder, "deepsel")
