"""What a run of `bench` leaves: cases, samples, results, comparisons, checks; computes nothing but sums of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Literal, TypeAlias

from deepsel.bench.statistics import Distribution, Ratio, describe
from deepsel.values import Json

Role: TypeAlias = Literal["load", "cold", "warm"]
"""Sent under load; first after a silence; at once after that one."""
Connection: TypeAlias = Literal["kept", "fresh"]


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured under one name: a model and how it is asked."""

    model: str
    provider: str
    concurrency: int | None = None
    """Requests at once in a closed loop; None: an open loop or cold starts."""
    rate: float | None = None
    """Requests a second of an open loop."""
    prompt_tokens: int | None = None
    """Of a made prompt; None: the user's own text."""
    prompt: int | None = None
    """Number of the user's own text, from 1."""
    idle_s: float | None = None
    """Silence before each cold request."""
    connection: Connection | None = None
    """Whether the cold request finds an open connection."""
    warm_every_s: float | None = None
    """Distance of the keep-alive requests sent meanwhile."""

    @property
    def how(self) -> str:
        """Say how it is asked, in a few words."""
        if self.idle_s is not None:
            parts = [f"after {self.idle_s:g} s", f"{self.connection} connection"]
            parts += [f"warmed every {self.warm_every_s:g} s"] if self.warm_every_s else []
        else:
            together = "1 at a time" if self.concurrency == 1 else f"{self.concurrency} at once"
            parts = [f"{self.rate:g} a second" if self.rate else together]
        parts.append(f"prompt {self.prompt}" if self.prompt_tokens is None else f"{self.prompt_tokens:,} tokens")
        return ", ".join(parts)

    @property
    def label(self) -> str:
        """Name it to a person."""
        return f"{self.model}, {self.how}"


@dataclass(frozen=True, slots=True)
class Sample:
    """One request. All but `at_s` are seconds; None: it did not come so far, or was not told."""

    at_s: float
    """When it was sent, or was to be sent by the schedule of an open loop; from the start of the run."""
    role: Role = "load"
    error: str | None = None
    """An ErrorClass; None: it was answered. A failed request is in no distribution."""
    request_id: str | None = None
    """The provider's name for it, to ask about one that stands out."""
    ttfb_s: float | None = None
    """First byte of the response - request handed over."""
    ttft_s: float | None = None
    """First piece of the text - request handed over (open loop: - intended send time); None also where it came whole."""
    reasoning_ttft_s: float | None = None
    """First piece of reasoning - the same."""
    itl_s: tuple[float, ...] = ()
    """Gaps between arrivals of pieces, reasoning included; pieces that came in one read are one arrival."""
    tpot_s: float | None = None
    """(last piece - first piece) / (output tokens - 1)."""
    e2e_s: float | None = None
    """Last piece - start of the call, connection included (open loop: - intended send time)."""
    late_s: float | None = None
    """By how much an open loop's request was begun after its time."""
    connect_s: float | None = None
    """Of a new connection; None: an open one was used."""
    dns_s: float | None = None
    tcp_s: float | None = None
    tls_s: float | None = None
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Decimal | None = None
    form: str = "stream"
    """whole: one document came where a stream was asked for, so that no piece of it has a time."""
    tool_calls: int | None = None
    """Calls of tools in the answer; None: there is none."""


@dataclass(frozen=True, slots=True)
class Result:
    """A case and its requests, in the order they were sent."""

    case: Case
    samples: tuple[Sample, ...]
    wall_s: float
    """Time in which they were sent and answered; of a case measured in turn with others, its own part."""
    warnings: tuple[str, ...] = ()

    @property
    def answered(self) -> list[Sample]:
        """List the requests that did not fail."""
        return [sample for sample in self.samples if sample.error is None]

    @property
    def errors(self) -> dict[str, int]:
        """Count the failed ones by class."""
        return dict(Counter(sample.error for sample in self.samples if sample.error is not None))

    @property
    def error_rate(self) -> float | None:
        """Give the share that failed; None where nothing was sent."""
        return 1 - len(self.answered) / len(self.samples) if self.samples else None

    @property
    def cost_usd(self) -> Decimal | None:
        """Sum the cost; None where that of a request is not known."""
        costs = [sample.cost_usd for sample in self.samples]
        return None if None in costs else sum(filter(None, costs), Decimal(0))

    def values(self, metric: str) -> list[float]:
        """List a metric's values over the answered requests, in order: a name in METRICS."""
        return METRICS[metric](self)

    def distribution(self, metric: str) -> Distribution:
        """Sum up a metric."""
        return describe(self.values(metric))


def _field(name: str, role: Role | None = None) -> Callable[[Result], list[float]]:
    """Read a field of the samples, all or of one role."""

    def read(result: Result) -> list[float]:
        """List what is known."""
        values = [getattr(sample, name) for sample in result.answered if role in (None, sample.role)]
        return [value for value in values if value is not None]

    return read


def _penalties(result: Result) -> list[float]:
    """List, for each round, the cold request's time to first token minus that of the warm one behind it."""
    return [
        cold.ttft_s - warm.ttft_s
        for cold, warm in pairwise(result.samples)
        if (cold.role, warm.role) == ("cold", "warm") and cold.ttft_s is not None and warm.ttft_s is not None
    ]


METRICS: Mapping[str, Callable[[Result], list[float]]] = {
    "ttfb_s": _field("ttfb_s"),
    "ttft_s": _field("ttft_s"),
    "reasoning_ttft_s": _field("reasoning_ttft_s"),
    "itl_s": lambda result: [gap for sample in result.answered for gap in sample.itl_s],
    "tpot_s": _field("tpot_s"),
    "e2e_s": _field("e2e_s"),
    "output_tokens_per_s": lambda result: [1 / value for value in _field("tpot_s")(result) if value > 0],
    "connect_s": _field("connect_s"),
    "dns_s": _field("dns_s"),
    "tcp_s": _field("tcp_s"),
    "tls_s": _field("tls_s"),
    "cold_ttft_s": _field("ttft_s", "cold"),
    "warm_ttft_s": _field("ttft_s", "warm"),
    "cold_penalty_s": _penalties,
}


_WORDS = {"ttft_s": "first token", "tpot_s": "time per token", "cold_ttft_s": "cold first token"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One case's median beside another's."""

    case: Case
    against: str
    """A model of the same run, or `baseline`."""
    metric: str
    ratio: Ratio

    @property
    def text(self) -> str:
        """Say it in a sentence."""
        name = _WORDS.get(self.metric, self.metric)
        span = f"ratio {self.ratio.value:.3f}, 95 % interval {self.ratio.low:.3f} to {self.ratio.high:.3f}"
        if not self.ratio.is_significant:
            return f"{self.case.label}: {name} does not differ from {self.against} beyond chance ({span})"
        change, word = abs(self.ratio.value - 1) * 100, "more" if self.ratio.value > 1 else "less"
        return f"{self.case.label}: {name} is {change:.0f} % {word} than that of {self.against} ({span})"


@dataclass(frozen=True, slots=True)
class Check:
    """A limit of the user's, held against what was measured."""

    name: str
    """The option."""
    case: str
    """Empty: the whole run."""
    limit: float | Decimal
    value: float | Decimal | None
    """None: nothing was measured to hold against it, which fails."""
    passed: bool
    text: str
    """What it says, in a sentence."""


@dataclass(frozen=True, slots=True)
class BenchReport:
    """A whole run."""

    started_at: datetime
    tool: str
    machine: Mapping[str, Json]
    settings: Mapping[str, Json]
    results: tuple[Result, ...]
    overhead_usd: Decimal | None
    """Cost of what is in no case: warm-up and keep-alive requests."""
    is_partial: bool = False
    """It was interrupted."""
    comparisons: tuple[Comparison, ...] = ()
    checks: tuple[Check, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def cost_usd(self) -> Decimal | None:
        """Sum the cost of the run; None where that of a part is not known."""
        costs = [self.overhead_usd, *(result.cost_usd for result in self.results)]
        return None if None in costs else sum(filter(None, costs), Decimal(0))
