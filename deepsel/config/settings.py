"""The records a configuration becomes; every profile value knows where it comes from. Reads no file."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from deepsel.catalog import Catalog
from deepsel.records import NamedTuple
from deepsel.values import Json, Model, Notice, Provider

DEFAULT_PROFILE = "default"
DEMO_PROFILE = "demo"


class Profile(NamedTuple):
    """A named way of working."""

    name: str
    models: tuple[str, ...]
    """Candidates; their order breaks ties."""
    strategy: str = "balanced"
    tasks: Mapping[str, tuple[str, ...]] = {}
    """Task to the models pinned to it."""
    larger_context: tuple[str, ...] = ()
    """Where a cut answer is asked again."""
    max_cost_usd: Decimal | None = None
    """Bound on one request, over all its attempts, at the longest answer it allows."""
    daily_budget_usd: Decimal | None = None
    """Bound on the profile's spend since midnight UTC."""
    monthly_budget_usd: Decimal | None = None
    """Bound on the profile's spend since the first of the month, UTC."""
    unknown_price: Literal["refuse", "allow"] = "refuse"
    """What happens under a cap or budget to a model whose price is unknown."""
    weights: Mapping[str, float] | None = None
    """quality, cost and latency in place of the strategy's own; a part not named is 0."""
    ttft_p95_limit_s: float = 3.0
    error_rate_limit: float = 0.5
    cooldown_s: float = 300.0
    window_s: float = 300.0
    min_samples: int = 5
    retries: int = 3
    """Calls beyond the first that one request may make: retries and fall-backs together."""
    timeout_s: float = 120.0
    """The whole request, over all its attempts and waits."""
    first_token_timeout_s: float = 30.0
    """One stream's time to its first token, and from then on from one piece of text to the next."""
    content_policy_fallback: bool = False
    """Whether a request that one provider's content policy stopped may be sent to another."""
    max_tokens: int = 4096
    temperature: float | None = 0.0
    seed: int | None = 7
    model: str = ""
    """Whom to ask unless another one is named, by name or a part of it; empty: whoever of `models` the plan prefers."""
    env_file: str = ""
    """A file of variables, keys among them, that stand behind those of the environment; empty: none."""
    client: str = ""
    """Who asks through `deepsel serve`, by the name of its key; no member of a row."""
    client_daily_budget_usd: Decimal | None = None
    """Bound on that client's spend since midnight UTC, whatever its profile; no member of a row."""
    sources: Mapping[str, str] = {}
    """Field name to `file` or `flag`; a field not named holds its default."""

    @property
    def all_models(self) -> tuple[str, ...]:
        """Whoever may be asked: the candidates, and who is asked again where an answer was cut."""
        return (*self.models, *self.larger_context)

    @property
    def first_token_limit_s(self) -> float:
        """How long a stream may be silent; whoever gives one request more time gives it to its first token as well."""
        is_given = self.sources.get("timeout_s") == "flag" and self.sources.get("first_token_timeout_s") != "flag"
        return max(self.first_token_timeout_s, self.timeout_s) if is_given else self.first_token_timeout_s

    def seed_for(self, params: Mapping[str, Json]) -> int | None:
        """Return the seed to send: none by itself where a temperature was set that asks for another answer each time."""
        temperature = params.get("temperature", self.temperature)
        is_set = "temperature" in params or "temperature" in self.sources
        is_warm = isinstance(temperature, int | float) and not isinstance(temperature, bool) and temperature > 0
        return None if is_set and is_warm and "seed" not in self.sources else self.seed

    def override(self, **flags: Any) -> Profile:
        """Return the profile with each flag that is not None in place of its value."""
        given = {name: value for name, value in flags.items() if value is not None}
        return self._replace(**given, sources={**self.sources, **dict.fromkeys(given, "flag")})


class CacheSettings(NamedTuple):
    """How answers are kept."""

    ttl_s: float = 3600.0
    memory_entries: int = 256
    """0: none are kept in memory."""
    size_limit_bytes: int = 1 << 30
    disk: bool = True
    """Whether this machine keeps answers in a file of its own."""
    redis_url: str = ""
    """Empty: no shared tier. May hold a password."""
    redis_timeout_s: float = 0.5
    """What one request may lose to a server that does not answer."""
    namespace: str = ""
    """Who shares entries on the server; empty: each account has its own."""
    memory_ttl_s: float | None = None
    """Shortens `ttl_s` in memory."""
    redis_ttl_s: float | None = None
    """Shortens `ttl_s` on the server."""

    def __repr__(self) -> str:
        """Show no address: it may hold a password."""
        return f"CacheSettings(ttl_s={self.ttl_s}, namespace={self.namespace!r})"


class ConversationSettings(NamedTuple):
    """How conversations are kept."""

    keep_s: float = 3600.0
    """How long an unnamed one is kept after its last turn; named ones stay until they are deleted. 0: nothing is kept of any."""


class FleetSettings(NamedTuple):
    """What the machines of a fleet share."""

    redis_url: str = ""
    """The server that has it; empty: this machine is alone. May hold a password."""
    redis_timeout_s: float = 5.0
    """What one piece of work may take there."""
    lease_s: float = 30.0
    """After which a line is another worker's whose worker was not heard of."""
    keep_s: float = 7 * 86_400.0
    """How long a job and its answers stay on the server after the last of them."""

    def __repr__(self) -> str:
        """Show no address: it may hold a password."""
        return f"FleetSettings(lease_s={self.lease_s}, keep_s={self.keep_s})"


class ServeKey(NamedTuple):
    """One client of `deepsel serve`, known by a key of ours."""

    name: str
    env: str
    """The variable that holds the key."""
    profile: str | None = None
    """The only profile it may use; None: any."""
    daily_budget_usd: Decimal | None = None
    """Bound on its spend since midnight UTC, beside the profile's own."""
    models: tuple[str, ...] = ()
    """Models it may use; empty: any."""


class ServeSettings(NamedTuple):
    """How `deepsel serve` listens, and whom it knows."""

    host: str = "127.0.0.1"
    port: int = 8391
    warm: tuple[str, ...] = ()
    """Models that are kept warm while nobody calls them."""
    max_connections: int = 512
    queue: int = 128
    """Requests that may wait for their turn; further ones are told to come again."""
    request_bytes: int = 64 << 20
    aliases: Mapping[str, str] = {}
    """What a client calls a model, and what it gets."""
    keys: Mapping[str, ServeKey] = {}
    """Empty: whoever reaches it may use it."""


class Settings(NamedTuple):
    """Everything a command needs to know about its user's wishes."""

    providers: Mapping[str, Provider]
    models: Mapping[str, Model]
    """The user's own rows by name; the others are in `catalog`."""
    profiles: Mapping[str, Profile]
    default_profile: str
    cache: CacheSettings
    catalog: Catalog
    """What is known besides the user's own rows."""
    conversations: ConversationSettings = ConversationSettings()
    serve: ServeSettings = ServeSettings()
    fleet: FleetSettings = FleetSettings()
    config_file: Path | None = None
    """The file that was read; None: there was none."""
    notices: tuple[Notice, ...] = ()
    """What went wrong with it and did not stop the work."""
