"""What a plan is made from and what it is: frozen records. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from deepsel.records import NamedTuple
from deepsel.values import Bill, Model, Provider

Reason: TypeAlias = Literal["no_key", "retired", "not_yet_available", "unsupported", "window", "over_cost", "cooling"]


class Cooling(NamedTuple):
    """An endpoint that is left alone for a while."""

    seconds_left: float
    why: str
    """With its numbers, for a person: `p95 to first token 6.2 s over 3.0 s`."""
    badness: float = 0.0
    """The smallest is used where every candidate is cooling down."""


class Candidate(NamedTuple):
    """One model that may answer, with everything that was found out about it for this request."""

    model: Model
    provider: Provider
    has_key: bool
    """Also true where the provider needs none."""
    input_tokens: int
    max_tokens: int | None
    """The answer's bound, fitted to the window (`fit_max_tokens`); None: the prompt does not fit."""
    expected_output_tokens: int
    bill: Bill
    """At the expected output and the price in force."""
    worst_bill: Bill
    """At `max_tokens` of output."""
    latency_s: float | None = None
    """Expected to the end of the expected output; None: unknown."""
    latency_source: str = ""
    """`observed in 12 answers`, `bench` or `catalog`."""
    output_source: str = ""
    """Where the expected output comes from, where that is not the task alone: `median of 12 code answers`."""
    key_names: tuple[str, ...] = ()
    """Where a key was looked for, to say so where there is none."""
    input_is_exact: bool = True
    """Whether `input_tokens` was counted with the model's own vocabulary."""
    price_note: str = ""
    """What happens to the price soon: `peak ends in 42 min, then half`."""
    length_note: str = ""
    """Why the answer's bound is not the one wished for: a cap buys less."""
    cooling: Cooling | None = None
    health_note: str = ""
    """What its endpoint did lately that does not refuse it: it is to be probed, or its rate limit has a wait."""


class Needs(NamedTuple):
    """What the request asks of a model."""

    task: str
    difficulty: float
    """In [0, 1]."""
    schema: bool = False
    """Preferred where native; never a condition, since every answer is validated here."""
    media: frozenset[str] = frozenset()
    """Kinds of media it has to take: among images and documents."""
    tools: bool = False
    unsayable: Mapping[str, str] = {}
    """By wire: what it cannot carry."""
    wires: Mapping[str, str] = {}
    """Wires that alone can carry something of the request, and what: `name` of message 2."""
    on: date | None = None
    """The day it is sent; None: no model is refused for its age."""


class Weights(NamedTuple):
    """What a strategy cares about; only their proportions matter."""

    quality: float
    cost: float
    latency: float


class Policy(NamedTuple):
    """What the profile and the command line wish."""

    strategy: str = "balanced"
    weights: Weights | None = None
    """In place of the strategy's own; ignored by `ordered`."""
    pins: Mapping[str, tuple[str, ...]] = {}
    """Task to the models that go first for it."""
    max_cost_usd: Decimal | None = None
    cap_words: str = ""
    """Names the cap where it is what a budget leaves; empty: it is the request's own."""
    allow_unknown_price: bool = False
    """Whether what cannot be priced may be sent under a cap."""


class Choice(NamedTuple):
    """One candidate's place in the plan."""

    model: str
    provider: str
    rank: int
    """From 1."""
    utility: float
    terms: Mapping[str, float]
    """Weighted quality, cost and latency; their sum is the utility."""
    cost_usd: Decimal | None
    """Projected; None: unknown."""
    reasons: tuple[str, ...]
    max_tokens: int
    """What is to be sent as the answer's bound."""
    margin: str = ""
    """What more quality its price needs, and what it has; empty where it is not the dearer one."""


class Refusal(NamedTuple):
    """Why a candidate is not in the plan."""

    model: str
    provider: str
    reason: Reason
    detail: str
    """One sentence for a person."""


class Plan(NamedTuple):
    """The attempts for one request, best first, and who is not among them."""

    choices: tuple[Choice, ...]
    refused: tuple[Refusal, ...]
    """In the profile's order."""
