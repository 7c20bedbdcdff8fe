"""Opens what a process needs to ask, each thing on first use, and closes what was made; given its environment, folders and clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from deepsel import config
from deepsel.catalog import Catalog, overlay
from deepsel.chance import Rng, SystemRng
from deepsel.clock import Clock, SystemClock
from deepsel.config import Paths, Profile, Settings
from deepsel.errors import OTHER_HOME, ConfigError
from deepsel.platforms import ensure_supported
from deepsel.secret import KnownSecrets, Secret
from deepsel.storage import files
from deepsel.storage.owners import fault
from deepsel.values import Notice, Provider

if TYPE_CHECKING:
    from deepsel.cache import Cache
    from deepsel.conversations.store import Conversations
    from deepsel.engine.ask import Ask
    from deepsel.engine.lookup import CachePeek
    from deepsel.engine.prepare import Prepared
    from deepsel.engine.resources import Resources
    from deepsel.engine.run import Run
    from deepsel.health.state import SharedState
    from deepsel.providers.transport import HttpTransport


_T = TypeVar("_T")


def load_settings(env: Mapping[str, str], config_file: Path | None = None, *, profile: str | None = None) -> Settings:
    """Read the user's settings; a file named by hand has to exist. Raises ConfigError.

    `profile` is the one that was asked for: the demo needs no file that can be read.
    """
    ensure_supported()
    paths = config.find_paths(env, config_file)
    home = fault(paths.data_dir.parent) if env.get("DEEPSEL_HOME") else None
    if home:
        raise ConfigError(home.what, f"{home.mend}; or {OTHER_HOME}")
    prices = paths.data_dir / overlay.FILE_NAME
    catalog = Catalog(prices)
    settings = config.read_settings(
        paths.config_file,
        catalog,
        required=bool(config_file or env.get("DEEPSEL_CONFIG")),
        demo=(profile or env.get("DEEPSEL_PROFILE")) == config.DEMO_PROFILE,
    )
    suspect = overlay.suspicion(prices)
    if suspect:
        told = Notice("prices_unused", f"refreshed prices are not used: {suspect}")
        settings = settings._replace(notices=(*settings.notices, told))
    return config.at_their_addresses(settings, env)


def choose_profile(settings: Settings, env: Mapping[str, str], name: str | None = None) -> Profile:
    """Return the profile called `name`, else that of `DEEPSEL_PROFILE`, else the file's default; raises ConfigError."""
    wanted = profile_name(settings, env, name)
    if wanted not in settings.profiles:
        raise ConfigError(f"there is no profile `{wanted}`", config.nearest_hint(wanted, settings.profiles))
    return settings.profiles[wanted]


def profile_name(settings: Settings, env: Mapping[str, str], name: str | None = None) -> str:
    """Name the profile that is wanted, which need not be there."""
    return name or env.get("DEEPSEL_PROFILE") or settings.default_profile


def with_env_file(settings: Settings, env: Mapping[str, str], name: str | None = None) -> Mapping[str, str]:
    """Return the environment with the variables of the profile's own file behind it; raises ConfigError where that cannot be read."""
    profile = settings.profiles.get(profile_name(settings, env, name))
    return env if profile is None else config.with_env_file(env, settings, profile)


def _once(make: Callable[[Session], _T]) -> _T:
    """Turn a method into a property that is made by the first thread that asks for it, and kept."""

    def get(self: Session) -> _T:
        name = make.__name__
        if name not in self._made:
            with self._lock:
                if name not in self._made:
                    self._made[name] = make(self)
        made: _T = self._made[name]
        return made

    return cast("_T", property(get, doc=make.__doc__))


class Session:
    """One process's dealings. Safe to use from many threads; a context manager."""

    def __init__(
        self,
        settings: Settings,
        *,
        env: Mapping[str, str],
        paths: Paths,
        clock: Clock | None = None,
        rng: Rng | None = None,
        reload: Callable[[], Settings] | None = None,
    ) -> None:
        """Open nothing yet: files and connections are made by the first who needs them.

        `reload` reads the settings again when the user's prices have been refreshed; None: they stay as they are.
        """
        self._settings = settings
        self._reload = reload
        self._prices_version = _version(settings.catalog.overlay)
        self.env = env
        self.paths = paths
        self.clock = clock or SystemClock()
        self._rng = rng or SystemRng()
        self._stack = ExitStack()
        self._lock = RLock()
        self._made: dict[str, Any] = {}

    @classmethod
    def from_environment(cls, env: Mapping[str, str], config_file: Path | None = None) -> Self:
        """Open a session as the user's configuration says; raises ConfigError."""
        whole = with_env_file(load_settings(env, config_file), env)
        reload = partial(load_settings, whole, config_file)
        return cls(reload(), env=whole, paths=config.find_paths(env, config_file), reload=reload)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back files, connections and servers."""
        self._stack.close()

    # --- what is done with it ----------------------------------------------------------------------------------------

    def ask(self, ask: Ask, *, is_shown: bool = False) -> Run:
        """Make a run of one request; `is_shown`: somebody sees its text as it comes. Raises ConfigError for an unknown model."""
        from deepsel.engine.run import Run

        return Run(ask, self.resources, is_shown=is_shown)

    def explain(self, ask: Ask, *, at: datetime | None = None) -> tuple[Prepared, CachePeek]:
        """Plan a request and look whether the cache has its answer; nothing is sent. `at`: as if it were then, now where None."""
        from deepsel.engine.encoded import Encodings
        from deepsel.engine.lookup import Lookup
        from deepsel.engine.prepare import prepare
        from deepsel.health.refusals import Rows

        resources = self.resources
        at = at or self.clock.now()
        prepared = prepare(ask, Rows(self.settings, ask.profile.all_models, self.state, at), env=self.env, at=at, state=self.state)
        encodings = Encodings(ask.request, (one.provider.name for one in prepared.candidates.values()))
        return prepared, Lookup(ask, resources, encodings).peek(prepared)

    # --- what it holds -----------------------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The user's settings, with the prices that are in force: another process may refresh them at any time.

        What can no longer be read leaves the settings as they were.
        """
        version = _version(self._settings.catalog.overlay)
        if self._reload is not None and version != self._prices_version:
            with self._lock, suppress(ConfigError):
                self._settings = self._reload()
            self._prices_version = version
        return self._settings

    @property
    def resources(self) -> Resources:
        """What the engine needs of this process."""
        settings, made = self.settings, self._resources
        return made if made.settings is settings else made._replace(settings=settings)

    @_once
    def _resources(self) -> Resources:
        """What the engine needs, with the settings of the beginning."""
        from deepsel.engine.limiter import Limiter
        from deepsel.engine.resources import Resources

        return Resources(
            settings=self._settings,
            env=self.env,
            transport=lambda: self.transport,
            cache=self.cache,
            state=self.state,
            clock=self.clock,
            rng=self._rng,
            secrets=self.secrets,
            key_of=self.key_of,
            forget_key=self.forget_key,
            locate=self.locate,
            limiter=Limiter(self.paths.data_dir / "slots", self.clock),
        )

    @_once
    def cache(self) -> Cache:
        """The answer cache."""
        return self._stack.enter_context(_open_cache(self.settings, self.paths, self.clock, self.key_of))

    @_once
    def state(self) -> SharedState:
        """What the user's processes know together of endpoints, limits, budgets and past calls."""
        from deepsel.health.sqlite_state import SqliteState

        return self._stack.enter_context(SqliteState(self.paths.data_dir))

    @_once
    def conversations(self) -> Conversations:
        """The user's conversations."""
        from deepsel.conversations.store import Conversations

        keep_s = self.settings.conversations.keep_s
        return self._stack.enter_context(Conversations(self.paths.data_dir, keep_s=keep_s))

    @_once
    def transport(self) -> HttpTransport:
        """The one transport of the process, which keeps its connections."""
        from deepsel.providers.transport import HttpTransport

        return self._stack.enter_context(HttpTransport(self.clock, env=self.env, secrets=self.secrets))

    @_once
    def secrets(self) -> KnownSecrets:
        """What nothing that comes from outside may bring in again; more is learned as keys are found."""
        return KnownSecrets(lambda: config.known_secrets(self.settings, self.env))

    @_once
    def _keys(self) -> config.Keys:
        """The keys that were found."""
        return config.Keys(self.env, self.clock, self.secrets)

    @_once
    def _simulator_origin(self) -> str:
        """The address of the simulator that answers for the demo."""
        from deepsel.simulator import demo_server

        return self._stack.enter_context(demo_server()).url

    def key_of(self, provider: Provider, timeout_s: float = config.COMMAND_TIMEOUT_S) -> Secret | None:
        """Return a provider's key; None where it needs none. Raises ConfigError where it is missing, or late."""
        return self._keys.find(provider, timeout_s)

    def forget_key(self, provider: Provider) -> None:
        """Look for a provider's key anew next time, since it was refused."""
        self._keys.forget(provider)

    def locate(self, provider: Provider) -> Provider:
        """Give a provider as it is really reached: a simulated one has no fixed port."""
        if not provider.is_simulated:
            return provider
        from deepsel.config.demo import DEMO_ORIGIN

        return provider._replace(base_url=provider.base_url.replace(DEMO_ORIGIN, self._simulator_origin, 1))


def _version(path: Path | None) -> tuple[int, ...] | None:
    return None if path is None else files.version(path)


def _open_cache(
    settings: Settings, paths: Paths, clock: Clock, key_of: Callable[[Provider], Secret | None]
) -> Cache:
    """Open the answer cache as the settings want it; files are made on first use."""
    from deepsel.cache import Cache

    cache = settings.cache
    server = None
    if cache.redis_url:
        from deepsel.cache import RedisServer

        server = RedisServer(cache.redis_url, clock=clock, namespace=cache.namespace, timeout_s=cache.redis_timeout_s)
    return Cache(
        paths.answers_dir, cache, clock=clock, server=server, own_accounts=lambda: _own_accounts(settings, key_of)
    )


def _own_accounts(settings: Settings, key_of: Callable[[Provider], Secret | None]) -> list[Callable[[], Secret | None]]:
    """List how to find the key of every provider there is."""
    names = dict.fromkeys([*settings.catalog.providers, *settings.providers])
    return [partial(key_of, config.find_provider(settings, name)) for name in names]
