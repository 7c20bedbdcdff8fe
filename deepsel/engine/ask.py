"""What is asked of the engine: one request with everything that decides how it is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from deepsel.config import Profile
from deepsel.records import NamedTuple
from deepsel.values import Request

if TYPE_CHECKING:
    from deepsel.routing.stickiness import Holding

CacheMode: TypeAlias = Literal["auto", "on", "off", "refresh", "only"]
"""auto: deterministic requests only; on: every request; refresh: ask anew and store; only: the cache or nothing."""


class Ask(NamedTuple):
    """One request on its way; holds no key and no handle, so that it can be sent to another process."""

    request: Request
    instruction: str
    """The words of the user without the documents: what task and difficulty are judged by."""
    profile: Profile
    task: str | None = None
    """None: detected."""
    difficulty: float | None = None
    """In [0, 1]; None: scored."""
    cache_mode: CacheMode = "auto"
    holding: Holding | None = None
    """Where the conversation is that it belongs to; None: it belongs to none, or nobody asks."""
    needs_difficulty: bool = True
    """False: the record of a hit may leave the score out, which takes some milliseconds."""
