"""Changes one value of a profiles.toml and leaves every other byte as it is; the only importer of tomlkit."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from typing import Any, cast

from deepsel.errors import UsageError


def with_value(source: str, key: str, value: Any) -> str:
    """Return the text with a dotted key set to a value; tables on the way to it are made."""
    import tomlkit

    document = _parsed(source)
    *tables, last = parts_of(key)
    table: MutableMapping[str, Any] = document
    for at, name in enumerate(tables):
        if name not in table:
            table[name] = tomlkit.table(is_super_table=at + 1 < len(tables))
        inner = table[name]
        if not isinstance(inner, MutableMapping):
            raise UsageError(f"`{'.'.join(tables[: at + 1])}` is a value, and holds no `{last}`")
        table = inner
    table[last] = value
    return tomlkit.dumps(document)


def without_value(source: str, key: str) -> str:
    """Return the text without a dotted key; raises UsageError where it is not there."""
    import tomlkit

    document = _parsed(source)
    *tables, last = parts_of(key)
    table: Any = document
    for name in tables:
        table = table.get(name) if isinstance(table, MutableMapping) else None
    if not isinstance(table, MutableMapping) or last not in table:
        raise UsageError(f"`{key}` is not set", "`deepsel config show` lists what is")
    del table[last]
    return tomlkit.dumps(document)


def readings(text: str) -> Iterator[Any]:
    """Yield what a typed value may mean, likeliest first: TOML, words, a list of names between commas."""
    import tomlkit
    from tomlkit.exceptions import ParseError

    with suppress(ParseError, ValueError):
        yield tomlkit.value(text)
    yield text
    if text:
        yield [part.strip() for part in text.split(",")]


def parts_of(key: str) -> list[str]:
    """Part a dotted key, in which a name with a dot or a slash of its own stands in quotes; raises UsageError."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        found: Any = tomlkit.parse(f"{key} = 0").unwrap()
    except TOMLKitError:
        raise UsageError(f"`{key}` is no key", "e.g. `cache.ttl_s` or `models.\"PROVIDER/ID\".price`") from None
    parts = []
    while isinstance(found, dict):
        name, found = next(iter(found.items()))
        parts.append(str(name))
    return parts


def _parsed(source: str) -> MutableMapping[str, Any]:
    """Parse the text, which was read as TOML before."""
    import tomlkit

    return cast("MutableMapping[str, Any]", tomlkit.parse(source))
