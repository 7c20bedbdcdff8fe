"""What commands take from the process they run in: its environment, the files it names, and a session opened on them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from deepsel import config
from deepsel.cli.options import Common
from deepsel.cli.replay import memo
from deepsel.cli.terminal.terminal import write_note
from deepsel.clock import SystemClock
from deepsel.errors import OTHER_HOME
from deepsel.session import open as opening
from deepsel.session.open import Session

_OF_HOME = frozenset({"cache_unavailable", "log_unavailable"})

if TYPE_CHECKING:
    from deepsel.config import Profile, Settings
    from deepsel.values import Notice


def load_settings(common: Common) -> Settings:
    """Read the user's settings, and say what went wrong with them; a file named by hand has to exist."""
    settings = opening.load_settings(os.environ, common.config, profile=common.profile)
    for notice in () if common.quiet else settings.notices:
        write_note(f"warning: {notice.message}")
    return settings


def one_of_home(notices: Sequence[Notice], settings: Settings) -> list[Notice]:
    """Return what is to be said, of files that cannot be used once: all of them are below one home."""
    of_home = [notice for notice in notices if notice.code in _OF_HOME]
    others = [notice for notice in notices if notice.code not in _OF_HOME]
    if not of_home or settings.notices:  # said when the settings were read
        return others
    return [of_home[0]._replace(message=f"{of_home[0].message} ({OTHER_HOME})"), *others]


def choose_profile(settings: Settings, common: Common) -> Profile:
    """Pick the profile: `--profile`, then `DEEPSEL_PROFILE`, then the file's default."""
    return opening.choose_profile(settings, os.environ, common.profile)


def open_session(common: Common, settings: Settings | None = None) -> Session:
    """Open a session on the process's environment, and count what was replayed since the last one."""
    paths = config.find_paths(os.environ, common.config)
    settings = settings or load_settings(common)
    env = opening.with_env_file(settings, os.environ, common.profile)
    reload = partial(opening.load_settings, env, common.config, profile=common.profile)
    session = Session(settings if env is os.environ else reload(), env=env, paths=paths, reload=reload)
    memo.count_replayed(session.cache, paths.data_dir, settings.conversations.keep_s)
    return session


def preferred_models(settings: Settings, profile: Profile, typed: Sequence[str]) -> tuple[str, ...] | None:
    """Return whom to ask in place of the profile's candidates: those of `-m`, of `DEEPSEL_MODEL`, or the profile's `model`.

    A part of a name stands for all that contain it. None: nothing was preferred. Raises ConfigError for a name nobody has.
    """
    variable = "" if profile.name == config.DEMO_PROFILE else os.environ.get("DEEPSEL_MODEL", "").strip()
    names = typed or ([variable] if variable else []) or ([profile.model] if profile.model else [])
    return config.models_called(settings, names, at=SystemClock().now()) if names else None
