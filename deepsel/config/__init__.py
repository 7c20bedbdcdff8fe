"""Configuration: defaults < profiles.toml < environment < flags."""

from deepsel.config.addresses import at_their_addresses
from deepsel.config.keys import has_key, key_places, needs_key, resolve_key
from deepsel.config.lookup import find_model, find_provider
from deepsel.config.nearest import nearest_hint
from deepsel.config.paths import Paths, find_paths
from deepsel.config.reader import parse_settings, read_settings
from deepsel.config.settings import DEFAULT_PROFILE, DEMO_PROFILE, CacheSettings, Profile, Settings

__all__ = [
    "DEFAULT_PROFILE",
    "DEMO_PROFILE",
    "CacheSettings",
    "Paths",
    "Profile",
    "Settings",
    "at_their_addresses",
    "find_model",
    "find_paths",
    "find_provider",
    "has_key",
    "key_places",
    "nearest_hint",
    "needs_key",
    "parse_settings",
    "read_settings",
    "resolve_key",
]
