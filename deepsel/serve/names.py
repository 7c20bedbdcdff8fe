"""What a client calls a model, as a profile: `auto`, `auto:STRATEGY`, `profile:NAME`, a model of the catalog or of the user, an alias."""

from __future__ import annotations

import re

from deepsel import config
from deepsel.config import Profile, Settings
from deepsel.errors import ConfigError
from deepsel.serve.gate import Visitor
from deepsel.values import STRATEGIES

AUTO = "auto"
_DATED = re.compile(r"-20\d\d-?\d\d-?\d\d\Z")


class UnknownModel(Exception):
    """No model, profile or alias is called so; the client is told 404."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotAllowed(Exception):
    """The client's key does not allow it; it is told 403."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def profile_for(name: str, profile: Profile, settings: Settings, visitor: Visitor) -> Profile:
    """Return how a request for `name` is carried out, by `profile` where the name says nothing else.

    Raises UnknownModel, or NotAllowed where the client's key is for other models or another profile.
    """
    name = settings.serve.aliases.get(name, name)
    head, colon, rest = name.partition(":")
    if name == AUTO:
        chosen = profile
    elif head == AUTO and colon:
        if rest not in STRATEGIES:
            raise UnknownModel(f"there is no strategy `{rest}`; `auto:` takes {', '.join(STRATEGIES)}")
        chosen = profile.override(strategy=rest)
    elif head == "profile" and colon:
        chosen = named_profile(rest, settings, visitor)
    else:
        chosen = profile.override(models=(_model(name, settings),), larger_context=())
    return _allowed(chosen, visitor)


def named_profile(name: str, settings: Settings, visitor: Visitor) -> Profile:
    """Return a profile by its name; raises UnknownModel, or NotAllowed where the client's key is for another one."""
    if name not in settings.profiles:
        raise UnknownModel(f"there is no profile `{name}`")
    if visitor.profile is not None and name != visitor.profile:
        raise NotAllowed(f"this key may use the profile `{visitor.profile}` alone")
    return settings.profiles[name]


def _model(name: str, settings: Settings) -> str:
    """Return the name of a model that is known; a date at its end is looked past."""
    for one in (name, _DATED.sub("", name)):
        try:
            config.find_model(settings, one)
        except ConfigError as error:
            failure = error
        else:
            return one
    raise UnknownModel(f"{failure.message}; {failure.hint}" if failure.hint else failure.message)


def _allowed(profile: Profile, visitor: Visitor) -> Profile:
    """Leave only the models that a client's key allows; raises NotAllowed where none is left."""
    if not visitor.models:
        return profile
    models = tuple(name for name in profile.models if name in visitor.models)
    if not models:
        raise NotAllowed(f"this key may use {', '.join(visitor.models)} alone")
    return profile._replace(
        models=models,
        larger_context=tuple(name for name in profile.larger_context if name in visitor.models),
        tasks={task: left for task, names in profile.tasks.items() if (left := tuple(one for one in names if one in models))},
    )
