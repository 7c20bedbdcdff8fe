"""What may stand in a provider's address; its query stands apart from it, since the wire adds its path between the two."""

from __future__ import annotations

import re
from typing import Any

from deepsel.catalog.hosts import names_a_host
from deepsel.secret import names_a_credential

_NAMES = re.compile(r"[?&]([^=&]*)=")


def problem_of(url: str) -> str:
    """Say what is wrong with a provider's address, in words that follow its name; empty where nothing is."""
    if not url.startswith(("http://", "https://")) or any(sign in url for sign in "#@") or names_a_secret(url):
        return "must start with http:// or https://, without user name, key or fragment"
    return "" if names_a_host(url) else "names no host that can exist: its labels have 1 to 63 letters, digits and hyphens"


def names_a_secret(url: str) -> bool:
    """Tell whether a query has a member that is no matter of an address."""
    return any(names_a_credential(name) for name in _NAMES.findall(url))


def with_query_apart(members: dict[str, Any]) -> dict[str, Any]:
    """Take the query off a row's `base_url`; what the row's own `query` says stands over it."""
    base_url, mark, query = members.get("base_url", "").partition("?")
    if not mark:
        return members
    from urllib.parse import parse_qsl  # hardly any address has one

    own = dict(parse_qsl(query, keep_blank_values=True))
    return {**members, "base_url": base_url.rstrip("/"), "query": own | members.get("query", {})}
