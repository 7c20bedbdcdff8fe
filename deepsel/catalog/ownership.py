"""Which members of a request belong to which providers, so that what is meant for one is not sent to another; a table of data."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache

from deepsel.catalog.files import read_data


def foreign_members(names: Iterable[str], provider: str, hosts: Collection[str]) -> frozenset[str]:
    """Return which of `names` belong to others of `hosts`, and not to `provider`; what nobody here owns is foreign to nobody."""
    kinds = {_kind(host) for host in hosts}
    own = _kind(provider)
    owners = {name: _owners(name) for name in names}
    return frozenset(name for name, found in owners.items() if found & kinds and own not in found)


@cache
def _owners(name: str) -> frozenset[str]:
    """Return the providers that document a member no other provider has; empty: it is everybody's, or unknown."""
    table: dict[str, list[str]] = read_data("params.json")["owned"]
    return frozenset(provider for provider, members in table.items() if name in members)


@cache
def _kind(provider: str) -> str:
    """Return the row that a provider's regional row is like."""
    return str(read_data("providers.json")["providers"].get(provider, {}).get("like", provider))
