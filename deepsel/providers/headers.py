"""Headers as text, both ways; knows no HTTP library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deepsel.errors import ConfigError
from deepsel.secret import Secret


def header_text(name: str, value: str | Secret) -> str:
    """Return what is sent; raises ConfigError, without the value, where it cannot stand in a header."""
    words = value.reveal() if isinstance(value, Secret) else value
    if not (words.isascii() and words.isprintable() and words == words.strip()):
        raise ConfigError(
            f"the value for the header `{name}` holds characters that cannot be sent",
            "look for a line break, a space or a typographic sign in the key" if isinstance(value, Secret) else "",
        )
    return words


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Read the headers, names in lower case; what comes several times is one list."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name = raw_name.decode("latin-1").lower()
        try:
            value = raw_value.decode("utf-8")
        except UnicodeDecodeError:
            value = raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
