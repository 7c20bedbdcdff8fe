"""Keys: a value that cannot be printed, and the redaction of text that may quote one."""

from __future__ import annotations

import re

MASK = "[redacted]"

# Shapes of keys as the providers issue them (sk-, sk-ant-, sk-or-, sk-tm-, pk-) and of the headers that carry them.
_KEY_SHAPES = re.compile(
    r"\b(?:sk|pk|rk)-[A-Za-z0-9_*.\-]{4,}"
    r"|(?i:\bbearer\s+)[A-Za-z0-9._~+/=\-]{8,}"
    r"|(?<=\*)\*+[A-Za-z0-9_\-]{2,8}\b"
)


class Secret:
    """A key. Its text is had only by `reveal()`; repr, str and format show a mask."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the key itself: for the request's header, nowhere else."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is never serialised")


def redact(text: str, secret: Secret | None = None) -> str:
    """Return `text` without the key, without what looks like one, and without the key's last characters when quoted after stars."""
    if secret:
        text = text.replace(secret.reveal(), MASK)
        tail = secret.reveal()[-4:]
        if len(secret.reveal()) >= 12:
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(tail)}(?![A-Za-z0-9])", MASK, text)
    return _KEY_SHAPES.sub(MASK, text)
