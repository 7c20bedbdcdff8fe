"""One run: from what is wanted to phases, from phases to results."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import product

from deepsel.bench.judging import warnings_of
from deepsel.bench.loops import CaseRun, Sender
from deepsel.bench.measure import BenchTarget, Seen, sample_of
from deepsel.bench.prompts import Prompter
from deepsel.bench.records import Case, Result
from deepsel.bench.wanted import PromptKind, Wanted
from deepsel.errors import RefusedError


@dataclass(slots=True)
class Measurement:
    """Carries a run out; after KeyboardInterrupt `results` has what there is."""

    wanted: Wanted
    targets: Sequence[BenchTarget]
    sender: Sender
    prompter: Prompter
    began_at: float
    """On the monotonic clock."""
    _runs: list[CaseRun] = field(default_factory=list)

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

    def _make_runs(self, prompt: PromptKind, calls: int, **how: object) -> list[CaseRun]:
        """Make a run for each model, its prompts with it: nothing is made while it is measured."""
        made = []
        for target in self.targets:
            case = replace(
                Case(target.model.name, target.provider.name, rate=self.wanted.rate, prompt_tokens=prompt[0], prompt=prompt[1]),
                **how,  # type: ignore[arg-type]  # fields of Case, by name
            )
            prompts = deque(self.wanted.text(self.prompter, prompt) for _ in range(calls))
            made.append(CaseRun(case, target, prompts, total=calls))
        self._runs += made
        return made

    def _warm_up(self, prompt: PromptKind, workers: int) -> None:
        """Warm up each model; one that refuses need not be measured."""
        for target in self.targets:
            texts = [self.wanted.text(self.prompter, prompt) for _ in range(self.wanted.warmup * workers)]
            known = len(self.sender.overhead)
            self.sender.warm_up(target, texts, workers)
            for seen in self.sender.overhead[known:]:
                if seen.failure is not None and seen.failure.error_class.is_refusal:
                    raise RefusedError(f"{target.provider.name}/{target.model.name}: {seen.failure.message}", seen.failure.hint)

    def _silences(self, prompt: PromptKind) -> None:
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

    def _result(self, run: CaseRun) -> Result:
        """Turn a run into a result."""
        samples = sorted((sample_of(seen, run_began_at=self.began_at) for seen in run.seen), key=lambda sample: sample.at_s)
        result = Result(run.case, tuple(samples), run.wall_s)
        warnings = [*_failures(run.seen), *warnings_of(result, shares_prefix=self.wanted.shares_prefix)]
        return replace(result, warnings=tuple(warnings))


def _failures(seen: Sequence[Seen]) -> list[str]:
    """Say what the failures said, each class once."""
    first: Mapping[str, str] = {one.failure.error_class: one.failure.message for one in reversed(seen) if one.failure}
    return [f"failed ({kind}): {message}" for kind, message in first.items()]
