"""The forms that programs give a secret: escapes, base64, hex; pure, and knows no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache


@cache
def _escapes() -> re.Pattern[str]:
    """Escapes of URLs, JSON, programs and HTML; `n` and `b`: those that stand for no letter."""
    return re.compile(
        r"%(?P<p>[0-9A-Fa-f]{2})"
        r"|(?<!\\)\\++(?:[uUx]\{?(?P<u>[0-9A-Fa-f]{2,8})\}?|(?P<o>[0-7]{3})|(?P<b>[abfnrtv]))"
        r"|&#0{0,6}(?P<d>[0-9]{1,7});?"
        r"|&#[xX]0{0,6}(?P<x>[0-9A-Fa-f]{1,6});?"
        r"|(?P<n>&[A-Za-z]{2,8};)"
    )


def unescaped(view: str, places: list[int]) -> tuple[str, list[int]]:
    """Undo one layer of escapes; `places` say where each character stood in the original, and so does what is returned."""
    signs: list[str] = []
    kept: list[int] = []
    last = 0
    for match in _escapes().finditer(view):
        sign, end = _sign_of(match)
        signs.append(view[last : match.start()] + sign)
        kept += places[last : match.start() + 1]
        last = end
    signs.append(view[last:])
    kept += places[last:]
    return "".join(signs), kept


def _sign_of(match: re.Match[str]) -> tuple[str, int]:
    """Return the one character an escape stands for, and where the escape ends; `&amp;` is the `&` of another escape."""
    kind, digits, end = match.lastgroup, match[match.lastgroup or 0], match.end()
    if kind == "n":
        return ("&" if digits == "&amp;" else " "), end
    if kind == "b":
        return " ", end
    if kind == "u":  # `\x41` has two digits, `\u0041` four, `\U00000041` eight, braces any
        marker = match[0].lstrip("\\")
        size = {"x": 2, "u": 4, "U": 8}[marker[0]]
        if "{" not in marker and len(digits) > size:
            end -= len(digits) - size
            digits = digits[:size]
    code = int(digits, {"d": 10, "o": 8}.get(kind or "", 16))
    return (chr(code) if code < 0x110000 else " "), end


def squeezed(text: str) -> str:
    """Return the letters and digits of a text, in small letters."""
    return "".join(filter(str.isalnum, text)).lower()


def base64_forms(secret: str) -> Iterator[str]:
    """Yield what of a secret's base64 depends on it alone, whatever stands before: one form for each alignment."""
    import binascii

    data = secret.encode()
    for before in range(3):
        encoded = binascii.b2a_base64(b"\0" * before + data, newline=False).decode()
        yield encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]


def whole_forms(secret: str) -> Iterator[str]:
    """Yield the whole forms of a secret that are looked for in long texts."""
    hexed = secret.encode().hex()
    yield from (secret, hexed, hexed.upper())
    yield "".join(f"%{byte:02X}" for byte in secret.encode())
    yield "".join(f"\\u{ord(sign):04x}" for sign in secret)
    yield "".join(f"&#{ord(sign)};" for sign in secret)
    for form in base64_forms(secret):
        yield form
        yield form.replace("+", "-").replace("/", "_")
