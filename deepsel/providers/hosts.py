"""Hosts as addresses name them; loads nothing of a call, since an answer from the cache says its host too."""

from __future__ import annotations

from urllib.parse import urlsplit


def host_of(url: str) -> str:
    """Return `host` or `host:port` of a URL, without user name, path or query; the text itself where it is no URL."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or url
    except ValueError:
        return url


def host_name(url: str) -> str:
    """Return the host of a URL alone; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine's own."""
    import ipaddress  # only where a call is made

    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
