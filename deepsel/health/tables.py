"""The form of the file all processes of a user share: its tables, and how they became what they are."""

from __future__ import annotations

FILE_NAME = "observations.sqlite"
"""In the data folder."""
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
)
"""What turns a file of form N into one of form N + 1. The files of the first releases say 0 and hold the first step."""
