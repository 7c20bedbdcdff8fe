"""The built-in `demo` profile: catalog models answered by the in-process simulator, so that all can be tried without a key."""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.catalog import Catalog, RowsOnDemand
from deepsel.config.settings import DEMO_PROFILE, Profile
from deepsel.values import Model, Provider

# Port 0 stands for the simulator that the command starts when a request has to be sent; the cache key needs a fixed name.
DEMO_ORIGIN = "http://127.0.0.1:0"

DEMO_PROVIDERS = {
    "demo": Provider(
        name="demo", label="simulator", wire="openai-chat", base_url=f"{DEMO_ORIGIN}/v1", is_simulated=True
    ),
    "demo-anthropic": Provider(
        name="demo-anthropic",
        label="simulator",
        wire="anthropic-messages",
        base_url=DEMO_ORIGIN,
        seed_field=None,
        is_simulated=True,
    ),
}

_DEMO_NAMES = {
    f"demo-{name}": name for name in ("deepseek-flash", "mistral-small-2603", "claude-sonnet-5-5", "gpt-6-luna")
}
"""The catalog name behind each."""


def with_demo(own: Mapping[str, Model], catalog: Catalog) -> Mapping[str, Model]:
    """Give the demo's models, then the user's: the catalog's rows, prices included, moved to the simulator.

    A row of the demo's is made when it is asked for, since every command has them and hardly one looks.
    """
    of_wire = {provider.wire: name for name, provider in DEMO_PROVIDERS.items()}

    def model(name: str) -> Model:
        if name in own:
            return own[name]
        row = catalog.find_model(_DEMO_NAMES[name])
        provider = of_wire[catalog.providers[row.provider].wire]
        return row._replace(name=name, provider=provider, aliases=(), sampling="always", is_default=False)

    return RowsOnDemand({**_DEMO_NAMES, **own}, model)


DEMO_PROFILE_ROW = Profile(name=DEMO_PROFILE, models=tuple(_DEMO_NAMES))
