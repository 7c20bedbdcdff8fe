"""Gathers the secrets that the user's settings and environment hold, so that none of them comes back in what others say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deepsel.config.settings import Settings
from deepsel.secret import credentials_in, names_a_credential, secrets_in

# Headers that say who asks or in which form; any other one of a user's own may be a key.
_PUBLIC_HEADERS = frozenset(
    {"accept", "accept-language", "content-type", "user-agent", "referer", "http-referer", "origin", "x-title"}
)
_PUBLIC_WORDS = ("version", "beta", "region")


def known_secrets(settings: Settings, env: Mapping[str, str]) -> Iterator[str]:
    """Yield every secret, some of them twice; keys that a command prints are not among them."""
    variables = {*settings.catalog.key_variables, *(row.api_key_env for row in settings.providers.values())}
    variables |= {row.env for row in settings.serve.keys.values()}
    yield from (env[name].strip() for name in variables if name and env.get(name))
    for row in settings.providers.values():
        yield from (value for name, value in row.headers.items() if _may_be_secret(name.lower()))
        yield from (value for name, value in row.query.items() if names_a_credential(name))
        yield from secrets_in(row.base_url)
        yield from credentials_in(row.extra_body)
        yield from credentials_in(row.non_stream_body)
    for model in settings.models.values():
        yield from credentials_in(model.params)
    yield from secrets_in(settings.cache.redis_url)
    yield from secrets_in(settings.fleet.redis_url)


def _may_be_secret(header: str) -> bool:
    """Tell whether the value of a header should come back in no error."""
    return header not in _PUBLIC_HEADERS and not any(word in header for word in _PUBLIC_WORDS)
