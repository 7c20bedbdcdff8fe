"""Secrets: a value that cannot be printed, and what takes every secret a process knows out of foreign text.

A secret is looked for in the form it has and in those that programs give it: base64 at each alignment, hex, percent, JSON and
HTML escapes, in capitals, spaced, cut by line breaks or by characters nobody sees, backwards, and in parts of eight characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from deepsel.secret_forms import base64_forms, squeezed, unescaped, whole_forms

MASK = "[redacted]"

_RUN = 8
"""So many characters of a secret in a row give it away; what has fewer in all is none, or only whole."""
_HEX_RUN = 2 * _RUN
_TAIL, _HEAD = 4, 6
"""What a provider leaves of a key it has masked itself: its last characters, its first ones."""
_LONGEST = 4096
"""Of a secret; a longer one is known by so much of its beginning."""
_ROOM = 4
"""Characters read for each that is shown: an escape takes up to ten, and nobody escapes a whole message."""
_DEEPEST = 3
"""Escapes within escapes."""
_SHORT, _MOST_HARMLESS = 200, 4096
# What people write where a local server wants a key and looks at none: words that stand in any error.
_DUMMIES = frozenset(
    {"lm-studio", "llama.cpp", "not-needed", "no-key", "no-key-required", "sk-no-key-required", "not-required", "placeholder",
     "required", "anything", "localhost", "unlimited", "your-api-key", "sk-your-api-key"}
)  # fmt: skip


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


class KnownSecrets:
    """The secrets of a process, which it takes out of what others say. Grows as secrets are met; safe to use from many threads."""

    def __init__(self, load: Callable[[], Iterable[str]] = tuple) -> None:
        """Know nothing yet; `load` gives the secrets of the user's settings when foreign text first comes."""
        self._load: Callable[[], Iterable[str]] | None = load
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        """Finds whole secrets; None: not made since the last one was met."""
        self._harmless: set[str] = set()
        """Short texts that were looked through and hold none."""
        self._runs: dict[int, set[str]] = {}
        """Pieces that give a secret away, by their length: letters and digits alone, in small letters."""
        self._heads: dict[str, set[str]] = {}
        self._tails: dict[str, set[str]] = {}
        """Secrets by their first and their last characters."""
        self._whole: set[str] = set()
        """Forms of secrets that have hardly a letter, or are short: looked for as they are."""

    def __repr__(self) -> str:
        return "KnownSecrets()"

    def add(self, text: str) -> None:
        """Learn a secret; one in several words (`Bearer KEY`, `Basic PAIR`) by each of them that is long enough."""
        if text in self._known or len(text) < _TAIL or text.lower() in _DUMMIES:
            return
        words = [word for word in text.split() if len(word) >= _RUN]
        for secret in dict.fromkeys((text, *words)):
            self._learn(secret[:_LONGEST])
        self._known |= {text, *words}
        self._pattern = None
        self._harmless.clear()

    def clean(self, text: str, limit: int) -> str:
        """Return foreign text without any secret, on one line without control characters, at most `limit` characters of it.

        What is looked at is bounded by `limit`, and the time by what is looked at.
        """
        line = " ".join(self.redacted(text[: limit * _ROOM]).split())
        if not line.isprintable():
            line = " ".join("".join(sign if sign.isprintable() else " " for sign in line).split())
        return line if len(line) <= limit else line[: limit - 1] + "…"

    def redacted(self, text: str) -> str:
        """Return `text` with a mask in place of every secret in it, and of what looks like a key."""
        if len(text) < _TAIL or text in self._harmless:  # as models and limits are, from the second call on
            return text
        spans = [(match.start(), match.end()) for match in _key_shapes().finditer(text)]
        if self._knows_any():
            spans += self._found(text)
        if spans:
            return _masked(text, spans)
        if len(text) <= _SHORT:
            if len(self._harmless) >= _MOST_HARMLESS:
                self._harmless.clear()
            self._harmless.add(text)
        return text

    def are_in(self, text: str) -> bool:
        """Tell whether a text of any length holds a whole secret, as it is or encoded; parts and spaced ones are not looked for."""
        return self._knows_any() and any(form in text for secret in self._known if len(secret) >= _RUN for form in whole_forms(secret))

    def without(self, text: str) -> str:
        """Return a text of any length with a mask in place of every whole secret; fast, for each event of a stream."""
        if not self._knows_any():
            return text
        pattern = self._pattern
        if pattern is None:
            import json

            whole = sorted((secret for secret in self._known if len(secret) >= _RUN), key=len, reverse=True)
            forms = [re.escape(form) for secret in whole for form in dict.fromkeys((secret, json.dumps(secret)[1:-1]))]
            pattern = self._pattern = re.compile("|".join(forms) or r"(?!)")
        return pattern.sub(MASK, text) if pattern.search(text) else text

    def _knows_any(self) -> bool:
        """Tell whether there is anything to look for; learns what `load` gives."""
        if self._load is not None:
            load, self._load = self._load, None
            for text in load():
                self.add(text)
        return bool(self._known)

    def _learn(self, secret: str) -> None:
        """Add the pieces by which one secret is known."""
        plain = squeezed(secret)
        if len(secret) < _RUN:
            self._whole |= set() if secret.isalpha() else {secret}
            return
        if " " not in secret:
            self._heads.setdefault(secret[:_TAIL], set()).add(secret)
            self._tails.setdefault(secret[-_TAIL:], set()).add(secret)
        pieces = [(plain, _RUN), (plain[::-1], _RUN), (squeezed(secret.encode().hex()), _HEX_RUN)]
        pieces += [(squeezed(form), _RUN) for form in base64_forms(secret)]
        for piece, size in pieces:
            size = min(size, len(piece))
            if size >= _HEAD:
                self._runs.setdefault(size, set()).update(piece[at : at + size] for at in range(len(piece) - size + 1))
        if len(plain) < _RUN:
            self._whole.add(secret)

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where secrets stand in a text: beginning and end."""
        yield from self._ends(text)
        view, places = text, list(range(len(text) + 1))
        for depth in range(_DEEPEST + 1):
            for start, end in self._in_view(view):
                yield places[start], places[end]
            if depth == _DEEPEST or not ("%" in view or "&" in view or "\\" in view):
                return
            plain, places = unescaped(view, places)
            if plain == view:
                return
            view = plain

    def _in_view(self, view: str) -> Iterator[tuple[int, int]]:
        """Yield where secrets stand in a text whose escapes are undone."""
        for whole in self._whole:
            at = view.find(whole)
            while at >= 0:
                yield at, at + len(whole)
                at = view.find(whole, at + len(whole))
        at_signs = [at for at, sign in enumerate(view) if sign.isalnum()]
        small = squeezed(view)
        if len(small) != len(at_signs):  # a letter whose small form is two
            small = "".join(view[at].lower()[:1] for at in at_signs)
        for size, runs in self._runs.items():
            for at in range(len(small) - size + 1):
                if small[at : at + size] in runs:
                    yield at_signs[at], at_signs[at + size - 1] + 1

    def _ends(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the first or last characters of a secret where they stand alone, as in a key that a provider has masked."""
        for match in _tokens().finditer(text):
            token = match[0]
            begun, ended = self._heads.get(token[:_TAIL], ()), self._tails.get(token[-_TAIL:], ())
            is_head = any(secret.startswith(token) and len(token) >= min(_HEAD, len(secret) // 2) for secret in begun)
            if is_head or any(secret.endswith(token) for secret in ended):
                yield match.span()


def secrets_in(address: str) -> list[str]:
    """Return what of an address is secret: its user and password, the password alone, and what a query names a key or token."""
    from urllib.parse import parse_qsl, unquote

    plain, _, query = address.partition("#")[0].partition("?")
    user_info, at, _ = plain.rpartition("@")
    pair = user_info.rpartition("//")[2]
    found = [pair, unquote(pair), pair.partition(":")[2], unquote(pair.partition(":")[2])] if at else []
    found += [value for name, value in parse_qsl(query) if names_a_credential(name)]
    return [text for text in dict.fromkeys(found) if text]


def credentials_in(value: object) -> Iterator[str]:
    """Yield the texts in a JSON value that stand anywhere below a name which tells that they are secret."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from _texts_in(member) if names_a_credential(str(name)) else credentials_in(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from credentials_in(member)


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for member in value.values() if isinstance(value, Mapping) else value:
            yield from _texts_in(member)


def names_a_credential(name: str) -> bool:
    """Tell whether a member, header or variable of that name holds a secret, as far as names tell."""
    return _credential_names().search(name) is not None


# --- forms -----------------------------------------------------------------------------------------------------------


@cache
def _key_shapes() -> re.Pattern[str]:
    """Shapes of keys as the providers issue them (sk-, sk-ant-, sk-or-, sk-tm-, pk-), of headers that carry them, of masked ones."""
    return re.compile(
        r"\b(?:sk|pk|rk)-[A-Za-z0-9_*.\-]{4,}"
        r"|(?i:\bbearer\s++)[A-Za-z0-9._~+/=\-]{8,}"
        r"|(?<!\*)\*{2,}+[A-Za-z0-9_\-]{2,8}\b"
    )


@cache
def _credential_names() -> re.Pattern[str]:
    return re.compile(
        r"key|token(?!s|iz)|secret|passw|pwd|passphrase|credential|auth(?!or(?!i))|signature|\bsig\b|bearer|cookie|jwt|private|\bcode\b",
        re.IGNORECASE,
    )


@cache
def _tokens() -> re.Pattern[str]:
    return re.compile(rf"[A-Za-z0-9_\-]{{{_TAIL},}}")


# --- masks -----------------------------------------------------------------------------------------------------------

_AROUND = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-")


def _masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Put a mask in place of each span, and of what stands around it without a break: more of the secret, or of its encoding."""
    parts: list[str] = []
    last = 0
    for begin, until in sorted(spans):
        if until <= last:
            continue
        start, end = max(begin, last), until
        while start > last and text[start - 1] in _AROUND:
            start -= 1
        while end < len(text) and text[end] in _AROUND:
            end += 1
        if start > last or not parts:
            parts += [text[last:start], MASK]
        last = end
    return "".join([*parts, text[last:]])
