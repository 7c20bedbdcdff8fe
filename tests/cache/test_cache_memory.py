"""The memory tier: bounds, order of leaving, expiry, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from cache_support import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from deepsel.cache.memory import MemoryTier


def tier_of(clock: FakeClock, entries: int = 3, size: int = 10_000) -> MemoryTier:
    return MemoryTier(max_entries=entries, max_bytes=size, clock=clock)


def put(tier: MemoryTier, *keys: str, text: str = "text", ttl_s: float = 60) -> None:
    for key in keys:
        tier.put(key, text, ttl_s=ttl_s, label="m")


def test_the_least_recently_used_leaves_first(clock: FakeClock) -> None:
    """Reading an entry keeps it; the one untouched for longest goes."""
    tier = tier_of(clock)
    put(tier, "a", "b", "c")
    assert tier.get("a") == "text"
    put(tier, "d")
    assert [tier.get(key) for key in "abcd"] == ["text", None, "text", "text"]


def test_bytes_are_bounded(clock: FakeClock) -> None:
    """Entries leave until the bytes fit; one that never fits is refused and its older version is gone."""
    tier = tier_of(clock, entries=100, size=100)
    put(tier, "a", "b", text="\u00e9" * 24)  # 49 bytes each, with the key
    assert tier.stats().size_bytes == 98
    put(tier, "c")
    assert (tier.get("a"), tier.stats().size_bytes) == (None, 54)
    assert not tier.put("b", "x" * 100, ttl_s=60, label="m")
    assert (tier.get("b"), tier.stats().size_bytes) == (None, 5)


@pytest.mark.parametrize(("waited_s", "held"), [(59.9, "text"), (60, None), (61, None)])
def test_entries_expire(clock: FakeClock, waited_s: float, held: str | None) -> None:
    """An entry is gone the moment its time is over."""
    tier = tier_of(clock)
    put(tier, "a")
    clock.sleep(waited_s)
    assert tier.get("a") == held
    assert tier.stats().entries == (1 if held else 0)


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["put", "get", "delete"]), st.sampled_from("abcdef"), st.text(max_size=30)), max_size=40
)


@given(OPERATIONS)
def test_bounds_hold_whatever_happens(operations: list[tuple[str, str, str]]) -> None:
    """After any operations the bounds hold, the size is the sum of the entries, and each is the text put last."""
    tier = tier_of(FakeClock(), entries=4, size=90)
    last: dict[str, str] = {}
    for verb, key, text in operations:
        if verb == "put":
            put(tier, key, text=text)
            last[key] = text
        elif verb == "get":
            assert tier.get(key) in (None, last.get(key))
        else:
            tier.delete([key])
            assert tier.get(key) is None
    held = list(tier.items())
    assert len(held) <= 4
    assert sum(one.size_bytes for one in held) == tier.stats().size_bytes <= 90
    assert all(one.text == last[one.key] for one in held)


def test_threads_do_not_break_it(clock: FakeClock) -> None:
    """Many threads at once leave it within its bounds."""
    tier = tier_of(clock, entries=8)

    def work(number: int) -> None:
        for step in range(200):
            put(tier, f"k{(number * 7 + step) % 20}")
            tier.get(f"k{step % 20}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert tier.stats().entries == 8
    assert tier.stats().size_bytes == sum(one.size_bytes for one in tier.items())


def test_labels_select_and_clear_counts(clock: FakeClock) -> None:
    """Entries can be listed by label and prefix, newest first; clearing says how many there were."""
    tier = tier_of(clock)
    put(tier, "ka", "kb")
    tier.put("x", "text", ttl_s=60, label="other")
    assert [one.key for one in tier.items("m")] == ["kb", "ka"]
    assert tier.keys("k") == ["ka", "kb"]
    assert (tier.clear(), tier.clear(), tier.stats().size_bytes) == (3, 0, 0)
