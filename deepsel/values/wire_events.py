"""What a wire says while a model answers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

from deepsel.records import NamedTuple
from deepsel.values.usage import Usage
from deepsel.values.words import Finish, Json


class TextDelta(NamedTuple):
    """A piece of the answer."""

    text: str

    def __eq__(self, other: object) -> bool:
        """Tell it from a ReasoningDelta, which as a tuple would be the same."""
        return type(other) is TextDelta and self.text == other.text

    def __ne__(self, other: object) -> bool:
        """Say the opposite."""
        return not self == other


class ReasoningDelta(NamedTuple):
    """A piece of the model's reasoning, never mixed with the answer."""

    text: str

    def __eq__(self, other: object) -> bool:
        """Tell it from a TextDelta."""
        return type(other) is ReasoningDelta and self.text == other.text

    def __ne__(self, other: object) -> bool:
        """Say the opposite."""
        return not self == other


class ToolCallDelta(NamedTuple):
    """A piece of a tool call; the pieces of one call share its number."""

    number: int
    """Numbers the calls of an answer; not always from 0, nor without gaps."""
    id: str = ""
    """In the first piece of a call, where the provider gives one."""
    name: str = ""
    """In the first piece of a call."""
    arguments: str = ""
    """The next characters of the arguments' JSON text."""
    provider_data: Mapping[str, Json] = {}
    """What has to go back with the call."""


class Identity(NamedTuple):
    """Who answers; a later one replaces the fields it names."""

    answered_model: str | None = None
    request_id: str | None = None
    service_tier: str | None = None
    """The tier that was really used, in the provider's word."""


class UsageReport(NamedTuple):
    """Usage as reported so far; a later one replaces it. `cost_usd` is set only where the provider states the charge."""

    usage: Usage
    cost_usd: Decimal | None = None
    beside: int = 0
    """Tokens of the output that the bound on the answer does not bound: reasoning that is counted beside it."""
    odd: tuple[str, ...] = ()
    """Members, or headers, that should hold a number of tokens or a charge and hold none."""


class FinishReport(NamedTuple):
    """The provider's finish value, mapped; `raw` as it came. `finish` None: a value nobody knows; an empty one takes the last back."""

    finish: Finish | None
    raw: str


class Doubt(NamedTuple):
    """What came can be read in two ways: the answer is whole in the likelier one, with a warning, and is not stored."""

    message: str


class Passed(NamedTuple):
    """One event of a stream, or a whole answer, as it came: for who speaks the provider's wire. What it says follows as other events."""

    data: str
    """The text of a JSON document, or an end mark."""
    event: str = ""
    """The event's name, where it has one."""
    is_end: bool = False
    """With it the answer is whole, or calls itself so."""


WireEvent: TypeAlias = TextDelta | ReasoningDelta | ToolCallDelta | Identity | UsageReport | FinishReport | Doubt | Passed
