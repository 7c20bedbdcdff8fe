"""Addresses of providers and the hosts they name; looks none up."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from deepsel.catalog.queries import names_a_secret

_LONGEST_LABEL, _LONGEST = 63, 253
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?")


def problem_of(url: str) -> str:
    """Say what is wrong with a provider's address, in words that follow its name; empty where nothing is."""
    if not url.startswith(("http://", "https://")) or any(sign in url for sign in "#@") or names_a_secret(url):
        return "must start with http:// or https://, without user name, key or fragment"
    return "" if names_a_host(url) else "names no host that can exist: its labels have 1 to 63 letters, digits and hyphens"


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
