"""What a template holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepsel.config import nearest_hint
from deepsel.errors import UsageError
from deepsel.records import NamedTuple

_PLACE = re.compile(r"\{\{(?P<kept>\w+)\}\}|\{(?P<name>[A-Za-z_]\w*)\}")
INPUT = "input"
"""The place of the words that were typed; without it they follow the template's own."""


class AskTemplate(NamedTuple):
    """One template as it was read."""

    name: str
    path: Path
    is_shipped: bool
    prompt: str
    about: str = ""
    system: str = ""
    model: str = ""
    """A name or a part of one; empty: whoever is asked otherwise."""
    profile: str = ""
    schema: str = ""
    """As `--schema` takes it; empty: none."""
    extract: str | None = None
    """As `--extract` takes it; None: the whole answer is printed."""
    max_tokens: int | None = None
    temperature: float | None = None
    params: Mapping[str, Any] = {}
    """Members of the request."""
    defaults: Mapping[str, str] = {}
    """Values of variables that may be left out."""

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of prompt and system text, in the order in which they stand, the typed words not among them."""
        found = (match["name"] for match in _PLACE.finditer(self.prompt + self.system))
        return tuple(dict.fromkeys(name for name in found if name and name != INPUT))

    def filled(self, given: Mapping[str, str], words: str) -> tuple[str, str]:
        """Return prompt and system text with their variables, the typed words in their place.

        Raises UsageError that names what is missing, or what the template does not have.
        """
        for name in given:
            if name not in self.variables:
                hint = nearest_hint(name, self.variables) or f"`{self.name}` has no variables"
                raise UsageError(f"the template `{self.name}` has no variable `{name}`", hint)
        values = {**self.defaults, **given}
        missing = [name for name in self.variables if name not in values]
        if missing:
            several = " ".join(f"--var {name}=..." for name in missing)
            raise UsageError(f"the template `{self.name}` needs {', '.join(f'`{name}`' for name in missing)}", f"add `{several}`")
        values[INPUT] = words
        prompt = _put(self.prompt, values).strip()
        has_place = any(match["name"] == INPUT for match in _PLACE.finditer(self.prompt))
        return prompt if has_place or not words else f"{prompt}\n\n{words}", _put(self.system, values).strip()


def _put(text: str, values: Mapping[str, str]) -> str:
    """Put values in their places; `{{name}}` stands for `{name}` itself. What a value holds is not looked at again."""
    return _PLACE.sub(lambda match: f"{{{match['kept']}}}" if match["kept"] else values[match["name"]], text)
