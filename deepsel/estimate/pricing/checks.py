"""The thresholds of `estimate`: says which are crossed, by what, in sentences that name the file and the rule. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from deepsel.errors import CheckFailedError
from deepsel.estimate.pricing.spend import Assumptions, project
from deepsel.estimate.records import Change, CostRow, Report
from deepsel.show.money import exact_usd, usd
from deepsel.values import Model, Provider, Source


@dataclass(frozen=True, slots=True)
class CostLimits:
    """What the user allows; None: anything."""

    max_cost_usd: Decimal | None = None
    max_increase_usd: Decimal | None = None
    """Of all changed files together."""
    max_increase_pct: Decimal | None = None
    """Of each file that existed before: new files have nothing to compare with."""
    stale_after_s: float | None = None

    @property
    def are_none(self) -> bool:
        """Whether any cost is allowed."""
        return self.max_cost_usd is None and self.max_increase_usd is None and self.max_increase_pct is None


def crossed(
    report: Report,
    limits: CostLimits,
    *,
    judged: Sequence[Model],
    providers: Mapping[str, Provider],
    assumptions: Assumptions,
    now: datetime,
) -> list[str]:
    """Return a sentence for each limit that a report crosses.

    The cost is held against every model of `judged`; raises CheckFailedError where that cannot be done at all.
    """
    found = crossed_by_age(report.totals, limits, now=now)
    if report.change is not None:
        return found + crossed_by_change(report.change, limits)
    if limits.max_cost_usd is None:
        return found
    if not report.reading.inputs:
        raise CheckFailedError("the cost cannot be checked: nothing was counted, each path was skipped with its reason")
    if not judged:
        raise CheckFailedError("the cost cannot be checked: no model has a known price and a large enough window")
    by_file = project(report.reading, judged, providers=providers, assumptions=assumptions, by="file")
    names = {model.name for model in judged}
    return found + crossed_by_cost([row for row in report.totals if row.model in names], by_file, limits)


def crossed_by_change(change: Change, limits: CostLimits) -> list[str]:
    """Return a sentence for each limit that a change crosses, and one where what it costs may be more."""
    found = []
    if change.reason and not limits.are_none:
        found.append(f"the cost of the change on {change.model} cannot be checked: {change.reason}")
    where = f"on {change.model}"
    dearest = max(change.files, key=lambda file: file[2], default=None)
    if limits.max_cost_usd is not None and change.after_usd > limits.max_cost_usd and dearest:
        found.append(
            f"the changed files cost {exact_usd(change.after_usd)} {where}, most of it `{dearest[0]}` ({usd(dearest[2])}); "
            f"`--max-cost` allows {exact_usd(limits.max_cost_usd)}"
        )
    if limits.max_increase_usd is not None and change.delta_usd > limits.max_increase_usd:
        path, before, after = change.files[0]
        found.append(
            f"the change costs {exact_usd(change.delta_usd)} more {where}, most of it `{path}` ({usd(before)} to {usd(after)}); "
            f"`--max-increase` allows {exact_usd(limits.max_increase_usd)}"
        )
    if limits.max_increase_pct is not None:
        allowed = limits.max_increase_pct
        for path, before, after in change.files:
            if before and (after - before) * 100 > before * allowed:
                growth = (after - before) * 100 / before
                found.append(
                    f"`{path}` costs {growth:.0f} % more {where} ({usd(before)} to {usd(after)}); "
                    f"`--max-increase` allows {allowed.normalize():f} %"
                )
    return found


def crossed_by_cost(judged: Sequence[CostRow], by_file: Sequence[CostRow], limits: CostLimits) -> list[str]:
    """Return a sentence for each judged total over `--max-cost`, or unknown; `by_file` names the file that costs most."""
    if limits.max_cost_usd is None:
        return []
    found = []
    for row in judged:
        if row.total_usd is None:
            found.append(f"the cost on {row.model} cannot be checked: {row.reason}")
        elif row.total_usd > limits.max_cost_usd:
            own = [one for one in by_file if one.model == row.model and one.total_usd is not None]
            dearest = max(own, key=lambda one: one.total_usd or Decimal(0), default=None)
            most = f", most of it `{dearest.group}` ({usd(dearest.total_usd)})" if dearest else ""
            cost, allowed = exact_usd(row.total_usd), exact_usd(limits.max_cost_usd)
            least = "at least " if row.source is Source.AT_LEAST else ""
            found.append(f"the input costs {least}{cost} on {row.model}{most}; `--max-cost` allows {allowed}")
        elif row.source is Source.AT_LEAST:
            found.append(f"the cost on {row.model} cannot be checked: {row.reason}")
        elif row.most_usd is not None and row.most_usd > limits.max_cost_usd:
            most_usd, allowed = exact_usd(row.most_usd), exact_usd(limits.max_cost_usd)
            found.append(f"the input may cost {most_usd} on {row.model}, whose vocabulary is not known; `--max-cost` allows {allowed}")
    return found


def crossed_by_age(rows: Iterable[CostRow], limits: CostLimits, *, now: datetime) -> list[str]:
    """Return a sentence where a shown price was read too long ago; prices of the user's own have no date."""
    if limits.stale_after_s is None:
        return []
    ages = {(row.model, row.price_checked) for row in rows if row.price_checked}
    old = sorted(one for one in ages if (now.date() - date.fromisoformat(one[1])).days * 86_400 > limits.stale_after_s)
    if not old:
        return []
    names = ", ".join(model for model, _ in old[:3]) + (f" and {len(old) - 3} more" if len(old) > 3 else "")
    oldest = min(checked for _, checked in old)
    return [f"prices were last read on {oldest} ({names}); `--fail-on-stale` allows {limits.stale_after_s / 86_400:g} days"]
