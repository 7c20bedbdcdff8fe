"""One run of `bench` on a session: which models, whether it can be paid, the measuring, the report, and handing it on."""

from __future__ import annotations

import os
import platform
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

from deepsel import __version__, config
from deepsel.bench import judging, saving
from deepsel.bench.cost import worst_cost_usd
from deepsel.bench.judging import Limits
from deepsel.bench.loops import Sender
from deepsel.bench.measure import BenchTarget, Caller
from deepsel.bench.measurement import Measurement
from deepsel.bench.prompts import Prompter
from deepsel.bench.records import BenchReport, Result
from deepsel.bench.wanted import Wanted
from deepsel.config import Profile
from deepsel.engine.spending import Spending, budgets_of
from deepsel.errors import ConfigError, OverBudgetError
from deepsel.health.refusals import Rows
from deepsel.storage.amounts import picousd
from deepsel.values import Json, Latency

if TYPE_CHECKING:
    from deepsel.session.open import Session


@dataclass(slots=True)
class BenchRun:
    """A run from its models to what is kept of it; its methods are called in their order."""

    session: Session
    profile: Profile
    wanted: Wanted
    limits: Limits
    baseline: Sequence[Result] = ()
    """An earlier run to compare with."""
    started_at: datetime = field(init=False)
    _prompter: Prompter = field(init=False)
    _spending: Spending = field(init=False)

    def __post_init__(self) -> None:
        session = self.session
        self.started_at = session.clock.now()
        self._prompter = Prompter(random.SystemRandom(), self.wanted.shares_prefix)
        self._spending = Spending(self.profile, session.state, session.clock, cap_usd=self.limits.cost_usd)

    def targets(self, names: Sequence[str]) -> list[BenchTarget]:
        """Find the named models, else the profile's candidates that have a key; raises ConfigError where there is none.

        They are asked as `ask` would ask them: without what their hosts have refused lately.
        """
        session, env = self.session, self.session.env
        wanted = tuple(dict.fromkeys(names or self.profile.models))
        rows = Rows(session.settings, wanted, session.state, session.clock.now())
        found = []
        for name in wanted:
            model, provider = rows[name]
            if names or config.has_key(provider, env):
                found.append(BenchTarget(model, provider, self.session.key_of(provider, self.profile.timeout_s)))
        if not found:
            raise ConfigError(
                f"no candidate of the profile `{self.profile.name}` has a key",
                "export one (`deepsel models` names the variables), or try without: `deepsel bench -p demo`",
            )
        return found

    def reserve(self, targets: Sequence[BenchTarget]) -> None:
        """Reserve the longest answers of all requests under the cap and the profile's budgets; raises OverBudgetError."""
        spending = self._spending
        if spending.cap_usd is None and not budgets_of(spending.profile):
            return
        costs = {
            target.model.name: worst_cost_usd(self.wanted, target, self._prompter, at=self.started_at) for target in targets
        }
        unknown = [name for name, cost in costs.items() if cost is None]
        refusal = spending.may(None if unknown else sum(filter(None, costs.values()), Decimal(0)))
        if refusal:
            who = f"{', '.join(unknown)}:" if unknown else "the run"
            raise OverBudgetError(
                f"nothing was sent: {who} {refusal}",
                "lower `-n`, `--max-tokens` or `--prompt-tokens`, or raise the limit",
            )

    def measure(self, targets: Sequence[BenchTarget], watch: Callable[[str], None] | None = None) -> BenchReport:
        """Send everything and report; KeyboardInterrupt leaves a partial report. `watch` is told how far it is.

        Raises RefusedError where a model refuses the warm-up.
        """
        session, profile, clock = self.session, self.profile, self.session.clock
        located = [replace(target, provider=session.locate(target.provider)) for target in targets]
        caller = Caller(
            session.transport, clock, session.settings.catalog, profile.timeout_s, profile.first_token_timeout_s, profile.temperature
        )
        sender = Sender(caller, self.wanted.max_tokens, random.SystemRandom(), watch)
        measured = Measurement(self.wanted, located, sender, self._prompter, clock.monotonic())
        try:
            measured.run()
            is_partial = False
        except KeyboardInterrupt:
            is_partial = True
        return self._report(measured, is_partial=is_partial)

    def save(self, report: BenchReport, figures: Mapping[str, Latency], *, to_router: bool) -> list[str]:
        """Give the bill to the budgets where there are any and, where that is wished, the figures to the router.

        Returns what went wrong, in words.
        """
        spending, words = self._spending, []
        notices = spending.notices
        if to_router or spending.reservation is not None:
            entries = saving.observations(report.results, profile=spending.profile.name, began_at=report.started_at)
            assumed = picousd(report.overhead_usd) or 0
            notices += spending.state.add(entries, hold=spending.reservation, assumed_picousd=assumed)
        if to_router and not report.is_partial:
            try:
                saving.write_latest(self.session.paths.data_dir, figures, at=report.started_at)
            except OSError as error:
                words.append(f"the figures cannot be kept: {(error.strerror or 'input/output error').lower()}")
        return [*words, *(notice.message for notice in notices[:1])]

    def _report(self, measured: Measurement, *, is_partial: bool) -> BenchReport:
        """Build the report of what was measured."""
        results = measured.results()
        comparisons = [*judging.compare_models(results), *judging.compare_baseline(results, self.baseline)]
        missing = judging.missing_in(self.baseline, [one.case for one in results]) if self.baseline else []
        report = BenchReport(
            started_at=self.started_at,
            tool=f"deepsel {__version__}",
            machine=_machine(),
            settings=_settings(self.wanted),
            results=results,
            overhead_usd=measured.overhead_usd(),
            is_partial=is_partial,
            comparisons=tuple(comparisons),
            warnings=(*_simulated(measured.targets), *(f"the baseline has no case `{case.label}`" for case in missing)),
        )
        return replace(report, checks=tuple(judging.checks_of(results, self.baseline, comparisons, self.limits, report.cost_usd)))


def _simulated(targets: Sequence[BenchTarget]) -> list[str]:
    """Say which models were not asked."""
    names = [target.model.name for target in targets if target.provider.is_simulated]
    return [f"simulated, no model was asked and nothing is paid: {', '.join(names)}"] if names else []


def _machine() -> dict[str, Json]:
    """Say what measured: figures of two machines are not comparable."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "httpx": version("httpx"),
    }


def _settings(wanted: Wanted) -> dict[str, Json]:
    """List what was asked for, without the text of prompts."""
    given: dict[str, Json] = {name: list(one) if isinstance(one, tuple) else one for name, one in asdict(wanted).items()}
    return {**given, "texts": len(wanted.texts)}
