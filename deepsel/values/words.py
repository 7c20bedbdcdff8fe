"""The words all records share: JSON, tasks, strategies, finish values, sources of counts."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
JsonObject: TypeAlias = dict[str, "Json"]

TASKS = ("code", "structured", "reasoning", "summarize", "translate", "creative", "chat")
STRATEGIES = ("balanced", "cheapest", "fastest", "best", "ordered")


class Finish(StrEnum):
    """How an answer ended, in one vocabulary for all providers."""

    COMPLETE = "complete"
    LENGTH = "length"
    FILTERED = "filtered"
    TOOL = "tool"
    INCOMPLETE = "incomplete"


class Source(StrEnum):
    """Where a token count comes from."""

    REPORTED = "reported"
    COUNTED = "counted"
    RULE = "rule"
    """The text counted, pictures by the rule that their maker publishes."""
    ESTIMATED = "estimated"
    AT_MOST = "at_most"
    """With the most that pictures can be: a size is not known, or the rule leaves it open."""
    AT_LEAST = "at_least"
    """Without something whose tokens nobody can know."""
