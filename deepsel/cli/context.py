"""Builds what commands need from the process they run in: settings, cache, and the tools of the engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel import catalog, config
from deepsel.catalog import overlay
from deepsel.cli import memo
from deepsel.cli.options import Common
from deepsel.clock import SystemClock
from deepsel.config import Profile, Settings
from deepsel.errors import ConfigError
from deepsel.secret import Secret
from deepsel.values import Provider

if TYPE_CHECKING:
    from deepsel.cache import Cache
    from deepsel.engine.run import Tools
    from deepsel.health.state import SharedState
    from deepsel.providers.transport import Transport


def load_settings(common: Common, env: Mapping[str, str] | None = None) -> Settings:
    """Read the user's settings; a file named by hand has to exist."""
    env = os.environ if env is None else env
    paths = config.find_paths(env, common.config)
    catalog.use_overlay(paths.data_dir / overlay.FILE_NAME)
    return config.read_settings(paths.config_file, required=bool(common.config or env.get("DEEPSEL_CONFIG")))


def choose_profile(settings: Settings, common: Common, env: Mapping[str, str] | None = None) -> Profile:
    """Pick the profile: `--profile`, then `DEEPSEL_PROFILE`, then the file's default."""
    env = os.environ if env is None else env
    name = common.profile or env.get("DEEPSEL_PROFILE") or settings.default_profile
    if name not in settings.profiles:
        raise ConfigError(f"there is no profile `{name}`", config.nearest_hint(name, settings.profiles))
    return settings.profiles[name]


def open_cache(config_path: Path | None = None, settings: Settings | None = None) -> Cache:
    """Open the answer cache as the settings want it, read here where they are not given; files are made on first use."""
    from deepsel.cache import Cache, RedisServer

    settings = settings or load_settings(Common(config=config_path))
    paths = config.find_paths(os.environ, config_path)
    cache, clock = settings.cache, SystemClock()
    server = None
    if cache.redis_url:
        server = RedisServer(
            cache.redis_url, clock=clock, namespace=cache.namespace, timeout_s=cache.redis_timeout_s
        )
    opened = Cache(
        paths.answers_dir,
        ttl_s=cache.ttl_s,
        memory_entries=cache.memory_entries,
        size_limit_bytes=cache.size_limit_bytes,
        uses_disk=cache.disk,
        server=server,
        ttl_limits_s={"memory": cache.memory_ttl_s, "redis": cache.redis_ttl_s},
        own_accounts=lambda: own_accounts(settings),
        clock=clock,
    )
    memo.count_replayed(opened, paths.data_dir)
    return opened


def own_accounts(settings: Settings) -> list[Callable[[], Secret | None]]:
    """List how to find the key of every provider there is."""
    names = dict.fromkeys([*catalog.providers(), *settings.providers])
    return [partial(config.resolve_key, config.find_provider(settings, name), os.environ) for name in names]


@dataclass(slots=True)
class Workshop:
    """Makes the engine's tools, each on first use, and closes what was made."""

    config_path: Path | None = None
    settings: Settings | None = None
    """Read when they are needed, where they are not given."""
    _stack: ExitStack = field(default_factory=ExitStack)
    _cache: Cache | None = None
    _state: SharedState | None = None
    _transport: Transport | None = None
    _demo_origin: str | None = None

    def __enter__(self) -> Workshop:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def tools(self) -> Tools:
        """Give the engine what it needs from this process."""
        import random

        from deepsel.engine.run import Tools

        return Tools(
            transport=self.open_transport,
            cache=self.cache(),
            state=self.state(),
            clock=SystemClock(),
            rng=random.Random(),  # noqa: S311 - jitter, not cryptography
            key_of=lambda provider: config.resolve_key(provider, os.environ),
            locate=self.locate,
        )

    def cache(self) -> Cache:
        """Give the answer cache, opened by the first who asks."""
        if self._cache is None:
            self._cache = self._stack.enter_context(open_cache(self.config_path, self.settings))
        return self._cache

    def state(self) -> SharedState:
        """Give what the user's processes know together, opened by the first who asks."""
        if self._state is None:
            from deepsel.health.sqlite_state import SqliteState

            self._state = self._stack.enter_context(
                SqliteState(config.find_paths(os.environ, self.config_path).data_dir)
            )
        return self._state

    def open_transport(self) -> Transport:
        """Make the one transport of the process."""
        if self._transport is None:
            from deepsel.providers.transport import Transport

            self._transport = self._stack.enter_context(Transport(SystemClock()))
        return self._transport

    def locate(self, provider: Provider) -> Provider:
        """Start the simulator where a demo provider is to be asked."""
        from deepsel.config.demo import DEMO_ORIGIN

        if not provider.base_url.startswith(DEMO_ORIGIN):
            return provider
        if self._demo_origin is None:
            from deepsel.simulator import demo_server

            self._demo_origin = self._stack.enter_context(demo_server()).url
        return provider._replace(base_url=provider.base_url.replace(DEMO_ORIGIN, self._demo_origin, 1))
