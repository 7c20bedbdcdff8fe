"""Asks a simulator through the engine, with a cache in a home of its own; as a script it is a crowd of processes that does.

    python asking_support.py HOME URL REDIS_URL PROCESSES PROMPTS

forks PROCESSES children, which begin together and ask the same PROMPTS prompts; prints what they got, one JSON line each.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

from deepsel.cache import Cache, RedisServer
from deepsel.catalog import Catalog
from deepsel.clock import Clock, SystemClock
from deepsel.config import CacheSettings, Profile, Settings
from deepsel.engine.ask import Ask, CacheMode
from deepsel.engine.limiter import Limiter
from deepsel.engine.resources import Resources
from deepsel.engine.run import Run
from deepsel.health.sqlite_state import SqliteState
from deepsel.providers.transport import HttpTransport
from deepsel.secret import KnownSecrets, Secret
from deepsel.values import Answer, Message, Model, PriceRule, Provider, Request

CATALOG = Catalog()

KEY = Secret("sk-of-the-team-0123456789")


class Asker:
    """One process's engine."""

    def __init__(
        self, home: Path, url: str, *, redis_url: str = "", clock: Clock | None = None, timeout_s: float = 30.0, **cache: Any
    ) -> None:
        clock = clock or SystemClock()
        server = RedisServer(redis_url, clock=clock, timeout_s=5.0) if redis_url else None  # a busy machine is no outage
        provider = Provider(name="host", wire="openai-chat", base_url=url, auth="bearer")
        model = Model(name="m", provider="host", id="m", context_window=9000, prices=(PriceRule(input=None, output=None),))
        self.profile = Profile(name="main", models=("m",), strategy="ordered", retries=0, timeout_s=timeout_s)
        self.cache = Cache(
            home / "cache", CacheSettings(**{"memory_entries": 0, **cache}), clock=clock, server=server
        )
        self.transport = HttpTransport(clock, env={})
        self.resources = Resources(
            settings=Settings({"host": provider}, {"m": model}, {}, "main", CacheSettings(), CATALOG),
            env={},
            transport=lambda: self.transport,
            cache=self.cache,
            state=SqliteState(home / "data"),
            clock=clock,
            rng=random.Random(0),
            secrets=KnownSecrets(),
            limiter=Limiter(),
            key_of=lambda provider, timeout_s: KEY,
        )

    def run(self, prompt: str, *, stream: bool = True, cache_mode: CacheMode = "auto") -> Run:
        """Make one request."""
        request = Request((Message.of("user", prompt),), temperature=0.0, seed=7, stream=stream)
        ask = Ask(request, prompt, self.profile, task="chat", difficulty=0.5, cache_mode=cache_mode)
        return Run(ask, self.resources, is_shown=False)

    def ask(self, prompt: str, **choices: Any) -> Answer:
        """Ask, and insist on an answer."""
        run = self.run(prompt, **choices)
        for _ in run.events():
            pass
        failure = run.failure()
        if failure is not None:
            raise failure
        return run.answer()

    def close(self) -> None:
        self.cache.close()
        self.transport.close()


def crowd(home: Path, url: str, redis_url: str, processes: int, prompts: int) -> None:
    """Fork the children; each waits for the start, which is the end of our standard input, and writes one line."""
    children = []
    for number in range(processes):
        child = os.fork()
        if child == 0:
            sys.stdin.read()
            asker = Asker(home, url, redis_url=redis_url)
            answers = [asker.ask(f"Question {n}?", stream=(number + n) % 2 == 0) for n in range(prompts)]
            asker.close()
            said = {"texts": [a.text for a in answers], "warnings": sum(len(a.warnings) for a in answers)}
            os.write(1, (json.dumps(said) + "\n").encode())
            os._exit(0)
        children.append(child)
    sys.exit(max(os.waitpid(child, 0)[1] for child in children) != 0)


if __name__ == "__main__":
    crowd(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
