"""What keeps a cache in order and moves it: prune, verify, export, import. Serves no request."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import TextIO

from deepsel.cache.database_file import translated_errors
from deepsel.cache.entry import CachedAnswer, Entry, decode, encode, is_other_format
from deepsel.cache.key import canonical_json
from deepsel.cache.locks import remove_left_files
from deepsel.cache.store import Cache
from deepsel.cache.tallies import damage_of_tallies, start_afresh
from deepsel.cache.tier import CacheCorrupt, CacheUnavailable, Tier
from deepsel.clock import Clock
from deepsel.errors import OTHER_HOME, ConfigError, UsageError
from deepsel.records import NamedTuple
from deepsel.values import JsonObject

LINE_FORMAT = 1


class Verdict(NamedTuple):
    """What `verify` found."""

    checked: int
    """Entries that were read."""
    problems: tuple[str, ...]
    is_repaired: bool


class Imported(NamedTuple):
    """What an import did."""

    stored: int
    expired: int
    """Left out: their time is over and no new one was given."""


def prune(cache: Cache, *, clock: Clock) -> tuple[int, int]:
    """Remove what has expired on disk and the lock files of killed processes; return how many of each.

    Memory and Redis forget by themselves. Raises ConfigError where the cache cannot be used.
    """
    try:
        removed = cache.disk.expire() if cache.disk else 0
        return removed, remove_left_files(cache.locks_folder, clock=clock)
    except (CacheUnavailable, OSError) as error:
        raise ConfigError(f"the cache cannot be pruned: {error}", OTHER_HOME) from error


def verify(cache: Cache, *, repairs: bool) -> Verdict:
    """Check the database and every entry of every tier; with `repairs` remove what is wrong and save what can be read.

    Nothing a tier holds is executed. Another version's entries are no problem: they are never served. Raises ConfigError where
    a tier cannot be read at all.
    """
    problems: list[str] = []
    checked = 0
    try:
        if cache.disk:
            problems += _check_disk(cache, repairs=repairs)
            problems += _check_tallies(cache, repairs=repairs)
        for tier in cache.own_tiers():
            count, bad = _check_entries(tier)
            checked += count
            problems += [f"the entry {key} in the {tier.name} tier is no answer to the request of its key" for key in bad]
            if repairs:
                tier.delete(bad)
    except CacheCorrupt as error:  # only where nothing is repaired
        problems.append(str(error))
    except CacheUnavailable as error:
        raise ConfigError(f"the cache cannot be checked: {error}", OTHER_HOME) from error
    return Verdict(checked, tuple(dict.fromkeys(problems)), repairs and bool(problems))


def export_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Write entries as JSON lines, in the order of their keys, so that two exports of the same cache can be compared."""
    for entry in sorted(entries, key=lambda one: one.key):
        # The entry stands in it as what it is in the cache, as an object, so that a person can read and diff it.
        document: JsonObject = {"schema": LINE_FORMAT, "key": entry.key, "entry": json.loads(encode(entry.answer))}
        yield canonical_json(document) + "\n"


def import_lines(cache: Cache, lines: Iterable[str], *, ttl_s: float | None = None) -> Imported:
    """Store exported entries, all or none; `ttl_s` gives them that long from now, None keeps the time each has left.

    Raises UsageError for a line that is no entry, or whose answer is not to the request of its key; ConfigError
    where nothing would outlive the process.
    """
    if cache.disk is None:
        raise ConfigError("an import needs a cache on disk", "set `disk = true` under `[cache]`")
    try:
        with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as kept:  # an export may be larger than memory
            read = _check_lines(lines, kept)
            return _store_lines(cache, kept, ttl_s, read)
    except OSError as error:
        words = (error.strerror or "input/output error").lower()
        raise ConfigError(f"an import needs room for temporary files: {words}", "let `TMPDIR` name another folder") from error


def _check_lines(lines: Iterable[str], kept: TextIO) -> int:
    """Write every line that is an entry into a file, and return their number; raises UsageError for one that is none."""
    found = 0
    for number, line in enumerate(lines, 1):
        if line.strip():
            _read_line(number, line)
            kept.write(line.rstrip("\r\n") + "\n")
            found += 1
    kept.seek(0)
    return found


def _store_lines(cache: Cache, kept: TextIO, ttl_s: float | None, read: int) -> Imported:
    """Store entries that are known to be good."""
    stored = 0
    for number, line in enumerate(kept, 1):
        key, answer = _read_line(number, line)
        left_s = cache.left_s(answer)
        if ttl_s is not None:
            answer = answer._replace(ttl_s=answer.ttl_s - left_s + ttl_s)
        if (left_s if ttl_s is None else ttl_s) > 0:
            cache.restore(key, answer)
            stored += 1
    return Imported(stored, read - stored)


def _read_line(number: int, line: str) -> tuple[str, CachedAnswer]:
    """Read one line of an export."""
    try:
        data = json.loads(line)
        key, text = data["key"], canonical_json(data["entry"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"line {number} is not an exported entry", "`deepsel cache export` writes them") from error
    answer = decode(text, key) if isinstance(key, str) else None
    if answer is None:
        raise UsageError(f"line {number}: its answer is not one to the request of its key; nothing was imported")
    return key, answer


def _check_disk(cache: Cache, *, repairs: bool) -> list[str]:
    """Check the file, and put it right: in place, or by saving what can be read into a new one."""
    assert cache.disk is not None
    try:
        problems = cache.disk.check()
        if problems and repairs:
            cache.disk.repair()
            if cache.disk.check():
                raise CacheCorrupt(problems[0])
    except CacheCorrupt as error:
        if not repairs:
            raise
        saved = 0
        for key, text in cache.disk.rescue():
            answer = decode(text, key)
            if answer is not None and cache.left_s(answer) > 0:
                cache.restore(key, answer)
                saved += 1
        return [f"{error}; the entries that could be read were saved: {saved}"]
    return problems


def _check_tallies(cache: Cache, *, repairs: bool) -> list[str]:
    """Check the record of what the cache did, and start it afresh where it cannot be read."""
    problem = damage_of_tallies(cache.path)
    if problem is None:
        return []
    if repairs:
        with translated_errors(cache.path):
            start_afresh(cache.path)
    return [problem]


def _check_entries(tier: Tier) -> tuple[int, list[str]]:
    """Read every entry; return how many there are, and the keys of those that can never be served."""
    checked, bad = 0, []
    for stored in tier.items():
        checked += 1
        if decode(stored.text, stored.key) is None and not is_other_format(stored.text):
            bad.append(stored.key)
    return checked, bad
