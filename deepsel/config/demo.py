"""The built-in `demo` profile: catalog models answered by the in-process simulator, so that all can be tried without a key."""

from __future__ import annotations

from deepsel.catalog import Catalog
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

_SHOWN = ("deepseek-flash", "mistral-small-2603", "claude-sonnet-5-5", "gpt-6-luna")


def demo_models(catalog: Catalog) -> dict[str, Model]:
    """Give the demo's models: the catalog's rows, prices included, moved to the simulator."""
    rows = (catalog.find_model(name) for name in _SHOWN)
    of_wire = {provider.wire: name for name, provider in DEMO_PROVIDERS.items()}
    return {
        f"demo-{row.name}": row._replace(
            name=f"demo-{row.name}",
            provider=of_wire[catalog.providers[row.provider].wire],
            aliases=(),
            sampling="always",
            is_default=False,
        )
        for row in rows
    }


DEMO_PROFILE_ROW = Profile(name=DEMO_PROFILE, models=tuple(f"demo-{name}" for name in _SHOWN))
