"""What a developer can do about a failure, in the user's language: a table of data, looked up by class and wording."""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.catalog.files import read_data
from deepsel.errors import ErrorClass

LANGUAGES = ("en", "zh")


def language(env: Mapping[str, str]) -> str:
    """Return the language of messages: `DEEPSEL_LANG`, else the locale's where the table has it, else English."""
    for name in ("DEEPSEL_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        wanted = env.get(name, "")
        if wanted:
            return wanted[:2].lower() if wanted[:2].lower() in LANGUAGES else "en"
    return "en"


def what_to_do(error_class: ErrorClass, words: str, *, lang: str = "en") -> str:
    """Return the advice for a failure: the first hint whose fragment stands in the provider's words, else the class's."""
    table = read_data("messages.json")
    said = words.lower()
    for hint in table["hints"]:
        if hint["class"] == error_class and any(fragment in said for fragment in hint["any"]):
            return str(hint[lang])
    return str(table["classes"][error_class][lang])
