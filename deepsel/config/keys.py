"""Finds a provider's key in the environment or by its command; keeps it in a Secret, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.config.addresses import ensure_usable
from deepsel.errors import ConfigError
from deepsel.secret import Secret
from deepsel.values import Provider

COMMAND_TIMEOUT_S = 30
_QUOTES = frozenset("\"'`\u201c\u201d\u2018\u2019")
"""What files of variables and pages leave around a key."""


def needs_key(provider: Provider) -> bool:
    """Return whether the provider's row names a place for a key."""
    return bool(provider.api_key_command or provider.api_key_env)


def key_places(provider: Provider) -> tuple[str, ...]:
    """Name the places a provider's key is looked for."""
    return tuple(name for name in (provider.api_key_env, *provider.api_key_command[:1]) if name)


def has_key(provider: Provider, env: Mapping[str, str]) -> bool:
    """Return whether a request could carry a key, without running a key command; true where none is needed."""
    return bool(not needs_key(provider) or provider.api_key_command or env.get(provider.api_key_env or "", "").strip())


def resolve_key(provider: Provider, env: Mapping[str, str]) -> Secret | None:
    """Return the key; None where the provider needs none. Raise ConfigError where it is missing, or may not be sent."""
    ensure_usable(provider)
    if not needs_key(provider):
        return None
    text = _from_command(provider) if provider.api_key_command else env.get(provider.api_key_env or "", "").strip()
    place = f"`{provider.api_key_command[0]}`" if provider.api_key_command else f"`{provider.api_key_env}`"
    if not text:
        raise ConfigError(f"no key for {provider.label or provider.name}", f"set {place}")
    if _QUOTES & {text[0], text[-1]}:
        raise ConfigError(f"the key in {place} stands in quotes, which would be sent with it", "take them away")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigError(
            f"the key in {place} holds a character that no key has", "look for quotes, spaces or line breaks in it"
        )
    return Secret(text)


def _from_command(provider: Provider) -> str:
    """Run the key command; the first line it prints is the key, its error output is shown to the user as it comes."""
    import subprocess

    name = provider.api_key_command[0]
    try:
        done = subprocess.run(  # noqa: S603 - the user's own configuration names the program
            provider.api_key_command,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            timeout=COMMAND_TIMEOUT_S,
            check=True,
        )
    except FileNotFoundError as error:
        raise ConfigError(f"the key command `{name}` of provider `{provider.name}` is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"the key command `{name}` gave no key within {COMMAND_TIMEOUT_S} s") from error
    except (subprocess.CalledProcessError, OSError) as error:
        # The command's arguments are left out: they may name a secret.
        status = getattr(error, "returncode", None)
        raise ConfigError(
            f"the key command `{name}` failed" + (f" with exit code {status}" if status else "")
        ) from None
    return done.stdout.decode("utf-8", "replace").strip().partition("\n")[0].strip()
