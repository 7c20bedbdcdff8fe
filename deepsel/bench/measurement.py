"""One run: from what is wanted to phases, from phases to results; and what it may cost, before anything is sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import product

from deepsel import catalog, tokens
from deepsel.bench.judging import warnings_of
from deepsel.bench.loops import Run, Sender
from deepsel.bench.measure import Seen, Target, sample_of
from deepsel.bench.prompts import Prompter
from deepsel.bench.records import Case, Connection, Result
from deepsel.errors import RefusedError
from deepsel.values import Message, Source

KEEP_ALIVE_INPUT_TOKENS = 32
"""More than a keep-alive request takes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured."""

    requests: int = 30
    """Of each case of a load."""
    warmup: int = 1
    """Requests of each worker, for each model, before a load or a series of silences."""
    concurrency: tuple[int, ...] = (1,)
    rate: float | None = None
    """Requests a second; None: a closed loop."""
    idle_s: tuple[float, ...] = ()
    """Silences; with any, no load is measured."""
    rounds: int = 5
    """Of each silence."""
    warm_every_s: float | None = None
    texts: tuple[str, ...] = ()
    """The user's own prompts."""
    prompt_tokens: tuple[int, ...] = (64,)
    """Of made prompts; unused where there are own ones."""
    max_tokens: int = 64
    shares_prefix: bool = False

    @property
    def prompts(self) -> list[tuple[int | None, int | None]]:
        """List the prompts, each as (tokens of a made one, number of an own one)."""
        if self.texts:
            return [(None, number) for number in range(1, len(self.texts) + 1)]
        return [(size, None) for size in self.prompt_tokens]

    @property
    def variants(self) -> list[tuple[Connection, float | None]]:
        """List the ways a silence may end, each as (connection, distance of keep-alive requests)."""
        ways: list[tuple[Connection, float | None]] = [("kept", None), ("fresh", None)]
        return [*ways, ("kept", self.warm_every_s)] if self.warm_every_s else ways

    def calls_for_each_prompt(self) -> int:
        """Count the requests that one model gets with each prompt, warm-up included."""
        if self.idle_s:
            return self.warmup + 2 * self.rounds * len(self.idle_s) * len(self.variants)
        if self.rate is not None:
            return self.warmup + self.requests
        return sum(self.warmup * workers + self.requests for workers in self.concurrency)

    def keep_alives(self) -> int:
        """Count the keep-alive requests that one model gets at most."""
        every = self.warm_every_s
        return sum(self.rounds * int(idle / every) for idle in self.idle_s) * len(self.prompts) if every else 0


def worst_cost_usd(wanted: Wanted, target: Target, prompter: Prompter, *, at: datetime) -> Decimal | None:
    """Return what a model's requests cost at most, at the longest answers and the price of `at`; None: not known."""
    total = Decimal(0)
    if target.provider.is_simulated:
        return total
    calls = [(_bound(wanted, target, prompter, prompt), wanted.max_tokens, wanted.calls_for_each_prompt()) for prompt in wanted.prompts]
    for input_tokens, output_tokens, times in [*calls, (KEEP_ALIVE_INPUT_TOKENS, 1, wanted.keep_alives())]:
        bill = catalog.project(
            target.model, input_tokens=input_tokens, output_tokens=output_tokens, at=at,
            multiplier=target.provider.price_multiplier,
        )  # fmt: skip
        if bill.total_usd is None and times:
            return None
        total += (bill.total_usd or Decimal(0)) * times
    return total


def _bound(wanted: Wanted, target: Target, prompter: Prompter, prompt: tuple[int | None, int | None]) -> int:
    """Return the most input tokens that a prompt may be."""
    count = tokens.count_messages([Message.of("user", _text(wanted, prompter, prompt))], target.model)
    if count.source is not Source.ESTIMATED:
        return count.tokens
    return round(count.tokens * (1 + (count.error_pct or 50.0) / 100)) + 1


def _text(wanted: Wanted, prompter: Prompter, prompt: tuple[int | None, int | None]) -> str:
    """Make the next prompt of a kind."""
    size, number = prompt
    return prompter.made(size) if size is not None else prompter.own(wanted.texts[(number or 1) - 1])


@dataclass(slots=True)
class Measurement:
    """Carries a run out; after KeyboardInterrupt `results` has what there is."""

    wanted: Wanted
    targets: Sequence[Target]
    sender: Sender
    prompter: Prompter
    began_at: float
    """On the monotonic clock."""
    _runs: list[Run] = field(default_factory=list)

    def run(self) -> None:
        """Send everything; raise RefusedError where a model refuses the warm-up."""
        wanted = self.wanted
        for prompt in wanted.prompts:
            if wanted.idle_s:
                self._warm_up(prompt, 1)
                self._silences(prompt)
                continue
            for workers in (1,) if wanted.rate is not None else wanted.concurrency:
                self._warm_up(prompt, workers)
                runs = self._make_runs(prompt, wanted.requests, concurrency=None if wanted.rate is not None else workers)
                if wanted.rate is None:
                    self.sender.closed(runs, workers)
                else:
                    self.sender.open(runs, wanted.rate)

    def results(self) -> tuple[Result, ...]:
        """Give what each case has come to, those without any request left out."""
        return tuple(self._result(run) for run in self._runs if run.seen)

    def overhead_usd(self) -> Decimal | None:
        """Sum the cost of warm-up and keep-alive requests; None where one's is not known."""
        costs = [sample_of(seen, run_began_at=self.began_at).cost_usd for seen in self.sender.overhead]
        return None if None in costs else sum(filter(None, costs), Decimal(0))

    def _make_runs(self, prompt: tuple[int | None, int | None], calls: int, **how: object) -> list[Run]:
        """Make a run for each model, its prompts with it: nothing is made while it is measured."""
        made = []
        for target in self.targets:
            case = replace(
                Case(target.model.name, target.provider.name, rate=self.wanted.rate, prompt_tokens=prompt[0], prompt=prompt[1]),
                **how,  # type: ignore[arg-type]  # fields of Case, by name
            )
            prompts = deque(_text(self.wanted, self.prompter, prompt) for _ in range(calls))
            made.append(Run(case, target, prompts, total=calls))
        self._runs += made
        return made

    def _warm_up(self, prompt: tuple[int | None, int | None], workers: int) -> None:
        """Warm up each model; one that refuses need not be measured."""
        for target in self.targets:
            texts = [_text(self.wanted, self.prompter, prompt) for _ in range(self.wanted.warmup * workers)]
            known = len(self.sender.overhead)
            self.sender.warm_up(target, texts, workers)
            for seen in self.sender.overhead[known:]:
                if seen.failure is not None and seen.failure.error_class.is_refusal:
                    raise RefusedError(f"{target.provider.name}/{target.model.name}: {seen.failure.message}", seen.failure.hint)

    def _silences(self, prompt: tuple[int | None, int | None]) -> None:
        """Go through the rounds; each has every silence in every variant, so that a drift is in all of them alike."""
        wanted = self.wanted
        kinds = list(product(wanted.idle_s, wanted.variants))
        groups = [
            self._make_runs(prompt, 2 * wanted.rounds, idle_s=idle, connection=connection, warm_every_s=every)
            for idle, (connection, every) in kinds
        ]
        for number in range(1, wanted.rounds + 1):
            for runs in groups:
                self.sender.round(runs, f"round {number} of {wanted.rounds}, {runs[0].case.how}")

    def _result(self, run: Run) -> Result:
        """Turn a run into a result."""
        samples = sorted((sample_of(seen, run_began_at=self.began_at) for seen in run.seen), key=lambda sample: sample.at_s)
        result = Result(run.case, tuple(samples), run.wall_s)
        warnings = [*_failures(run.seen), *warnings_of(result, shares_prefix=self.wanted.shares_prefix)]
        return replace(result, warnings=tuple(warnings))


def _failures(seen: Sequence[Seen]) -> list[str]:
    """Say what the failures said, each class once."""
    first: Mapping[str, str] = {one.failure.error_class: one.failure.message for one in reversed(seen) if one.failure}
    return [f"failed ({kind}): {message}" for kind, message in first.items()]
