"""The form of the file all processes of a user share: its tables, and how they became what they are."""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.storage.amounts import MOST_PICOUSD

FILE_NAME = "observations.sqlite"
"""In the data folder."""
SKEW_S = 300.0
"""So far apart may two clocks be, or two readings of one; what lies further ahead was written by a clock that ran ahead."""
REPAIR = "`deepsel stats --repair` saves what can be read"
STEPS = (
    (
        "CREATE TABLE IF NOT EXISTS observations (at, profile, provider, model, task, outcome, error_class, http_status, "
        "input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, cost_picousd, ttft_s, total_s, wait_s)",
        "CREATE INDEX IF NOT EXISTS observations_by_time ON observations (at)",
    ),
    (
        "ALTER TABLE observations ADD COLUMN number INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE observations ADD COLUMN host TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE observations ADD COLUMN cache_status TEXT NOT NULL DEFAULT 'off'",
        "ALTER TABLE observations ADD COLUMN saved_picousd INTEGER",
        "ALTER TABLE observations ADD COLUMN gateway_cache TEXT",
        "ALTER TABLE observations ADD COLUMN gateway_retries INTEGER",
        "ALTER TABLE observations ADD COLUMN trace_id TEXT",
        "UPDATE observations SET cache_status = 'hit' WHERE outcome = 'hit'",
        "CREATE INDEX observations_by_endpoint ON observations (provider, model, at)",
        "CREATE TABLE endpoints (provider TEXT, model TEXT, since REAL, samples INTEGER, ttft_p95_s REAL, "
        "error_rate REAL, probe_until REAL NOT NULL DEFAULT 0, healed_at REAL NOT NULL DEFAULT 0, "
        "PRIMARY KEY (provider, model))",
        "CREATE TABLE limits (provider TEXT, model TEXT, closed_until REAL NOT NULL DEFAULT 0, requests_left INTEGER, "
        "resets_at REAL NOT NULL DEFAULT 0, PRIMARY KEY (provider, model))",
        "CREATE TABLE holds (id INTEGER PRIMARY KEY AUTOINCREMENT, profile TEXT, expires_at REAL, picousd INTEGER)",
        "CREATE TABLE spend (profile TEXT, day TEXT, picousd INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (profile, day))",
        "INSERT INTO spend SELECT profile, date(at, 'unixepoch'), SUM(COALESCE(cost_picousd, 0)) FROM observations "
        "GROUP BY 1, 2",
    ),
    (
        "ALTER TABLE observations ADD COLUMN first_sign_s REAL",
        "ALTER TABLE observations ADD COLUMN is_loading INTEGER NOT NULL DEFAULT 0",
        "CREATE TABLE taken_back (provider TEXT, model TEXT, change TEXT, until REAL, PRIMARY KEY (provider, model, change))",
    ),
    ("ALTER TABLE holds ADD COLUMN at REAL",),
    (
        "ALTER TABLE observations ADD COLUMN client TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE holds ADD COLUMN client TEXT NOT NULL DEFAULT ''",
    ),
    ("CREATE TABLE IF NOT EXISTS paces (provider TEXT, model TEXT, most REAL, ceiling REAL, at REAL, PRIMARY KEY (provider, model))",),
)
"""What turns a file of form N into one of form N + 1. The files of the first releases say 0 and hold the first step."""

_LAST_INSTANT = 253_402_300_799
"""The end of the year 9999, in seconds since the epoch."""
_LONGEST_S = 10**8
_MOST_COUNT = 10**15


def _text(name: str) -> str:
    return f"typeof({name}) = 'text'"


def _number(name: str, most: int) -> str:
    return f"typeof({name}) IN ('integer', 'real') AND {name} BETWEEN 0 AND {most}"


def _whole(name: str, most: int) -> str:
    return f"typeof({name}) = 'integer' AND {name} BETWEEN 0 AND {most}"


def _optional(name: str, condition: str) -> str:
    return f"({name} IS NULL OR {condition})"


_COUNTS = ("http_status", "input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens", "gateway_retries")
_SECONDS = ("ttft_s", "total_s", "first_sign_s")
_AMOUNTS = ("cost_picousd", "saved_picousd")
READABLE: Mapping[str, str] = {
    "observations": " AND ".join(
        [
            _number("at", _LAST_INSTANT),
            *(_text(name) for name in ("profile", "provider", "model", "task", "outcome", "host", "cache_status", "client")),
            *(_optional(name, _text(name)) for name in ("error_class", "gateway_cache", "trace_id")),
            *(_optional(name, _whole(name, _MOST_COUNT)) for name in _COUNTS),
            *(_optional(name, _whole(name, MOST_PICOUSD)) for name in _AMOUNTS),
            *(_optional(name, _number(name, _LONGEST_S)) for name in _SECONDS),
            _number("wait_s", _LONGEST_S),
            _whole("number", _MOST_COUNT),
            _whole("is_loading", 1),
        ]
    ),
    "endpoints": " AND ".join(
        [
            _text("provider"),
            _text("model"),
            *(_optional(name, _number(name, _LAST_INSTANT)) for name in ("since", "samples", "ttft_p95_s", "error_rate")),
            _number("probe_until", _LAST_INSTANT),
            _number("healed_at", _LAST_INSTANT),
        ]
    ),
    "limits": " AND ".join(
        [
            _text("provider"),
            _text("model"),
            _number("closed_until", _LAST_INSTANT),
            _optional("requests_left", f"typeof(requests_left) = 'integer' AND requests_left <= {_MOST_COUNT}"),
            _number("resets_at", _LAST_INSTANT),
        ]
    ),
    "holds": " AND ".join(
        [
            _text("profile"),
            _number("expires_at", _LAST_INSTANT),
            _optional("at", _number("at", _LAST_INSTANT)),
            _whole("picousd", MOST_PICOUSD),
        ]
    ),
    "spend": " AND ".join([_text("profile"), "day = date(day)", _whole("picousd", 9 * 10**18)]),
    "paces": " AND ".join(
        [
            _text("provider"),
            _text("model"),
            _number("most", 10**6),
            _optional("ceiling", _number("ceiling", 10**6)),
            _number("at", _LAST_INSTANT),
        ]
    ),
    "taken_back": " AND ".join([_text("provider"), _text("model"), _text("change"), _number("until", _LAST_INSTANT)]),
}
"""Table to the condition, in SQL, under which a row is one that deepsel writes. Any other row is passed over wherever rows
are read: the file may be damaged, or another version's, or somebody's own."""
