"""The shared tier on a real server: scopes, time to live, secrets, and every way in which the server can fail."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cache_support import FakeClock, make_answer
from redis_support import RedisProcess, free_port

from deepsel.cache import Cache, RedisServer
from deepsel.cache.redis_server import REST_S, masked_url
from deepsel.cache.store import LookUp, Storing
from deepsel.errors import ConfigError
from deepsel.secret import Secret
from deepsel.values import Notice

Open = Callable[..., Cache]
TEAM = Secret("sk-of-the-team-0123456789")
OTHER = Secret("sk-of-others-0123456789")


def account(secret: Secret | None = TEAM) -> Callable[[], Secret | None]:
    return lambda: secret


@pytest.fixture
def machine(open_cache: Open, tmp_path: Path, redis: RedisProcess, clock: FakeClock) -> Open:
    """Opens the cache of a machine, by name, that uses the Redis server."""

    def make(name: str, url: str = redis.url, namespace: str = "", **settings: Any) -> Cache:
        server = RedisServer(url, clock=clock, namespace=namespace)
        return open_cache(tmp_path / name, server=server, **settings)

    return make


def test_machines_share(machine: Open, clock: FakeClock) -> None:
    """What one machine stored another finds on the server, and then at home, for the time that is left."""
    key, answer = make_answer()
    assert machine("a").put(key, answer, account=account())
    clock.sleep(3000)
    other = machine("b", memory_entries=8)
    found = other.get(key, account())
    assert found.answer is not None
    assert (found.answer.text, found.tier) == ("world", "redis")
    assert [tier.entries for tier in other.stats()[0]] == [1, 1]
    assert other.get(key, account()).tier == "memory"
    clock.sleep(600)
    assert other.get(key, account()) == LookUp(None, None)


@pytest.mark.parametrize("disk", [True, False])
def test_redis_alone_or_below_the_disk(machine: Open, disk: bool) -> None:
    """The server can stand in place of the disk, which then has no file."""
    key, answer = make_answer()
    cache = machine("a", disk=disk)
    assert cache.put(key, answer, account=account())
    assert cache.get(key, account()).tier == ("disk" if disk else "redis")
    assert (cache.path / "cache.db").exists() is disk


def test_accounts_share_only_a_named_namespace(machine: Open, redis: RedisProcess) -> None:
    """Different keys never share an answer on the server, unless a namespace says so; without a key nothing is shared."""
    key, answer = make_answer()
    machine("a").put(key, answer, account=account(TEAM))
    assert machine("b").get(key, account(TEAM))
    for stranger in (OTHER, None):
        assert not machine("c").get(key, account(stranger))
    assert not machine("c").get(key)
    assert not machine("c", namespace="team").get(key, account(TEAM))
    machine("a", namespace="team").put(key, answer, account=account(TEAM))
    for anybody in (OTHER, None):
        assert machine("d", namespace="team").get(key, account(anybody))
    before = redis.client.dbsize()
    other_key, other = make_answer("other")
    assert machine("e").put(other_key, other, account=account(None))  # on disk

    def no_key() -> Secret | None:
        raise ConfigError("no key")

    assert machine("e").get(other_key, no_key)
    assert redis.client.dbsize() == before


def test_no_name_or_value_holds_a_key(machine: Open, redis: RedisProcess) -> None:
    """The account's key, or a plain digest of it, is nowhere on the server."""
    from hashlib import sha256

    key, answer = make_answer()
    machine("a").put(key, answer, account=account())
    names = redis.client.keys("*")
    stored = b" ".join([*names, *redis.client.mget(names)]).decode()
    secret = TEAM.reveal()
    assert secret not in stored
    assert sha256(secret.encode()).hexdigest()[:16] not in stored
    assert names[0].decode().startswith("deepsel:a-")


def test_each_tier_may_keep_for_less(machine: Open, redis: RedisProcess, clock: FakeClock) -> None:
    """A tier's own time to live shortens the entry's there, and only there."""
    key, answer = make_answer()
    cache = machine("a", memory_entries=8, memory_ttl_s=10, redis_ttl_s=60)
    cache.put(key, answer, account=account())
    assert 0 < redis.client.pttl(redis.client.keys("*")[0]) <= 60_000
    clock.sleep(11)
    assert cache.get(key, account()).tier == "disk"


@pytest.mark.parametrize("foreign", [b"garbage", b"\xff\xfe", b"{}", b"cos\nsystem\n(S'true'\ntR."])
def test_foreign_values_are_misses(machine: Open, redis: RedisProcess, foreign: bytes) -> None:
    """Whatever another program left under a name is a miss, `verify` finds it, and another version's entry is left alone."""
    from deepsel.cache import upkeep

    key, answer = make_answer()
    cache = machine("a", disk=False, own_accounts=lambda: [account()])
    cache.put(key, answer, account=account())
    name = redis.client.keys("*")[0]
    redis.client.set(name, foreign)
    redis.client.set(name + b"2", b'{"format":2}')
    assert not cache.get(key, account())
    verdict = upkeep.verify(cache, repairs=True)
    assert len(verdict.problems) == (1 if foreign != b"\xff\xfe" else 0)  # what is no text is no entry either
    assert redis.client.exists(name + b"2")
    redis.client.delete(name)
    redis.client.lpush(name, "a list")
    found = cache.get(key, account())
    assert found.answer is None
    assert [notice.code for notice in found.notices] == ["shared_cache_unavailable"]


def test_commands_are_about_the_own_entries(machine: Open, redis: RedisProcess) -> None:
    """Listing, counting and clearing touch the entries of the own accounts, and nobody else's."""
    for number in range(3):
        key, answer = make_answer(f"mine {number}")
        machine("a").put(key, answer, account=account(TEAM))
    foreign_key, foreign = make_answer("foreign")
    machine("b").put(foreign_key, foreign, account=account(OTHER))
    cache = machine("c", own_accounts=lambda: [account(TEAM), account(None)])
    assert len(list(cache.entries())) == 3
    tier = cache.stats()[0][-1]
    assert (tier.name, tier.entries, tier.size_limit_bytes) == ("redis", 3, None)
    assert tier.size_bytes > 1500
    assert cache.show(key[:20]).answer.prompt == "mine 2"
    assert cache.clear(pattern="mine 0") == 1
    assert cache.clear(all_entries=True) == 2
    assert redis.client.dbsize() == 1


# --- trouble ---------------------------------------------------------------------------------------------------------


class CountingServer(RedisServer):
    """Counts how often the network is tried."""

    tried = 0

    def call(self, action: Any, patience: Any = None) -> Any:
        def counted(client: Any) -> Any:
            self.tried += 1
            return action(client)

        return super().call(counted, patience)


def test_an_outage_is_one_warning_and_few_tries(open_cache: Open, clock: FakeClock) -> None:
    """A server that is not there is tried once, then left alone for a while, then tried once again; one warning is given."""
    server = CountingServer(f"redis://:hush@127.0.0.1:{free_port()}/0", clock=clock, namespace="team")
    cache = open_cache(server=server)
    key, answer = make_answer()
    notices: list[Notice] = []
    for expected in (1, 2):
        for _ in range(5):
            notices += cache.get("k1-none").notices
            stored = cache.put(key, answer)
            assert stored
            notices += stored.notices
        assert server.tried == expected
        clock.sleep(REST_S)
    assert [notice.code for notice in notices] == ["shared_cache_unavailable"]
    assert "hush" not in notices[0].message
    assert "127.0.0.1" in notices[0].message
    assert [tier.name for tier in cache.stats()[0]] == ["disk"]
    assert [entry.key for entry in cache.entries()] == [key]
    assert cache.clear(all_entries=True) == 1


def test_a_restarted_server_is_used_again(machine: Open, redis: RedisProcess, clock: FakeClock) -> None:
    """A connection that broke is opened again at once; after an outage the server is found again."""
    key, answer = make_answer()
    cache = machine("a", disk=False)
    assert cache.put(key, answer, account=account())
    redis.stop()
    redis.start()
    assert cache.put(key, answer, account=account()) == Storing(is_kept=True)
    redis.stop()
    assert not cache.put(key, answer, account=account())
    redis.start()
    assert not cache.put(key, answer, account=account())
    clock.sleep(REST_S)
    assert cache.put(key, answer, account=account())
    assert cache.get(key, account())


def test_a_full_server_is_still_read(machine: Open, redis: RedisProcess) -> None:
    """At its maxmemory the server takes nothing more: one warning, and what it holds is served."""
    key, answer = make_answer()
    cache = machine("a", disk=False)
    assert cache.put(key, answer, account=account())
    redis.client.config_set("maxmemory", 1)
    other_key, other = make_answer("other")
    tries = [cache.put(other_key, other, account=account()) for _ in range(2)]
    assert [(one.is_kept, len(one.notices)) for one in tries] == [(False, 1), (False, 0)]
    assert cache.get(key, account())
    redis.client.config_set("maxmemory", 0)
    assert cache.put(other_key, other, account=account())


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("rediss://me:p@ss/w?rd@cache.example:1/2?ssl_ca_certs=/x", "rediss://[redacted]@cache.example:1/2"),
        ("unix://:hush@/run/redis.sock?db=1", "unix://[redacted]@/run/redis.sock"),
    ],
)
def test_urls_are_masked(url: str, masked: str) -> None:
    """User, password and options of a URL are not shown."""
    assert masked_url(url) == masked
    assert "hush" not in repr(RedisServer(url, clock=FakeClock()).label)


@pytest.mark.parametrize("user", ["", ":wrong-hush@", "nobody:wrong-hush@"])
def test_a_password_is_honoured_and_never_told(tmp_path: Path, open_cache: Open, clock: FakeClock, user: str) -> None:
    """With the password the server works; without it, or with a wrong one, there is a warning that does not quote it."""
    redis = RedisProcess(tmp_path, "--requirepass", "right-hush", user=":right-hush@")
    try:
        key, answer = make_answer()
        good = open_cache(server=RedisServer(redis.url, clock=clock, namespace="t"), disk=False)
        assert good.put(key, answer)
        bad_url = redis.url.replace(":right-hush@", user)
        bad = open_cache(server=RedisServer(bad_url, clock=clock, namespace="t"), disk=False)
        is_kept, notices = bad.put(key, answer)
        assert not is_kept
        assert len(notices) == 1
        assert "hush" not in notices[0].message
    finally:
        redis.stop()


def test_tls_is_honoured(tmp_path: Path, open_cache: Open, clock: FakeClock) -> None:
    """A rediss URL speaks TLS and checks the certificate."""
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr.decode()
    certificate, key_file = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    redis = RedisProcess(
        tmp_path, "--port", "0", "--tls-port", "PORT", "--tls-cert-file", certificate, "--tls-key-file", key_file,
        "--tls-auth-clients", "no", scheme="rediss", query=f"?ssl_ca_certs={certificate}",
    )  # fmt: skip
    try:
        key, answer = make_answer()
        for url, works in ((redis.url, True), (redis.url.partition("?")[0], False)):
            cache = open_cache(server=RedisServer(url, clock=clock, namespace="t"), disk=False)
            assert bool(cache.put(key, answer)) is works
    finally:
        redis.stop()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:port/0", "redis://127.0.0.1:99999/0", "redis://h/0?ssl_cert_reqs=hush"])
def test_a_url_that_is_none_is_a_warning(open_cache: Open, clock: FakeClock, url: str) -> None:
    """A URL that cannot be used costs one warning."""
    cache = open_cache(server=RedisServer(url, clock=clock, namespace="t"))
    key, answer = make_answer()
    is_kept, notices = cache.put(key, answer._replace(text="x"))
    assert is_kept
    assert len(notices) == 1


def test_without_the_library_there_is_a_hint(tmp_path: Path) -> None:
    """Where the extra is not installed the warning says how to get it, and the disk works."""
    code = (
        "import sys; sys.modules['redis'] = None\n"
        "sys.path[:0] = sys.argv[1:2]\n"
        "from pathlib import Path; from cache_support import make_answer\n"
        "from deepsel.cache import Cache, RedisServer; from deepsel.clock import SystemClock\n"
        "from deepsel.config import CacheSettings\n"
        "server = RedisServer('redis://127.0.0.1:1/0', clock=SystemClock(), namespace='t')\n"
        "with Cache(Path(sys.argv[2]), CacheSettings(), clock=SystemClock(), server=server) as cache:\n"
        "    is_kept, notices = cache.put(*make_answer())\n"
        "print(is_kept, notices[0].message)"
    )
    arguments = [sys.executable, "-c", code, Path(__file__).parent, tmp_path]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("True ")
    assert "deepsel[redis]" in done.stdout


def test_a_hit_at_home_does_not_load_the_library(tmp_path: Path) -> None:
    """An answer that is on disk is served without the redis library."""
    code = (
        "import sys\n"
        "sys.path[:0] = sys.argv[1:2]\n"
        "from pathlib import Path; from cache_support import make_answer\n"
        "from deepsel.cache import Cache, RedisServer; from deepsel.clock import SystemClock\n"
        "from deepsel.config import CacheSettings\n"
        "key, answer = make_answer()\n"
        "Cache(Path(sys.argv[2]), CacheSettings(), clock=SystemClock()).put(key, answer)\n"
        "server = RedisServer('redis://127.0.0.1:1/0', clock=SystemClock(), namespace='t')\n"
        "found = Cache(Path(sys.argv[2]), CacheSettings(), clock=SystemClock(), server=server).get(key)\n"
        "print(found.tier, 'redis' in sys.modules)"
    )
    arguments = [sys.executable, "-c", code, Path(__file__).parent, tmp_path]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "disk False\n"
