"""`ask -t`: what a template says, under what was typed."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from deepsel import config
from deepsel.errors import UsageError

if TYPE_CHECKING:
    from deepsel.cli.ask.command import AskOptions
    from deepsel.cli.options import Common


def with_template(common: Common, options: AskOptions) -> tuple[Common, AskOptions]:
    """Return the options with what the template adds; those that were given win.

    Raises UsageError where a variable is missing or not there, ConfigError where the file is no template.
    """
    if options.template is None:
        if options.var:
            raise UsageError("`--var` sets a variable of a template", "name one with `--template`")
        return common, options
    from deepsel.templates.reading import find_template

    template = find_template(options.template, config.find_paths(os.environ, common.config).config_file)
    words = " ".join(options.prompt or [])
    is_piped = words == "-"
    prompt, system = template.filled(dict(map(_variable, options.var or [])), "" if is_piped else words)
    params = [f"{name}={json.dumps(value)}" for name, value in template.params.items()]
    filled: dict[str, Any] = {
        "system": None if options.system_file else system or None,
        "models": [template.model] if template.model else None,
        "schema": template.schema or None,
        "extract": None if options.as_json else template.extract,
        "max_tokens": template.max_tokens,
        "temperature": template.temperature,
    }
    given = {name: value for name, value in filled.items() if getattr(options, name) is None}
    whole = options._replace(prompt=[prompt], params=[*params, *(options.params or [])], **given)
    return common._replace(profile=common.profile or template.profile or None), whole


def _variable(text: str) -> tuple[str, str]:
    """Part NAME=VALUE; the value is what was typed."""
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise UsageError(f"`--var` takes NAME=VALUE, not `{text}`", "e.g. `--var lang=French`")
    return name.strip(), value.encode(sys.getfilesystemencoding(), "surrogateescape").decode("utf-8", "replace")
