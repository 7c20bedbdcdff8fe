"""Readers of one value of a row: each takes it with its dotted path, and returns ours or raises RowError."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from deepsel.catalog.queries import problem_of
from deepsel.dollars import DECIMALS, MOST_USD, read_usd
from deepsel.values import HourWindow


class RowError(ValueError):
    """A member of a row is unknown, missing or wrong; `key` is its path in the row, `near` what it may have meant."""

    def __init__(self, key: str, problem: str, *, near: Sequence[str] = ()) -> None:
        super().__init__(f"`{key}` {problem}")
        self.key = key
        self.problem = problem
        self.near = tuple(near)


Read: TypeAlias = Callable[[Any, str], Any]
"""Reads one value; the second argument is its dotted path, for the message."""


def read_members(data: Mapping[str, Any], readers: Mapping[str, Read], *, path: str = "") -> dict[str, Any]:
    """Read each member with its reader; refuse a member that has none."""
    members = {}
    for key, value in data.items():
        where = f"{path}.{key}" if path else str(key)
        reader = readers.get(key)
        if reader is None:
            import difflib  # only a mistake needs it

            near = difflib.get_close_matches(str(key), list(readers), n=2)
            raise RowError(where, "is not a known key", near=near)
        members[key] = reader(value, where)
    return members


def text(value: Any, path: str) -> str:
    """Read text."""
    if not isinstance(value, str):
        raise RowError(path, "must be text")
    return value


def optional_text(value: Any, path: str) -> str | None:
    """Read text; null and the empty text, which is how TOML can say it, mean None."""
    return None if value is None else text(value, path) or None


def flag(value: Any, path: str) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise RowError(path, "must be true or false")
    return value


def table(value: Any, path: str) -> dict[str, Any]:
    """Read a table."""
    if not isinstance(value, dict):
        raise RowError(path, "must be a table")
    return value


def count(value: Any, path: str) -> int:
    """Read a whole number, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise RowError(path, "must be a whole number, 0 or more")
    return value


def positive(value: Any, path: str) -> int:
    """Read a whole number, 1 or more."""
    number = count(value, path)
    if number == 0:
        raise RowError(path, "must be 1 or more")
    return number


def decimal(most: int) -> Read:
    """Read decimal text from 0 to `most`; a number of the file is taken as it was typed (its shortest form)."""

    def _reader(value: Any, path: str) -> Decimal:
        number = read_usd(value, most=most, is_exact=True)
        if number is None:
            raise RowError(path, f'must be a decimal number, 0 or more and at most {most:,}, such as "0.15", to {DECIMALS} decimals')
        return number

    return _reader


def optional_price(value: Any, path: str) -> Decimal | None:
    """Read an amount of USD; null means None."""
    return None if value is None else decimal(MOST_USD)(value, path)


def day(value: Any, path: str) -> date:
    """Read a day."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(text(value, path))
    except ValueError:
        raise RowError(path, "must be a day such as 2026-11-24") from None


def instant(value: Any, path: str) -> datetime:
    """Read an instant with its zone; a day alone is its first instant in UTC."""
    try:
        moment = value if isinstance(value, date) else datetime.fromisoformat(text(value, path))
    except ValueError:
        raise RowError(path, "must be an instant such as 2026-11-24T16:00Z") from None
    if not isinstance(moment, datetime) or (isinstance(value, str) and len(value) == len("2026-11-24")):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if moment.tzinfo is None:
        raise RowError(path, "needs a zone, such as the Z of 2026-11-24T16:00Z")
    return moment.astimezone(UTC)


def window(value: Any, path: str) -> HourWindow:
    """Read a stretch of the day in UTC."""
    start, _, end = text(value, path).partition("-")
    found = HourWindow(_minute(start, path), _minute(end, path))
    if found.start_minute >= found.end_minute:
        raise RowError(path, "ends before it starts: write two windows, one to 24:00 and one from 00:00")
    return found


def _minute(text: str, path: str) -> int:
    hour, _, minute = text.partition(":")
    if len(hour) == len(minute) == 2 and (hour + minute).isascii() and (hour + minute).isdigit():
        total = int(hour) * 60 + int(minute)
        if int(minute) < 60 and total <= 24 * 60:
            return total
    raise RowError(path, 'must be hours in UTC such as "01:00-04:00"')


def choice(*names: str) -> Read:
    """Make a reader of one of these words."""
    def _reader(value: Any, path: str) -> str:
        if value not in names:
            raise RowError(path, f"must be one of {', '.join(names)}")
        return str(value)

    return _reader


def between(low: float, high: float) -> Read:
    """Make a reader of numbers in [low, high]."""
    def _reader(value: Any, path: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise RowError(path, f"must be a number from {low:g} to {high:g}")
        return float(value)

    return _reader


def weekday(value: Any, path: str) -> int:
    """Read a day of the week."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 7:
        raise RowError(path, "must be a day of the week, 1 (Monday) to 7")
    return value


def list_of(item: Read) -> Read:
    """Make a reader of lists."""
    def _reader(value: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise RowError(path, "must be a list")
        return tuple(item(one, f"{path}[{index}]") for index, one in enumerate(value))

    return _reader


def set_of(item: Read) -> Read:
    """Make a reader of lists whose order says nothing."""
    return lambda value, path: frozenset(list_of(item)(value, path))


def map_of(item: Read) -> Read:
    """Make a reader of tables with any keys."""
    return lambda value, path: {key: item(one, f"{path}.{key}") for key, one in table(value, path).items()}


def members_of(readers: Mapping[str, Read], make: Callable[..., Any], *required: str) -> Read:
    """Read a table of known members into a record."""

    def _reader(value: Any, path: str) -> Any:
        members = read_members(table(value, path), readers, path=path)
        for key in required:
            if key not in members:
                raise RowError(f"{path}.{key}", "is missing")
        return make(**members)

    return _reader


def variable(value: Any, path: str) -> str | None:
    """Read the name of an environment variable; nothing means None."""
    if (name := optional_text(value, path)) and not (name.isascii() and name.isidentifier()):  # it may be a key
        raise RowError(path, "must be the name of an environment variable, such as MY_API_KEY, not the key itself")
    return name


def path(value: Any, where: str) -> str:
    """Read the path of a file, which does not depend on where one stands; `~` is the user's home. Nothing means none."""
    from os.path import expanduser

    found = expanduser(text(value, where))  # noqa: PTH111 - a row holds text
    if found and not found.startswith("/"):
        raise RowError(where, "must be a whole path, such as /etc/ssl/our-ca.pem or ~/our-ca.pem")
    return found


def base_url(value: Any, path: str) -> str:
    """Read an address."""
    url = text(value, path).strip().rstrip("/")
    if url and (problem := problem_of(url)):
        raise RowError(path, problem)
    return url
