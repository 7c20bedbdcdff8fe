"""What a run is to measure, and how many requests that takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from deepsel.bench.prompts import Prompter
from deepsel.bench.records import Connection

PromptKind: TypeAlias = "tuple[int | None, int | None]"
"""(tokens of a made one, number of an own one); one of them is None."""


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
    def prompts(self) -> list[PromptKind]:
        """List the prompts."""
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

    def text(self, prompter: Prompter, prompt: PromptKind) -> str:
        """Make the next prompt of a kind."""
        size, number = prompt
        return prompter.made(size) if size is not None else prompter.own(self.texts[(number or 1) - 1])
