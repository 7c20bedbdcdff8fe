"""Where deepsel keeps its files, as text: XDG folders, or everything below `DEEPSEL_HOME`. Creates and imports nothing.

The working directory is never looked at: a file found there could point a key at another host. So a home that is not known
is an error, and no folder called `~`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class NoHomeError(ValueError):
    """Nobody says where this user's files are; the text names what was looked for."""


def config_file(env: Mapping[str, str]) -> str:
    """Return profiles.toml: `DEEPSEL_CONFIG`, else the file of that name in the configuration folder. It need not exist.

    Raises NoHomeError, as the others do.
    """
    named = env.get("DEEPSEL_CONFIG")
    if named:
        return _expanded(named, env)
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
    return _expanded(env.get("DEEPSEL_HOME") or "", env)


def _xdg(env: Mapping[str, str], name: str, *default: str) -> str:
    """Return our folder below one of XDG's; a relative one does not count (XDG Base Directory Specification)."""
    folder = env.get(name) or ""
    if not os.path.isabs(folder):
        folder = os.path.join(_home(env), *default)
    return os.path.join(folder, "deepsel")


def _expanded(path: str, env: Mapping[str, str]) -> str:
    """Put a home in place of a leading `~` or `~NAME`."""
    if path == "~" or path.startswith("~/"):
        return _home(env) + path[1:]
    found = os.path.expanduser(path)
    if found.startswith("~"):
        raise NoHomeError(f"there is no user {path.partition('/')[0]}")
    return found


def _home(env: Mapping[str, str]) -> str:
    """Return the user's home: `HOME`, else what the system knows of the user."""
    home = env.get("HOME") or ""
    if os.path.isabs(home):
        return home.rstrip("/") or "/"
    try:
        import pwd

        found = pwd.getpwuid(os.getuid()).pw_dir
    except (ImportError, KeyError):  # another system, or a user without an entry, as in containers
        found = os.path.expanduser("~")
    if not os.path.isabs(found):
        raise NoHomeError("this user has no home: HOME is not set, and the system knows none")
    return found
