"""Turns rows of data, the catalog's JSON or the user's TOML, into Provider, Model and PriceRule; reads no file.

Both speak the same words: the field names of the records, money as decimal text, `price` as a short form of `prices`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

from deepsel.catalog.holidays import calendar_names
from deepsel.catalog.pictures import picture_rule_names
from deepsel.catalog.queries import problem_of, with_query_apart
from deepsel.dollars import DECIMALS, MOST_USD, read_usd
from deepsel.errors import ErrorClass
from deepsel.values import TASKS, ErrorRule, HourWindow, Latency, Model, PriceRule, Provider
from deepsel.wires.table import ROWS

VOCABULARIES = ("o200k_base", "cl100k_base", "deepseek", "qwen", "qwen35", "tekken", "claude3", "claude47", "claude48")
TEMPLATES = ("claude", "deepseek-v4", "deepseek-v4.1", "openai", "qwen3", "qwen3.5", "tekken")
FEATURES = ("images", "json_object", "json_schema", "tools")
PRICE_FIELDS = ("input", "output", "cached_input", "cache_write_short", "cache_write_long", "reasoning_output")
SERVICE_TIERS = ("standard", "batch", "flex", "priority")
_MOST_TIMES = 1000  # the price of another host


class RowError(ValueError):
    """A member of a row is unknown, missing or wrong; `key` is its path in the row, `near` what it may have meant."""

    def __init__(self, key: str, problem: str, *, near: Sequence[str] = ()) -> None:
        super().__init__(f"`{key}` {problem}")
        self.key = key
        self.problem = problem
        self.near = tuple(near)


Read: TypeAlias = Callable[[Any, str], Any]
"""Reads one value; the second argument is its dotted path, for the message."""
_Row = TypeVar("_Row", Provider, Model)


def provider_from(data: Mapping[str, Any], name: str, *, base: Provider | None = None) -> Provider:
    """Return the provider of a row; members not given are `base`'s. Raise RowError naming the member that is wrong."""
    members = with_query_apart(_read(data, _PROVIDER))
    if base is None:
        _require(members, "wire", "base_url")
        provider = Provider(name=name, **members)
    else:
        provider = base._replace(name=name, **members)
    if not provider.base_url and name not in {wire.generic for wire in ROWS.values()}:
        raise RowError("base_url", "is missing")
    return provider


def model_from(data: Mapping[str, Any], name: str, *, base: Model | None = None, source: str = "") -> Model:
    """Return the model of a row; members not given are `base`'s, single tasks of `capability` too. Raise RowError.

    `source` stands in price rows that name none of their own. A row that moves `base` to another provider or id loses
    its prices and how pictures are counted: they are not known there.
    """
    if "price" in data and "prices" in data:
        raise RowError("price", "and `prices` exclude each other")
    members = _read({key: value for key, value in data.items() if key not in ("price", "prices")}, _MODEL)
    for key in ("price", "prices"):
        if key in data:
            members["prices"] = price_rules_from(data[key], key=key, source=source)
    if base is None:
        _require(members, "provider")
        return Model(name=name, **{"id": name, **members})
    if "capability" in members:
        members["capability"] = {**base.capability, **members["capability"]}
    if members.get("provider", base.provider) != base.provider:
        base = base._replace(aliases=(), prices=(), service_tiers={}, reasoning_off=None, pictures=None)
        base = base._replace(retires=None, is_default=False)
    elif members.get("id", base.id) not in (base.id, *base.aliases):
        base = base._replace(prices=(), service_tiers={}, pictures=None)
    return base._replace(name=name, **members)


def price_rules_from(data: Any, *, key: str = "prices", source: str = "") -> tuple[PriceRule, ...]:
    """Return the rules of a price table (one rule) or a list of them, in order. Raise RowError."""
    rows = data if isinstance(data, list) else [data]
    return tuple(
        _price_rule(row, key if row is data else f"{key}[{index}]", source=source) for index, row in enumerate(rows)
    )


def _price_rule(row: Any, path: str, *, source: str) -> PriceRule:
    members = {"source": source, **_read(_table(row, path), _PRICE, path=path)}
    rule = PriceRule(**{"input": None, "output": None, **members})
    if rule.valid_from and rule.valid_to and rule.valid_from >= rule.valid_to:
        raise RowError(f"{path}.valid_to", "is not after `valid_from`")
    return rule


def _read(data: Mapping[str, Any], readers: Mapping[str, Read], *, path: str = "") -> dict[str, Any]:
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


def _require(members: Mapping[str, Any], *keys: str) -> None:
    for key in keys:
        if key not in members:
            raise RowError(key, "is missing")


# --- readers of one value ---------------------------------------------------------------------------------------------


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise RowError(path, "must be text")
    return value


def _optional_text(value: Any, path: str) -> str | None:
    """Read text; null and the empty text, which is how TOML can say it, mean None."""
    return None if value is None else _text(value, path) or None


def _flag(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise RowError(path, "must be true or false")
    return value


def _table(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RowError(path, "must be a table")
    return value


def _count(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise RowError(path, "must be a whole number, 0 or more")
    return value


def _positive(value: Any, path: str) -> int:
    count = _count(value, path)
    if count == 0:
        raise RowError(path, "must be 1 or more")
    return count


def _decimal(most: int) -> Read:
    """Read decimal text from 0 to `most`; a number of the file is taken as it was typed (its shortest form)."""

    def _reader(value: Any, path: str) -> Decimal:
        number = read_usd(value, most=most, is_exact=True)
        if number is None:
            raise RowError(path, f'must be a decimal number, 0 or more and at most {most:,}, such as "0.15", to {DECIMALS} decimals')
        return number

    return _reader


def _optional_price(value: Any, path: str) -> Decimal | None:
    return None if value is None else _decimal(MOST_USD)(value, path)


def _day(value: Any, path: str) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(_text(value, path))
    except ValueError:
        raise RowError(path, "must be a day such as 2026-11-24") from None


def _instant(value: Any, path: str) -> datetime:
    """Read an instant with its zone; a day alone is its first instant in UTC."""
    try:
        moment = value if isinstance(value, date) else datetime.fromisoformat(_text(value, path))
    except ValueError:
        raise RowError(path, "must be an instant such as 2026-11-24T16:00Z") from None
    if not isinstance(moment, datetime) or (isinstance(value, str) and len(value) == len("2026-11-24")):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if moment.tzinfo is None:
        raise RowError(path, "needs a zone, such as the Z of 2026-11-24T16:00Z")
    return moment.astimezone(UTC)


def _window(value: Any, path: str) -> HourWindow:
    start, _, end = _text(value, path).partition("-")
    window = HourWindow(_minute(start, path), _minute(end, path))
    if window.start_minute >= window.end_minute:
        raise RowError(path, "ends before it starts: write two windows, one to 24:00 and one from 00:00")
    return window


def _minute(text: str, path: str) -> int:
    hour, _, minute = text.partition(":")
    if len(hour) == len(minute) == 2 and (hour + minute).isascii() and (hour + minute).isdigit():
        total = int(hour) * 60 + int(minute)
        if int(minute) < 60 and total <= 24 * 60:
            return total
    raise RowError(path, 'must be hours in UTC such as "01:00-04:00"')


def _choice(*names: str) -> Read:
    def _reader(value: Any, path: str) -> str:
        if value not in names:
            raise RowError(path, f"must be one of {', '.join(names)}")
        return str(value)

    return _reader


def _between(low: float, high: float) -> Read:
    def _reader(value: Any, path: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise RowError(path, f"must be a number from {low:g} to {high:g}")
        return float(value)

    return _reader


def _weekday(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 7:
        raise RowError(path, "must be a day of the week, 1 (Monday) to 7")
    return value


def _list(item: Read) -> Read:
    def _reader(value: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise RowError(path, "must be a list")
        return tuple(item(one, f"{path}[{index}]") for index, one in enumerate(value))

    return _reader


def _set(item: Read) -> Read:
    return lambda value, path: frozenset(_list(item)(value, path))


def _map(item: Read) -> Read:
    return lambda value, path: {key: item(one, f"{path}.{key}") for key, one in _table(value, path).items()}


def _members(readers: Mapping[str, Read], make: Callable[..., Any], *required: str) -> Read:
    """Read a table of known members into a record."""

    def _reader(value: Any, path: str) -> Any:
        members = _read(_table(value, path), readers, path=path)
        for key in required:
            if key not in members:
                raise RowError(f"{path}.{key}", "is missing")
        return make(**members)

    return _reader


def _variable(value: Any, path: str) -> str | None:
    if (name := _optional_text(value, path)) and not (name.isascii() and name.isidentifier()):  # it may be a key
        raise RowError(path, "must be the name of an environment variable, such as MY_API_KEY, not the key itself")
    return name


def _base_url(value: Any, path: str) -> str:
    url = _text(value, path).strip().rstrip("/")
    if url and (problem := problem_of(url)):
        raise RowError(path, problem)
    return url


# --- the members of each row ------------------------------------------------------------------------------------------

_ERROR_RULE: Mapping[str, Read] = {
    "error_class": lambda value, path: ErrorClass(_choice(*ErrorClass)(value, path)),
    "status": _count,
    "code": _text,
    "text": _text,
}
_PROVIDER: Mapping[str, Read] = {
    "wire": lambda value, path: _choice(*ROWS)(value, path),
    "base_url": _base_url,
    "label": _text,
    "api_key_env": _variable,
    "api_key_command": _list(_text),
    "auth": _choice("bearer", "x-api-key", "both", "api-key", "x-portkey-api-key"),
    "query": _map(_text),
    "headers": _map(_text),
    "extra_body": _table,
    "non_stream_body": _table,
    "max_concurrency": _positive,
    "max_tokens_field": _text,
    "seed_field": _optional_text,
    "stream_usage": _flag,
    "error_rules": _list(_members(_ERROR_RULE, ErrorRule, "error_class")),
    "price_multiplier": _decimal(_MOST_TIMES),
    "health_path": _optional_text,
    "models_path": _optional_text,
    "source": _text,
    "checked": _day,
}
_PRICE: Mapping[str, Read] = {
    **dict.fromkeys(PRICE_FIELDS, _optional_price),
    "label": _text,
    "up_to_input_tokens": _positive,
    "valid_from": _instant,
    "valid_to": _instant,
    "hours": _list(_window),
    "weekdays": _set(_weekday),
    "not_on": lambda value, path: _choice(*calendar_names())(value, path),
    "service_tier": _choice(*SERVICE_TIERS),
    "source": _text,
    **dict.fromkeys(("guaranteed_until", "checked"), _day),
}
_LATENCY: Mapping[str, Read] = {"ttft_s": _between(0, 3600), "tokens_per_s": _between(0.001, 1e6)}
_MODEL: Mapping[str, Read] = {
    "provider": _text,
    "id": _text,
    "aliases": _list(_text),
    "context_window": _positive,
    "max_input": _positive,
    "max_output": _positive,
    "vocabulary": _choice(*VOCABULARIES),
    "template": _choice(*TEMPLATES),
    "framing_tokens": _count,
    "pictures": lambda value, path: _choice(*picture_rule_names())(value, path),
    "capability": _members(dict.fromkeys(TASKS, _between(0, 1)), dict),
    "latency": _members(_LATENCY, Latency, *_LATENCY),
    "features": _set(_choice(*FEATURES)),
    "sampling": _choice("always", "without_reasoning", "never"),
    "seed": _flag,
    "reasoning_off": _table,
    "params": _table,
    "service_tiers": _members(dict.fromkeys(SERVICE_TIERS[1:], _decimal(_MOST_TIMES)), dict),
    "available_from": _day,
    "retires": _day,
    "is_default": _flag,
    "note": _text,
}
MODEL_KEYS = (*_MODEL, "price", "prices")
PROVIDER_KEYS = tuple(_PROVIDER)
PRICE_KEYS = tuple(_PRICE)
