"""`deepsel config show` and `path`."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from deepsel.cli.context import choose_profile, load_settings
from deepsel.cli.options import AsJson, Common
from deepsel.cli.terminal.output import write_stdout
from deepsel.cli.terminal.terminal import columns_to_cut_to
from deepsel.records import NamedTuple
from deepsel.show.columns import text_table

if TYPE_CHECKING:
    from deepsel.cli.config.values import Shown


class ConfigShowOptions(NamedTuple):
    """What `deepsel config show` takes."""

    as_json: AsJson = False


def show(common: Common, options: ConfigShowOptions) -> None:
    """Show every value in force, and where it comes from.

    Of keys only that they are set.
    """
    from deepsel.cli.config.values import values_in_force
    from deepsel.config import find_paths
    from deepsel.show.record import SCHEMA_VERSION, dump

    settings = load_settings(common)
    profile = choose_profile(settings, common)
    values = list(values_in_force(settings, profile, os.environ, named=common.profile))
    path = find_paths(os.environ, common.config).config_file
    if options.as_json:
        rows = [{"key": one.key, "value": one.value, "source": one.source} for one in values]
        file = str(path) if settings.config_file else None
        write_stdout(dump({"schema": SCHEMA_VERSION, "file": file, "profile": profile.name, "values": rows}))
        return
    write_stdout(f"{path}{'' if settings.config_file else ' (not there: `deepsel init` writes it)'}\n\n" + _table(values))


def _table(values: list[Shown]) -> str:
    """Write a line a value."""
    rows = [("KEY", "FROM", "VALUE"), *((one.key, one.source, _text(one.value)) for one in values)]
    return text_table(rows, columns=columns_to_cut_to(sys.stdout))


def _text(value: Any) -> str:
    """Write a value as it is typed; `-` for none."""
    if value is None or value == "":
        return "-"
    if isinstance(value, list):
        return ",".join(map(str, value)) or "-"
    if isinstance(value, bool | dict):
        return json.dumps(value, ensure_ascii=False) if value != {} else "-"
    return f"{value:g}" if isinstance(value, float) and value < 1e6 else str(value)


def path(common: Common) -> None:
    """Print the path of profiles.toml.

    It need not be there.
    """
    from deepsel.config import find_paths

    write_stdout(f"{find_paths(os.environ, common.config).config_file}\n")
