"""`deepsel templates list`, `show` and `path`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from deepsel import config
from deepsel.cli.options import AsJson, Common
from deepsel.cli.terminal.output import write_stdout
from deepsel.cli.terminal.terminal import columns_to_cut_to, write_note
from deepsel.errors import DeepselError
from deepsel.records import NamedTuple


class TemplateListOptions(NamedTuple):
    """What `deepsel templates list` takes."""

    as_json: AsJson = False


class TemplateShowOptions(NamedTuple):
    """What `deepsel templates show` takes."""

    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)]


def list_templates(common: Common, options: TemplateListOptions) -> None:
    """List templates, your own first.

    One of your own takes the place of a shipped one of the same name.
    """
    from deepsel.show.columns import text_table
    from deepsel.show.plain import plain
    from deepsel.show.record import SCHEMA_VERSION, dump
    from deepsel.templates.reading import find_template, names

    file, found = _config_file(common), []
    for name in names(file):
        try:
            found.append(find_template(name, file))
        except DeepselError as error:
            write_note(f"warning: {error.message}")
    if options.as_json:
        rows = [
            {"name": one.name, "about": one.about or None, "variables": list(one.variables), "defaults": dict(one.defaults),
             "shipped": one.is_shipped, "path": str(one.path)}
            for one in found
        ]  # fmt: skip
        write_stdout(dump({"schema": SCHEMA_VERSION, "templates": rows}))
        return
    lines = [("NAME", "VARIABLES", "ABOUT")]
    lines += [(one.name, ", ".join(one.variables) or "-", plain(one.about)) for one in found]
    write_stdout(text_table(lines, columns=columns_to_cut_to(sys.stdout)))


def show(common: Common, options: TemplateShowOptions) -> None:
    """Print a template.

    It is a file to copy and change: `deepsel templates show commit > "$(deepsel templates path)/commit.toml"`.
    """
    from deepsel.templates.reading import find_template

    write_stdout(find_template(options.name, _config_file(common)).path.read_text("utf-8"))


def path(common: Common) -> None:
    """Print the folder of your own templates.

    It is made where it is not there.
    """
    from deepsel.storage import files
    from deepsel.templates.reading import folder_of

    folder = folder_of(_config_file(common))
    try:
        files.make_private_folder(folder)
    except OSError as error:
        write_note(f"warning: cannot make `{folder}`: {(error.strerror or 'input/output error').lower()}")
    write_stdout(f"{folder}\n")


def _config_file(common: Common) -> Path:
    return config.find_paths(os.environ, common.config).config_file
