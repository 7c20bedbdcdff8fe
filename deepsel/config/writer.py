"""Writes a first profiles.toml, never over one that is there, and the text of one with new figures in it; the only importer of tomli-w."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepsel.catalog import Catalog
from deepsel.config.settings import CacheSettings, Profile
from deepsel.errors import OTHER_HOME, ConfigError
from deepsel.storage import files
from deepsel.values import Latency

_HEAD = """\
# profiles.toml of deepsel, written by `deepsel init`. Every key and its meaning: profiles.toml.example.
# Keys of providers are read from the environment; none belongs into this file.
"""
_NOTES = {
    "strategy": "cheapest, fastest, best, balanced or ordered",
    "models": "candidates; their order breaks ties. `deepsel models` lists them",
    "larger_context": "where a cut answer is asked again",
    "max_cost_usd": "bound on one request at its longest answer",
    "retries": "calls beyond the first: retries and fall-backs of one request together",
    "timeout_s": "the whole request",
    "ttl_s": "how long an answer is kept",
}


def first_profiles(env: Mapping[str, str], catalog: Catalog) -> tuple[str, list[str]]:
    """Make the text of a profiles.toml that uses the keys in `env`, and the names of the variables it found."""
    import tomli_w

    rows = [catalog.find_model(name) for name in catalog.default_models]
    found = {
        provider.api_key_env: provider.name
        for provider in catalog.providers.values()
        if provider.api_key_env and env.get(provider.api_key_env, "").strip()
    }
    providers = {row.provider for row in rows if catalog.providers[row.provider].api_key_env in found}
    names = [row.name for row in rows if row.provider in providers]
    document: dict[str, Any] = {}
    if names:
        document = {"default_profile": "main", "profiles": {"main": _profile(names, rows)}}
    document["cache"] = {"ttl_s": int(CacheSettings().ttl_s)}
    return _HEAD + _commented(tomli_w.dumps(document)), sorted(found)


def _profile(names: list[str], rows: list[Any]) -> dict[str, Any]:
    """Choose the members worth showing to somebody who begins."""
    defaults = Profile(name="main", models=tuple(names))
    windows = {row.name: row.context_window or 0 for row in rows}
    # Under a cap a model without a known price is refused, and a gateway's prices are its own.
    cap = {"max_cost_usd": "0.50"} if all(row.prices for row in rows if row.name in names) else {}
    return {
        "models": names,
        "strategy": defaults.strategy,
        "larger_context": [max(names, key=lambda name: windows[name])],
        **cap,
        "retries": defaults.retries,
        "timeout_s": int(defaults.timeout_s),
    }


def _commented(text: str) -> str:
    """Put each member's meaning above it."""
    lines = []
    for line in text.splitlines():
        key = line.partition(" = ")[0]
        if key in _NOTES:
            lines.append(f"# {_NOTES[key]}")
        lines.append(line)
    return "\n".join(lines) + "\n"


def with_latency(source: str, figures: Mapping[str, Latency]) -> str:
    """Return the text of a profiles.toml with measured latency of its models: see `_with_tables`."""
    tables = {name: {"ttft_s": one.ttft_s, "tokens_per_s": one.tokens_per_s} for name, one in figures.items()}
    return _with_tables(source, "latency", tables)


def with_strengths(source: str, figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return the text of a profiles.toml with strengths by model and task: see `_with_tables`. Tasks not named keep theirs."""
    import tomllib

    models = tomllib.loads(source).get("models", {})
    merged = {name: {**models.get(name, {}).get("capability", {}), **tasks} for name, tasks in figures.items()}
    return _with_tables(source, "capability", merged)


def _with_tables(source: str, key: str, figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return the text of a profiles.toml with a table `key` for each model, every comment kept.

    They are appended as tables of their own, in place of those of an earlier run. Raises ConfigError where that would
    not say exactly what is meant, as with a table that stands inside the model's own.
    """
    import tomllib

    import tomli_w

    document = tomllib.loads(source)
    for name, one in figures.items():
        row = document.setdefault("models", {}).setdefault(name, {})
        old, new = row.get(key), dict(one)
        row[key] = new
        if old is not None:
            source = source.replace(tomli_w.dumps({"models": {name: {key: old}}}), "")
        source = source.rstrip("\n") + "\n\n" + tomli_w.dumps({"models": {name: {key: new}}})
        try:
            is_meant = tomllib.loads(source) == document
        except tomllib.TOMLDecodeError:
            is_meant = False
        if not is_meant:
            line = f"{key} = {{ {', '.join(f'{part} = {value}' for part, value in new.items())} }}"
            raise ConfigError(
                f"the figures of `{name}` cannot be written without rewriting what stands there",
                f"write into `[models.{name}]` yourself: {line}",
            )
    return source.lstrip("\n")


def write_new(path: Path, text: str) -> bool:
    """Create `path` for its owner alone; False where something is there already. Raises ConfigError where it cannot be written."""
    try:
        files.make_private_folder(path.parent)
        return files.write_new(path, text.encode())
    except OSError as error:
        words = f"cannot write `{path}`: {(error.strerror or 'input/output error').lower()}"
        raise ConfigError(words, f"check its permissions, or {OTHER_HOME}") from error
