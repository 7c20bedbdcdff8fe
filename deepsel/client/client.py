"""The verbs of `import deepsel`, on a Client that serves many calls; those of the module open one for a single call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Self, Unpack

from deepsel import catalog, config
from deepsel.client.options import AskKeywords, read_ask, shows_options
from deepsel.client.streaming import StreamedAnswer, whole_answer
from deepsel.config import fields
from deepsel.errors import ConfigError, UsageError
from deepsel.session.open import Session, choose_profile
from deepsel.values import Answer, Usage

if TYPE_CHECKING:
    from deepsel.config import Profile
    from deepsel.engine.run import Run
    from deepsel.estimate.records import Report


class Client:
    """Keeps files and connections open for many calls, from any number of threads; a context manager."""

    def __init__(
        self,
        *,
        profile: str | None = None,
        config: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Read the configuration; everything else is opened by the first call that needs it.

        `profile` serves the calls that name none, `config` is the profiles.toml to read, `env` stands in for the process's
        environment: keys, `DEEPSEL_HOME` and the like. Raises ConfigError.
        """
        environment = os.environ if env is None else env
        self._session = Session.from_environment(environment, None if config is None else Path(config))
        self._profile_name = profile
        self._is_closed = False
        if profile is not None:
            self._choose(profile)

    def __repr__(self) -> str:
        return f"Client(profile={self._profile_name!r}, config={str(self._session.paths.config_file)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back files and connections; the client answers nothing any more."""
        self._is_closed = True
        self._session.close()

    @shows_options
    def ask(self, prompt: str, **options: Unpack[AskKeywords]) -> Answer:
        """Return the whole answer to one question; see AskKeywords for the options.

        Raises the DeepselError that the command line would turn into its exit code. Its `.answer` is the record of what was
        tried and paid; IncompleteError carries the text that came.
        """
        run = self._run(prompt, options, is_shown=False)
        with closing(run.events()) as events:
            for _ in events:
                pass
        return whole_answer(run)

    @shows_options
    def stream(self, prompt: str, **options: Unpack[AskKeywords]) -> StreamedAnswer:
        """Return the answer's pieces as they come, an iterator whose `.answer` is the whole at the end; options as for `ask`.

        The iteration raises what `ask` raises. Closing it early cancels the call.
        """
        return self._stream(prompt, options, on_end=lambda: None)

    def estimate(
        self,
        paths_or_texts: str | Path | Iterable[str | Path],
        *,
        models: str | Sequence[str] | None = None,
        output_tokens: int | None = None,
    ) -> Report:
        """Return what texts would cost on each model; sends nothing and needs no key. Its `totals` are the rows, cheapest first.

        A `str` is a text, a `Path` a file, a folder or a pattern to read. `models` None: the candidates of the client's profile,
        where it has one, else every model there is. `output_tokens` are those of each answer; None: the input alone. Raises
        UsageError for a path that is not there, ConfigError for an unknown model.
        """
        from deepsel.estimate.models import choose_models, notices_on, targets_of
        from deepsel.estimate.pricing import report, spend
        from deepsel.estimate.pricing.portions import Answers
        from deepsel.estimate.reading.read import read

        settings, at = self._opened().settings, self._session.clock.now()
        given = [paths_or_texts] if isinstance(paths_or_texts, str | Path) else list(paths_or_texts)
        if not given:
            raise UsageError("there is nothing to estimate", "give texts as `str`, files and folders as `Path`")
        names = [models] if isinstance(models, str) else models
        if names is None and self._profile_name is not None:
            names = self._choose(None).models
        chosen = choose_models(names or (), settings, at=at)
        texts = [one for one in given if isinstance(one, str)]
        reading = read(
            [_path_text(one) for one in given if isinstance(one, Path)],
            targets=targets_of(chosen),
            texts={f"text {number}": text.encode("utf-8", "replace") for number, text in enumerate(texts, start=1)},
        )
        providers = {model.provider: config.find_provider(settings, model.provider) for model in chosen}
        assumptions = spend.Assumptions(at, Answers(_count("output_tokens", output_tokens or 0)))
        wanted = report.ReportOptions(prices_as_of=settings.catalog.as_of.isoformat())
        notices = notices_on(chosen, at=at)
        return report.build(reading, chosen, providers=providers, assumptions=assumptions, wanted=wanted, notices=notices)

    def price(
        self,
        model: str,
        *,
        input_tokens: int,
        output_tokens: int,
        cached_input_tokens: int = 0,
        at: datetime | None = None,
    ) -> Decimal:
        """Return the USD that a call of so many tokens costs at `at`, which has to have a time zone; None: now.

        `cached_input_tokens` is the part of `input_tokens` that the provider reads from its cache; reasoning counts as output.
        Raises ConfigError for a model that is not known or whose price is not, UsageError for what cannot be.
        """
        session = self._opened()
        if at is not None and at.tzinfo is None:
            raise UsageError("`at` has no time zone, and prices change by the hour", "e.g. `datetime.now(UTC)`")
        cached = _count("cached_input_tokens", cached_input_tokens)
        uncached = _count("input_tokens", input_tokens) - cached
        if uncached < 0:
            raise UsageError("`cached_input_tokens` is a part of `input_tokens`, and cannot be more")
        row = config.find_model(session.settings, model)
        provider = config.find_provider(session.settings, row.provider)
        usage = Usage(uncached, cached, 0, 0, _count("output_tokens", output_tokens), 0)
        moment = session.clock.now() if at is None else at.astimezone(UTC)
        bill = catalog.bill(row, usage, at=moment, multiplier=provider.price_multiplier)
        if bill.total_usd is None:
            raise ConfigError(f"the price of {model} is not known: {bill.reason}", "state it in profiles.toml, under the model")
        return bill.total_usd

    @staticmethod
    def score(prompt: str) -> float:
        """Return how much a prompt needs a strong model: 0 any will do, 1 only a strong one."""
        from deepsel.routing.difficulty import score

        return score(prompt)

    def _opened(self) -> Session:
        """Return the session, which a closed client has no more."""
        if self._is_closed:
            raise UsageError("the client is closed", "open another one, or call inside its `with`")
        return self._session

    def _choose(self, name: str | None) -> Profile:
        """Find a profile; raises ConfigError."""
        return choose_profile(self._session.settings, self._session.env, name or self._profile_name)

    def _run(self, prompt: str, options: AskKeywords, *, is_shown: bool) -> Run:
        """Make a run of one request."""
        session = self._opened()
        return session.ask(read_ask(prompt, options, self._choose), is_shown=is_shown)

    def _stream(self, prompt: str, options: AskKeywords, *, on_end: Callable[[], None]) -> StreamedAnswer:
        """Make a stream of one request, which nobody can begin once the client is closed."""
        return StreamedAnswer(self._run(prompt, options, is_shown=True), on_begin=self._opened, on_end=on_end)


def _count(name: str, value: int) -> int:
    """Accept a number of tokens."""
    try:
        fields.integer(0)(value)
    except ValueError as error:
        raise UsageError(f"`{name}` must be {error}, not {value!r}") from None
    return value


def _path_text(path: Path) -> str:
    """Name a path for reading, where `-` alone would be standard input."""
    return "./-" if str(path) == "-" else str(path)


# --- for a single call ------------------------------------------------------------------------------------------------


@shows_options
def ask(prompt: str, **options: Unpack[AskKeywords]) -> Answer:
    """Return the whole answer to one question: `Client.ask` with the process's environment."""
    with Client() as client:
        return client.ask(prompt, **options)


@shows_options
def stream(prompt: str, **options: Unpack[AskKeywords]) -> StreamedAnswer:
    """Return the answer's pieces as they come: `Client.stream` with the process's environment."""
    with ExitStack() as open_yet:
        client = open_yet.enter_context(Client())
        streamed = client._stream(prompt, options, on_end=client.close)
        open_yet.pop_all()  # whoever reads it ends it
        return streamed


def estimate(
    paths_or_texts: str | Path | Iterable[str | Path],
    *,
    models: str | Sequence[str] | None = None,
    output_tokens: int | None = None,
) -> Report:
    """Return what texts (`str`) and files (`Path`) would cost on each model: `Client.estimate` with the process's environment."""
    with Client() as client:
        return client.estimate(paths_or_texts, models=models, output_tokens=output_tokens)


def price(
    model: str,
    *,
    input_tokens: int,
    output_tokens: int,
    cached_input_tokens: int = 0,
    at: datetime | None = None,
) -> Decimal:
    """Return the USD that a call of so many tokens costs: `Client.price` with the process's environment."""
    with Client() as client:
        return client.price(
            model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cached_input_tokens=cached_input_tokens,
            at=at,
        )
