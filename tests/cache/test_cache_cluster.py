"""Redis as a cluster, and servers that refuse what the commands' side needs: on real servers, one node and two."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cache_support import FakeClock, make_answer
from redis_support import RedisProcess, free_port

from deepsel.cache import Cache, RedisServer
from deepsel.cache.upkeep import export_lines

Open = Callable[..., Cache]
Start = Callable[..., RedisProcess]
SLOTS = 16384


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers that are stopped when the test ends."""
    running: list[RedisProcess] = []

    def make(*options: str) -> RedisProcess:
        folder = tmp_path / f"redis{len(running)}"
        folder.mkdir()
        running.append(RedisProcess(folder, *options))
        return running[-1]

    yield make
    for one in running:
        one.stop()


@pytest.fixture(params=[1, 2], ids=["one node", "two nodes"])
def cluster(request: pytest.FixtureRequest, start: Start) -> list[RedisProcess]:
    """A cluster whose slots are shared out among its nodes."""
    bus = [str(free_port()) for _ in range(request.param)]
    nodes = [start("--cluster-enabled", "yes", "--cluster-port", port) for port in bus]
    each = SLOTS // len(nodes)
    for number, node in enumerate(nodes):
        node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", number * each, (number + 1) * each - 1)
        node.client.execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[0].port, bus[0])
    for node in nodes:
        for _ in range(300):
            told = node.client.execute_command("CLUSTER INFO")
            if told["cluster_state"] == "ok" and told["cluster_known_nodes"] == str(len(nodes)):
                break
            time.sleep(0.1)
        else:
            pytest.fail(told)
    return nodes


def _machine(open_cache: Open, folder: Path, url: str) -> Cache:
    return open_cache(folder, server=RedisServer(url, clock=FakeClock(), namespace="team", timeout_s=10))


def _answers() -> list[tuple[str, Any]]:
    return [make_answer(f"question {number}") for number in range(12)]


def test_answers_are_shared_over_a_cluster(open_cache: Open, tmp_path: Path, cluster: list[RedisProcess]) -> None:
    """What one machine stored through one node another finds through any, whichever node has it."""
    answers = _answers()
    first = _machine(open_cache, tmp_path / "a", cluster[0].url)
    for key, answer in answers:
        assert first.put(key, answer)
    other = _machine(open_cache, tmp_path / "b", cluster[-1].url)
    assert [other.get(key).tier for key, _ in answers] == ["redis"] * len(answers)
    assert sum(node.client.dbsize() for node in cluster) == len(answers)
    assert all(node.client.dbsize() for node in cluster)
    assert first.left_out == other.left_out == []


def test_the_commands_see_and_empty_a_cluster(open_cache: Open, tmp_path: Path, cluster: list[RedisProcess]) -> None:
    """Listing, counting, exporting and clearing reach every entry though its key lies in a slot of its own."""
    answers = _answers()
    first = _machine(open_cache, tmp_path / "a", cluster[0].url)
    for key, answer in answers:
        assert first.put(key, answer)
    other = _machine(open_cache, tmp_path / "b", cluster[-1].url)
    assert {entry.key for entry in other.entries()} == {key for key, _ in answers}
    assert len(list(export_lines(other.entries()))) == len(answers)
    assert [tier.entries for tier in other.stats()[0] if tier.name == "redis"] == [len(answers)]
    assert other.show(answers[0][0]).key == answers[0][0]
    assert other.clear(pattern="question 3") == 1
    assert sum(node.client.dbsize() for node in cluster) == len(answers) - 1
    assert other.clear(all_entries=True) == len(answers) - 1
    assert [node.client.dbsize() for node in cluster] == [0] * len(cluster)
    assert other.left_out == []


@pytest.mark.parametrize("refused", ["SCAN", "INFO", "PING", "STRLEN"])
def test_a_server_that_refuses_a_command_is_left_out_or_done_without_it(
    open_cache: Open, tmp_path: Path, start: Start, refused: str
) -> None:
    """What a server does not let us list is left out with a notice, and the disk's entries are looked at all the same."""
    server = start("--rename-command", refused, "")
    cache = _machine(open_cache, tmp_path / "a", server.url)
    key, answer = make_answer()
    assert cache.put(key, answer)
    assert [entry.key for entry in cache.entries()] == [key]
    tiers = {tier.name: tier.entries for tier in cache.stats()[0]}
    assert tiers["disk"] == 1
    is_told = refused in ("SCAN", "STRLEN")
    assert ("redis" in tiers) is not is_told
    assert len(cache.left_out) == is_told
    assert all(server.url in notice.message and refused in notice.message for notice in cache.left_out)
    assert cache.clear(all_entries=True) == 1
    assert server.client.dbsize() == (refused == "SCAN")


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("redis://a.example:6379,b.example:6379/0", "several"),
        ("redis://user:secret@a.example:6379,b.example/0", "several"),
        ("redis+sentinel://a.example:26379/mymaster/0", "Sentinel"),
        ("rediss+cluster://a.example:6379", "one node"),
    ],
)
def test_what_is_not_supported_is_said_before_it_is_used(deepsel: Callable[..., Any], home: Path, url: str, word: str) -> None:
    """Addresses of another kind are refused by the file's line, in words, and without the password."""
    (home / "profiles.toml").write_text(f'[cache]\nredis_url = "{url}"\n')
    ran = deepsel("ask", "Hi")
    assert ran.code == 3
    assert "profiles.toml:2" in ran.err
    assert word in ran.err
    assert "secret" not in ran.err
