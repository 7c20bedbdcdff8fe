"""From a line to what the engine is asked: the line's own members over the options of the command; opens and sends nothing."""

from __future__ import annotations

from typing import Any

from deepsel.config import Profile
from deepsel.engine.ask import Ask, CacheMode
from deepsel.errors import UsageError
from deepsel.messages.lines import RequestLine
from deepsel.records import NamedTuple
from deepsel.values import JsonObject, Message, Request
from deepsel.wires.table import wire_names, wire_of

_CHAT_PATHS = ("/chat/completions", "/messages")
_DROPPED = ("stream", "stream_options", "n")
"""Decided here: every answer is one, and whole."""
_LONGEST_INSTRUCTION = 4000


class Wishes(NamedTuple):
    """What the command asks of every line."""

    request: Request
    """Without its messages."""
    profile: Profile
    system: str | None = None
    """For lines that have none of their own."""
    task: str | None = None
    difficulty: float | None = None
    cache_mode: CacheMode = "auto"
    has_models: bool = False
    """Whether the command names the models, which goes before a line's own."""

    def words(self) -> JsonObject:
        """Return what makes a job another one, as JSON."""
        request, profile = self.request, self.profile
        return {
            "profile": profile.name,
            "models": list(profile.models) if self.has_models else None,
            "strategy": profile.strategy,
            "system": self.system,
            "task": self.task,
            "difficulty": self.difficulty,
            "max_tokens": profile.max_tokens,
            "temperature": profile.temperature,
            "seed": profile.seed,
            "schema": dict(request.schema) if request.schema is not None else None,
            "params": dict(request.params),
            "tools": repr(request.tools),
        }


def ask_of(line: RequestLine, wanted: Wishes) -> Ask:
    """Make the request of a line; raises UsageError for what no model can be asked."""
    members = dict(line.members)
    if line.url and not line.url.rstrip("/").endswith(_CHAT_PATHS):
        raise UsageError(f"`{line.url}` is not a chat endpoint")
    if members.get("n") not in (None, 1):
        raise UsageError("`n` asks for several answers; write a line for each")
    profile = _profile_of(members, wanted)
    length, seed = _length(members), members.pop("seed", None)
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise UsageError("`seed` takes a whole number")
    request = wanted.request._replace(
        messages=_messages(line, wanted.system),
        max_tokens=profile.max_tokens if length is None else length,
        temperature=_number(members, "temperature", profile.temperature),
        params={**wanted.request.params, **{name: value for name, value in members.items() if name not in _DROPPED}},
    )
    if line.tools:
        request = request._replace(tools=line.tools, tool_choice=line.tool_choice)
    request = request._replace(seed=profile.seed_for({"temperature": request.temperature}) if seed is None else seed)
    words = next((one.text for one in reversed(line.messages) if one.role == "user" and one.text.strip()), "")
    return Ask(
        request,
        words[:_LONGEST_INSTRUCTION],
        profile,
        task=wanted.task,
        difficulty=wanted.difficulty,
        cache_mode=wanted.cache_mode,
    )


def _profile_of(members: dict[str, Any], wanted: Wishes) -> Profile:
    """Ask the model that the line names, unless the command names others."""
    model = members.pop("model", None)
    if model is None or wanted.has_models:
        return wanted.profile
    if not isinstance(model, str) or not model:
        raise UsageError("`model` must be text")
    return wanted.profile.override(models=(model,))


def _messages(line: RequestLine, system: str | None) -> tuple[Message, ...]:
    if system is None or any(message.role in ("system", "developer") for message in line.messages):
        return line.messages
    return (Message.of("system", system), *line.messages)


def _length(members: dict[str, Any]) -> int | None:
    """Take out the member that bounds the answer, by whichever wire's name."""
    names = frozenset[str]().union(*(wire_of(name).LENGTH_FIELDS for name in wire_names()))
    found = None
    for name in sorted(names & members.keys(), reverse=True):
        value = members.pop(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise UsageError(f"`{name}` takes a whole number of at least 1")
        found = value
    return found


def _number(members: dict[str, Any], name: str, default: float | None) -> float | None:
    value = members.pop(name, None)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"`{name}` takes a number")
    return float(value)
