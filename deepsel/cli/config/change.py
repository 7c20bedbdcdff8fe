"""`deepsel config set` and `unset`: one value of profiles.toml is changed, and the whole file judged before it is written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from deepsel import config
from deepsel.cli.options import Common
from deepsel.cli.terminal.terminal import write_note
from deepsel.errors import OTHER_HOME, ConfigError
from deepsel.records import NamedTuple

_KEY = "Such as `cache.ttl_s`; a key of a profile alone is that of the profile in use."


class SetOptions(NamedTuple):
    """What `deepsel config set` takes."""

    key: Annotated[str, typer.Argument(metavar="KEY", help=_KEY, show_default=False)]
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="Text, a number, true or false, or names between commas.", show_default=False)
    ]


class UnsetOptions(NamedTuple):
    """What `deepsel config unset` takes."""

    key: Annotated[str, typer.Argument(metavar="KEY", help=_KEY, show_default=False)]


def set_value(common: Common, options: SetOptions) -> None:
    """Set one value in profiles.toml; comments stay.

    The file is checked as a whole before it is written, and made where there is none.
    """
    from deepsel.config.editor import readings, with_value

    file = _File(common)
    key = file.whole_key(options.key)
    source = file.source or file.first()
    refused: ConfigError | None = None
    for value in readings(options.value):
        try:
            file.write(with_value(source, key, value))
        except ConfigError as error:
            refused = refused or error
        else:
            _tell(common, f"set {key} in {file.path}")
            return
    assert refused is not None, "there is always the text itself to try"
    raise refused


def unset_value(common: Common, options: UnsetOptions) -> None:
    """Remove one value from profiles.toml.

    Its default holds from then on.
    """
    from deepsel.config.editor import without_value

    file = _File(common)
    key = file.whole_key(options.key)
    file.write(without_value(file.source, key))
    _tell(common, f"removed {key} from {file.path}")


def _tell(common: Common, text: str) -> None:
    if not common.quiet:
        write_note(text)


class _File:
    """The user's profiles.toml as it is."""

    def __init__(self, common: Common) -> None:
        """Read it; raises ConfigError where it cannot be used as it stands."""
        from deepsel.cli.context import load_settings
        from deepsel.session.open import profile_name

        self.path: Path = config.find_paths(os.environ, common.config).config_file
        is_there = self.path.exists()
        self._settings = load_settings(common if is_there else common._replace(config=None))
        self.source = self._do(self.path.read_text, "read") if is_there else ""
        self._profile = profile_name(self._settings, os.environ, common.profile)

    def whole_key(self, key: str) -> str:
        """Return the key with its tables: that of a profile may be given without them."""
        from deepsel.config.fields import PROFILE

        if key not in PROFILE:
            return key
        name = self._profile
        if name == config.DEMO_PROFILE:
            raise ConfigError("the demo profile cannot be changed", "name another with `--profile`")
        is_bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        return f"profiles.{name if is_bare else json.dumps(name)}.{key}"

    def first(self) -> str:
        """Write what a file begins with: the profile that is in use without one."""
        from deepsel.config.editor import with_value

        models = list(self._settings.profiles[config.DEFAULT_PROFILE].models)
        text = "# profiles.toml of deepsel. Every key and its meaning: profiles.toml.example.\n"
        return with_value(text, f"profiles.{config.DEFAULT_PROFILE}.models", models)

    def write(self, text: str) -> None:
        """Put the text in the file's place, where it is one; raises ConfigError for one that is none."""
        from deepsel.storage import files

        raw = text.encode("utf-8", "surrogateescape")
        config.parse_settings(raw, self.path, self._settings.catalog)
        target = self.path.resolve()
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        self._do(lambda: files.make_private_folder(target.parent), "write")
        self._do(lambda: files.write_whole(target, raw, mode=mode), "write")

    def _do(self, work: Callable[[], Any], verb: str) -> Any:
        """Do one thing with the file; raises ConfigError where it cannot be done."""
        try:
            return work()
        except OSError as error:
            words = f"cannot {verb} `{self.path}`: {(error.strerror or 'input/output error').lower()}"
            raise ConfigError(words, f"check its permissions, or {OTHER_HOME}") from error
