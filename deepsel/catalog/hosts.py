"""Names of hosts as an address may have them; looks none up."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_LONGEST_LABEL, _LONGEST = 63, 253
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?")


def names_a_host(url: str) -> bool:
    """Tell whether a URL holds a name or address that a host can have: labels that are there, none too long, a port that exists."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if ":" in host:  # of version 6, in brackets
        return True
    labels = _in_ascii(host.removesuffix(".")).split(".")
    return sum(map(len, labels)) + len(labels) <= _LONGEST and all(map(_is_label, labels))


def _in_ascii(host: str) -> str:
    """Write a name as it is looked up; empty where it has no such form."""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _is_label(label: str) -> bool:
    if not label.lower().startswith("xn--"):
        return len(label) <= _LONGEST_LABEL and _LABEL.fullmatch(label) is not None
    try:
        return bool(label[4:].encode("ascii").decode("punycode")) and len(label) <= _LONGEST_LABEL
    except UnicodeError:
        return False
