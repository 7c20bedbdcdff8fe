"""Configuration: defaults < profiles.toml < environment < flags."""

from deepsel.config.addresses import at_their_addresses, ensure_usable
from deepsel.config.chosen import models_called
from deepsel.config.environment import with_env_file
from deepsel.config.keys import COMMAND_TIMEOUT_S, Keys, has_key, key_places, needs_key, resolve_key
from deepsel.config.known import known_secrets
from deepsel.config.lookup import find_model, find_provider
from deepsel.config.nearest import nearest_hint
from deepsel.config.paths import Paths, find_paths
from deepsel.config.reader import parse_settings, read_settings
from deepsel.config.settings import (
    DEFAULT_PROFILE,
    DEMO_PROFILE,
    CacheSettings,
    ConversationSettings,
    Profile,
    ServeKey,
    ServeSettings,
    Settings,
)

__all__ = [
    "COMMAND_TIMEOUT_S",
    "DEFAULT_PROFILE",
    "DEMO_PROFILE",
    "CacheSettings",
    "ConversationSettings",
    "Keys",
    "Paths",
    "Profile",
    "ServeKey",
    "ServeSettings",
    "Settings",
    "at_their_addresses",
    "ensure_usable",
    "find_model",
    "find_paths",
    "find_provider",
    "has_key",
    "key_places",
    "known_secrets",
    "models_called",
    "nearest_hint",
    "needs_key",
    "parse_settings",
    "read_settings",
    "resolve_key",
    "with_env_file",
]
