"""`deepsel init`: writes a first profiles.toml from the keys it finds; never touches one that is there."""

from __future__ import annotations

import os
from pathlib import Path

from deepsel import config
from deepsel.cli.options import Common
from deepsel.cli.terminal.terminal import write_note
from deepsel.errors import UsageError


def init(common: Common) -> None:
    """Write a first profiles.toml.

    It uses the keys found in the environment, explains itself, and never replaces a file.
    """
    from deepsel.catalog import Catalog
    from deepsel.config.writer import first_profiles, write_new

    path = config.find_paths(os.environ, common.config).config_file
    text, found = first_profiles(os.environ, Catalog())
    if not write_new(path, text):
        raise UsageError(f"`{path}` is already there and was left as it is", "edit it, or name another with `--config`")
    if not common.quiet:
        _tell(path, found)


def _tell(path: Path, found: list[str]) -> None:
    """Say what was written and what comes next."""
    keys = f"with {', '.join(found)}" if found else "without a key: the demo works at once, and a key that is exported later is found"
    write_note(f"wrote {path} {keys}")
    write_note('try `deepsel ask --explain "What is DNS?"`')
