"""What answers at `redis_url` may be anything: it costs a miss, bounded time and memory, and one warning."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count, repeat
from pathlib import Path
from typing import Any

import pytest
from cache_support import make_answer
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis_support import RedisProcess

from deepsel.cache import Cache, Patience, RedisServer, redis_tier
from deepsel.cache.redis_server import ENTRY_BYTES
from deepsel.cache.tier import CacheResting, CacheUnavailable
from deepsel.clock import SystemClock
from deepsel.config import CacheSettings

TIMEOUT_S = 0.2
BLOCK = b"x" * 65536
MOST_BYTES = ENTRY_BYTES + (48 << 20)
"""What is read at most, and what the system's buffers may have taken besides on so many connections."""

Talk = Callable[[bytes], Iterator[bytes]]


class Stranger:
    """Something that listens; on each connection it waits for words, and says what `talk` gives for them."""

    def __init__(self, talk: Talk, *, greets: bool = False) -> None:
        self.talk, self.greets = talk, greets
        self.heard = 0
        self.sent_bytes = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://:sesame-open@127.0.0.1:{self._listener.getsockname()[1]}/0"
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, one: socket.socket) -> None:
        with one, suppress(OSError):
            words = b"" if self.greets else one.recv(1 << 20)
            while words or self.greets:
                self.heard += 1
                for piece in self.talk(words):
                    one.sendall(piece)
                    self.sent_bytes += len(piece)
                words = one.recv(1 << 20)


@contextmanager
def stranger(talk: Talk, **choices: Any) -> Iterator[Stranger]:
    found = Stranger(talk, **choices)
    yield found
    found.close()


def drip(piece: bytes, first: bytes = b"") -> Talk:
    def talk(_: bytes) -> Iterator[bytes]:
        yield first
        while True:
            yield piece
            time.sleep(0.02)

    return talk


def flood(first: bytes, block: bytes = BLOCK) -> Talk:
    def talk(_: bytes) -> Iterator[bytes]:
        yield first
        yield from repeat(block)

    return talk


def once(reply: bytes) -> Talk:
    return lambda _: iter([reply])


def a_reply_each(reply: bytes) -> Talk:
    """Answer every command of what is sent at once."""
    return lambda words: repeat(reply, max(1, words.count(b"*")))


STRANGERS: dict[str, Talk] = {
    "drips": drip(b"$"),
    "drips a line": drip(b"+"),
    "drips a text": drip(b"x", b"$900\r\n"),
    "drips a number": drip(b"1", b":"),
    "a line without end": flood(b"+"),
    "an error without end": flood(b"-ERR "),
    "a huge text": flood(b"$536870912\r\n"),
    "a text larger than numbers": flood(b"$" + b"9" * 30 + b"\r\n"),
    "a number of too many digits": once(b":" + b"9" * 5000 + b"\r\n"),
    "a negative length": once(b"$-17\r\n*-9\r\n"),
    "deep lists": once(b"*1\r\n" * 200_000),
    "a wide list": flood(b"*2147483647\r\n", b":1\r\n" * 10_000),
    "lists in lists": flood(b"*2147483647\r\n", b"*0\r\n" * 10_000),
    "pushes of the third version": a_reply_each(b">2\r\n+message\r\n+a\r\n"),
    "maps of the third version": a_reply_each(b"%1\r\n+a\r\n+b\r\n"),
    "numbers": a_reply_each(b":17\r\n"),
    "lists": a_reply_each(b"*2\r\n:1\r\n:2\r\n"),
    "nothing": a_reply_each(b"$-1\r\n"),
    "OK": a_reply_each(b"+OK\r\n"),
    "binary": a_reply_each(b"$4\r\n\xff\xfe\r\n\r\n"),
    "HTTP": once(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"),
    "an error with escapes and the password": a_reply_each(b"-ERR \x1b[2J\x07 no sesame-open " + b"z" * 9000 + b"\r\n"),
    "elsewhere": a_reply_each(b"-MOVED 1 127.0.0.1:1\r\n"),
    "elsewhere, nowhere": a_reply_each(b"-MOVED\r\n"),
    "a cluster that is down": a_reply_each(b"-CLUSTERDOWN no\r\n"),
    "try again": a_reply_each(b"-TRYAGAIN no\r\n"),
    "loading": a_reply_each(b"-LOADING no\r\n"),
    "silence": lambda _: iter(()),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_whatever_answers_costs_one_warning(tmp_path: Path, name: str) -> None:
    """Looking, storing, locking and listing all end, without an exception, with little that was read, and are told once."""
    with stranger(STRANGERS[name]) as other:
        server = RedisServer(other.url, clock=SystemClock(), namespace="team", timeout_s=TIMEOUT_S)
        cache = Cache(tmp_path, CacheSettings(disk=False, memory_entries=0), clock=SystemClock(), server=server)
        key, answer = make_answer()
        patience = Patience()
        told = [*cache.get(key, None, patience).notices]
        for places in cache.locks_of(key, None, patience):
            places(0).try_acquire()
        told += cache.put(key, answer, patience=patience).notices
        assert not cache.get(key, None, patience)
        assert list(cache.entries()) == []
        told += cache.left_out
        cache.close()
    assert len(told) <= 1
    for notice in told:
        assert len(notice.message) < 400
        assert notice.message.isprintable()
        assert "sesame-open" not in notice.message
    assert other.sent_bytes < MOST_BYTES


@hypothesis_settings(max_examples=60)
@given(reply=st.one_of(st.binary(max_size=60), st.text("$*+-:_,#!=(%~>0123456789\r\nab", max_size=40).map(str.encode)))
def test_any_bytes_are_a_miss(reply: bytes) -> None:
    """No bytes that answer make a look-up raise anything else than what a miss is made of."""
    with stranger(once(reply + b"\r\n")) as other:
        server = RedisServer(other.url, clock=SystemClock(), timeout_s=0.05)
        tier = redis_tier.RedisTier(server, "n-team", Patience())
        with suppress(CacheUnavailable):
            assert tier.get("k1-a") is None or b"$" in reply
        server.close()


def test_a_server_that_is_late_each_time_is_given_up(tmp_path: Path) -> None:
    """One request waits for late replies only so often, though each comes in time; the next request begins anew."""

    def late(words: bytes) -> Iterator[bytes]:
        time.sleep(0.75 * 2 * TIMEOUT_S)
        yield from a_reply_each(b"+OK\r\n")(words)

    with stranger(late) as other:
        server = RedisServer(other.url.replace(":sesame-open@", ""), clock=SystemClock(), timeout_s=2 * TIMEOUT_S)
        tier = redis_tier.RedisTier(server, "n-team", Patience())
        with suppress(CacheResting):
            for _ in range(10):
                tier.put("k1-a", "text", ttl_s=9, label="m")
        server.close()
    assert 1 <= other.heard <= 3


def test_a_list_without_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose listing never ends, or lists more than any cache has, is left out with a notice."""
    numbers = count()

    def talk(words: bytes) -> Iterator[bytes]:
        if b"SCAN" not in words.upper():
            yield from a_reply_each(b"+OK\r\n")(words)
            return
        name = f"deepsel:n-team:answer:k1-{next(numbers)}".encode()
        yield b"*2\r\n$2\r\n17\r\n*1\r\n$%d\r\n%s\r\n" % (len(name), name)

    monkeypatch.setattr(redis_tier, "_MOST_ROUNDS", 50)
    with stranger(talk) as other:
        server = RedisServer(other.url, clock=SystemClock(), timeout_s=5)
        tier = redis_tier.RedisTier(server, "n-team")
        with pytest.raises(CacheResting, match="without end"):
            tier.clear()
        server.close()
    assert next(numbers) == 51


def _cache(tmp_path: Path, redis: RedisProcess) -> Cache:
    server = RedisServer(redis.url, clock=SystemClock(), namespace="team", timeout_s=5)
    return Cache(tmp_path, CacheSettings(disk=False, memory_entries=0), clock=SystemClock(), server=server)


def test_a_planted_giant_is_a_miss(tmp_path: Path, redis: RedisProcess) -> None:
    """An entry longer than any of ours is never read as a whole; the others beside it are served and listed."""
    cache, (key, answer), (giant, _) = _cache(tmp_path, redis), make_answer(), make_answer("giant")
    assert cache.put(key, answer)
    redis.client.setrange(f"deepsel:n-team:answer:{giant}", 64 << 20, b"x")
    before = redis.client.info("stats")["total_net_output_bytes"]
    assert cache.get(giant) == cache.get(giant)._replace(answer=None, tier=None, notices=())
    assert [entry.key for entry in cache.entries()] == [key]
    assert cache.get(key).tier == "redis"
    assert redis.client.info("stats")["total_net_output_bytes"] - before < 3 * ENTRY_BYTES
    cache.close()


def test_a_giant_of_our_own_is_not_shared(tmp_path: Path, redis: RedisProcess) -> None:
    """An answer that is too long for the fleet is not stored there; one that just fits is."""
    cache = _cache(tmp_path, redis)
    key, answer = make_answer(text="x" * ENTRY_BYTES)
    assert not cache.put(key, answer)
    assert redis.client.dbsize() == 0
    key, answer = make_answer(text="x" * (ENTRY_BYTES - 4096))
    assert cache.put(key, answer)
    assert cache.get(key).answer is not None
    cache.close()


def test_another_type_under_a_name_is_a_miss(tmp_path: Path, redis: RedisProcess) -> None:
    """A list where an entry should be is a miss with one warning, and no obstacle to the entries beside it."""
    cache, (key, answer), (other, _) = _cache(tmp_path, redis), make_answer(), make_answer("other")
    assert cache.put(key, answer)
    redis.client.rpush(f"deepsel:n-team:answer:{other}", "a", "b")
    found = [cache.get(other) for _ in range(2)]
    assert [one.answer for one in found] == [None, None]
    assert [len(one.notices) for one in found] == [1, 0]
    assert [entry.key for entry in cache.entries()] == [key]
    assert {tier.name: tier.entries for tier in cache.stats()[0]} == {"redis": 2}
    assert cache.clear(all_entries=True) == 2
    assert redis.client.dbsize() == 0
    cache.close()
