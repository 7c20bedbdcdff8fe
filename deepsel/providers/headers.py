"""Headers as text, both ways; knows no HTTP library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deepsel.errors import ConfigError
from deepsel.secret import KnownSecrets, Secret

_LONGEST = 8192
"""Of a header that is read; a longer one says nothing to us."""


def header_text(name: str, value: str | Secret) -> str:
    """Return what is sent; raises ConfigError, without the value, where it cannot stand in a header."""
    words = value.reveal() if isinstance(value, Secret) else value
    if not (words.isascii() and words.isprintable() and words == words.strip()):
        raise ConfigError(
            f"the value for the header `{name}` holds characters that cannot be sent",
            "look for a line break, a space or a typographic sign in the key" if isinstance(value, Secret) else "",
        )
    return words


class Headers(Mapping[str, str]):
    """The headers of a response, names in lower case, values without secrets; each is read when it is asked for."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]], secrets: KnownSecrets) -> None:
        """Take headers as they came; what comes several times is one list."""
        self._raw: dict[str, list[bytes]] = {}
        for name, value in raw:
            self._raw.setdefault(name.decode("latin-1").lower(), []).append(value)
        self._secrets = secrets
        self._read: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._read:
            value = ", ".join(map(_decoded, self._raw[name]))
            self._read[name] = self._secrets.redacted(value[:_LONGEST])
        return self._read[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a header or, as for most that are asked for, what stands for none."""
        return self[name] if name in self._raw else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
