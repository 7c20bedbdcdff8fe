"""The line on stderr while a job runs: how far, how fast, what failed, what it costs, what is left, what the endpoints bear."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from deepsel.cli.bench.line import WatchLine
from deepsel.clock import Clock
from deepsel.show.money import usd

if TYPE_CHECKING:
    from deepsel.batch.keeping import LineKeeper
    from deepsel.batch.planning import JobPlan
    from deepsel.batch.run import Runner

_EVERY_S = 0.2


class BatchLine:
    """A context manager that leaves the line empty."""

    def __init__(self, clock: Clock, *, is_shown: bool) -> None:
        """Draw nothing yet."""
        self._clock = clock
        self._line = WatchLine(is_shown=is_shown)
        self._drawn_at = float("-inf")
        self._began = clock.monotonic()

    def __enter__(self) -> Self:
        self._line.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.__exit__()

    def planning(self, lines: int, cost_usd: Decimal) -> None:
        """Show how many lines were counted."""
        self._draw(lambda: f"counting: {lines:,} lines, {usd(cost_usd)}")

    def watching(self, plan: JobPlan, keeper: LineKeeper, runner: Runner) -> Callable[[], None]:
        """Return what shows how far a run is."""
        before = keeper.tally.done

        def text() -> str:
            seconds = self._clock.monotonic() - self._began
            return progress_text(plan, keeper, runner, rate=(keeper.tally.done - before) / seconds if seconds > 0 else 0.0)

        return lambda: self._draw(text)

    def waiting(self, plan: JobPlan, keeper: LineKeeper) -> Callable[[int], None]:
        """Return what shows that providers have parts of the job."""
        return lambda parts: self._draw(lambda: f"{keeper.tally.done:,}/{plan.lines:,}  waiting for {parts} jobs at providers")

    def _draw(self, text: Callable[[], str]) -> None:
        watch, now = self._line.watch, self._clock.monotonic()
        if watch is not None and now - self._drawn_at >= _EVERY_S:
            self._drawn_at = now
            watch(text())


def progress_text(plan: JobPlan, keeper: LineKeeper, runner: Runner, *, rate: float) -> str:
    """Write how far a run is."""
    tally = keeper.tally
    left = plan.lines - tally.done
    parts = [f"{tally.done:,}/{plan.lines:,}", f"{rate:.1f}/s"]
    errors = ", ".join(f"{name} {count:,}" for name, count in tally.error_members().items())
    parts += [f"failed: {errors}"] if errors else []
    share = Decimal(left) / plan.to_do if plan.to_do else Decimal(0)
    parts.append(f"{usd(tally.cost_usd)} of {usd(tally.cost_usd + plan.cost_usd * share)}")
    if rate > 0:
        seconds = round(left / rate)
        parts.append(f"{seconds // 60}:{seconds % 60:02d} left")
    parts += [f"{name} {one['last']} at once" for name, one in runner.limits().items()]
    return "  ".join(parts)
