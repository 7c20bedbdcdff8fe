"""Finds a provider's key in the environment or by its command; keeps it in a Secret, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from deepsel.clock import Clock
from deepsel.config.addresses import ensure_usable
from deepsel.errors import ConfigError
from deepsel.records import NamedTuple
from deepsel.secret import KnownSecrets, Secret
from deepsel.values import Provider

COMMAND_TIMEOUT_S = 30.0
KEPT_S = 300.0
"""How long a command's key is used: it may be one that expires."""
_FAILURE_KEPT_S = 10.0
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


class _Found(NamedTuple):
    """What a key command came to."""

    result: Secret | ConfigError
    until_s: float
    """On the monotonic clock."""


class Keys:
    """The keys of one process. A command runs once for all who need its key, and again when that has grown old; thread-safe."""

    def __init__(self, env: Mapping[str, str], clock: Clock, secrets: KnownSecrets | None = None) -> None:
        """Look in `env`; `secrets` learns what commands print."""
        self._env = env
        self._clock = clock
        self._secrets = secrets or KnownSecrets()
        self._found: dict[tuple[str, ...], _Found] = {}
        self._locks: dict[tuple[str, ...], Lock] = {}

    def find(self, provider: Provider, timeout_s: float = COMMAND_TIMEOUT_S) -> Secret | None:
        """Return the key within `timeout_s`; raises as `resolve_key`."""
        command = provider.api_key_command
        if not command:
            return resolve_key(provider, self._env)
        ensure_usable(provider)
        ends_s = self._clock.monotonic() + min(timeout_s, COMMAND_TIMEOUT_S)
        lock = self._locks.setdefault(command, Lock())
        if not lock.acquire(timeout=max(0.0, ends_s - self._clock.monotonic())):
            raise _late(provider, timeout_s)
        try:
            found = self._found.get(command)
            if found is None or found.until_s <= self._clock.monotonic():
                found = self._found[command] = self._run(provider, ends_s - self._clock.monotonic())
        finally:
            lock.release()
        if isinstance(found.result, ConfigError):
            raise ConfigError(found.result.message, found.result.hint)
        return found.result

    def forget(self, provider: Provider) -> None:
        """Ask the provider's command again next time, since its key was refused."""
        self._found.pop(provider.api_key_command, None)

    def _run(self, provider: Provider, timeout_s: float) -> _Found:
        try:
            key = resolve_key(provider, self._env, timeout_s=timeout_s)
            assert key is not None, "a provider with a command has a key"
        except ConfigError as error:
            return _Found(error, self._clock.monotonic() + _FAILURE_KEPT_S)
        self._secrets.add(key.reveal())
        return _Found(key, self._clock.monotonic() + KEPT_S)


def resolve_key(provider: Provider, env: Mapping[str, str], *, timeout_s: float = COMMAND_TIMEOUT_S) -> Secret | None:
    """Return the key; None where the provider needs none. Raise ConfigError where it is missing, late, or may not be sent."""
    ensure_usable(provider)
    if not needs_key(provider):
        return None
    text = _from_command(provider, timeout_s) if provider.api_key_command else env.get(provider.api_key_env or "", "").strip()
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


def _late(provider: Provider, timeout_s: float) -> ConfigError:
    return ConfigError(f"the key command `{provider.api_key_command[0]}` gave no key within {timeout_s:.3g} s")


def _from_command(provider: Provider, timeout_s: float) -> str:
    """Run the key command; the first line it prints is the key, its error output is shown to the user as it comes."""
    import subprocess

    name = provider.api_key_command[0]
    try:
        done = subprocess.run(  # noqa: S603 - the user's own configuration names the program
            provider.api_key_command,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            timeout=max(0.0, timeout_s),
            check=True,
        )
    except FileNotFoundError as error:
        raise ConfigError(f"the key command `{name}` of provider `{provider.name}` is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise _late(provider, timeout_s) from error
    except (subprocess.CalledProcessError, OSError) as error:
        # The command's arguments are left out: they may name a secret.
        status = getattr(error, "returncode", None)
        raise ConfigError(
            f"the key command `{name}` failed" + (f" with exit code {status}" if status else "")
        ) from None
    return done.stdout.decode("utf-8", "replace").strip().partition("\n")[0].strip()
