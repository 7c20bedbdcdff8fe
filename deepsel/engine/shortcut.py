"""Answers a request from the disk without a plan, where exactly one candidate has an answer there that a plan would allow.

What a plan would find out (tokens, prices, health, order) cannot change such an answer. Wherever it could, there is no
shortcut, and `prepare` and `Run` behind it give the same result.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from deepsel import config
from deepsel.cache import Cache, CachedAnswer
from deepsel.clock import Clock
from deepsel.config import Profile, Settings
from deepsel.engine.hit import NextTime, answer_of, observation_of
from deepsel.engine.lookup import CacheMode, find_place, may_read
from deepsel.health.log import Observation, ObservationLog
from deepsel.routing.candidates import fit_max_tokens
from deepsel.routing.task import detect
from deepsel.values import Answer, CacheUse, Model, Notice, Provider, ReasoningDelta, Request, TextDelta
from deepsel.wires.table import WIRES

if TYPE_CHECKING:
    from deepsel.engine.events import EngineEvent
    from deepsel.errors import DeepselError

_TOKENS_A_BYTE = 3
"""More than any vocabulary makes of a text: a token covers a byte, Claude's marks none; NFC makes three bytes of one at most."""
_TOKENS_A_MESSAGE = 16
"""More than any maker's framing of one more message."""


class Asked(NamedTuple):
    """What is known of a request without a plan."""

    profile: str
    task: str
    difficulty: float | None
    """None: nobody will read it."""
    candidates: Sequence[tuple[Model, Provider]]


@dataclass(slots=True)
class Shortcut:
    """A request whose answer stands on the disk. Iterate `events()` once, as of a Run; then the rest is final."""

    asked: Asked
    hit: CachedAnswer
    key: str
    written_at: float
    """When its row was written."""
    cache: Cache
    log: ObservationLog
    clock: Clock
    started_s: float
    _notices: list[Notice] = field(default_factory=list)

    def events(self) -> Generator[EngineEvent, None, None]:
        """Yield the answer; count it, and leave it in the log."""
        try:
            if self.hit.reasoning:
                yield ReasoningDelta(self.hit.reasoning)
            yield TextDelta(self.hit.text)
        finally:
            self.cache.count_answer(self.hit, "disk")
            self.log.add([self._observation(self.answer())])
            self._notices += [*self.cache.notices(), *self.log.notices()]

    def answer(self) -> Answer:
        """Return the record."""
        return self._answer(self.clock.monotonic() - self.started_s)

    def failure(self) -> DeepselError | None:
        """Say why there is no whole answer: there is one."""
        return None

    def next_time(self) -> NextTime | None:
        """Say what the next identical request will get; None where this one came with a warning."""
        if self._notices:
            return None
        answer = self._answer(0.0)
        return NextTime(answer, self._observation(answer), self.hit, self.written_at)

    @property
    def unplanned(self) -> None:
        """Return nothing: there is an answer, so that nobody has to be told why none could be had."""

    @property
    def providers(self) -> list[Provider]:
        """The candidates' providers."""
        return [provider for _, provider in self.asked.candidates]

    def _answer(self, total_s: float) -> Answer:
        asked = self.asked
        return answer_of(
            self.hit,
            CacheUse("hit", "disk", self.key),
            profile=asked.profile,
            task=asked.task,
            difficulty=asked.difficulty,
            total_s=total_s,
            warnings=tuple(self._notices),
        )

    def _observation(self, answer: Answer) -> Observation:
        providers = {provider.name: provider for provider in self.providers}
        return observation_of(answer, self.hit, providers.get(answer.provider), at=self.clock.now())


def _score(instruction: str) -> float:
    from deepsel.routing.difficulty import score

    return score(instruction)


def find(
    request: Request,
    instruction: str,
    *,
    profile: Profile,
    settings: Settings,
    env: Mapping[str, str],
    task: str | None,
    difficulty: float | None,
    needs_difficulty: bool,
    cache_mode: CacheMode,
    cache: Cache,
    log: ObservationLog,
    clock: Clock,
) -> Shortcut | None:
    """Look for the answer; None where there is none, or where only a plan can tell.

    `needs_difficulty` False: the record may leave the score out, which takes some milliseconds.
    Raises ConfigError for a candidate nobody knows.
    """
    started_s = clock.monotonic()
    if cache_mode not in ("auto", "on", "only") or request.media or request.asks_for_tools:
        return None
    models = [config.find_model(settings, name) for name in profile.models]
    candidates = [(model, config.find_provider(settings, model.provider)) for model in models]
    most = _most_tokens(request)
    wanted = request.max_tokens or profile.max_tokens
    flags = {name for name, source in profile.sources.items() if source == "flag"}
    found: list[tuple[Model, Provider, str, CachedAnswer, float]] = []
    for model, provider in candidates:
        limit = wanted if model.max_output is None else min(wanted, model.max_output)
        if fit_max_tokens(model, most + model.framing_tokens, wanted=wanted, input_is_exact=False) != limit:
            return None  # the window may decide, and with it the key
        if flags.intersection(WIRES[provider.wire].withheld(request, model, provider)):
            return None  # there may be a warning
        place = find_place(request, model, provider, limit)
        stored = cache.on_disk(place.key) if may_read(cache_mode, place) else None
        if stored is not None:
            found.append((model, provider, place.key, *stored))
    if len(found) != 1:
        return None
    model, provider, key, hit, written_at = found[0]
    if not _may_answer(model, provider, env, clock.now(), needs_key=cache_mode != "only"):
        return None
    if difficulty is None and needs_difficulty:
        difficulty = _score(instruction)
    asked = Asked(profile.name, task or detect(instruction).task, difficulty, candidates)
    return Shortcut(asked, hit, key, written_at, cache, log, clock, started_s)


def _most_tokens(request: Request) -> int:
    """Return more tokens than any candidate can count the request as, the framing of the first message aside."""
    texts = [message.readable for message in request.messages]
    if request.schema is not None:
        import json

        texts.append(json.dumps(request.schema))
    return sum(_TOKENS_A_BYTE * len(text.encode("utf-8", "surrogatepass")) + _TOKENS_A_MESSAGE for text in texts)


def _may_answer(model: Model, provider: Provider, env: Mapping[str, str], at: datetime, *, needs_key: bool) -> bool:
    """Tell whether a plan would not refuse the model for good."""
    today = at.date()
    is_sold = (model.retires is None or today < model.retires) and (model.available_from or today) <= today
    return is_sold and (not needs_key or config.has_key(provider, env))
