"""Turns a scenario's name, file or dict into a Scenario; a mistake is one ConfigError with place and nearest name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from deepsel.config import nearest_hint
from deepsel.errors import ConfigError
from deepsel.jsontext import loads
from deepsel.reads import read_file
from deepsel.simulator.answers.errors_table import ERRORS
from deepsel.simulator.batches import BAD_DAYS
from deepsel.simulator.catalogue import BUILT_IN
from deepsel.simulator.faults.table import FAULTS
from deepsel.simulator.scenario import Behaviour, Changes, Scenario, Section

MAX_FILE_BYTES = 4 << 20
MAX_STEPS = 10_000
Reader: TypeAlias = Callable[[Any], Any]
"""Takes a parsed value, gives ours; raises ValueError with words that follow `must be`."""


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Find a built-in scenario, a fault by its name, or a TOML or JSON file; raises ConfigError."""
    name = str(name_or_path)
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name in FAULTS:
        return Scenario(name, FAULTS[name].description, Behaviour(fault=(name,)))
    path = Path(name)
    try:
        raw = read_file(path, most_bytes=MAX_FILE_BYTES)
    except FileNotFoundError:
        hint = nearest_hint(name, (*BUILT_IN, *FAULTS))
        raise ConfigError(
            f"there is no scenario and no file called `{name}`",
            hint or "built-in scenarios: " + ", ".join(BUILT_IN),
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"cannot read `{path}`: {reason.lower()}") from error
    return parse_scenario(_parsed(raw, path), str(path))


def parse_scenario(data: Mapping[str, Any], source: str = "scenario") -> Scenario:
    """Check a scenario given as plain data; `source` leads every message."""
    place = _Place(source)
    place.check_keys(data, _TOP)
    models = place.table(data, "models")
    return Scenario(
        name=place.read(data, "name", _text, source),
        description=place.read(data, "description", _text, ""),
        default=Behaviour(**place.down("default").changes(place.table(data, "default"))),
        models={pattern: _section(place.down(f"models.{pattern}"), row) for pattern, row in models.items()},
        steps=_steps(place, data),
        repeat_steps=place.read(data, "repeat_steps", _flag, False),
        known_models=place.read(data, "known_models", _names, ()),
        close_idle_s=place.read(data, "close_idle_s", _positive, None),
    )


def _parsed(raw: bytes, path: Path) -> Mapping[str, Any]:
    """Parse a file: JSON where its name says so, else TOML."""
    import tomllib  # 15 ms, needed for files alone

    is_json = path.suffix.lower() == ".json"
    try:
        text = raw.decode("utf-8-sig")
        data = loads(text) if is_json else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid {'JSON' if is_json else 'TOML'}: {str(error).lower()}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: a scenario must be an object")
    return data


def _section(place: _Place, row: Any) -> Section:
    """Read one entry of `models`."""
    if not isinstance(row, Mapping):
        place.fail("must be a table")
    changes = {key: value for key, value in row.items() if key not in ("steps", "repeat_steps")}
    return Section(
        changes=place.changes(changes, also=("steps", "repeat_steps")),
        steps=_steps(place, row),
        repeat_steps=place.read(row, "repeat_steps", _flag, False),
    )


def _steps(place: _Place, data: Mapping[str, Any]) -> tuple[Changes, ...]:
    """Read a list of steps, one that has `times` as often as it says."""
    rows = data.get("steps", [])
    if not isinstance(rows, list):
        place.down("steps").fail("must be a list of tables")
    steps: list[Changes] = []
    for number, row in enumerate(rows, 1):
        step = place.down(f"steps[{number}]")
        if not isinstance(row, Mapping):
            step.fail("must be a table")
        times = step.read(row, "times", _count, 1)
        if len(steps) + times > MAX_STEPS:
            step.fail(f"brings the list to more than {MAX_STEPS} steps")
        changes = step.changes({key: value for key, value in row.items() if key != "times"}, also=("times",))
        steps += [changes] * times
    return tuple(steps)


class _Place:
    """Where in a scenario we are, for messages."""

    def __init__(self, source: str, path: str = "") -> None:
        self._source = source
        self._path = path

    def down(self, name: str) -> _Place:
        """Give the place of a member."""
        return _Place(self._source, f"{self._path}.{name}" if self._path else name)

    def fail(self, message: str, hint: str = "") -> NoReturn:
        """Raise the one line that says what is wrong here."""
        where = f" `{self._path}`" if self._path else ""
        raise ConfigError(f"{self._source}:{where} {message}", hint)

    def check_keys(self, data: Mapping[str, Any], known: Iterable[str]) -> None:
        """Refuse a member that nothing reads."""
        names = tuple(known)
        for key in data:
            if key not in names:
                self.down(str(key)).fail("is not a key of a scenario", nearest_hint(str(key), names))

    def read(self, data: Mapping[str, Any], key: str, reader: Reader, default: Any) -> Any:
        """Read one member, or give its default."""
        if key not in data:
            return default
        try:
            return reader(data[key])
        except _Unknown as error:
            self.down(key).fail(str(error), error.hint)
        except ValueError as error:
            self.down(key).fail(f"must be {error}")

    def table(self, data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Give a member that is a table, empty where it is missing."""
        found = data.get(key, {})
        if not isinstance(found, Mapping):
            self.down(key).fail("must be a table")
        return found

    def changes(self, data: Mapping[str, Any], *, also: tuple[str, ...] = ()) -> dict[str, Any]:
        """Read the fields of a behaviour; `also` are keys that belong here and were read elsewhere."""
        self.check_keys(data, (*READERS, "tokens_per_s", *also))
        if "tokens_per_s" in data and "itl_s" in data:
            self.fail("has both `itl_s` and `tokens_per_s`, which say the same")
        found = {key: self.read(data, key, READERS[key], None) for key in data if key != "tokens_per_s"}
        if "tokens_per_s" in data:
            found["itl_s"] = 1 / self.read(data, "tokens_per_s", _positive, 1.0)
        return found


class _Unknown(ValueError):
    """A name that nothing has; the hint gives its neighbours."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a string")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _number(low: float, high: float = 1e9) -> Reader:
    """Make a reader of numbers in [low, high]."""

    def read(value: Any) -> float:
        """Accept a number in the range."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return float(value)

    return read


def _integer(low: int, high: int = 1 << 30) -> Reader:
    """Make a reader of whole numbers in [low, high]."""

    def read(value: Any) -> int:
        """Accept a whole number in the range."""
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return read


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValueError('a list of ids or patterns, e.g. ["gpt-*"]')
    return tuple(value)


def _headers(value: Any) -> dict[str, str]:
    texts = value.values() if isinstance(value, Mapping) else [None]
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise ValueError('a table of header to text, e.g. { retry-after = "soon" }')
    return dict(value)


def _faults(value: Any) -> tuple[str, ...]:
    """Accept one fault or a list of them; a status may be a number."""
    names = [str(item) for item in value] if isinstance(value, list) else [str(value)]
    for name in names:
        if name not in FAULTS:
            raise _Unknown(f"names no fault: `{name}`", nearest_hint(name, FAULTS))
    return tuple(names)


def _error(value: Any) -> str:
    if str(value) not in ERRORS:
        raise _Unknown(f"names no error: `{value}`", nearest_hint(str(value), ERRORS))
    return str(value)


def _batch_day(value: Any) -> str:
    if value not in BAD_DAYS:
        raise _Unknown(f"names no bad day: `{value}`", nearest_hint(str(value), BAD_DAYS))
    return str(value)


_positive = _number(1e-6)
_count = _integer(1)
_seconds = _number(0)
READERS: Mapping[str, Reader] = {
    "headers_s": _seconds,
    "ttft_s": _seconds,
    "itl_s": _seconds,
    "cold_start_s": _seconds,
    "idle_before_cold_s": _seconds,
    "stall_s": _seconds,
    "stall_at_s": _seconds,
    "stall_every_s": _positive,
    "output_tokens": _integer(0, 10_000_000),
    "reasoning_tokens": _integer(0, 10_000_000),
    "text": _text,
    "chunk_tokens": _count,
    "events_per_write": _count,
    "cached_prefix": _flag,
    "context_window": _count,
    "refused_members": _names,
    "max_concurrent": _integer(0),
    "limit_requests": _integer(1),
    "limit_window_s": _positive,
    "headers": _headers,
    "fault": _faults,
    "fault_rate": _number(0, 1),
    "seed": _integer(0),
    "fault_error": _error,
    "fault_count": _integer(0, 1_000_000),
    "fault_interval_s": _number(1e-6),
    "fault_bytes": _integer(1),
    "retry_after_s": _seconds,
    "batch_s": _seconds,
    "batch_day": _batch_day,
    "batch_bad_jobs": _integer(0),
    "redirect_to": _text,
}
_TOP = tuple(field.name for field in fields(Scenario))
