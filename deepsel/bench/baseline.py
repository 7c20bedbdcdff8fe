"""The earlier run that a new one is compared with: a record of `bench --format json`, each member of its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from deepsel.bench.records import Case, Result, Sample
from deepsel.dollars import read_usd
from deepsel.errors import UsageError
from deepsel.jsontext import loads
from deepsel.reads import read_file
from deepsel.show.record import SCHEMA_VERSION

_MOST_BYTES = 64 << 20
_MOST_SECONDS = 1e9
_MOST_COUNT = 10**12
_NO_RECORD = "is not a record of `bench --format json`"


def read_baseline(path: Path) -> list[Result]:
    """Read an earlier run; raises UsageError where the file is none."""
    try:
        return read_results(read_file(path, most_bytes=_MOST_BYTES))
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {(error.strerror or 'input/output error').lower()}") from error
    except ValueError as error:
        raise UsageError(f"`{path}` {error}") from None


def check_baseline(path: Path, baseline: Sequence[Result], models: Sequence[str]) -> None:
    """Raise UsageError for a baseline of other models, before anything is paid for."""
    known = {one.case.model for one in baseline}
    if not known & set(models):
        raise UsageError(f"`{path}` holds none of the models to measure", f"it has {', '.join(sorted(known)) or 'none'}")


def read_results(raw: str | bytes) -> list[Result]:
    """Read the cases of a record with their samples; raises ValueError, in words that follow its name, for anything else."""
    try:
        document = loads(raw)
    except ValueError:
        raise ValueError(_NO_RECORD) from None
    record = _typed("the file", document, dict)
    if record.get("schema") != SCHEMA_VERSION:
        raise ValueError("is not a record of this version of `bench --format json`")
    return [_result(case) for case in _typed("`cases`", record.get("cases"), list)]


def _result(value: Any) -> Result:
    """Read one case."""
    row = _typed("a case", value, dict)
    samples = tuple(_filled(Sample, one) for one in _typed("`samples`", row.get("samples"), list))
    return Result(_filled(Case, row), samples, _seconds(row.get("wall_s")))


def _filled(kind: type[Any], value: Any) -> Any:
    """Make a record of the members that have a field, each read by its field's type."""
    row = _typed("a case or sample", value, dict)
    given = {}
    for field in fields(kind):
        if field.name in row:
            try:
                given[field.name] = _READERS[str(field.type)](row[field.name])
            except ValueError:
                raise ValueError(f"{_NO_RECORD}: `{field.name}` is of another type, or out of range") from None
    try:
        return kind(**given)
    except TypeError:
        raise ValueError(f"{_NO_RECORD}: a case or sample lacks a member") from None


def _typed(name: str, value: Any, kind: type[Any]) -> Any:
    """Return a value that is of a type; raises ValueError where it is not."""
    if not isinstance(value, kind):
        raise ValueError(f"{_NO_RECORD}: {name} is no {'object' if kind is dict else 'list'}")
    return value


def _seconds(value: Any) -> float:
    """Read a number that a time, a rate or a wait can be; what is not raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MOST_SECONDS:
        raise ValueError(value)
    return float(value)


def _count(value: Any) -> int:
    """Read a number of things."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_COUNT:
        raise ValueError(value)
    return value


def _text(value: Any) -> str:
    """Read a name or a word."""
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _money(value: Any) -> Decimal:
    """Read an amount as it is written: decimal text."""
    amount = read_usd(_text(value))
    if amount is None:
        raise ValueError(value)
    return amount


def _gaps(value: Any) -> tuple[float, ...]:
    """Read a list of times."""
    return tuple(map(_seconds, _typed("a list of gaps", value, list)))


def _maybe(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Read with null as unknown."""
    return lambda value: None if value is None else read(value)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "str": _text,
    "Role": _text,
    "str | None": _maybe(_text),
    "Connection | None": _maybe(_text),
    "float": _seconds,
    "float | None": _maybe(_seconds),
    "int | None": _maybe(_count),
    "Decimal | None": _maybe(_money),
    "tuple[float, ...]": _gaps,
}
"""By the types of the fields of Case and Sample."""
