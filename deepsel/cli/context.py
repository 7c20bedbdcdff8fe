"""What commands take from the process they run in: its environment, the files it names, and a session opened on them."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from deepsel import config
from deepsel.cli.options import Common
from deepsel.cli.replay import memo
from deepsel.session import open as opening
from deepsel.session.open import Session

if TYPE_CHECKING:
    from deepsel.config import Profile, Settings


def load_settings(common: Common) -> Settings:
    """Read the user's settings; a file named by hand has to exist."""
    return opening.load_settings(os.environ, common.config)


def choose_profile(settings: Settings, common: Common) -> Profile:
    """Pick the profile: `--profile`, then `DEEPSEL_PROFILE`, then the file's default."""
    return opening.choose_profile(settings, os.environ, common.profile)


def open_session(common: Common, settings: Settings | None = None) -> Session:
    """Open a session on the process's environment, and count what was replayed since the last one."""
    paths = config.find_paths(os.environ, common.config)
    reload = partial(opening.load_settings, os.environ, common.config)
    session = Session(settings or reload(), env=os.environ, paths=paths, reload=reload)
    memo.count_replayed(session.cache, paths.data_dir)
    return session
