"""The facade: tiers in order, time to live, failures as misses, and what the commands ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cache_support import FakeClock, document_for, make_answer

from deepsel.cache import Cache, cache_key
from deepsel.cache.disk_tier import DiskTier
from deepsel.cache.entry import encode
from deepsel.cache.rests import FIRST_REST_S, LONGEST_REST_S
from deepsel.cache.store import LookUp, Storing
from deepsel.cache.tier import CacheUnavailable
from deepsel.errors import ConfigError, UsageError
from deepsel.values import Finish

Open = Callable[..., Cache]


def test_what_is_put_is_got_from_the_upper_tier(open_cache: Open, clock: FakeClock) -> None:
    """A process that stored an answer has it in memory, another one finds it on disk and then in memory."""
    key, answer = make_answer()
    first = open_cache(memory_entries=8)
    assert first.put(key, answer) == Storing(is_kept=True)
    stamped = answer._replace(stored_at=clock.now(), ttl_s=3600.0)
    assert first.get(key) == LookUp(stamped, "memory")
    second = open_cache(memory_entries=8)
    assert second.get(key) == LookUp(stamped, "disk")
    assert second.get(key) == LookUp(stamped, "memory")


@pytest.mark.parametrize(("waited_s", "is_hit"), [(0, True), (59.9, True), (60, False), (10_000, False)])
@pytest.mark.parametrize("memory_entries", [0, 8])
def test_answers_expire(
    open_cache: Open, clock: FakeClock, waited_s: float, is_hit: bool, memory_entries: int
) -> None:
    """An answer is served until its time is over, from either tier."""
    key, answer = make_answer()
    cache = open_cache(memory_entries=memory_entries, ttl_s=60)
    cache.put(key, answer)
    clock.sleep(waited_s)
    assert bool(cache.get(key)) is is_hit


def test_a_lower_hit_fills_memory_with_the_time_left(open_cache: Open, clock: FakeClock) -> None:
    """An answer found on disk does not live longer for having been copied."""
    key, answer = make_answer()
    open_cache().put(key, answer, ttl_s=100)
    clock.sleep(90)
    cache = open_cache(memory_entries=8)
    assert [bool(cache.get(key)) for _ in range(2)] == [True, True]
    assert cache.stats()[0][0].entries == 1
    clock.sleep(10)
    assert not cache.get(key)
    assert cache.stats()[0][0].entries == 0


def test_an_entry_has_its_own_time(open_cache: Open, clock: FakeClock) -> None:
    """`ttl_s` of one put wins over the cache's; zero stores nothing."""
    (key, answer), (other_key, other) = make_answer(), make_answer("other")
    cache = open_cache(ttl_s=10)
    assert cache.put(key, answer, ttl_s=1000)
    assert not cache.put(other_key, other, ttl_s=0)
    clock.sleep(500)
    assert (bool(cache.get(key)), bool(cache.get(other_key))) == (True, False)


def test_an_answer_from_the_future_is_not_served(open_cache: Open, clock: FakeClock) -> None:
    """A clock that was set back does not lengthen an answer's life; a small difference between clocks is accepted."""
    key, answer = make_answer()
    cache = open_cache(ttl_s=60)
    clock.seconds = 200
    cache.put(key, answer)
    clock.seconds = 0
    assert cache.get(key)
    clock.seconds = -200
    assert not cache.get(key)


@pytest.mark.parametrize("finish", [finish for finish in Finish if finish is not Finish.COMPLETE])
def test_an_incomplete_answer_is_refused(open_cache: Open, folder: Path, finish: Finish) -> None:
    """Storing anything but a complete answer is an error, and nothing is stored."""
    key, answer = make_answer(finish=finish)
    cache = open_cache(memory_entries=8)
    with pytest.raises(ValueError, match="only complete"):
        cache.put(key, answer)
    assert not cache.get(key)
    assert not folder.exists()


def test_an_answer_to_another_request_is_refused(open_cache: Open, folder: Path) -> None:
    """The document decides the key: a foreign answer is neither stored nor, where a row was moved, served."""
    _, answer = make_answer()
    cache = open_cache()
    other = cache_key(document_for("another"))
    with pytest.raises(ValueError, match="key"):
        cache.put(other, answer)
    tier = DiskTier(folder, size_limit_bytes=1 << 20)
    tier.put(other, encode(answer._replace(stored_at=FakeClock().now(), ttl_s=60.0)), ttl_s=60, label="m-1")
    tier.close()
    assert cache.get(other) == LookUp(None, None)


def test_a_newer_answer_replaces(open_cache: Open) -> None:
    """A second put under a key wins in every tier."""
    key, answer = make_answer()
    cache = open_cache(memory_entries=8)
    cache.put(key, answer)
    cache.put(key, answer._replace(text="newer"))
    for reader in (cache, open_cache()):
        found = reader.get(key)
        assert found.answer is not None
        assert found.answer.text == "newer"


def test_a_corrupt_database_is_a_miss_and_one_warning(open_cache: Open, folder: Path) -> None:
    """A damaged file costs one warning a process, given to the request that met it; memory goes on; nothing raises."""
    folder.mkdir(parents=True)
    (folder / "cache.db").write_bytes(b"garbage " * 1000)
    key, answer = make_answer()
    cache = open_cache(memory_entries=8)
    found, _, notices = cache.get(key)
    assert found is None
    assert cache.put(key, answer) == Storing(is_kept=False)
    assert cache.get(key).tier == "memory"
    assert [notice.code for notice in notices] == ["cache_unavailable"]
    assert "disk" in notices[0].message
    assert "cache clear --all" in notices[0].message
    assert cache.get("k1-other") == LookUp(None, None)
    cache.close()
    assert (folder / "cache.db").read_bytes() == b"garbage " * 1000


def test_an_unusable_folder_is_a_miss_and_one_warning(open_cache: Open, tmp_path: Path) -> None:
    """A folder that cannot be made costs one warning and no failure."""
    (tmp_path / "file").write_text("")
    cache = open_cache(tmp_path / "file" / "answers")
    key, answer = make_answer()
    found, first, second = cache.get(key), cache.put(key, answer), cache.put(key, answer)
    assert (bool(found), bool(first), bool(second)) == (False, False, False)
    assert len([*found.notices, *first.notices, *second.notices]) == 1


def test_a_tier_that_failed_is_tried_again(open_cache: Open, clock: FakeClock) -> None:
    """A disk that fails is left alone for 30 s, then twice as long each time up to ten minutes, and used again once it works."""
    key, answer = make_answer()
    cache = open_cache()
    assert cache.put(key, answer, ttl_s=1e6)
    assert cache.disk is not None
    works, tries = cache.disk.get, []

    def fails(_: str) -> None:
        tries.append(clock.monotonic())
        raise CacheUnavailable("locked for a moment")

    cache.disk.get = fails  # type: ignore[method-assign]  # a disk whose trouble begins and ends
    notices = []
    for _ in range(4000):
        notices += cache.get(key).notices
        clock.sleep(1)
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert waits == [FIRST_REST_S, 60, 120, 240, 480, *[LONGEST_REST_S] * (len(waits) - 5)]
    assert len(waits) > 7
    assert [notice.code for notice in notices] == ["cache_unavailable"]
    cache.disk.get = works  # type: ignore[method-assign]
    clock.sleep(LONGEST_REST_S)
    assert cache.get(key).tier == "disk"
    assert cache.get(key).tier == "disk"


def test_after_a_rest_one_caller_tries(open_cache: Open, clock: FakeClock) -> None:
    """While one caller finds out whether a tier works again, the others go on without it."""
    cache = open_cache()
    assert cache.disk is not None
    tries = []

    def fails(key: str) -> None:
        tries.append(key)
        if key == "k1-first":
            assert not cache.get("k1-second")
        raise CacheUnavailable("locked for a moment")

    cache.disk.get = fails  # type: ignore[method-assign]  # as above
    cache.get("k1-begin")
    clock.sleep(FIRST_REST_S)
    cache.get("k1-first")
    assert tries == ["k1-begin", "k1-first"]


def test_a_look_before_the_request_tells_nobody(open_cache: Open, folder: Path) -> None:
    """Who only looks at the disk takes no warning from the request that is told of it."""
    folder.mkdir(parents=True)
    (folder / "cache.db").write_bytes(b"garbage " * 1000)
    cache = open_cache()
    assert cache.on_disk("k1-a") is None
    assert len(cache.get("k1-a").notices) == 1


@pytest.mark.parametrize(
    "ask",
    [
        lambda cache: cache.stats(),
        lambda cache: list(cache.entries()),
        lambda cache: cache.show("k1-a"),
        lambda cache: cache.clear(model="m-1"),
    ],
)
def test_commands_say_when_the_cache_is_broken(open_cache: Open, folder: Path, ask: Callable[[Cache], Any]) -> None:
    """Who asks about the cache itself is told that it cannot be read, and what helps."""
    folder.mkdir(parents=True)
    (folder / "cache.db").write_bytes(b"garbage " * 1000)
    cache = open_cache()
    with pytest.raises(ConfigError) as caught:
        ask(cache)
    assert "clear --all" in caught.value.hint
    assert cache.clear(all_entries=True) == 0
    assert cache.put(*make_answer())


def test_stats_count_what_was_served_and_bought(open_cache: Open) -> None:
    """Hits and bought answers outlive the process with what they cost; a vain look-up and an explanation are neither."""
    key, answer = make_answer()
    first = open_cache(memory_entries=8)
    first.get(key)
    first.put(key, answer)
    first.get(key)
    first.close()
    second = open_cache()
    second.get(key)
    second.get(key, is_counted=False)
    tiers, tallies = second.stats()
    assert (tiers[-1].name, tiers[-1].entries, tiers[-1].size_bytes > 0) == ("disk", 1, True)
    cost = Decimal("0.000125")
    assert [(one.tier, one.answers, one.usd) for one in tallies] == [
        ("bought", 1, cost), ("disk", 1, cost), ("memory", 1, cost)
    ]  # fmt: skip


def fill(cache: Cache, clock: FakeClock) -> list[str]:
    """Store three answers an hour apart, oldest first, of two models."""
    keys = []
    for prompt, model in [("one", "m-1"), ("two", "m-2"), ("three", "m-1")]:
        key, answer = make_answer(prompt, model=model)
        cache.put(key, answer)
        keys.append(key)
        clock.sleep(3600)
    return keys


def test_entries_are_listed_newest_first(open_cache: Open, clock: FakeClock) -> None:
    """The list goes from new to old, shows expired entries as such, and can be narrowed by model and age."""
    cache = open_cache(ttl_s=2.5 * 3600, memory_entries=8)
    keys = fill(cache, clock)
    entries = list(cache.entries())
    assert [entry.key for entry in entries] == keys[::-1]
    assert [entry.left_s for entry in list(open_cache().entries())] == [5400.0, 1800.0, -1800.0]
    assert [entry.answer.prompt for entry in cache.entries(model="m-2")] == ["two"]
    assert [entry.key for entry in cache.entries(older_than_s=7200)] == keys[1::-1]
    assert list(cache.entries(model="m-2", older_than_s=7201)) == []


def test_show_takes_the_beginning_of_a_key(open_cache: Open, clock: FakeClock) -> None:
    """A key is found by any beginning that fits it alone, with or without its version."""
    cache = open_cache()
    keys = fill(cache, clock)
    for given in (keys[1], keys[1][:12], keys[1][3:12]):
        assert cache.show(given).answer.prompt == "two"
    with pytest.raises(UsageError, match="several"):
        cache.show("k1-")
    for wrong in ("k1-zz", "k2-" + keys[1][3:], "%", "'"):
        with pytest.raises(UsageError, match="no cached answer"):
            cache.show(wrong)


@pytest.mark.parametrize(
    ("selector", "removed"),
    [
        ({"model": "m-1"}, [0, 2]),
        ({"older_than_s": 7200}, [0, 1]),
        ({"model": "m-1", "older_than_s": 7200}, [0]),
        ({"model": "none"}, []),
        ({"older_than_s": 0}, [0, 1, 2]),
        ({"all_entries": True}, [0, 1, 2]),
    ],
)
@pytest.mark.parametrize("memory_entries", [0, 8])
def test_clear_removes_what_is_selected(
    open_cache: Open, clock: FakeClock, selector: dict[str, Any], removed: list[int], memory_entries: int
) -> None:
    """Clearing by model, age, both or all removes that from every tier and counts each answer once."""
    cache = open_cache(ttl_s=100_000, memory_entries=memory_entries)
    keys = fill(cache, clock)
    assert cache.clear(**selector) == len(removed)
    assert [not cache.get(key) for key in keys] == [number in removed for number in range(3)]


@pytest.mark.parametrize("selector", [{}, {"all_entries": True, "model": "m-1"}])
def test_clear_wants_one_way_to_select(open_cache: Open, clock: FakeClock, selector: dict[str, Any]) -> None:
    """Without a selector, or with one beside `--all`, nothing is removed."""
    cache = open_cache()
    keys = fill(cache, clock)
    with pytest.raises(UsageError) as caught:
        cache.clear(**selector)
    assert "--all" in caught.value.hint
    assert len(list(cache.entries())) == len(keys)


def test_ages_without_an_instant_are_refused(open_cache: Open) -> None:
    """An age that reaches before the calendar is a usage error, not a crash."""
    with pytest.raises(UsageError):
        open_cache().clear(older_than_s=timedelta.max.total_seconds())
