"""Counts what a request's prompt comes to: asked of the provider where its wire has an endpoint for that, else counted here."""

from __future__ import annotations

from deepsel import config, tokens
from deepsel.config import Profile
from deepsel.errors import AttemptFailed, ConfigError
from deepsel.health.refusals import Rows
from deepsel.providers.counting import can_count, count_tokens
from deepsel.serve.surfaces.surface import Asked
from deepsel.session.open import Session
from deepsel.wires.bodies import members_at


def input_tokens(asked: Asked, profile: Profile, session: Session) -> int:
    """Return the tokens of a prompt for the first of the profile's models.

    Where they can only be estimated, the upper end is told: who is told too few fills a window over its brim. Raises ConfigError.
    """
    resources = session.resources
    rows = Rows(resources.settings, profile.models[:1], resources.state, resources.clock.now())
    model, provider = rows[profile.models[0]]
    if can_count(provider) and config.has_key(provider, resources.env) and not provider.is_simulated:
        try:
            key = resources.key_of(provider, config.COMMAND_TIMEOUT_S)
            return count_tokens(resources.transport(), asked.request, model, resources.locate(provider), key, clock=resources.clock)
        except (AttemptFailed, ConfigError):
            pass  # what is counted here is better than an error at a client's start
    count = tokens.count_request(asked.request, tokens.reader_of(model, members_at(asked.request, provider.wire)))
    return count.tokens if count.is_exact else round(count.tokens * (1 + min(count.error_pct or 10.0, 50.0) / 100))
